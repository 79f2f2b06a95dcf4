"""Sorting numbers that count their comparisons.

How many comparisons Python's own sort makes differs from one version of Python to the next. Here
every item is put into its place among those before it, which halving finds: n items take at most
ceil(log2 1) + ceil(log2 2) + ... + ceil(log2 n) comparisons, no more than the price
n ceil(log2 n) of a sorted array (:mod:`algzoo.estimates.counting.array`).

Source: binary insertion, D. Knuth, "The Art of Computer Programming", volume 3, section 5.2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")


def in_order(items: Iterable[Item], key: Callable[[Item], Any]) -> list[Item]:
    """Items by increasing key, equal ones in the order in which they came."""
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
    """Items in increasing order, equal ones together and in the order in which they came.

    ``difference(one, other)`` has the sign of one less the other; it is looked at in one comparison
    where it is positive, and in two where it is not.
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
