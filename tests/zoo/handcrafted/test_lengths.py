import math
from fractions import Fraction
from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.estimates import sampling
from algzoo.zoo import handcrafted_2nd_argmax
from algzoo.zoo.handcrafted.lengths import (
    leave_one_out_2nd_argmax,
    leave_one_out_accuracy,
    positive_top_two_2nd_argmax,
    top_two_2nd_argmax,
)
from algzoo.zoo.tasks import task_2nd_argmax

ALL = (leave_one_out_2nd_argmax, top_two_2nd_argmax, positive_top_two_2nd_argmax)


def of_unlike_integers(low, high):
    return st.lists(st.integers(low, high), min_size=2, max_size=14, unique=True)


def answers_of(model, sequences):
    return model(torch.tensor(sequences, dtype=model.dtype)).argmax(-1).tolist()


def test_leave_one_out_of_ten_is_arcs_model_weight_for_weight():
    ours, arcs = leave_one_out_2nd_argmax(10).state_dict(), handcrafted_2nd_argmax(10).state_dict()
    assert ours.keys() == arcs.keys()
    assert all(torch.equal(ours[key], arcs[key]) for key in ours)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=12))
def test_leave_one_out_weighs_each_input_against_the_largest_of_the_others(x):
    n = len(x)
    expected = [max(0, x[i]) + 2 * max(0, *x[:i], *x[i + 1 :]) for i in range(n)]
    model = leave_one_out_2nd_argmax(n)
    assert model.hidden_size == 2 * n + 2
    assert model(torch.tensor([x], dtype=torch.float32))[0].tolist() == expected


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_leave_one_out_accuracy_is_that_of_all_signs_and_orders(n):
    model = leave_one_out_2nd_argmax(n)
    accuracy = Fraction(0)
    for n_positive in range(n + 1):
        numbers = [*range(n_positive - n, 0), *range(1, n_positive + 1)]
        sequences = torch.tensor(list(permutations(numbers)), dtype=torch.float32)
        right = int((model(sequences).argmax(-1) == task_2nd_argmax(sequences)).sum())
        accuracy += Fraction(math.comb(n, n_positive) * right, 2**n * math.factorial(n))
    assert leave_one_out_accuracy(n) == accuracy


def test_leave_one_out_accuracy_of_ten_is_the_one_sampled():
    sampled = sampling(handcrafted_2nd_argmax(10), 2**18, seed=0)
    assert abs(sampled.value - leave_one_out_accuracy(10)) < 4 * sampled.std


@given(of_unlike_integers(-100, 100).filter(lambda x: x[0] != 0))
def test_top_two_is_right_where_numbers_differ_by_more_than_a_ramp(x):
    # A gap of 1 times the gate is above 14 units of 100; in float64 all of this is exact.
    model = top_two_2nd_argmax(len(x), dtype=torch.float64)
    assert model.hidden_size == 12
    assert answers_of(model, [x]) == [sorted(range(len(x)), key=x.__getitem__)[-2]]


@given(of_unlike_integers(-100, 100).filter(lambda x: sorted(x)[-2] > 0))
def test_positive_top_two_is_right_where_the_second_largest_is_positive(x):
    model = positive_top_two_2nd_argmax(len(x), dtype=torch.float64)
    assert model.hidden_size == 8
    assert answers_of(model, [x]) == [sorted(range(len(x)), key=x.__getitem__)[-2]]


@given(of_unlike_integers(-100, 100), st.sampled_from([0.25, 0.5, 2, 4]))
def test_answers_do_not_depend_on_the_unit_of_the_inputs(x, unit):
    for build in ALL:
        model = build(len(x))
        assert answers_of(model, [x]) == answers_of(model, [[unit * number for number in x]])


@pytest.mark.parametrize(("n", "least"), [(3, 0.998), (10, 0.998), (20, 0.997)])
def test_top_two_in_float32_has_small_wedges(n, least):
    assert sampling(top_two_2nd_argmax(n), 2**16, seed=0).value > least


def test_error_of_top_two_falls_as_the_gate_grows():
    def error(gate):
        model = top_two_2nd_argmax(10, gate=gate, dtype=torch.float64)
        return 1 - sampling(model, 2**18, seed=0).value

    # Each standard error is below 3 percent of the errors compared.
    assert error(2.0**9) / error(2.0**11) == pytest.approx(4, rel=0.15)
    assert error(1e6) < 5e-5


def test_positive_top_two_of_ten_errs_where_the_22_neurons_do():
    sampled = sampling(
        positive_top_two_2nd_argmax(10, gate=1e6, dtype=torch.float64), 2**17, seed=0
    )
    assert abs(sampled.value - leave_one_out_accuracy(10)) < 4 * sampled.std


@pytest.mark.parametrize("build", [*ALL, leave_one_out_accuracy])
@pytest.mark.parametrize("n", [1, 0, -3])
def test_there_is_no_second_largest_of_one(build, n):
    with pytest.raises(ValueError, match=f"no second-largest of {n} numbers"):
        build(n)


@pytest.mark.parametrize("build", [top_two_2nd_argmax, positive_top_two_2nd_argmax])
@pytest.mark.parametrize("gate", [0.0, -1.0, math.nan])
def test_ramps_have_a_positive_slope(build, gate):
    with pytest.raises(ValueError, match="gate, the slope of a ramp, must be positive"):
        build(10, gate=gate)


def test_top_two_does_not_bear_noise_that_leave_one_out_does():
    generator = torch.Generator().manual_seed(0)

    def accuracy_with_noise(model):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(1 + 1e-3 * torch.randn(parameter.shape, generator=generator))
        return sampling(model, 2**14, seed=0).value

    assert accuracy_with_noise(leave_one_out_2nd_argmax(10)) > 0.9
    assert accuracy_with_noise(top_two_2nd_argmax(10)) < 0.3
