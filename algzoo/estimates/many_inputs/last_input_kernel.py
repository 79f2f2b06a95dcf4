"""Compiled walk over the last input (:mod:`.last_input_walk`), for many prefixes at once.

Prefixes lie along the last axis and are walked in step, so that the processor handles several at a
time: knots are sorted by a network of comparators that is the same for all prefixes, each knot with
its number in the lowest bits, and only roots are computed one by one. The results are the same bits
on every machine (:mod:`.compiled`); the normal distribution function is a piecewise polynomial.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from ...structure import Weights
from ..samplers.compiled import compiled, inlined
from .last_input_walk import REACH, Events

_LANES = 64  # prefixes in step; their data stay in the first cache
_WIDTH = 2 * REACH
_NEVER = 16.0  # a knot beyond the end; its low bits are free for a number
_BLOCK = 2**12  # prefixes whose states are held at a time

_PER_UNIT = 32  # polynomials of the normal distribution function in a unit interval
_TERMS = 8

Array = NDArray[np.float64]

(
    _LATE,
    _ACTIVE,
    _SORTING,
    _KNOTS,
    _SWITCHES,
    _PIECES,
    _STARTS,
    _CHANGES,
    _ROOTS,
    _VIOLATORS,
    _CROSSINGS,
    _FALLING,
    _PASSAGES,
    _ENDS,
) = range(1, len(Events._fields))


def walks(
    weights: Weights,
    drive: NDArray[np.floating],
    earlier: NDArray[np.floating],
    places: NDArray[np.int64],
    middle: int,
) -> tuple[Array, Events]:
    """Probability, over the last input, that the model is right after each prefix.

    Parameters
    ----------
    weights
        Weights of the model.
    drive
        W_hh times the state after each prefix, shape (d, n_prefixes).
    earlier
        The two inputs at which the right answer changes, the lower first, shape (2, n_prefixes).
    places
        Their positions, of the same shape: the right answers below and above both.
    middle
        The right answer in between: the last position.

    Returns
    -------
    numpy.ndarray
        The probabilities, shape (n_prefixes,).
    Events
        Events on the walks, which determine their cost.
    """
    n_prefixes = drive.shape[1]
    whole = n_prefixes - n_prefixes % _LANES
    probability = np.empty(n_prefixes)
    met = np.zeros(len(Events._fields), np.int64)
    met[0] = n_prefixes
    arguments = *_of_model(weights), float(middle)
    inputs = [np.ascontiguousarray(a) for a in (drive, earlier, places.astype(np.float64))]
    _walks(*inputs, *arguments, probability[:whole], met)
    if whole < n_prefixes:
        # The last group is filled up with copies of its first prefix, whose events are subtracted.
        columns = np.minimum(np.arange(whole, whole + _LANES), n_prefixes - 1)
        rest, alone, met_alone = np.empty(_LANES), np.empty(_LANES), np.zeros_like(met)
        _walks(*(a[:, columns] for a in inputs), *arguments, rest, met)
        columns[:] = n_prefixes - 1
        _walks(*(a[:, columns] for a in inputs), *arguments, alone, met_alone)
        probability[whole:] = rest[: n_prefixes - whole]
        met -= met_alone // _LANES * (whole + _LANES - n_prefixes)
    return probability, Events(*map(int, met))


def _of_model(weights: Weights) -> tuple[Any, ...]:
    n, d = weights.w_oh.shape
    slopes = weights.w_oh * weights.w_hi
    rises = np.where(weights.w_hi >= 0, 1.0, -1.0)
    steps = np.zeros((d + 2, n + 1))  # what knots add to the slopes and to the active neurons
    steps[:d, :n] = (slopes * rises).T
    steps[:d, n] = rises
    return (
        weights.w_hi,
        np.ascontiguousarray(weights.w_oh),
        slopes,
        steps,
        _network(d + 2),
        (1 << (d + 1).bit_length()) - 1,
        _normal_polynomials(),
    )


@cache
def _network(n: int) -> NDArray[np.int64]:
    """Comparators that sort ``n`` numbers, shape (n_comparators, 2).

    Source: K. E. Batcher's merge exchange; D. E. Knuth, The Art of Computer Programming 3, 5.2.2,
    algorithm M.
    """
    comparators = []
    top = 1 << ((n - 1).bit_length() - 1)
    p = top
    while p:
        q, r, distance = top, 0, p
        while distance:
            comparators += [(i, i + distance) for i in range(n - distance) if i & p == r]
            distance, q, r = q - p, q // 2, p
        p //= 2
    return np.array(comparators, np.int64)


@cache
def _normal_polynomials() -> Array:
    """Taylor polynomials of the normal distribution function on -REACH to REACH, lowest first."""
    table = np.empty((int(_WIDTH * _PER_UNIT) + 1, _TERMS))
    with mpmath.workdps(30):  # so that the table is the same everywhere
        for row, coefficients in enumerate(table):
            x = mpmath.mpf(row) / _PER_UNIT - REACH
            # The k-th derivative of the density is (-1)^k He_k times the density.
            hermite, before = mpmath.mpf(1), mpmath.mpf(0)
            scale = mpmath.npdf(x)
            coefficients[0] = float(mpmath.ncdf(x))
            for k in range(_TERMS - 1):
                scale /= k + 1
                coefficients[k + 1] = float(scale * hermite)
                hermite, before = x * hermite - k * before, hermite
                scale = -scale
    return table


@inlined
def _normal(x: Any, table: Any) -> Any:
    """Normal distribution function at ``x`` - REACH."""
    row = int(x * _PER_UNIT + 0.5)
    row = min(max(row, 0), len(table) - 1)
    u = x - row / _PER_UNIT
    value = table[row, _TERMS - 1]
    for k in range(_TERMS - 2, -1, -1):
        value = value * u + table[row, k]
    return value


@compiled
def _walks(
    all_drive: Any,
    all_earlier: Any,
    all_places: Any,
    w_hi: Any,
    w_oh: Any,
    slopes: Any,
    steps: Any,
    network: Any,
    low_bits: int,
    table: Any,
    middle: float,
    probability: Any,
    met: Any,
) -> None:
    # Loops are short, with few arrays in each: compilers do several lanes at a time only where they
    # can tell in a few comparisons that arrays do not overlap.
    n, d = w_oh.shape
    keys = np.empty((d + 2, _LANES))
    key_bits = keys.view(np.int64)
    logits, slope = np.empty((2, n, _LANES)), np.empty((n, _LANES))
    place = np.empty((2, _LANES))
    n_active, n_switches, answer = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
    start, active = np.empty(_LANES), np.empty(_LANES)
    x, dx, total, right = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
    best, says, said = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
    which, listed = np.empty(_LANES, np.int64), np.empty(_LANES, np.int64)
    event, ending = np.empty(_LANES, np.int64), np.empty(_LANES, np.int64)
    for first in range(0, len(probability), _LANES):
        value = logits[0]
        value[:] = 0.0
        slope[:] = 0.0
        n_active[:] = 0.0
        n_switches[:] = 0.0
        for i in range(d):
            weight = w_hi[i]
            drive = all_drive[i, first : first + _LANES]
            key, bits = keys[i], key_bits[i]
            if weight == 0.0:
                for k in range(_LANES):
                    key[k] = -1.0 if drive[k] > 0.0 else _NEVER
            else:
                for k in range(_LANES):
                    key[k] = -drive[k] / weight + REACH
            n_late = 0
            for k in range(_LANES):
                n_late += key[k] > 0.0
            met[_LATE] += n_late
            if weight >= 0.0:
                for k in range(_LANES):
                    active[k] = 0.0 if key[k] > 0.0 else 1.0
            else:
                for k in range(_LANES):
                    active[k] = 1.0 if key[k] > 0.0 else 0.0
            for k in range(_LANES):
                start[k] = (drive[k] - weight * REACH) * active[k]
            for k in range(_LANES):
                n_active[k] += active[k]
            for k in range(_LANES):
                within = (key[k] > 0.0) & (key[k] < _WIDTH)
                key[k] = key[k] if within else _NEVER
            for k in range(_LANES):
                n_switches[k] += 1.0 if key[k] < _WIDTH else 0.0
            for k in range(_LANES):
                bits[k] = (bits[k] & ~low_bits) | i
            for j in range(n):
                weight, rise = w_oh[j, i], slopes[j, i]
                values, rises = value[j], slope[j]
                for k in range(_LANES):
                    values[k] += weight * start[k]
                for k in range(_LANES):
                    rises[k] += rise * active[k]
        for k in range(_LANES):
            low, high = all_earlier[0, first + k] + REACH, all_earlier[1, first + k] + REACH
            place[0, k], place[1, k] = all_places[0, first + k], all_places[1, first + k]
            answer[k] = place[0, k] if low > 0.0 else (middle if high > 0.0 else place[1, k])
            keys[d, k] = low if (low > 0.0) & (low < _WIDTH) else _NEVER
            keys[d + 1, k] = high if (high > 0.0) & (high < _WIDTH) else _NEVER
            m = int(n_switches[k])
            met[_ACTIVE] += int(n_active[k])
            met[_SWITCHES] += m
            m += (keys[d, k] < _WIDTH) + (keys[d + 1, k] < _WIDTH)
            met[_KNOTS] += m
            comparisons = 0
            while (1 << comparisons) < m:
                comparisons += 1
            met[_SORTING] += m * comparisons
        for i in range(d, d + 2):
            bits = key_bits[i]
            for k in range(_LANES):
                bits[k] = (bits[k] & ~low_bits) | i
        for c in range(len(network)):
            one, other = keys[network[c, 0]], keys[network[c, 1]]
            for k in range(_LANES):
                a, b = one[k], other[k]
                one[k] = a if a < b else b
                other[k] = b if a < b else a
        x[:] = 0.0
        total[:] = 0.0
        _largest(value, best, said)
        n_starts = 0
        for k in range(_LANES):
            n_starts += n_active[k] > 0.0
        met[_STARTS] += n_starts
        for k in range(_LANES):
            right[k] = 1.0 if said[k] == answer[k] else 0.0

        for knot in range(d + 3):
            value, there = logits[knot & 1], logits[1 - (knot & 1)]
            if knot < d + 2:
                key, bits = keys[knot], key_bits[knot]
                for k in range(_LANES):
                    which[k] = bits[k] & low_bits
                for k in range(_LANES):
                    dx[k] = (key[k] if key[k] < _WIDTH else _WIDTH) - x[k]
            else:
                for k in range(_LANES):
                    dx[k] = _WIDTH - x[k]
            for j in range(n):
                values, rises, news = value[j], slope[j], there[j]
                for k in range(_LANES):
                    news[k] = values[k] + rises[k] * dx[k]
            # Where the last neuron switches off, the logits are 0 up to rounding.
            for k in range(_LANES):
                left = n_active[k] + steps[which[k], n]
                ending[k] = (left == 0.0) & (n_active[k] > 0.0) & (x[k] + dx[k] < _WIDTH)
            n_ending = 0
            for k in range(_LANES):
                n_ending += ending[k]
            if n_ending:
                for k in range(_LANES):
                    if ending[k]:
                        there[:, k] = 0.0
            _largest(there, best, says)
            n_pieces = 0
            for k in range(_LANES):
                n_pieces += (n_active[k] > 0.0) & (dx[k] > 0.0)
            met[_PIECES] += n_pieces - n_ending
            for k in range(_LANES):
                event[k] = (n_active[k] > 0.0) & (dx[k] > 0.0)
            if n_ending:
                for k in range(_LANES):
                    event[k] &= not ending[k]
            n_listed = 0
            for k in range(_LANES):  # without branches, which processors would mispredict
                listed[n_listed] = k
                n_listed += event[k] & ((says[k] == answer[k]) != (right[k] > 0.0))
            met[_ROOTS] += n_listed
            n_violators = 0
            for e in range(n_listed):
                k = listed[e]
                ceases = right[k] > 0.0
                mine = int(answer[k])
                where_wrong = logits[(knot & 1) ^ ceases]
                own, own_slope = where_wrong[mine, k], slope[mine, k]
                # From the end where the model is wrong the root is the furthest crossing with a
                # logit that is ahead there.
                sign = 1.0 if ceases else -1.0
                lead, rate = 0.0, 1.0
                for j in range(n):
                    lead_of_j = where_wrong[j, k] - own
                    rate_of_j = sign * (slope[j, k] - own_slope)
                    n_violators += lead_of_j >= 0.0
                    further = (lead_of_j * rate > lead * rate_of_j) & (lead_of_j > 0.0)
                    lead = lead_of_j if further else lead
                    rate = rate_of_j if further else rate
                distance = lead / rate
                root = x[k] + (dx[k] - distance if ceases else distance)
                total[k] += sign * _normal(root, table)
            met[_VIOLATORS] += n_violators - n_listed
            for e in range(n_listed):
                event[listed[e]] = 0
                right[listed[e]] = 1.0 - right[listed[e]]
            n_listed = 0
            for k in range(_LANES):
                listed[n_listed] = k
                n_listed += event[k] & (right[k] == 0.0) & (says[k] != said[k])
            for e in range(n_listed):
                _crossing(listed[e], answer, value, slope, x, dx, total, table, met)
            says, said = said, says
            if knot == d + 2:
                break
            for k in range(_LANES):
                x[k] += dx[k]
            n_left = 0
            for k in range(_LANES):
                n_left += x[k] < _WIDTH
            if n_left == 0:
                break
            for j in range(n):
                rises = slope[j]
                for k in range(_LANES):
                    rises[k] += steps[which[k], j]
            for k in range(_LANES):
                n_active[k] += steps[which[k], n]
            if n_ending:
                for k in range(_LANES):
                    if ending[k]:
                        slope[:, k] = 0.0
            for k in range(_LANES):
                answer[k] = middle if which[k] == d else answer[k]
            for k in range(_LANES):
                answer[k] = place[1, k] if which[k] == d + 1 else answer[k]
            n_changes = 0
            for k in range(_LANES):
                n_changes += (which[k] >= d) & (x[k] < _WIDTH)
            met[_CHANGES] += n_changes
            # This is needed only where the right answer changes or the last neuron switches off.
            n_listed = 0
            for k in range(_LANES):
                listed[n_listed] = k
                now = said[k] == answer[k]
                n_listed += (now != (right[k] > 0.0)) & (x[k] < _WIDTH)
            for e in range(n_listed):
                k = listed[e]
                p = _normal(x[k], table)
                total[k] += p if right[k] > 0.0 else -p
                right[k] = 1.0 - right[k]
            met[_ENDS] += n_listed
        for k in range(_LANES):
            probability[first + k] = total[k] + right[k]


@inlined
def _largest(value: Any, best: Any, says: Any) -> None:
    """The largest logit, and the first position where it is."""
    best[:] = value[0]
    says[:] = 0.0
    for j in range(1, len(value)):
        values = value[j]
        number = float(j)
        for k in range(_LANES):
            says[k] = number if values[k] > best[k] else says[k]
        for k in range(_LANES):
            best[k] = values[k] if values[k] > best[k] else best[k]


@inlined
def _crossing(
    k: int,
    answer: Any,
    value: Any,
    slope: Any,
    x: Any,
    dx: Any,
    total: Any,
    table: Any,
    met: Any,
) -> None:
    """Treat a piece at whose ends the model gives different wrong answers."""
    mine = int(answer[k])
    met[_CROSSINGS] += 1
    begin, end = 0.0, dx[k]
    for j in range(len(value)):
        if j != mine:
            lead, rise = value[mine, k] - value[j, k], slope[mine, k] - slope[j, k]
            if rise > 0.0:
                begin = max(begin, -lead / rise)
            else:
                met[_FALLING] += 1
                if rise < 0.0:
                    end = min(end, -lead / rise)
                elif lead <= 0.0:
                    end = -np.inf
    if begin < end:
        met[_PASSAGES] += 1
        total[k] -= _normal(x[k] + begin, table)
        total[k] += _normal(x[k] + end, table)
