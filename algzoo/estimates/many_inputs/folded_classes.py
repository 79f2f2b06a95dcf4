"""Cubature over classes of prefixes by one Sobol sequence, with the last input integrated exactly.

The classes are *folded* into one sequence: the first coordinate of a point chooses a class among
all, that is, which of the inputs before the last are the three largest (for argmedian, which are
the two in the middle and which lie above them). Further coordinates give the levels of these
inputs, the last ones the other inputs, first to last. The probability that the model is right, over
the last input, is exact up to 2e-7 (:mod:`.last_input_walk`). The mean over scrambles is the
accuracy.

Good networks err where two neighbouring levels are nearly tied. A uniform number v that sets the
gap between two of them, with the tie at v = 1, is replaced by 1 - (1 - t)^q of a uniform t with the
weight q (1 - t)^(q - 1); the mean of the weighted probabilities of being wrong is subtracted from
1. This is *tie clustering*. It makes estimates worse for networks that err often.

The network is evaluated on chosen inputs, and nothing is deduced from the weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, count, permutations

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.stats import qmc

from ...structure import weights_in_range
from ...zoo import Model
from ..estimate import Tally, check_draws, estimator, sampler
from ..samplers.second_argmax import CELL, sobol_points
from ..scope import Scope
from .exact_last_input import (
    Batch,
    operations_of_passes,
    operations_of_prefixes,
    rank_of_answer,
    right_after,
)

FOLDED = Scope("2nd_argmax", at_least=4) | Scope("argmedian", at_least=5, odd=True)

_BATCH = 2**9  # number of points in a batch of a stream

LARGE = 16  # networks of this many neurons are assumed good enough for tie clustering

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@estimator(
    "folded classes, {points} points, clustering {clustering}",
    scope=FOLDED,
    budgets=[
        *({"points": points, "clustering": 1.0} for points in (256, 1024, 4096)),
        {"points": 1024, "clustering": 1.75},
    ],
    scrambles=True,
    runs_network="chosen inputs",
    exact="converges",
    constants="none",
    source="this book",
    references=("owen1998",),
    tuned_on="noisy copies of bundled models of 4 to 10 inputs: the clustering, and when to use it",
    advice_bits=lambda points, clustering: 6 if clustering > 1 else 0,
    cost="O(points n d^2)",
    fails_when="errors are rare and not near ties; with clustering, if they are frequent",
)
def folded_classes(model: Model, points: int, scramble: int, clustering: float = 1.0) -> Tally:
    """Accuracy of a 2nd-argmax or argmedian model from as many prefixes as ``points``.

    Parameters
    ----------
    model
        The model.
    points
        Number of points of Sobol's sequence; powers of two are best.
    scramble
        Seed of the scrambling. With one scrambling all models see the same inputs, so that their
        errors are correlated.
    clustering
        Exponent q of tie clustering; 1 is none, 1.5 to 2 is best for good networks.

    Raises
    ------
    ValueError
        If ``points`` is not positive or ``clustering`` is less than 1.
    """
    weights = weights_in_range(model)
    check_draws(points, scramble)
    if clustering < 1:
        raise ValueError(f"clustering must be at least 1, got {clustering}")
    prefixes, weight = prefixes_of(model.task_name, model.seq_len - 1, points, scramble, clustering)
    right, events = right_after(weights, prefixes, rank_of_answer(model))
    operations = operations_of_prefixes(weights, events)
    if clustering > 1:
        operations += 2 * points  # probabilities of being wrong, and their weights
    # With weights the estimate of a poor network may be below 0.
    value = float(np.clip(1 - np.sum(weight * (1 - right)) / points, 0, 1))
    return Tally(value, operations, transcendental=events.normal_probabilities)


@sampler("folded classes by sampling", scope=FOLDED, cost="O(n d^2) for each point")
def sampled_folded_classes(model: Model, n_samples: int, seed: int) -> Tally:
    """Accuracy on random scrambles of :func:`folded_classes`, with clustering from 16 neurons on.

    The estimate is unbiased. It has no ``std``, because a single scrambling does not determine one.
    """
    rule = folded_classes(model, n_samples, seed, clustering_for(model))
    return Tally(rule.value, rule.operations, transcendental=rule.transcendental)


def clustering_for(model: Model) -> float:
    """Return the exponent of tie clustering that is best for most models of this size."""
    return 1.75 if model.hidden_size >= LARGE else 1.0


def folded_classes_stream(model: Model, scramble: int, clustering: float) -> Iterator[Batch]:
    """Yield the rule of one scramble in batches of points, without end."""
    weights = weights_in_range(model)
    sobol = qmc.Sobol(model.seq_len, rng=np.random.default_rng(scramble))

    def batch() -> Batch:
        u = np.ascontiguousarray(sobol.random(_BATCH).T) + CELL / 2
        prefixes, weight = _arranged(model.task_name, u, clustering)
        right, events = right_after(weights, prefixes, rank_of_answer(model))
        total = _BATCH - float(np.sum(weight * (1 - right)))
        weighing = 2 * _BATCH if clustering > 1 else 0
        return Batch(total, operations_of_passes(weights, _BATCH) + weighing, events)

    return (batch() for _ in count())


@lru_cache(maxsize=64)
def prefixes_of(
    task_name: str, m: int, points: int, scramble: int, clustering: float
) -> tuple[Array, Array]:
    """Inputs before the last, shape (m, points), and weights of the prefixes."""
    u = sobol_points(m + 1, points, np.random.default_rng(scramble))
    return _arranged(task_name, u, clustering)


def _arranged(task_name: str, u: Array, clustering: float) -> tuple[Array, Array]:
    """Inputs and weights from points of shape (m + 1, points)."""
    arranged, n_gaps = {"2nd_argmax": (_second_argmax, 2), "argmedian": (_argmedian, 1)}[task_name]
    from_tie = 1 - u[1 : 1 + n_gaps]
    weight = np.prod(clustering * from_tie ** (clustering - 1), axis=0)
    gaps = from_tie**clustering  # 1 - v, precise at a tie
    return np.asarray(special.ndtri(arranged(u, gaps))), weight


def _second_argmax(u: Array, gaps: Array) -> Array:
    """Quantiles of the inputs; the second coordinate sets the third level, then the others."""
    m, points = len(u) - 1, u.shape[1]
    classes = np.array(list(permutations(range(m), 3)))
    roles: Indices = classes[(u[0] * len(classes)).astype(int)]
    # The largest of k uniform numbers below c is c v^(1/k).
    levels = np.empty((3, points))
    levels[0] = u[3] ** (1 / m)
    levels[1] = levels[0] * (1 - gaps[1]) ** (1 / (m - 1))
    levels[2] = levels[1] * (1 - gaps[0]) ** (1 / (m - 2))
    return _filled(roles, levels, levels[2] * u[4:][::-1])


def _argmedian(u: Array, gaps: Array) -> Array:
    """Quantiles; the second coordinate sets the gap in the middle, the fourth the lower level."""
    m, points = len(u) - 1, u.shape[1]
    half = m // 2
    places = list(permutations(range(m), 2))
    classes = []
    for low, high in places:
        others = [t for t in range(m) if t not in (low, high)]
        classes += [
            (low, high, *above, *(t for t in others if t not in above))
            for above in combinations(others, half - 1)
        ]
    roles: Indices = np.array(classes)[(u[0] * len(classes)).astype(int)]
    low = special.betaincinv(half, half + 1, u[3])
    high = low + (1 - low) * (1 - (1 - gaps[0]) ** (1 / half))
    rest = np.concatenate([u[2:3], u[4:]])
    above, below = rest[: half - 1], rest[half - 1 :]
    quantiles = np.empty((m, points))
    values = np.concatenate([[low, high], high + (1 - high) * above, low * below])
    np.put_along_axis(quantiles, roles.T, values, axis=0)
    return quantiles


def _filled(roles: Indices, levels: Array, others: Array) -> Array:
    """Levels at their positions, shape (points, 3), and the others from first to last."""
    m, points = len(levels) + len(others), levels.shape[1]
    quantiles = np.empty((m, points))
    free = np.ones((m, points), bool)
    np.put_along_axis(free, roles.T, False, axis=0)
    # Column by column, so that the others stay in their order.
    quantiles.T[free.T] = others.T.ravel()
    np.put_along_axis(quantiles, roles.T, levels, axis=0)
    return quantiles
