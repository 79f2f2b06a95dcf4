"""Accuracy of 2nd-argmax models of three inputs: exact along x2, by quadrature over (x0, x1).

Given the direction (a, b) = (x0, x1) / r, the last input enters as t = x2 / r, whose distribution
function is (1 + t / sqrt(1 + t^2)) / 2. Along such a *ray* the logits are piecewise linear in t:
they bend where a neuron switches after x2, at t = -drive / W_hi. So the probability of a right
answer given the direction is a finite sum and exact. What remains is an integral over the angle of
(a, b), for which a quadrature rule uses several rays.

Dead intervals, where all logits tie, are found by counting active neurons. Other ties that hold
exactly on a whole interval, as among integer weights, are broken by rounding here, unlike in
:func:`algzoo.estimates.exact`.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...structure import weights_in_range
from ...structure.sorting import in_order
from ...zoo import Model
from ..counting.counter import CountedNumber, OperationCounter, plain
from ..estimate import Tally, estimator
from ..scope import Scope

Number = Any  # float or a number that counts

_CLOSE = math.tan(0.35)  # switches closer than 0.35 radians are replaced by their mean
_OFFSET = 0.5  # angle from x0 = x1 to the first ray, in units of that between rays
_WIDE = 0.5  # radians; wider sectors get the larger number of rays


_FACTS: dict[str, Any] = {
    "scope": Scope("2nd_argmax", inputs=3),
    "runs_network": "never",
    "exact": "converges",
    "constants": "none",
    "source": "this book, chapter on M4,3",
    "cost": "O(rays d^2)",
}


@estimator(
    "{n_rays} rays",
    budgets=[{"n_rays": 4}],
    fails_when="the share of right answers is not linear between rays, as where neurons switch",
    **_FACTS,
)
def ray_fan(model: Model, n_rays: int) -> Tally:
    """Accuracy from rays at equal angles, none of which lies on x0 = x1.

    A ray costs about 130 operations. The number of rays must be even: rays then come in opposite
    pairs, and an odd number of them would put one on x0 = x1.

    Raises
    ------
    ValueError
        If ``n_rays`` is not positive and even.
    """
    if n_rays < 2 or n_rays % 2:
        raise ValueError(f"n_rays must be even and at least 2, got {n_rays}")
    counter = OperationCounter()
    fan = _Fan(model, counter)
    angles = np.pi / 4 + 2 * np.pi * (np.arange(n_rays) + _OFFSET) / n_rays
    total: Number = 0.0
    for angle in angles:  # constants of the rule; only operations on the model's numbers count
        x0, x1 = float(np.cos(angle)), float(np.sin(angle))
        total = total + fan.twice_right(1 if x0 > 0 else -1, x0 < x1, x1 / abs(x0))
    return Tally(float(plain(total)) / (2 * n_rays), counter)


@estimator(
    "{narrow} to {wide} rays a sector",
    tuned_on="noisy copies of M4,3: the rule and two angles",
    budgets=[{"narrow": a, "wide": b} for a, b in ((8, 8), (4, 4), (2, 3), (1, 2))],
    fails_when="the mean of close switches does not represent them",
    **_FACTS,
)
def sector_fan(model: Model, narrow: int, wide: int) -> Tally:
    """Accuracy by Gauss's rule in each sector between x0 = 0, x0 = x1 and the switches after x1.

    Switches that are close together are replaced by their mean. On M4,3 with noise the method costs
    about 2,000 operations for 1 and 2 rays, 3,200 for 2 and 3, 4,900 for 4 and 4, and 9,600 for 8
    and 8. The rule and the two angles in it were chosen by looking at M4,3 with noise.

    Parameters
    ----------
    model
        The model.
    narrow
        Number of rays in a sector of up to half a radian. If it is 1, the rays are evenly spaced,
        which is more accurate there.
    wide
        Number of rays in a wider sector.

    Raises
    ------
    ValueError
        If a number of rays is not positive.
    """
    if min(narrow, wide) < 1:
        raise ValueError(f"There must be a ray in each sector, got {narrow} and {wide}")
    counter = OperationCounter()
    fan = _Fan(model, counter)
    rules = [
        _midpoints(n) if narrow == 1 else np.polynomial.legendre.leggauss(n) for n in (narrow, wide)
    ]
    total: Number = 0.0
    for side, x0_is_smaller, start, stop in fan.sectors():
        half = (stop - start) / 2
        middle = start + half
        twice: Number = 0.0
        for node, weight in zip(*rules[bool(half > _WIDE / 2)], strict=True):
            angle = middle + half * float(node) if node else middle
            twice = twice + fan.twice_right(side, x0_is_smaller, fan.tan(angle)) * float(weight)
        total = total + twice * half
    return Tally(float(plain(total)) / (4 * math.pi), counter)


def _midpoints(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes and weights on (-1, 1) of the midpoint rule with n parts."""
    return (2 * np.arange(n) + 1.0) / n - 1, np.full(n, 2.0 / n)


