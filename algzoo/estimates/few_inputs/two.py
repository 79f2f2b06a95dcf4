"""Exact accuracy of 2nd-argmax models of two inputs, from angles.

The second-largest of two inputs is the smaller one, so the model is right where the sign of
``logits[1] - logits[0]`` is that of ``x0 - x1``. A standard Gaussian is rotation invariant and the
model is positively homogeneous, so the error rate is the total angle between the model's decision
rays and the line x0 = x1, divided by 2 pi.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, section on M2,2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, pi
from typing import Any

from ...structure import Segment, Weights, as_fractions, direction, line_segments, weights_of
from ...zoo import Model
from ..counting.counter import OperationCounter, plain
from ..estimate import EXACT, Estimate, Tally, as_estimate, estimator
from ..scope import Scope

_SCOPE = Scope("2nd_argmax", inputs=2)


@estimator("exact angles", scope=_SCOPE, budgets=(), **EXACT)
def angular(model: Model) -> Tally:
    """Exact accuracy of a 2nd-argmax model of two inputs on standard Gaussian inputs.

    Every decision is made in exact arithmetic. Only angles are rounded, so the absolute error is a
    few units of 1e-16. If the logits tie, the answer is 0, as with ``argmax``.
    """
    counter = OperationCounter()
    wrong = 0.0
    for segment in _segments(model, counter):
        for lower, upper in _wrong_intervals(segment):
            wrong += angle_between(lower, upper, counter.atan2)
    return Tally(1 - wrong / (2 * pi), counter, std=0.0)


def wrong_sectors(model: Model) -> list[tuple[float, float]]:
    """List the sectors of input space in which a 2nd-argmax model of two inputs is wrong.

    Returns
    -------
    list of (float, float)
        Directions of the two bounding rays of each sector in radians, the second counterclockwise
        from the first. A sector is split where it crosses a boundary of the model's linear pieces.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`angular`.
    """
    _SCOPE.check(model, "the list of wrong sectors")
    counter = OperationCounter()
    sectors = []
    for segment in _segments(model, counter):
        for ends in _wrong_intervals(segment):
            first, second = (direction(segment.side, plain(t)) for t in ends)
            sectors.append((first, second) if segment.side > 0 else (second, first))
    return sectors


@estimator(
    "first order in the gaps",
    scope=_SCOPE,
    runs_network="never",
    exact="approximate",
    constants="none",
    source="this book, chapter on M2,2",
    cost="O(d^2)",
    fails_when="the two coefficients on the line x0 = x1 are not nearly equal and positive",
)
def first_order(model: Model) -> Tally:
    """Accuracy to first order in the gaps between the two coefficients on the diagonal.

    In each of the two pieces that the line x0 = x1 crosses, ``logits[1] - logits[0] = a0 x0 - a1
    x1`` with nearly equal coefficients vanishes at an angle of about ``(r - 1) / 2`` from the line,
    where r is the larger coefficient divided by the smaller one. The formula assumes that nothing
    else is wrong, so that ``error = ((r - 1) + (r' - 1)) / (4 pi)``.

    Raises
    ------
    ValueError
        If a0 and a1 are not both positive in the two pieces, or if their gaps are so large that the
        formula gives no probability.
    """
    error = first_order_error(model)
    return Tally(1 - error.value, error.operations, transcendental=error.transcendental)


def first_order_error(model: Model) -> Estimate:
    """Error rate by the formula of :func:`first_order`; a small one keeps its digits.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`first_order`.
    """
    first_order.declaration.scope.check(model, first_order.declaration.name)
    counter = OperationCounter()
    gaps: list[Any] = []
    for segment in _segments(model, counter):
        side = segment.side
        if segment.lower < side and side <= segment.upper:
            a0, a1 = (segment.constant[0], -segment.slope[0])
            if side < 0:
                a0 = -a0
            if not (a0 > 0 and a1 > 0):
                raise ValueError(
                    "The first-order formula needs logits[1] - logits[0] = a0 x0 - a1 x1 with "
                    f"a0, a1 > 0 on the line x0 = x1; where x0 {'>' if side > 0 else '<'} 0 "
                    "they are not both positive"
                )
            gaps.append(_greatest(a0, a1) / _least(a0, a1) - 1)
    turned = plain(gaps[0] + gaps[1])
    if turned > 4 * pi:
        raise ValueError(
            "The gaps between a0 and a1 are too large for the first-order formula: "
            "their sum exceeds 4 pi"
        )
    return as_estimate(
        Tally(float(turned) / (4 * pi), counter), first_order.declaration.runs_network
    )


def _segments(model: Model, counter: OperationCounter) -> Iterator[Segment]:
    """Yield segments of both half planes; the one output is ``logits[1] - logits[0]``."""
    w_hi, w_hh, w_oh = (counter.lift(matrix) for matrix in as_fractions(weights_of(model)))
    readout = Weights(w_hi, w_hh, w_oh[1:] - w_oh[:1])
    for side in (+1, -1):
        yield from line_segments(readout, side)


def _wrong_intervals(segment: Segment) -> Iterator[tuple[Any, Any]]:
    """Yield intervals of t in the segment on which the model's answer is wrong."""
    constant, slope, side = segment.constant[0], segment.slope[0], segment.side
    # Intervals of t on which logits[1] - logits[0] keeps its sign, and whether it is positive.
    if slope == 0:
        signs = [(segment.lower, segment.upper, constant > 0)]
    else:
        root, rising = -constant / slope, slope > 0
        signs = [
            (segment.lower, _least(segment.upper, root), not rising),
            (_greatest(segment.lower, root), segment.upper, rising),
        ]
    for lower, upper, answers_1 in signs:
        # x0 > x1, and 1 is right, below t = side.
        if answers_1:
            lower = _greatest(lower, side)
        else:
            upper = _least(upper, side)
        if lower < upper:
            yield lower, upper


def _least(a: Any, b: Any) -> Any:
    return a if a < b else b


def _greatest(a: Any, b: Any) -> Any:
    return a if a > b else b


def angle_between(lower: Any, upper: Any, atan2: Callable[[Any, Any], Any]) -> Any:
    """Compute ``atan(upper) - atan(lower)`` without cancellation; the ends may be infinite."""
    if abs(lower) == inf and abs(upper) == inf:
        return atan2(0, -1)
    if abs(lower) == inf:
        return atan2(1, -upper)
    if abs(upper) == inf:
        return atan2(1, lower)
    return atan2(upper - lower, 1 + lower * upper)
