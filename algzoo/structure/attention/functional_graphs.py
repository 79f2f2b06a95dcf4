"""Functions {0..n-1} -> {0..n-1} up to renaming of points, with the sizes of their classes.

A function is drawn as a graph with an arrow from every i to f(i): each component is a cycle with
rooted trees attached. Two functions are *conjugate* if renaming the points turns one into the
other, that is, if they have the same graph without names. The classes are built from trees, cycles
of trees and collections of cycles; no function is enumerated. A class has n! / a members, where a
counts the symmetries of the graph (the orbit-stabiliser theorem).

If one point is special, as the last position is for a transformer, the classes are *pointed*: the
renaming must leave that point alone.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from ...zoo.model_check import check_can_be_enumerated

MOST_POINTS = 12
"""Largest number of points for which classes are listed: 57,903 classes, or 551,344 pointed ones,
which take a minute and a half. Each further point multiplies the number by three to four."""

# A tree is (marked, its subtrees in order), a cycle the least rotation of its trees, a graph its
# cycles in order. Nested tuples compare, and equal ones are the same shape.
Tree = tuple[int, Any]
Cycle = tuple[Tree, ...]
Graph = tuple[Cycle, ...]


@dataclass(frozen=True)
class FunctionClass:
    """Class of functions that differ only by the names of points.

    Attributes
    ----------
    graph
        The graph without names, as nested tuples.
    representative
        One member: the values f(0), ..., f(n-1). In a pointed class, the special point is n-1.
    size
        Number of members.
    cycles
        Lengths of the cycles, longest first.
    """

    graph: Graph
    representative: tuple[int, ...]
    size: int
    cycles: tuple[int, ...]

    @property
    def longest_cycle(self) -> int:
        """Length of the longest cycle; the right answer of the task is one less."""
        return self.cycles[0]


def conjugacy_classes(n: int) -> list[FunctionClass]:
    """List the classes of functions on n points, by lengths of their cycles and then by shape.

    There are 1, 3, 7, 19, 47, 130 classes for n = 1 to 6 (OEIS A001372).

    Raises
    ------
    ValueError
        If ``n`` is not positive or above :data:`MOST_POINTS`.
    """
    _check_number_of_points(n)
    return list(_conjugacy_classes(n))


def pointed_classes(n: int) -> list[FunctionClass]:
    """List the classes of functions on n points that differ by the names of all points but one.

    The special point is the last, n-1, in every ``representative``; the order is that of
    :func:`conjugacy_classes`.

    Raises
    ------
    ValueError
        If ``n`` is not positive or above :data:`MOST_POINTS`.
    """
    _check_number_of_points(n)
    return list(_pointed_classes(n))


def graph_of(function: Sequence[int], marked: int | None = None) -> Graph:
    """Return the graph of a function without the names of its points; one point may be marked.

    Raises
    ------
    ValueError
        If a value is not one of the points.
    """
    n = len(function)
    if not all(0 <= value < n for value in function):
        raise ValueError(f"The values of a function on {n} points are 0 to {n - 1}, got {function}")
    on_cycle = set(range(n))
    for _ in range(n):
        on_cycle = {function[i] for i in on_cycle}

    def tree(point: int) -> Tree:
        below = (i for i in range(n) if function[i] == point and i not in on_cycle)
        return int(point == marked), tuple(sorted(tree(i) for i in below))

    cycles, seen = [], set[int]()
    for start in sorted(on_cycle):
        if start not in seen:
            around = [start]
            while function[around[-1]] != start:
                around.append(function[around[-1]])
            seen.update(around)
            cycles.append(_least_rotation(tuple(tree(i) for i in around)))
    return tuple(sorted(cycles))


def fewest_cases(n: int) -> int:
    """Return the fewest leaves of a decision tree that finds the longest cycle of any function.

    Each question of the tree asks for the value at one point, which may depend on the answers so
    far. A proof by such cases that a model is right on all n^n functions has at least as many
    cases. The computation takes 5^4 steps for n = 4 and 6^5 for n = 5.

    Raises
    ------
    ValueError
        If ``n`` is not positive or above 6.
    """
    _check(n)
    # A state has a value or none at each point, and takes about 128 words of memory.
    check_can_be_enumerated(n + 1, n, 128, instead="no shorter way is known")
    lengths = {f: _longest_cycle(f) for f in itertools.product(range(n), repeat=n)}

    @cache
    def solved(known: tuple[int | None, ...]) -> tuple[frozenset[int], int]:
        """Lengths still possible, and leaves needed to tell them apart."""
        asked = [
            [solved((*known[:i], value, *known[i + 1 :])) for value in range(n)]
            for i, there in enumerate(known)
            if there is None
        ]
        if not asked:
            return frozenset([lengths[tuple(v for v in known if v is not None)]]), 1
        possible = frozenset.union(*(lengths_left for lengths_left, _ in asked[0]))
        fewest = min(sum(leaves for _, leaves in answers) for answers in asked)
        return possible, 1 if len(possible) == 1 else fewest

    return solved((None,) * n)[1]


def right_from_returns(n: int, steps: int) -> dict[int, int]:
    """Count the functions whose longest cycle can be guessed from how many points return.

    The guess is based on the numbers of points that return to themselves after 1, 2, ..., ``steps``
    steps of f; after k steps these are the points on cycles whose length divides k. It is the
    longest cycle that is most frequent among functions with the same numbers.

    Returns
    -------
    dict
        Number of functions that are guessed right, by their longest cycle. It is computed from the
        classes and their sizes.

    Raises
    ------
    ValueError
        If ``n`` is not positive or above :data:`MOST_POINTS`, or if ``steps`` is negative.
    """
    if steps < 0:
        raise ValueError(f"The number of steps must be at least 0, got {steps}")
    members: dict[tuple[int, ...], Counter[int]] = {}
    for c in conjugacy_classes(n):
        known = tuple(
            sum(length for length in c.cycles if k % length == 0) for k in range(1, steps + 1)
        )
        members.setdefault(known, Counter())[c.longest_cycle] += c.size
    right = dict.fromkeys(range(1, n + 1), 0)
    for counts in members.values():
        ((longest, number),) = counts.most_common(1)
        right[longest] += number
    return right


def accuracy_from_returns(n: int, steps: int) -> Fraction:
    """Return the share of all functions that :func:`right_from_returns` guesses right.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`right_from_returns`.
    """
    return Fraction(sum(right_from_returns(n, steps).values()), n**n)


def _check(n: int) -> None:
    if n < 1:
        raise ValueError(f"A function needs at least one point, got n = {n}")


def _check_number_of_points(n: int) -> None:
    _check(n)
    if n > MOST_POINTS:
        raise ValueError(
            f"Classes of functions are listed on at most {MOST_POINTS} points, because each "
            f"further point multiplies their number by three to four; got n = {n}"
        )


@cache
def _conjugacy_classes(n: int) -> tuple[FunctionClass, ...]:
    classes = []
    for graph in _collections(n, _cycles):
        representative, cycles = _named(graph)
        size = math.factorial(n) // _graph_symmetries(graph)
        classes.append(FunctionClass(graph, representative, size, cycles))
    return tuple(sorted(classes, key=lambda c: (c.cycles, c.graph)))


@cache
def _pointed_classes(n: int) -> tuple[FunctionClass, ...]:
    classes = []
    for whole in _conjugacy_classes(n):
        shapes: dict[Graph, list[int]] = {}
        for point in range(n):
            shapes.setdefault(graph_of(whole.representative, point), []).append(point)
        for graph, orbit in sorted(shapes.items()):
            renamed = _exchange_last(whole.representative, orbit[0])
            size = whole.size * len(orbit) // n
            classes.append(FunctionClass(graph, renamed, size, whole.cycles))
    return tuple(classes)


def _longest_cycle(function: tuple[int, ...]) -> int:
    return max(len(cycle) for cycle in graph_of(function))


@cache
def _trees(size: int) -> list[Tree]:
    return [(0, subtrees) for subtrees in _collections(size - 1, _trees)]


@cache
def _cycles(size: int) -> list[Cycle]:
    found = set()
    for sizes in _compositions(size):
        found |= {_least_rotation(c) for c in itertools.product(*map(_trees, sizes))}
    return sorted(found)


def _compositions(total: int) -> Iterator[tuple[int, ...]]:
    """Yield the 2^(total - 1) ways to write ``total`` as an ordered sum of numbers above 0."""
    if total == 0:
        yield ()
    for first in range(1, total + 1):
        for rest in _compositions(total - first):
            yield (first, *rest)


def _collections(total: int, of_size: Callable[[int], list[Any]]) -> list[tuple[Any, ...]]:
    """List unordered collections, repetition allowed, of things whose sizes sum to ``total``."""

    def chosen(left: int, size: int, place: int) -> Iterator[tuple[Any, ...]]:
        if left == 0:
            yield ()
        for next_size in range(size, left + 1):
            things = of_size(next_size)
            for i in range(place if next_size == size else 0, len(things)):
                for rest in chosen(left - next_size, next_size, i):
                    yield (things[i], *rest)

    return [tuple(sorted(collection)) for collection in chosen(total, 1, 0)]


def _least_rotation(cycle: Cycle) -> Cycle:
    return min(cycle[i:] + cycle[:i] for i in range(len(cycle)))


def _repetitions(things: Sequence[Any]) -> int:
    """Count the ways to exchange equal things."""
    return math.prod(math.factorial(count) for count in Counter(things).values())


def _tree_symmetries(tree: Tree) -> int:
    return _repetitions(tree[1]) * math.prod(map(_tree_symmetries, tree[1]))


def _graph_symmetries(graph: Graph) -> int:
    symmetries = _repetitions(graph)
    for cycle in graph:
        rotations = sum(cycle[i:] + cycle[:i] == cycle for i in range(len(cycle)))
        symmetries *= rotations * math.prod(map(_tree_symmetries, cycle))
    return symmetries


def _named(graph: Graph) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return a function with this graph, and the lengths of its cycles, longest first."""
    values: list[int] = []

    def hang(tree: Tree, on: int) -> None:
        for subtree in tree[1]:
            values.append(on)
            hang(subtree, len(values) - 1)

    longest_first = sorted(graph, key=len, reverse=True)
    for cycle in longest_first:
        first = len(values)
        values.extend(first + (i + 1) % len(cycle) for i in range(len(cycle)))
        for i, tree in enumerate(cycle):
            hang(tree, first + i)
    return tuple(values), tuple(map(len, longest_first))


def _exchange_last(function: tuple[int, ...], point: int) -> tuple[int, ...]:
    """Return the function after exchanging the names of ``point`` and the last one."""
    name = list(range(len(function)))
    name[point], name[-1] = name[-1], name[point]
    return tuple(name[function[old]] for old in name)
