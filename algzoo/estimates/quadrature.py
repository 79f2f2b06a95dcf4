"""Adaptive quadrature for costly functions with kinks: few evaluations, as many as one says.

Library routines spend 15 or more evaluations on each interval that they are given and stop at a
tolerance. Here an interval gets two at first, Gauss's, which hold to third order where the function
is smooth, and the interval in most doubt is halved as long as there are evaluations left.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from .operations import CountedNumber

_NODE = 1 / math.sqrt(3)  # of Gauss's rule of two nodes on (-1, 1)

RESOLUTION = 2.0**-32  # no interval is halved of which less than this is in doubt


@dataclass(frozen=True)
class Quadrature:
    """The integral of a function, and how far it may be off.

    Attributes
    ----------
    value
        The integral.
    doubt
        Sum over the intervals of what the last halving changed, a half of it for each of the two;
        for an interval never halved its length, as for a function between 0 and 1. An indication,
        usually several times the error, and no bound: a feature that falls between all nodes is
        not seen.
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

    def __lt__(self, other: _Interval) -> bool:
        return other.doubt < self.doubt  # the most doubtful is the first


def adaptive_gauss(
    function: Callable[[CountedNumber], CountedNumber],
    ends: Sequence[CountedNumber],
    n_nodes: int,
) -> Quadrature:
    """Integral of a function, smooth but for unknown places, over consecutive intervals.

    ``ends`` are those of the intervals, in increasing order and at least two. At most ``n_nodes``
    evaluations are made.

    Raises
    ------
    ValueError
        Where ``n_nodes`` is less than two for each interval.
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

    intervals = [
        _Interval(start, stop, integral(start, stop), stop - start)
        for start, stop in pairwise(ends)
    ]
    heapq.heapify(intervals)
    used = 2 * len(intervals)
    while used + 4 <= n_nodes and intervals[0].doubt > RESOLUTION:
        whole = intervals[0]
        middle = (whole.start + whole.stop) * 0.5
        first, second = integral(whole.start, middle), integral(middle, whole.stop)
        doubt = abs(first + second - whole.value) * 0.5
        heapq.heapreplace(intervals, _Interval(whole.start, middle, first, doubt))
        heapq.heappush(intervals, _Interval(middle, whole.stop, second, doubt))
        used += 4
    value, doubt = intervals[0].value, intervals[0].doubt
    for interval in intervals[1:]:
        value, doubt = value + interval.value, doubt + interval.doubt
    return Quadrature(value, doubt, used)
