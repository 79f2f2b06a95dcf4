"""Offset formula: at which distance from a tie the network changes its answer.

For positions i, j, k of the three largest inputs, the largest and the third, M and T, are set to
their expected values, and all others to the mean of the remaining inputs. The second largest takes
two values between M and T. Lines through the margins of the logit of j over all others show from
where to where j has the largest logit: from T to M for a perfect network, from T + a to M - b for
another. With these offsets a and b assumed to be the same in the whole class, the distribution of
order statistics gives the probability of being right, that S - T exceeds a and M - S exceeds b.

Nothing is fitted. The formula ignores that offsets vary within a class, with the other inputs and
with M and T; where they are small on average some of them are large. The estimate is therefore too
high.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri

from ...structure import weights_in_range
from ...zoo import Model
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..scope import Scope
from .lines import right_interval
from .order_classes import class_moments
from .prefix_tree import PrefixTree, prefix_tree

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Numbers = Any  # a numpy array, or one that counts

# Gauss's two nodes on (0, 1): quantiles of the second largest between T and M.
_SHARES = (1 + np.polynomial.legendre.leggauss(2)[0]) / 2
_NODES = 10  # nodes of the quadrature over the distribution of S
_REACH = 4.0  # standard deviations of S that it covers, on either side of its mean


class _Anchors(NamedTuple):
    """Inputs on which the network is run; those of the tree have shape (2, n_anchors)."""

    tree: PrefixTree
    answer: Indices  # position of the second largest
    weight: Array  # every pair (i, j) counts as much as every other
    largest: float
    second: Array  # (2,)
    third: float


@estimator(
    "offset formula",
    scope=Scope("2nd_argmax", at_least=4),
    runs_network="chosen inputs",
    exact="approximate",
    constants="none",
    source="this book, chapter on M16,10",
    cost="O(n^3 d^2)",
    fails_when="offsets vary within a class, which makes the estimate too high",
)
def offset_formula(model: Model) -> Tally:
    """Accuracy of a 2nd-argmax model from the offsets of its decisions from ties.

    It is the mean over all ordered pairs (i, j), and for each over half of the third positions k,
    of

        E over S of  (F(S - a) / F(S))^(n - 2)  (1 - F(S + b)) / (1 - F(S)),

    with F the Gaussian distribution function, S the second largest and a, b the offsets, at least
    0.
    """
    weights = weights_in_range(model)
    n = model.seq_len
    anchors = _anchors(n)
    n_anchors = len(anchors.answer)
    counter = OperationCounter()
    counter.counts["multiply_add"] += anchors.tree.operations(model.hidden_size)
    logits = counter.array(anchors.tree.logits(weights).reshape(2, n_anchors, n))
    others = np.array([[k for k in range(n) if k != answer] for answer in anchors.answer])
    anchor = np.arange(n_anchors)[:, None]
    margins = logits[:, anchor, anchors.answer[:, None]] - logits[:, anchor, others]
    here, there = np.broadcast_to(anchors.second[:, None], (2, n_anchors))
    low, high = right_interval(here, there, margins[0], margins[1])
    value = _probability(low - anchors.third, anchors.largest - high, n) @ anchors.weight
    return Tally(value.item(), counter)


def _probability(from_third: Numbers, from_largest: Numbers, n: int) -> Numbers:
    """Probability that the second of n is farther from its neighbours than these offsets."""
    s, weight = _second_law(n)
    a, b = (np.maximum(offset, 0)[:, None] for offset in (from_third, from_largest))
    third_farther = (ndtr(s - a) * (1 / ndtr(s))) ** (n - 2)
    return (third_farther * ndtr(-(s + b))) @ (weight / ndtr(-s))


@cache
def _anchors(n: int) -> _Anchors:
    moments = class_moments(n)
    largest, third = float(moments.mean[0, 0]), _mean_of_third(n)
    rest = -(largest + float(moments.mean[0, 1]) + third) / (n - 3)
    low, high = ndtr(third), ndtr(largest)
    second = ndtri(low + (high - low) * _SHARES)
    roles, weights = [], []
    for i, j in permutations(range(n), 2):
        # Every second of the third positions, a different half from one pair to the next.
        thirds = [k for k in range(n) if k not in (i, j)][(i + j) % 2 :: 2]
        roles += [(i, j, k) for k in thirds]
        weights += [1 / (n * (n - 1) * len(thirds))] * len(thirds)
    positions = np.array(roles)
    x = np.full((2, len(roles), n), rest)
    for of_second, value in zip(x, second, strict=True):
        for rank, level in enumerate((largest, value, third)):
            of_second[np.arange(len(roles)), positions[:, rank]] = level
    tree = prefix_tree(x.reshape(-1, n))
    return _Anchors(tree, positions[:, 1], np.array(weights), largest, second, third)


def _mean_of_third(n: int) -> float:
    """Expected value of the third largest of n standard Gaussian numbers."""
    s, weight = np.polynomial.legendre.leggauss(128)
    s, weight = 9 * s, 9 * weight
    log_density = -(s**2) / 2 - np.log(2 * np.pi) / 2 + (n - 3) * log_ndtr(s) + 2 * log_ndtr(-s)
    return float(n * (n - 1) * (n - 2) / 2 * np.exp(log_density) @ (weight * s))


@cache
def _second_law(n: int) -> tuple[Array, Array]:
    """Nodes and weights of a quadrature over the distribution of the second largest number."""
    moments = class_moments(n)
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    s = moments.mean[0, 1] + _REACH * np.sqrt(moments.covariance[0, 1, 1]) * node
    weight = weight * np.exp(-(s**2) / 2 + (n - 2) * log_ndtr(s) + log_ndtr(-s))
    return s, weight / weight.sum()
