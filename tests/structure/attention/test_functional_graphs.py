"""Classes of functions, against enumeration of all of them."""

import itertools
import math
from collections import Counter
from fractions import Fraction
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.structure.attention.functional_graphs import (
    accuracy_from_returns,
    conjugacy_classes,
    fewest_cases,
    graph_of,
    pointed_classes,
    right_from_returns,
)
from algzoo.zoo import task_longest_cycle


def functions(n):
    return list(itertools.product(range(n), repeat=n))


def test_as_many_classes_as_the_encyclopedia_has():
    assert [len(conjugacy_classes(n)) for n in range(1, 7)] == [1, 3, 7, 19, 47, 130]  # A001372


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_classes_have_the_members_that_enumeration_finds(n):
    members = Counter(graph_of(f) for f in functions(n))
    assert {c.graph: c.size for c in conjugacy_classes(n)} == members


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_pointed_classes_have_the_members_that_enumeration_finds(n):
    members = Counter(graph_of(f, n - 1) for f in functions(n))
    assert {c.graph: c.size for c in pointed_classes(n)} == members


def test_sizes_of_classes_of_six_points_add_up():
    for classes in (conjugacy_classes(6), pointed_classes(6)):
        assert sum(c.size for c in classes) == 6**6


# Six points are enough for three unlike trees on one cycle, whose two orders are two classes.
@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_representatives_belong_to_their_classes(n):
    for c in conjugacy_classes(n):
        assert graph_of(c.representative) == c.graph
    for c in pointed_classes(n):
        assert graph_of(c.representative, n - 1) == c.graph
        answer = task_longest_cycle(torch.tensor(c.representative)).item()
        assert c.longest_cycle == answer + 1 == max(c.cycles)


@given(st.data(), st.integers(1, 7))
def test_renaming_points_changes_no_graph(data, n):
    function = data.draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    name = data.draw(st.permutations(range(n)))
    renamed = [0] * n
    for i, value in enumerate(function):
        renamed[name[i]] = name[value]
    assert graph_of(renamed) == graph_of(function)
    assert graph_of(renamed, name[-1]) == graph_of(function, n - 1)


def test_graphs_are_written_in_least_rotation_and_order():
    for graph in {graph_of(f) for f in functions(5)} | {c.graph for c in conjugacy_classes(6)}:
        assert list(graph) == sorted(graph)
        for cycle in graph:
            assert all(cycle <= cycle[i:] + cycle[:i] for i in range(len(cycle)))


def test_fewest_cases_of_two_points_by_hand():
    # f(0) = 0 settles it; after f(0) = 1 the value f(1) has to be known.
    assert fewest_cases(2) == 3


@pytest.mark.parametrize("n", [3, 4])
def test_no_case_covers_functions_of_two_lengths(n):
    # At least one case for each length, and for permutations, which differ from any function with
    # the same length in two values or more, at most all functions.
    assert n <= fewest_cases(n) < n**n
    assert fewest_cases(n) >= math.factorial(n - 1)  # functions that are one cycle of all points


@pytest.mark.parametrize("n", [1, 3, 4])
def test_fewest_cases_are_those_of_the_best_question_about_what_is_left(n):
    def longest(f):
        return task_longest_cycle(torch.tensor(f)).item()

    @cache
    def leaves(left):
        if len({longest(f) for f in left}) == 1:
            return 1
        split = [[tuple(f for f in left if f[i] == v) for v in range(n)] for i in range(n)]
        asked = [parts for parts in split if len(set(parts)) > 2]  # more than all and nothing
        return min(sum(map(leaves, parts)) for parts in asked)

    assert fewest_cases(n) == leaves(tuple(functions(n)))


@pytest.mark.parametrize("steps", range(5))
def test_guesses_from_returns_are_those_of_enumeration(steps):
    n = 4
    seen = {}
    for f in functions(n):
        known, where = [], range(n)
        for _ in range(steps):
            where = [f[i] for i in where]
            known.append(sum(i == j for i, j in enumerate(where)))
        longest = max(len(cycle) for cycle in graph_of(f))
        seen.setdefault(tuple(known), Counter())[longest] += 1
    right = sum(max(counts.values()) for counts in seen.values())
    assert accuracy_from_returns(n, steps) == Fraction(right, n**n)
    assert accuracy_from_returns(n, n) == 1
    assert sum(right_from_returns(n, steps).values()) == right
    assert right_from_returns(n, n) == {1: 125, 2: 93, 3: 32, 4: 6}


def test_what_is_refused():
    with pytest.raises(ValueError, match="got -1"):
        accuracy_from_returns(3, -1)
    for refused in (conjugacy_classes, pointed_classes, fewest_cases):
        with pytest.raises(ValueError, match="n = 0"):
            refused(0)
    with pytest.raises(ValueError, match="0 to 1"):
        graph_of([0, 2])
