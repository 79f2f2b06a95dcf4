"""Cubature over prefixes that share their beginnings, with the last input integrated exactly.

There are m = n - 1 inputs before the last of n. A point of Sobol's sequence gives a level c, the
second largest of m uniform numbers, and further numbers for the other inputs. It is turned into m
prefixes, one for each position j of the second largest input; the position i of the largest is
another one, which the point chooses, so that over all points each of the m (m - 1) pairs has the
same share. Up to the first of both positions the prefixes of a point are the same and are computed
once. From there on nothing is shared, and each prefix has its own numbers: those of the point, with
their binary digits shifted by a pattern of the prefix. So the points of each single prefix are
those of a Sobol sequence. The probability that the model is right, over the last input, is exact up
to 2e-7 (:mod:`.last_input_walk`).

For ten inputs the mean squared error falls faster than the number of points rises. The mean over
scrambles is the accuracy, up to less than 1e-6 due to the rounding of inputs.

The network is evaluated on chosen inputs, and nothing is deduced from the weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from ...structure import Weights, weights_in_range
from ...zoo import Model
from ..estimate import Tally, estimator, sampler
from ..samplers.compiled import compiled, inlined
from ..samplers.random_inputs import normal_quantiles
from ..samplers.second_argmax import CELL
from ..scope import Scope
from .exact_last_input import Batch, tally_of
from .last_input_float32 import (
    LEAST_TOLERANCE,
    Prepared,
    is_small,
    prepared,
    probability_right,
)
from .last_input_kernel import walks
from .last_input_walk import Events
from .shared_beginnings import Prefixes

_SLICE = 2**9  # points at a time; states of their prefixes fit into a processor's second cache
_MOST_KEPT = 2**12  # points whose inputs are kept for the next model
_STEPS_OF_TABLE = 2**12

PAIRS = Scope("2nd_argmax", at_least=4)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Leaves:
    prefixes: Prefixes
    earlier: NDArray[np.floating]  # second largest and largest input, (2, n_prefixes)
    places: NDArray[np.int64]  # their positions


@estimator(
    "leaves of pairs, {points} points",
    scope=PAIRS,
    budgets=[{"points": points} for points in (32, 128, 512)],
    scrambles=True,
    runs_network="chosen inputs",
    exact="converges",
    constants="none",
    source="this book",
    references=("owen1998",),
    tuned_on="noisy copies of (16, 10) and of ARC's example: which pairs share a beginning",
    cost="O(points n^2 d^2)",
    fails_when="errors are rare, so that few points hit them",
)
def pair_leaves(model: Model, points: int, scramble: int) -> Tally:
    """Accuracy of a 2nd-argmax model from ``points`` times n - 1 prefixes.

    Parameters
    ----------
    model
        The model.
    points
        Number of points of Sobol's sequence, a power of two.
    scramble
        Seed of the scrambling. With one scrambling all models see the same inputs, so that their
        errors are correlated.

    Raises
    ------
    ValueError
        If ``points`` is not a power of two.
    """
    weights = weights_in_range(model)
    if points < 1 or points & (points - 1):
        raise ValueError(f"points must be a power of two, got {points}")
    slices = _kept if points <= _MOST_KEPT else _slices
    batches = (_batch(weights, leaves) for leaves in slices(model.seq_len - 1, points, scramble))
    return tally_of(weights, batches)


@sampler("leaves of pairs by sampling", scope=PAIRS, cost="O(n d^2) for each leaf")
def sampled_pair_leaves(model: Model, n_samples: int, seed: int) -> Tally:
    """Accuracy on random scrambles of :func:`pair_leaves`, with about ``n_samples`` leaves.

    The number of points is the nearest power of two. The estimate is unbiased. It has no ``std``,
    because a single scrambling does not determine one.
    """
    points = 2 ** max(round(np.log2(n_samples / (model.seq_len - 1))), 0)
    rule = pair_leaves(model, points, seed)
    return Tally(rule.value, rule.operations, transcendental=rule.transcendental)


def pair_leaves_stream(weights: Weights, scramble: int, tolerance: float) -> Iterator[Batch]:
    """Yield the rule of one scramble in batches of points, without end.

    The first batch is computed in double precision, and its events are counted. If ``tolerance``,
    the standard error that is asked for, is at least 1e-6, and if the mean of the first batch is
    the same in single precision up to a tenth of it, the later batches are computed in single
    precision (:mod:`.last_input_float32`). Their events are taken to be those of the first.
    """
    sobol, shifts = _scrambled(len(weights.w_oh) - 1, scramble)
    u = _next_points(sobol, _SLICE)
    first = _batch(weights, _leaves_of(u, shifts))
    yield first
    single: Prepared | None = None
    if tolerance >= LEAST_TOLERANCE and is_small(weights):
        single = prepared(weights)
        again = _single_batch(weights, _leaves_of(u, shifts, np.float32), single, first.events)
        if not abs(again.total - first.total) < tolerance / 10 * first.events.walks:
            single = None
    while True:
        u = _next_points(sobol, _SLICE)
        if single:
            yield _single_batch(weights, _leaves_of(u, shifts, np.float32), single, first.events)
        else:
            yield _batch(weights, _leaves_of(u, shifts))


def _batch(weights: Weights, leaves: _Leaves) -> Batch:
    n, d = weights.w_oh.shape
    drive = leaves.prefixes.drives(weights)
    right, met = walks(weights, drive, leaves.earlier, leaves.places, n - 1)
    return Batch(float(right.sum()), leaves.prefixes.operations(d), met)


def _single_batch(weights: Weights, leaves: _Leaves, single: Prepared, events: Events) -> Batch:
    drive = leaves.prefixes.drives(weights)
    right = probability_right(single, drive, leaves.earlier, leaves.places)
    return Batch(float(right.sum(dtype=float)), leaves.prefixes.operations(len(drive)), events)


@lru_cache(maxsize=64)
def _kept(m: int, points: int, scramble: int) -> tuple[_Leaves, ...]:
    return tuple(_slices(m, points, scramble))


def _slices(m: int, points: int, scramble: int) -> Iterator[_Leaves]:
    """Yield all prefixes of ``m`` inputs, for some points at a time."""
    sobol, shifts = _scrambled(m, scramble)
    for start in range(0, points, _SLICE):
        yield _leaves_of(_next_points(sobol, min(_SLICE, points - start)), shifts)


def _scrambled(m: int, scramble: int) -> tuple[qmc.Sobol, NDArray[np.int64]]:
    """Return the sequence of points, and the shift of each prefix."""
    generator = np.random.default_rng(scramble)
    sobol = qmc.Sobol(m + 3, rng=generator)
    n_shifts = 1 << (m - 1).bit_length()  # rows of a net; each prefix has its own row
    shifts = qmc.Sobol(m + 1, rng=generator).random(n_shifts)
    shifts = generator.permutation(shifts)[:m]
    return sobol, (shifts * 2**31).astype(np.int64)


def _next_points(sobol: qmc.Sobol, size: int) -> Array:
    return np.ascontiguousarray(sobol.random(size).T) + CELL / 2


def _leaves_of(u: Array, shifts: NDArray[np.int64], number_type: Any = np.float64) -> _Leaves:
    """Prefixes from points of shape (m + 3, n_points), and shifts of shape (m, m + 1)."""
    m, n_points = len(shifts), u.shape[1]
    n_leaves = m * n_points
    by_turn, starts = np.empty_like(u), np.empty(m, np.int64)
    _sort(u, by_turn, starts)
    quantiles = np.empty(m * n_points + (m + 2) * n_leaves, np.uint32)
    path, begun = np.empty(n_leaves, np.int64), np.empty(m, np.int64)
    places = np.empty((2, n_leaves), np.int64)
    parts = _parts(quantiles, m, n_points)
    _arrange(by_turn, _levels(by_turn[1], m), starts, shifts, *parts, path, begun, places)
    paths, inputs, earlier = _parts(normal_quantiles(quantiles, number_type), m, n_points)
    return _Leaves(Prefixes(paths, inputs, path, begun), earlier, places)


def _parts(numbers: NDArray[Any], m: int, n_points: int) -> list[NDArray[Any]]:
    """Split numbers into those of the paths, of the prefixes, and their two largest."""
    first, second = m * n_points, m * (m + 1) * n_points
    parts = numbers[:first], numbers[first:second], numbers[second:]
    return [part.reshape(rows, -1) for part, rows in zip(parts, (m, m, 2), strict=True)]


@cache
def _level_table(m: int) -> Array:
    """Quantiles of the second largest of m uniform numbers, where searches for the root start."""
    u = np.arange(1, _STEPS_OF_TABLE + 1) / _STEPS_OF_TABLE
    quantiles = np.empty(_STEPS_OF_TABLE + 1)
    quantiles[0], quantiles[-1] = 0.0, 1.0
    _newton(u[:-1], np.full(len(u) - 1, (m - 2) / (m - 1)), m, quantiles[1:-1])
    return quantiles


def _levels(u: Array, m: int) -> Array:
    """Quantile function of the second largest of ``m`` uniform numbers, to 1e-11."""
    start, levels = np.empty_like(u), np.empty_like(u)
    _look_up(u, _level_table(m), (m - 2) / (m - 1), start)
    _newton(u, start, m, levels)
    return levels


@compiled
def _look_up(u: Any, table: Any, inflection: float, start: Any) -> None:
    """Write from where Newton's method approaches the root from one side."""
    for p in range(len(u)):
        cell = int(u[p] * _STEPS_OF_TABLE)
        below, above = table[cell], table[cell + 1]
        if above <= inflection:
            start[p] = above
        else:
            start[p] = max(below, inflection)