class _Fan:
    """Model prepared for evaluation along rays."""

    def __init__(self, model: Model, counter: OperationCounter) -> None:
        self.counter = counter
        w_hi, w_hh, w_oh = (counter.lift(matrix) for matrix in weights_in_range(model))
        self.w_hi, self.w_hh = w_hi.tolist(), w_hh.tolist()
        self.signs = [1 if w > 0 else -1 if w < 0 else 0 for w in self.w_hi]
        self.readout = (w_oh[1:] - w_oh[:1]).tolist()  # (2, hidden_size)
        self.slopes = [[d * w for d, w in zip(row, w_hi, strict=True)] for row in self.readout]
        self.lowest_slope = [
            _sum([v for v, sign in zip(row, self.signs, strict=True) if sign < 0])
            for row in self.slopes
        ]
        self.highest_slope = [
            _sum([v for v, sign in zip(row, self.signs, strict=True) if sign > 0])
            for row in self.slopes
        ]
        # Answers at both ends of a ray unless slopes tie, and where a single neuron is active.
        self.answer_below = _single_largest([-slope for slope in self.lowest_slope])
        self.answer_above = _single_largest(self.highest_slope)
        self.answer_alone = [_largest(list(column)) for column in zip(*self.readout, strict=True)]
        # Coefficients of abs(x0), for x0 > 0 and x0 < 0.
        self.offsets = {
            side: [
                _sum(
                    [v * abs(w) for v, w, s in zip(row, w_hi, self.signs, strict=True) if s == side]
                )
                for row in self.w_hh
            ]
            for side in (+1, -1)
        }

    def sectors(self) -> Iterator[tuple[int, bool, Number, Number]]:
        """Yield the sign of x0, whether x0 < x1, and the angles that bound a sector, in radians.

        The angle is atan(x1 / abs(x0)), so that the sectors of each sign of x0 fill half a turn.
        """
        for side, offset in self.offsets.items():
            slopes = [
                -a / w for a, w, sign in zip(offset, self.w_hi, self.signs, strict=True) if sign
            ]
            diagonal = side * math.pi / 4
            for x0_is_smaller in (False, True):
                within = [t for t in slopes if (t > side) == x0_is_smaller]
                inner = [self._counting(self.counter.atan2(t, 1)) for t in _means(within)]
                ends = [diagonal, math.pi / 2] if x0_is_smaller else [-math.pi / 2, diagonal]
                for start, stop in pairwise([ends[0], *inner, ends[1]]):
                    yield side, x0_is_smaller, start, stop

    def tan(self, angle: Number) -> Number:
        """Tangent; it counts as one transcendental operation."""
        self.counter.counts["transcendental"] += 1
        return self._counting(math.tan(plain(angle)))

    def _counting(self, number: float) -> CountedNumber:
        return CountedNumber(number, self.counter)

    def twice_right(self, side: int, x0_is_smaller: bool, x1: Number) -> Number:
        """Twice the probability of a right answer given x1 / abs(x0) and the sign of x0."""
        smaller, larger = (side, x1) if x0_is_smaller else (x1, side)
        square = 1 + x1 * x1
        pieces = self._answers(side, x1)
        # Ends of intervals of right answers: upper ends count positive, lower ends negative.
        ends: Counter[int] = Counter()
        heights: list[Number] = [smaller, larger, *(t for t, _ in pieces[1:])]
        for i, (_, answer) in enumerate(pieces):
            lower = i + 1 if i > 0 else None
            upper = i + 2 if i + 1 < len(pieces) else None
            if answer == 2:
                lower = self._higher(lower, 0, heights)
                upper = self._lower(upper, 1, heights)
            elif (answer == 0) == x0_is_smaller:
                upper = self._lower(upper, 0, heights)
            else:
                lower = self._higher(lower, 1, heights)
            if lower is None or upper is None or heights[lower] < heights[upper]:
                ends[-1 if lower is None else lower] -= 1
                ends[-2 if upper is None else upper] += 1
        twice: Number = float(ends.pop(-2, 0) - ends.pop(-1, 0))
        for end, count in ends.items():
            if count:
                height = self._height(heights[end], square)
                twice = twice + height if count > 0 else twice - height
        return twice

    def _height(self, t: Number, square: Number) -> Number:
        """Twice the probability that x2 is below t abs(x0), minus one."""
        if not isinstance(t, CountedNumber) and not isinstance(square, CountedNumber):
            return t / math.sqrt(t * t + square)
        return t / self.counter.sqrt(t * t + square)

    @staticmethod
    def _higher(i: int | None, j: int, heights: Sequence[Number]) -> int:
        return j if i is None or heights[i] < heights[j] else i

    @staticmethod
    def _lower(i: int | None, j: int, heights: Sequence[Number]) -> int:
        return j if i is None or heights[j] < heights[i] else i

    def _answers(self, side: int, x1: Number) -> list[tuple[Number, int]]:
        """List the answers where abs(x0) = 1, each with the least x2 at which it holds.

        The first has none.
        """
        state: dict[int, Number] = {}
        for j, (a, w) in enumerate(zip(self.offsets[side], self.w_hi, strict=True)):
            z = a + w * x1
            if z > 0:
                state[j] = z
        drive = [_sum([row[j] * z for j, z in state.items()]) for row in self.w_hh]
        active = {
            k for k, sign in enumerate(self.signs) if sign < 0 or (sign == 0 and drive[k] > 0)
        }
        constant = [_sum([row[k] * drive[k] for k in active]) for row in self.readout]
        slope = list(self.lowest_slope)
        switches = in_order(
            ((-drive[k] / self.w_hi[k], k) for k, sign in enumerate(self.signs) if sign),
            key=operator.itemgetter(0),
        )

        pieces: list[tuple[Number, int]] = []
        lower: Number | None = None
        answer = self.answer_below
        if answer is None:
            answer = _largest_far([-b for b in slope], constant)
        for upper, neuron in [*switches, (None, None)]:
            if len(active) <= 1:  # all logits are in proportion to the one active neuron
                answer = self.answer_alone[next(iter(active))] if active else 0
                parts = [(lower, answer)]
            else:
                if upper is not None:
                    above = _largest([c + b * upper for c, b in zip(constant, slope, strict=True)])
                elif self.answer_above is not None:
                    above = self.answer_above
                else:
                    above = _largest_far(slope, constant)
                parts = self._answers_between(lower, answer, above, constant, slope)
                answer = above
            pieces += [part for part in parts if not pieces or pieces[-1][1] != part[1]]
            lower = upper
            if neuron is None:
                break
            active ^= {neuron}
            step = operator.add if neuron in active else operator.sub
            for i in (0, 1):
                constant[i] = step(constant[i], self.readout[i][neuron] * drive[neuron])
                last = neuron == switches[-1][1]
                slope[i] = self.highest_slope[i] if last else step(slope[i], self.slopes[i][neuron])
        return pieces

    def _answers_between(
        self,
        lower: Number | None,
        first: int,
        last: int,
        constant: list[Number],
        slope: list[Number],
    ) -> list[tuple[Number, int]]:
        """Answers on an interval on which d1 and d2 are linear, given those at its ends."""
        if first == last:
            return [(lower, first)]
        t = self._crossing(first, last, constant, slope)
        if t is None:
            return [(lower, first)]
        third = 3 - first - last
        if third == 0:
            overtaken = not constant[0] + slope[0] * t > 0
        else:
            overtaken = constant[third - 1] + slope[third - 1] * t > 0
        if overtaken:
            ends = [
                self._crossing(i, j, constant, slope) for i, j in ((first, third), (third, last))
            ]
            if None not in ends:
                return [(lower, first), (ends[0], third), (ends[1], last)]
        return [(lower, first), (t, last)]

    def _crossing(
        self, i: int, j: int, constant: list[Number], slope: list[Number]
    ) -> Number | None:
        """Where two logits are equal; ``None`` where they are parallel."""
        try:
            if 0 in (i, j):
                return -constant[i + j - 1] / slope[i + j - 1]
            return (constant[1] - constant[0]) / (slope[0] - slope[1])
        except ZeroDivisionError:
            return None


