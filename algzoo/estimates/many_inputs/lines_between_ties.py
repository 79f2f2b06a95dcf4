r"""Accuracy of a 2nd-argmax model from margins that are linear between ties, on chosen inputs.

Let M, S and T be the largest, second and third-largest inputs, at positions i, j and k. Given all
but S, the second-largest input lies between T and M, and its quantile is uniform between theirs. At
both ends there is a tie: at S = T the right answer passes from k to j, at S = M from j to i. So a
network that has learned the task has its kinks at the ends, where its margins vanish, and between
the ends they are nearly linear in S; those of a noisy network vanish elsewhere. Two values of S
determine the lines. These bound an interval of S in which the model is right, and the probability
of an interval is known exactly.

The average over the other variables remains: the values M and T, and the other inputs. By
exchangeability the n (n - 1) (n - 2) ordered triples are equally likely; every one gets its line.
The six lines of one unordered triple share M, T and the other inputs, and with them the beginnings
of their runs.

The distribution of S, the probabilities of triples and the interval are deduced. The network is
evaluated at Chebyshev's nodes of S, on fixed inputs of a Sobol sequence. Propagating lines through
the network, instead of drawing them through two of its outputs, was tried and failed: Jacobians at
the same nodes and Gaussian propagation give far too low accuracies (see the chapter). So do lines
from tie to tie, because the kinks of a noisy network lie beside the ties.

References
----------
This book, chapter on M16,10.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, permutations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri
from scipy.stats import qmc

from ...structure import weights_in_range
from ...zoo import Model
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..scope import Scope
from .prefix_tree import PrefixTree, prefix_tree

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@estimator(
    "lines between ties, {nodes} nodes",
    scope=Scope("2nd_argmax", at_least=3),
    budgets=[{"nodes": nodes, "rounds": 1} for nodes in (2, 3, 4)],
    scrambles=True,
    runs_network="chosen inputs",
    exact="converges",
    constants="none",
    source="this book, chapter on M16,10",
    references=("owen1998",),
    tuned_on="noisy copies of models of ten inputs: the kind of nodes",
    cost="O(nodes n^3 d^2)",
    fails_when="margins are not linear between the ties, and the nodes are few",
)
def linear_between_ties(model: Model, nodes: int, rounds: int, scramble: int) -> Tally:
    """Accuracy of a 2nd-argmax model whose margins are taken as linear between two ties.

    With more than two nodes the margins are piecewise linear. Nothing is fitted on networks. The
    error falls with both ``nodes`` and ``rounds``; for ten inputs two nodes and one round cost as
    much as about 800 samples.

    Parameters
    ----------
    model
        The model.
    nodes
        Number of values of the second-largest input for every triple, at least 2.
    rounds
        How often every triple is visited, each time with other values of the remaining inputs;
        powers of two are best.
    scramble
        Seed of the scramble. With one scramble all models see the same inputs, so that their errors
        are correlated.

    Raises
    ------
    ValueError
        If ``nodes`` is below 2, ``rounds`` below 1 or ``scramble`` negative.

    Notes
    -----
    No constant is fitted, but Chebyshev's nodes were preferred to Gauss's and to others after
    seeing the errors of all of them on noisy copies of the models of ten inputs.
    """
    weights = weights_in_range(model)
    numbers = {"nodes": (nodes, 2), "rounds": (rounds, 1), "scramble": (scramble, 0)}
    for name, (number, least) in numbers.items():
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")
    edges = _edges(model.seq_len, nodes, rounds, scramble)
    counter = OperationCounter()
    counter.counts["multiply_add"] += edges.tree.operations(model.hidden_size)
    logits = counter.array(edges.tree.logits(weights).reshape(*edges.values.shape, -1))
    edge = np.arange(len(edges.second))[:, None]
    margins = logits[edge, :, edges.second[:, None]] - logits[edge, :, edges.others]
    right = _probability_positive(margins, edges)
    return Tally(right.mean().item(), counter)


class _Edges(NamedTuple):
    """Lines of inputs on which only the second largest moves, from one tie to the other."""

    tree: PrefixTree  # tree of the inputs at all nodes of all edges, in this order
    second: Indices  # (n_edges,) position of the second largest
    others: Indices  # (n_edges, n - 1) all other positions
    values: Array  # (n_edges, nodes) of the second largest
    ends: Array  # (n_edges, 2) third largest and largest


@cache
def _edges(n: int, nodes: int, rounds: int, scramble: int) -> _Edges:
    triples = list(combinations(range(n), 3))
    third, largest, bulk = _quantiles(n, rounds * len(triples), scramble)
    share = (1 - np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)) / 2  # Chebyshev's nodes
    quantiles, second, ends = [], [], []
    # Neighbours of the sequence lie apart. They go to one triple, then to the next, which shares
    # positions with it. In rounds, a triple would always get the same part of the cube.
    for draw, triple in enumerate(t for t in triples for _ in range(rounds)):
        x = np.empty((nodes, n))
        x[:, [t for t in range(n) if t not in triple]] = bulk[draw]
        for i, j, k in permutations(triple):
            x[:, i], x[:, k] = largest[draw], third[draw]
            x[:, j] = third[draw] + share * (largest[draw] - third[draw])
            quantiles.append(x.copy())
            second.append(j)
            ends.append((third[draw], largest[draw]))
    inputs = ndtri(np.array(quantiles))
    positions = np.array(second)
    return _Edges(
        prefix_tree(inputs.reshape(-1, n)),
        positions,
        np.array([[t for t in range(n) if t != j] for j in second]),
        np.take_along_axis(inputs, positions[:, None, None], axis=2)[:, :, 0],
        ndtri(np.array(ends)),
    )


def _quantiles(n: int, points: int, scramble: int) -> tuple[Array, Array, Array]:
    """Third largest and largest, shape (points,), and the n - 3 smaller, as quantiles."""
    sobol = qmc.Sobol(n - 1, scramble=True, rng=np.random.default_rng(scramble))
    u = sobol.random_base2((points - 1).bit_length())[:points]
    # A scrambled point may be 0, whose quantile is infinite.
    u = np.clip(u, 2.0**-53, 1 - 2.0**-53)
    # The third largest of n uniform numbers; the two above it are uniform above it.
    third = betaincinv(n - 2, 3, u[:, 0])
    largest = np.minimum(third + (1 - third) * np.sqrt(u[:, 1]), 1 - 2.0**-53)
    return third, largest, third[:, None] * u[:, 2:]


def _probability_positive(margins: Any, edges: _Edges) -> Any:
    """Probability that all margins of an edge are positive, shape (n_edges,).

    ``margins`` has shape (n_edges, n - 1, nodes). Between nodes they are linear; the first and the
    last line are extended to the ends.
    """
    # If logits are equal all along the line, as in a dead network, argmax is the first of them.
    if_equal = np.where(edges.second[:, None] < edges.others, -np.inf, np.inf)
    values = edges.values
    cuts = np.concatenate([edges.ends[:, :1], values[:, 1:-1], edges.ends[:, 1:]], axis=1)
    probability = 0.0
    for a in range(values.shape[1] - 1):
        start, rise = margins[..., a], margins[..., a + 1] - margins[..., a]
        with np.errstate(divide="ignore", invalid="ignore"):
            root = values[:, a, None] - start * ((values[:, a + 1] - values[:, a])[:, None] / rise)
        root = np.where(np.isnan(root), if_equal, root)
        falling = rise < 0
        lower = np.where(falling, -np.inf, root).max(axis=1)
        upper = np.where(falling, root, np.inf).min(axis=1)
        lower = np.clip(lower, cuts[:, a], cuts[:, a + 1])
        upper = np.maximum(np.minimum(upper, cuts[:, a + 1]), lower)
        probability = probability + (ndtr(upper) - ndtr(lower))
    return probability / (ndtr(cuts[:, -1]) - ndtr(cuts[:, 0]))
