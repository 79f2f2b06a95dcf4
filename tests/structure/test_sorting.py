import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algzoo.estimates import OperationCounter
from algzoo.estimates.counting.counter import CountedNumber, plain
from algzoo.structure.sorting import in_order, ranked

NUMBERS = st.lists(st.integers(-5, 5), max_size=12)


@given(NUMBERS)
def test_in_order_is_a_stable_sort(numbers):
    items = list(enumerate(numbers))
    assert in_order(items, key=lambda item: item[1]) == sorted(items, key=lambda item: item[1])


@given(NUMBERS)
def test_ranked_groups_equal_items_in_their_order(numbers):
    items = list(enumerate(numbers))
    groups = ranked(items, lambda one, other: one[1] - other[1])
    assert [item for group in groups for item in group] == sorted(items, key=lambda item: item[1])
    assert [len({number for _, number in group}) for group in groups] == [1] * len(set(numbers))


def counting(numbers):
    counter = OperationCounter()
    return counter, [CountedNumber(number, counter) for number in numbers]


@given(NUMBERS)
def test_comparisons_are_no_more_than_a_sorted_array_is_charged(numbers):
    counter, counted = counting(numbers)
    assert [plain(x) for x in in_order(counted, key=lambda x: x)] == sorted(numbers)
    n = len(numbers)
    assert counter.counts["compare"] <= (n * math.ceil(math.log2(n)) if n > 1 else 0)


@pytest.mark.parametrize(
    ("numbers", "comparisons"),
    # The second is compared with the first, the third with the second of those before it, ...
    [
        ([], 0),
        ([1], 0),
        ([1, 2], 1),
        ([2, 1], 1),
        ([1, 2, 3], 2),
        ([3, 2, 1], 3),
        ([1, 2, 3, 4], 4),
    ],
)
def test_comparisons_are_those_of_halving(numbers, comparisons):
    counter, counted = counting(numbers)
    in_order(counted, key=lambda x: x)
    assert counter.counts["compare"] == comparisons


def test_a_difference_is_looked_at_twice_where_it_is_not_positive():
    for numbers, comparisons in (([1, 2], 1), ([2, 1], 2), ([1, 1], 2)):
        counter, counted = counting(numbers)
        ranked(counted, lambda one, other: one - other)
        assert counter.counts["compare"] == comparisons
        assert counter.counts["add"] == 1
