"""Adaptive quadrature for expensive functions with kinks, with a given number of evaluations.

Library routines spend 15 or more evaluations on each interval that they are given and stop at a
tolerance. Here an interval first gets the two nodes of Gauss's rule, which is exact to third order
where the function is smooth. Then the interval in most doubt is halved as long as evaluations are
left; if none is in doubt, the longest one is halved.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..counting.counter import CountedNumber, OperationCounter, plain

_NODE = 1 / math.sqrt(3)  # node of Gauss's rule with two nodes on (-1, 1)

_KEPT = 1 / 16  # least share of doubt kept after a halving: the error of a smooth function
_NO_DOUBT = 2.0**-32  # share of an interval up to which its doubt is ignored


@dataclass(frozen=True)
class Quadrature:
    """Integral of a function, with an indication of the error.

    Attributes
    ----------
    value
        The integral.
    doubt
        Sum of a contribution from each interval: half of what its last halving changed, but at
        least a sixteenth of the doubt before it; for an interval that was never halved its length,
        as for a function between 0 and 1. This is an indication, usually several times the error,
        and not a bound: a feature that falls between all nodes is not seen.
    n_nodes
        How often the function was evaluated.
    """

    value: CountedNumber
    doubt: CountedNumber
    n_nodes: int


@dataclass(frozen=True, eq=False)
class _Interval:
    start: CountedNumber
    stop: CountedNumber
    value: CountedNumber
    doubt: CountedNumber
    least_after: CountedNumber  # doubt of its halves
    urgency: CountedNumber


class _Queue:
    """Intervals in order of urgency; equally urgent ones in the order in which they were added.

    A heap of n intervals is charged ceil(log2 n) comparisons for adding the n-th interval, and as
    many for removing one.
    """

    def __init__(self, counter: OperationCounter) -> None:
        self.counter = counter
        self.heap: list[tuple[float, int, _Interval]] = []
        self.n_put = 0

    def put(self, interval: _Interval) -> None:
        """Add an interval."""
        heapq.heappush(self.heap, (-float(plain(interval.urgency)), self.n_put, interval))
        self.n_put += 1
        self._charge()

    def take(self) -> _Interval:
        """Remove and return the most urgent interval."""
        self._charge()
        return heapq.heappop(self.heap)[-1]

    def _charge(self) -> None:
        self.counter.counts["compare"] += (len(self.heap) - 1).bit_length()


def adaptive_gauss(
    function: Callable[[CountedNumber], CountedNumber],
    ends: Sequence[CountedNumber],
    n_nodes: int,
) -> Quadrature:
    """Integrate a function, smooth except at unknown places, over consecutive intervals.

    Parameters
    ----------
    function
        The integrand.
    ends
        At least two ends of the intervals, in increasing order.
    n_nodes
        Number of evaluations; up to three fewer are made.

    Raises
    ------
    ValueError
        If ``n_nodes`` is less than two for each interval.
    """
    if n_nodes < 2 * (len(ends) - 1):
        raise ValueError(
            f"n_nodes must be at least 2 for each of {len(ends) - 1} intervals, got {n_nodes}"
        )

    def integral(start: CountedNumber, stop: CountedNumber) -> CountedNumber:
        half = (stop - start) * 0.5
        middle = start + half
        offset = half * _NODE
        return (function(middle - offset) + function(middle + offset)) * half

    def halved(whole: _Interval) -> tuple[_Interval, _Interval]:
        middle = (whole.start + whole.stop) * 0.5
        first, second = integral(whole.start, middle), integral(middle, whole.stop)
        doubt = _larger(abs(first + second - whole.value) * 0.5, whole.least_after)
        least_after = doubt * _KEPT
        urgency = _larger(doubt, (middle - whole.start) * _NO_DOUBT)
        return (
            _Interval(whole.start, middle, first, doubt, least_after, urgency),
            _Interval(middle, whole.stop, second, doubt, least_after, urgency),
        )

    counter = ends[0].counter
    nothing = CountedNumber(0.0, counter)
    queue = _Queue(counter)
    for start, stop in pairwise(ends):
        length = stop - start
        value = integral(start, stop)
        queue.put(_Interval(start, stop, value, length, nothing, length))
    used = 2 * len(queue.heap)
    while used + 4 <= n_nodes:
        for half in halved(queue.take()):
            queue.put(half)
        used += 4
    intervals = [interval for *_, interval in queue.heap]
    value, doubt = intervals[0].value, intervals[0].doubt
    for interval in intervals[1:]:
        value, doubt = value + interval.value, doubt + interval.doubt
    return Quadrature(value, doubt, used)


def _larger(x: CountedNumber, y: CountedNumber) -> CountedNumber:
    return x if x > y else y
