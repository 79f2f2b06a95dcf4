"""Cubature over the order classes of argmedian: which input is the median, which are next to it.

:mod:`.cubature` is the same method for 2nd argmax.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri
from scipy.stats import qmc

from ...structure import weights_in_range
from ...zoo import Model
from ..estimate import Tally, estimator
from ..samplers.forward import answers_right
from ..scope import ARGMEDIAN

Array = NDArray[np.float64]


@estimator(
    "argmedian order classes, {rows} points each",
    scope=ARGMEDIAN,
    budgets=[{"rows": rows} for rows in (1, 4, 16)],
    scrambles=True,
    runs_network="chosen inputs",
    exact="converges",
    constants="none",
    source="this book, after its cubature for 2nd argmax",
    references=("owen1998",),
    tuned_on="noisy copies of argmedian (16, 5): the number of last inputs",
    cost="O(points n^4 d^2)",
    fails_when="the model is right on part of an order class, and the points are few",
)
def argmedian_class_cubature(model: Model, rows: int, scramble: int, leaves: int = 4) -> Tally:
    """Accuracy of an argmedian model by cubature within each class of inputs.

    A class consists of three positions: those of the median, of the next larger and of the next
    smaller input; all n (n - 1) (n - 2) classes are equally likely. Each gets ``rows`` points of
    its own scrambled Sobol sequence, which are mapped to inputs by the exact distribution of order
    statistics. The choices of the other inputs that lie above are visited in turn, in a random
    order. Every input is evaluated ``leaves`` times, with last inputs spread evenly over the
    conditional distribution of the last input. An evaluation after the first shares the state
    before the last step and costs one product with the input weights and one readout.

    Parameters
    ----------
    model
        The model.
    rows
        Points in each class; powers of two are best.
    scramble
        Seed of the scrambles. With one scramble all models see the same inputs, so that their
        errors are correlated.
    leaves
        Last inputs for each point. From four on, a further one gains less than it costs on noisy
        copies of M16,5, on which the number was chosen.

    Raises
    ------
    ValueError
        If ``rows`` or ``leaves`` is not positive.
    """
    weights = weights_in_range(model)
    if rows < 1 or leaves < 1:
        raise ValueError(f"rows and leaves must be positive, got {rows} and {leaves}")
    n, d = model.seq_len, model.hidden_size
    right = [answers_right(weights, x, n // 2).mean() for x in _inputs(n, rows, scramble, leaves)]
    points = n * (n - 1) * (n - 2) * rows
    first_leaf, further_leaf = n * d * (d + 1) + d * n, d + d * n
    operations = points * (first_leaf + (leaves - 1) * further_leaf)
    return Tally(float(np.mean(right)), operations)


@cache
def _inputs(n: int, rows: int, scramble: int, leaves: int) -> tuple[Array, ...]:
    """All inputs by leaf, each of shape (n, points)."""
    classes = list(permutations(range(n), 3))
    streams = np.random.SeedSequence(scramble).spawn(len(classes))
    quantiles = np.concatenate(
        [
            _class_quantiles(n, rows, positions, np.random.default_rng(stream))
            for positions, stream in zip(classes, streams, strict=True)
        ],
        axis=1,
    )
    low, high = _last_interval(quantiles)
    share = (quantiles[-1] - low) / (high - low)
    found = []
    for leaf in range(leaves):
        turned = quantiles.copy()
        turned[-1] = low + (high - low) * ((share + leaf / leaves) % 1)
        # A share may be 0 or round to 1, whose quantiles are infinite.
        found.append(np.asarray(ndtri(np.clip(turned, 2.0**-53, 1 - 2.0**-53))))
    return tuple(found)


def _class_quantiles(
    n: int, rows: int, positions: tuple[int, int, int], generator: np.random.Generator
) -> Array:
    """Inputs of one class as quantiles, shape (n, rows)."""
    middle, upper, lower = positions
    half = n // 2
    u = qmc.Sobol(n, scramble=True, rng=generator).random_base2((rows - 1).bit_length())[:rows]
    u = np.clip(generator.permutation(u), 2.0**-53, 1 - 2.0**-53).T
    quantiles = np.empty((n, rows))
    median = betaincinv(half + 1, half + 1, u[0])
    # The least of the numbers above the median, which are uniform there; the largest below it.
    least_above = 1 - (1 - median) * u[1] ** (1 / half)
    largest_below = median * u[2] ** (1 / half)
    quantiles[middle], quantiles[upper], quantiles[lower] = median, least_above, largest_below
    others = [position for position in range(n) if position not in positions]
    splits = np.array([[i in above for i in others] for above in combinations(others, half - 1)])
    above = splits[generator.permutation(len(splits))[np.arange(rows) % len(splits)]].T
    quantiles[others] = np.where(
        above, least_above + (1 - least_above) * u[3:], largest_below * u[3:]
    )
    return quantiles


def _last_interval(quantiles: Array) -> tuple[Array, Array]:
    """Quantiles between which the last input may move without leaving its class; both (points,)."""
    n, points = quantiles.shape
    half, columns = n // 2, np.arange(points)
    others = np.sort(quantiles[:-1], axis=0)
    rank = (quantiles[:-1] < quantiles[-1]).sum(axis=0)
    bounded = np.concatenate([np.zeros((1, points)), others, np.ones((1, points))])
    # The neighbours and the median stay between those next to them; a number beyond the neighbours
    # may be anywhere beyond.
    low = np.where(rank < half - 1, 0, np.minimum(rank, half + 2))
    high = np.where(rank > half + 1, n, np.maximum(rank + 1, half - 1))
    return bounded[low, columns], bounded[high, columns]