@compiled
def _newton(u: Any, start: Any, m: int, levels: Any) -> None:
    """Roots x of m x^(m - 1) - (m - 1) x^m = u."""
    for k in range(len(u)):
        x = start[k]
        for _ in range(100):
            power = 1.0  # x^(m - 2), by products, which are the same bits everywhere
            for _ in range(m - 2):
                power *= x
            step = (power * x * (m - (m - 1) * x) - u[k]) / (m * (m - 1) * power * (1 - x))
            x -= step
            if abs(step) < 1e-13:
                break
        levels[k] = x


@compiled
def _sort(u: Any, by_turn: Any, starts: Any) -> None:
    """Sort points by the pairs that they choose, and write where those of the next ones start."""
    m, n_points = len(starts), u.shape[1]
    starts[:] = 0
    for p in range(n_points):
        starts[int(u[0, p] * (m - 1)) + 1] += 1
    for turn in range(1, m):
        starts[turn] += starts[turn - 1]
    place, end = np.empty(n_points, np.int64), starts.copy()
    for p in range(n_points):
        turn = int(u[0, p] * (m - 1))
        place[p] = end[turn]
        end[turn] += 1
    for row in range(len(u)):
        for p in range(n_points):
            by_turn[row, place[p]] = u[row, p]


@compiled
def _arrange(
    u: Any,
    levels: Any,
    starts: Any,
    shifts: Any,
    paths: Any,
    inputs: Any,
    earlier: Any,
    path: Any,
    begun: Any,
    places: Any,
) -> None:
    """Write quantiles in units of 2^-32, the prefixes in the order in which they leave their paths.

    Of the coordinates of a point the first chose the pairs, the second gave its level; the third is
    for the largest input, and the others are for the positions from last to first.
    """
    m, n_points = paths.shape
    unit = 2.0**32
    digits = np.empty((m + 1, n_points), np.int32)  # for every position, and for the largest input
    for t in range(m + 1):
        row, of_row = u[2 if t == m else m + 2 - t], digits[t]
        for p in range(n_points):
            of_row[p] = np.int32(row[p] * 2.0**31)
    for t in range(m):
        row, of_path = u[m + 2 - t], paths[t]
        for p in range(n_points):
            of_path[p] = np.uint32(levels[p] * row[p] * unit)
    k = 0
    for first in range(m):
        for turn in range(m - 1):
            points = slice(starts[turn], starts[turn + 1])
            level = levels[points]
            for j in range(m):
                i = (j + 1 + (turn + 3 * j) % (m - 1)) % m
                if min(i, j) != first:
                    continue
                here = slice(k, k + len(level))
                k = here.stop
                path[here] = np.arange(points.start, points.stop)
                places[0, here], places[1, here] = j, i
                for t in range(m):
                    own = inputs[t, here]
                    if t < first:
                        own[:] = paths[t, points]
                    elif t == j:
                        for p in range(len(level)):
                            own[p] = np.uint32(level[p] * unit)
                        earlier[0, here] = own
                    elif t == i:
                        shift, of_row = np.int32(shifts[j, m]), digits[m, points]
                        for p in range(len(level)):
                            w = _shifted(of_row[p], shift)
                            largest = (level[p] + (1.0 - level[p]) * w) * unit
                            own[p] = np.uint32(min(largest, unit - 1.0))
                        earlier[1, here] = own
                    else:
                        shift, of_row = np.int32(shifts[j, t]), digits[t, points]
                        for p in range(len(level)):
                            w = _shifted(of_row[p], shift)
                            own[p] = np.uint32(level[p] * w * unit)
        begun[first] = k


@inlined
def _shifted(digits: Any, shift: Any) -> Any:
    """Apply a digital shift."""
    return np.int32(digits ^ shift) * 2.0**-31 + 2.0**-32
