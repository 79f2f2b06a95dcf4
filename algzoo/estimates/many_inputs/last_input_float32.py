"""Integration over the last input in single precision, for many prefixes in step.

The result is that of :mod:`.last_input_walk`, without the events. It takes more operations, but
they are the same for all prefixes. At a knot the walk adds to the slopes what one neuron
contributes, which is another neuron for each prefix; here the logits are computed anew from the
last state. The next knot is the least one above the last. So nothing is sorted or looked up, and a
processor handles 8 or 16 prefixes at a time. Prefixes that are walked in step have about the same
number of knots.

For the bundled model of 16 neurons and ten inputs, half of the probabilities differ by less than
1e-7 from those of :mod:`.last_input_kernel`, and one in a hundred by more than 1e-5; where two
logits are nearly the same on a long stretch, one may differ by 1e-2. The differences have either
sign: the means of a million differ by 1.4e-8, with a standard error of 1.2e-8. Logits that are
equal on a stretch, as those of networks with many zero weights may be, are told apart from those
that are not. The results are the same bits on every machine
(:mod:`algzoo.estimates.samplers.compiled`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights
from ..samplers.compiled import compiled, inlined
from .last_input_walk import REACH

NEURONS, OUTPUTS = 16, 10  # of the largest model; smaller ones are filled up
LEAST_TOLERANCE = 1e-6  # least standard error beside which the difference of means is negligible

_LANES = 128  # prefixes in step; their data stay in the first cache

_f = np.float32
_ZERO, _ONE = _f(0.0), _f(1.0)
_START, _END = _f(-REACH), _f(REACH)
_INFINITY = _f(np.inf)
_NEVER_LARGEST = _f(-1e30)
_LEAST_WEIGHT = 1e-20  # an input weight below it is taken for 0, lest knots overflow


def _coefficients(text: str) -> tuple[np.float32, ...]:
    return tuple(map(_f, text.split()))


# (Phi(x) - 1/2) / x as a ratio of polynomials in x^2, from the highest power on. The coefficients
# are this book's, fitted for the least absolute error of Phi up to REACH; with rounding it is less
# than 2e-7.
_ABOVE = _coefficients("""
    2.43892089e-08 6.39235986e-06 0.000158534589 0.00461788801 0.0327344872 0.398942262
""")
_BELOW = _coefficients("""
    1.2479054e-06 7.09010492e-05 0.0018265117 0.0280292965 0.248719484 1.0
""")

# What is known of each prefix while it is walked, by row.
(
    _X,  # start of the piece
    _NEXT,  # its end
    _LOW,  # the two inputs at which the right answer changes
    _HIGH,
    _AT_LOW,  # their positions
    _AT_HIGH,
    _ANSWER,  # right answer on the piece
    _SAID,  # what the model says at the start of the piece
    _SAYS,  # and at its end
    _WAS_RIGHT,  # 1 if the model is right at the start
    _RIGHT,  # 1 if it is right at the end
    _LOW_TURN,  # 1 if the model begins to be right where the answer changes, -1 if it ceases to
    _HIGH_TURN,
    _TOTAL,
) = range(14)
_ROWS = 14


def is_small(weights: Weights) -> bool:
    """Tell whether a model is small enough for :func:`probability_right`."""
    n, d = weights.w_oh.shape
    return bool(d <= NEURONS and n <= OUTPUTS)


class Prepared(NamedTuple):
    """Weights in single precision, filled up with zeros; made by :func:`prepared`."""

    w_hi: NDArray[np.float32]  # (NEURONS,)
    per_drive: NDArray[np.float32]  # knots are products of these and the drives
    w_oh: NDArray[np.float32]  # (n, NEURONS)


def prepared(weights: Weights) -> Prepared:
    """Prepare a model's weights, for which :func:`is_small` is true."""
    n, d = weights.w_oh.shape
    w_hi, per_drive = np.zeros((2, NEURONS), np.float32)
    w_oh = np.zeros((n, NEURONS), np.float32)
    sees = np.abs(weights.w_hi) > _LEAST_WEIGHT
    w_hi[:d][sees] = weights.w_hi[sees]
    per_drive[:d][sees] = -1 / weights.w_hi[sees]
    w_oh[:, :d] = weights.w_oh
    return Prepared(w_hi, per_drive, w_oh)


