"""Sorting of numbers that count their comparisons.

The number of comparisons of Python's own sort differs from one version of Python to the next. Here
every item is inserted among those before it, at a place that is found by bisection: n items take at
most ceil(log2 1) + ceil(log2 2) + ... + ceil(log2 n) comparisons, no more than the price n
ceil(log2 n) of a sorted array (:mod:`algzoo.estimates.counting.array`).

References
----------
Binary insertion: D. Knuth, "The Art of Computer Programming", volume 3, section 5.2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")


def in_order(items: Iterable[Item], key: Callable[[Item], Any]) -> list[Item]:
    """Sort items by increasing key; equal ones stay in the order in which they came."""
    ordered: list[Item] = []
    keys: list[Any] = []
    for item in items:
        of_item = key(item)
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) // 2
            if of_item < keys[middle]:
                high = middle
            else:
                low = middle + 1
        ordered.insert(low, item)
        keys.insert(low, of_item)
    return ordered


def ranked(items: Iterable[Item], difference: Callable[[Item, Item], Any]) -> list[list[Item]]:
    """Group items in increasing order; equal ones are together, in the order in which they came.

    ``difference(one, other)`` has the sign of one minus the other. Its sign takes one comparison if
    it is positive, and two if it is not.
    """
    groups: list[list[Item]] = []
    for item in items:
        low, high = 0, len(groups)
        while low < high:
            middle = (low + high) // 2
            beyond = difference(item, groups[middle][0])
            if beyond > 0:
                low = middle + 1
            elif beyond < 0:
                high = middle
            else:
                groups[middle].append(item)
                break
        else:
            groups.insert(low, [item])
    return groups
