from itertools import product
from statistics import median

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.zoo import TASKS, task_2nd_argmax, task_argmedian, task_longest_cycle, task_median
from algzoo.zoo.tasks import task_argmax, task_argoutlier, task_registry

NUMBERS = st.floats(-1e6, 1e6)


def sequences(min_size):
    return st.lists(NUMBERS, min_size=min_size, max_size=11, unique=True)


def answer(task, sequence):
    result = task(torch.tensor([sequence], dtype=torch.float64))
    assert result.shape == (1,)
    return result.item()


@given(sequences(min_size=2))
def test_2nd_argmax_is_beaten_by_exactly_one(sequence):
    chosen = sequence[answer(task_2nd_argmax, sequence)]
    assert sum(number > chosen for number in sequence) == 1


@given(sequences(min_size=1))
def test_argmedian_is_the_middle_or_the_upper_of_two(sequence):
    chosen = sequence[answer(task_argmedian, sequence)]
    assert sum(number < chosen for number in sequence) == len(sequence) // 2


@given(sequences(min_size=1))
def test_argmax(sequence):
    assert sequence[answer(task_argmax, sequence)] == max(sequence)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=11))
def test_argoutlier_is_as_far_from_the_mean_as_any(sequence):
    # Times the length, so that all distances are whole numbers.
    distances = [abs(len(sequence) * number - sum(sequence)) for number in sequence]
    chosen = answer(task_argoutlier, sequence)
    assert distances[chosen] == pytest.approx(max(distances), abs=1e-6)


def test_registry_names_what_goes_in_and_comes_out():
    assert {name: kinds for name, (_, *kinds) in task_registry.items()} == {
        "2nd_argmax": ["continuous", "dist"],
        "argmax": ["continuous", "dist"],
        "argmedian": ["continuous", "dist"],
        "median": ["continuous", "scalar"],
        "argoutlier": ["continuous", "dist"],
        "longest_cycle": ["discrete", "dist"],
    }
    assert {name: task_registry[name][0] for name in TASKS} == TASKS


def test_median_of_an_even_number_of_integers_is_no_integer():
    assert task_median(torch.tensor([[3, 0, 5, 2]])).tolist() == [2.5]
    assert task_median(torch.tensor([[3, 0, 5]])).dtype == torch.int64


@given(st.lists(NUMBERS, min_size=1, max_size=11))
def test_median(sequence):
    assert answer(task_median, sequence) == median(sequence)


def longest_cycle(function):
    """Length of the longest cycle, by walking from each start until a place comes again."""
    longest = 0
    for start in range(len(function)):
        walk = [start]
        while function[walk[-1]] not in walk:
            walk.append(function[walk[-1]])
        longest = max(longest, len(walk) - walk.index(function[walk[-1]]))
    return longest


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_longest_cycle_of_every_function(n):
    functions = list(product(range(n), repeat=n))
    expected = [longest_cycle(function) - 1 for function in functions]
    assert task_longest_cycle(torch.tensor(functions)).tolist() == expected


@given(st.permutations(range(9)))
def test_longest_cycle_of_permutations(permutation):
    assert task_longest_cycle(torch.tensor([permutation])).item() == longest_cycle(permutation) - 1


@pytest.mark.parametrize("name", TASKS)
def test_tasks_take_any_number_of_batch_axes(name):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(4, 3, 5, generator=generator)
    x = x.argsort(-1) if name == "longest_cycle" else x
    assert torch.equal(TASKS[name](x), TASKS[name](x.reshape(12, 5)).reshape(4, 3))