def probability_right(
    weights: Prepared,
    drive: NDArray[np.floating],
    earlier: NDArray[np.floating],
    places: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Probability, over the last input, that the model is right after each prefix.

    It may be outside 0 to 1 by rounding, 1e-6.

    Parameters
    ----------
    weights
        Prepared weights of the model.
    drive
        W_hh times the state after each prefix, shape (d, n_prefixes), in single precision, as are
        the inputs.
    earlier
        The two inputs at which the right answer changes, the lower first, shape (2, n_prefixes).
    places
        Their positions, of the same shape: the right answers below and above both. In between, the
        last position is right.
    """
    d, n_prefixes = drive.shape
    order = np.empty(-(-n_prefixes // _LANES) * _LANES, np.uint32)
    _arrange(drive, weights.per_drive[:d], order)
    probability = np.empty(n_prefixes, np.float32)
    _integrate(drive, earlier, places, *weights, order, probability)
    return probability


@compiled
def _arrange(drive: Any, per_drive: Any, order: Any) -> None:
    """Write the numbers of prefixes by their numbers of knots; the last is repeated at the end."""
    d, n_prefixes = drive.shape
    n_knots = np.zeros(n_prefixes, np.int32)
    for i in range(d):
        factor = per_drive[i]
        if factor != _ZERO:
            row = drive[i]
            for k in range(n_prefixes):
                knot = row[k] * factor
                n_knots[k] += (knot > _START) & (knot < _END)
    ends = np.zeros(d + 2, np.int64)
    for k in range(n_prefixes):
        ends[n_knots[k] + 1] += 1
    for m in range(d + 1):
        ends[m + 1] += ends[m]
    for k in range(n_prefixes):
        m = n_knots[k]
        order[ends[m]] = k
        ends[m] += 1
    for k in range(n_prefixes, len(order)):
        order[k] = order[n_prefixes - 1]


@compiled
def _integrate(
    all_drives: Any,
    all_earlier: Any,
    all_places: Any,
    w_hi: Any,
    per_drive: Any,
    w_oh: Any,
    order: Any,
    probability: Any,
) -> None:
    middle = _f(len(w_oh) - 1)
    drive = np.zeros((NEURONS, _LANES), _f)
    knots, state = np.empty((NEURONS, _LANES), _f), np.empty((NEURONS, _LANES), _f)
    logits = np.full((2, OUTPUTS, _LANES), _NEVER_LARGEST)
    at = np.zeros((_ROWS, _LANES), _f)
    crosses = np.empty(_LANES, np.uint8)
    eights = crosses.view(np.uint64)  # crossings are rare
    for first in range(0, len(order), _LANES):
        numbers = order[first : first + _LANES]
        for i in range(len(all_drives)):
            row, rows = drive[i], all_drives[i]
            for k in range(_LANES):
                row[k] = rows[numbers[k]]
        for k in range(_LANES):
            number = numbers[k]
            at[_LOW, k], at[_HIGH, k] = all_earlier[0, number], all_earlier[1, number]
            at[_AT_LOW, k], at[_AT_HIGH, k] = all_places[0, number], all_places[1, number]
        at[_TOTAL] = _ZERO
        at[_LOW_TURN] = _ZERO
        at[_HIGH_TURN] = _ZERO
        _find_knots(drive, per_drive, knots)
        at[_X] = _START
        at[_NEXT] = _START
        left, side, begun = True, 0, False
        while left:
            here, there = logits[side], logits[1 - side]
            _outputs(drive, w_hi, knots, w_oh, at[_NEXT], state, there)
            _say(there, at)
            if begun:
                _judge(at, middle, crosses)
                for eight in range(_LANES // 8):
                    if eights[eight]:
                        for k in range(8 * eight, 8 * eight + 8):
                            if crosses[k]:
                                _add_passage(here, there, at, k)
                _add_roots(here, there, at)
            left = _go_on(knots, at)
            side, begun = 1 - side, True
        for k in range(_LANES):
            low, high = _normal(at[_LOW, k]), _normal(at[_HIGH, k])
            turned = at[_LOW_TURN, k] * low + at[_HIGH_TURN, k] * high
            at[_TOTAL, k] += at[_RIGHT, k] - turned
        for k in range(_LANES):
            probability[numbers[k]] = at[_TOTAL, k]


# The loops below are long, or have constant bounds within, because compilers then keep
# intermediate results in registers and do several prefixes at a time.
@inlined
def _find_knots(drive: Any, per_drive: Any, knots: Any) -> None:
    """Write where neurons switch; below every input where a neuron is always active."""
    for i in range(NEURONS):
        row, knot, factor = drive[i], knots[i], per_drive[i]
        if factor != _ZERO:
            for k in range(_LANES):
                knot[k] = row[k] * factor
        else:
            for k in range(_LANES):
                knot[k] = -_INFINITY if row[k] > _ZERO else _INFINITY


@inlined
def _outputs(drive: Any, w_hi: Any, knots: Any, w_oh: Any, x: Any, state: Any, logits: Any) -> None:
    """Write the logits for the last inputs ``x``.

    Neurons that are not active are 0 without rounding errors, also at their own knots. So logits
    that are equal on a piece are equal at its ends.
    """
    for i in range(NEURONS):
        weight, drives, knot, states = w_hi[i], drive[i], knots[i], state[i]
        if weight >= _ZERO:
            for k in range(_LANES):
                states[k] = drives[k] + weight * x[k] if x[k] > knot[k] else _ZERO
        else:
            for k in range(_LANES):
                states[k] = drives[k] + weight * x[k] if x[k] < knot[k] else _ZERO
    for j in range(len(w_oh)):
        row, outputs = w_oh[j], logits[j]
        for k in range(_LANES):
            total = _ZERO
            for i in range(NEURONS):
                total += row[i] * state[i, k]
            outputs[k] = total


@inlined
def _say(logits: Any, at: Any) -> None:
    """Write the position of the first largest logit."""
    for k in range(_LANES):
        largest, says = logits[0, k], _ZERO
        for j in range(1, OUTPUTS):
            value = logits[j, k]
            says = _f(j) if value > largest else says
            largest = value if value > largest else largest
        at[_SAYS, k] = says


@inlined
def _judge(at: Any, middle: Any, crosses: Any) -> None:
    """Write whether the model is right at the ends, or gives different wrong answers there."""
    for k in range(_LANES):
        x, low, high = at[_X, k], at[_LOW, k], at[_HIGH, k]
        answer = at[_AT_LOW, k] if x < low else middle
        answer = answer if x < high else at[_AT_HIGH, k]
        said, says = at[_SAID, k], at[_SAYS, k]
        was_right = _ONE if said == answer else _ZERO
        right = _ONE if says == answer else _ZERO
        turn = was_right - at[_RIGHT, k]
        at[_LOW_TURN, k] += turn if x == low else _ZERO
        at[_HIGH_TURN, k] += turn if x == high else _ZERO
        at[_ANSWER, k] = answer
        at[_WAS_RIGHT, k] = was_right
        at[_RIGHT, k] = right
        crosses[k] = (was_right + right == _ZERO) & (said != says)


@inlined
def _add_roots(here: Any, there: Any, at: Any) -> None:
    """Treat pieces at one end of which the model is right."""
    for k in range(_LANES):
        own_here, own_there, answer = here[0, k], there[0, k], at[_ANSWER, k]
        for j in range(1, OUTPUTS):
            own_here = here[j, k] if answer == _f(j) else own_here
            own_there = there[j, k] if answer == _f(j) else own_there
        # From the end where the model is wrong, the root is the furthest crossing with a logit
        # that is ahead there. The part of the piece up to it is lead / fall.
        ceases = at[_RIGHT, k] < at[_WAS_RIGHT, k]
        lead, fall = _ZERO, _ONE
        lead_of_odd, fall_of_odd = _ZERO, _ONE  # so that the next logit need not wait
        for j in range(0, OUTPUTS, 2):
            lead, fall = _further(
                lead, fall, here[j, k] - own_here, there[j, k] - own_there, ceases
            )
            lead_of_odd, fall_of_odd = _further(
                lead_of_odd,
                fall_of_odd,
                here[j + 1, k] - own_here,
                there[j + 1, k] - own_there,
                ceases,
            )
        odd = lead_of_odd * fall > lead * fall_of_odd
        lead = lead_of_odd if odd else lead
        fall = fall_of_odd if odd else fall
        x, end = at[_X, k], at[_NEXT, k]
        distance = (end - x) * (lead / fall)
        root = end - distance if ceases else x + distance
        change = at[_WAS_RIGHT, k] - at[_RIGHT, k]
        at[_TOTAL, k] += change * _normal(root if change != _ZERO else _ZERO)


@inlined
def _further(lead: Any, fall: Any, lead_here: Any, lead_there: Any, ceases: Any) -> Any:
    """Lead and fall of one more logit if its crossing is further."""
    new_lead = lead_there if ceases else lead_here
    new_fall = abs(lead_there - lead_here)
    further = new_lead * fall > lead * new_fall
    return new_lead if further else lead, new_fall if further else fall


@compiled
def _add_passage(here: Any, there: Any, at: Any, k: int) -> None:
    """Treat a piece at whose ends the model gives different wrong answers."""
    mine = int(at[_ANSWER, k])
    begin, end = _ZERO, _ONE
    for j in range(OUTPUTS):
        lead = here[mine, k] - here[j, k]
        rise = there[mine, k] - there[j, k] - lead
        if rise > _ZERO:
            begin = max(begin, -lead / rise)
        elif rise < _ZERO:
            end = min(end, -lead / rise)
        elif lead < _ZERO or j < mine:
            end = -_ONE
    if begin < end:
        x, width = at[_X, k], at[_NEXT, k] - at[_X, k]
        at[_TOTAL, k] += _normal(x + width * end) - _normal(x + width * begin)


@inlined
def _go_on(knots: Any, at: Any) -> Any:
    """Go on to the next piece; return whether there is one for any prefix."""
    for k in range(_LANES):
        x = at[_NEXT, k]
        low = at[_LOW, k] if at[_LOW, k] > x else _END
        high = at[_HIGH, k] if at[_HIGH, k] > x else _END
        end = low if low < _END else _END
        end = high if high < end else end
        for i in range(NEURONS):
            knot = knots[i, k] if knots[i, k] > x else _END
            end = knot if knot < end else end
        at[_X, k] = x
        at[_NEXT, k] = end
        at[_SAID, k] = at[_SAYS, k]
    k = _LANES - 1  # the last ones have most knots
    while k >= 0 and at[_X, k] == _END:
        k -= 1
    return k >= 0


@inlined
def _normal(x: Any) -> Any:
    """Normal distribution function."""
    x = x if x > _START else _START
    x = x if x < _END else _END
    square = x * x
    above, below = _ABOVE[0], _BELOW[0]
    for k in range(1, len(_ABOVE)):
        above = above * square + _ABOVE[k]
        below = below * square + _BELOW[k]
    return _f(0.5) + x * (above / below)