def _largest(d: list[Number]) -> int:
    """Return the answer, given logits 1 and 2 minus logit 0."""
    if d[0] > 0:
        return 2 if d[1] > d[0] else 1
    return 2 if d[1] > 0 else 0


def _single_largest(d: list[Number]) -> int | None:
    """Return the answer, given logits 1 and 2 minus logit 0; ``None`` if two logits are largest."""
    answer = _largest(d)
    logits = [0.0, *d]
    rivals = [logits[i] for i in range(3) if i != answer]
    return answer if all(rival < logits[answer] for rival in rivals) else None


def _largest_far(slope: list[Number], constant: list[Number]) -> int:
    """Return the answer for large t, given the lines of logits 1 and 2 minus logit 0."""
    lines = [(0.0, 0.0), *zip(slope, constant, strict=True)]
    return max(range(3), key=lambda i: lines[i])


def _sum(terms: list[Number]) -> Number:
    return sum(terms[1:], start=terms[0]) if terms else 0.0


def _means(slopes: list[Number]) -> list[Number]:
    """Sort slopes x1 / abs(x0), with those close to their neighbour replaced by their mean."""
    groups: list[list[Number]] = []
    for t in in_order(slopes, key=lambda slope: slope):
        if groups and t - groups[-1][-1] < _CLOSE * (1 + t * groups[-1][-1]):
            groups[-1].append(t)
        else:
            groups.append([t])
    return [group[0] if len(group) == 1 else _sum(group) / len(group) for group in groups]
