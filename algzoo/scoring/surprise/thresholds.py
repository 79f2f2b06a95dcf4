"""Search, on a fixed grid, for the least disturbance that matters.

The number of right answers of a model is a step function of a disturbance. Where a general root
finder stops on a step function depends on rounding and on the version of its library. Here the
result is a point of a grid, the same everywhere unless a step is within rounding error of one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

_LOWEST = -1000  # octaves; smaller factors are not normal float64 numbers


def least_factor(
    reached: Callable[[float], bool], start: int, highest: int, steps: int
) -> float | None:
    """Find the least factor 2^(k / ``steps``), with a whole k, at which ``reached`` is true.

    Whole powers of two are tried upwards from 2^``start`` to the first at which it is true, or, if
    that is 2^``start`` itself, downwards to the last; between it and the next lower one the grid is
    bisected. The result is ``None`` if it is not true at 2^``highest`` or below.
    """
    octave = start
    if reached(2.0**octave):
        while octave > _LOWEST and reached(2.0 ** (octave - 1)):
            octave -= 1
    else:
        while not reached(2.0**octave):
            octave += 1
            if octave > highest:
                return None
    between = range((octave - 1) * steps + 1, octave * steps)
    place = bisect_left(between, True, key=lambda k: reached(2.0 ** (k / steps)))
    return float(2.0 ** ((between.start + place) / steps))
