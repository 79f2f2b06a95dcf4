from fractions import Fraction
from math import pi

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.estimates import OperationCounter, exact, first_order, sampling
from algzoo.structure import weights_of
from algzoo.zoo import DistRNN, DistTransformer, ScalarRNN, zoo_2nd_argmax


@pytest.fixture
def counter():
    return OperationCounter()


def lift(counter, *numbers):
    return counter.lift(np.array(numbers, dtype=object))


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_dot_product_costs_one_operation_a_term(counter, n):
    x, y = lift(counter, *range(n)), lift(counter, *range(n))
    total = sum((a * b for a, b in zip(x[1:], y[1:], strict=True)), start=x[0] * y[0])
    assert counter.total == n
    assert total.value == sum(i * i for i in range(n))


def test_product_added_to_something_is_one_multiply_add(counter):
    a, b, c = lift(counter, 2, 3, 4)
    assert (a * b + c).value == 10
    assert (c - a * b).value == -2
    assert (1 + a * b).value == 7
    assert (1 - a * b).value == -5
    assert (-(a * b) + c).value == -2
    assert counter.counts["multiply_add"] == counter.total == 5


def test_two_products_added_cost_two(counter):
    a, b, c, d = lift(counter, 2, 3, 4, 5)
    assert (a * b + c * d).value == 26
    assert counter.total == 2


def test_product_used_twice_is_fused_once(counter):
    a, b, c = lift(counter, 2, 3, 4)
    product = a * b
    assert [(product + c).value, (product - c).value] == [10, 2]
    assert counter.total == 2  # a multiply-add and an addition


def test_product_of_which_the_size_was_taken_is_not_fused(counter):
    a, b, c = lift(counter, -2, 3, 4)
    assert (abs(a * b) + c).value == 10
    assert counter.total == 2


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        (lambda a, b: a + b, 9),
        (lambda a, b: a - b, 3),
        (lambda a, b: 10 - a, 4),
        (lambda a, b: sum([a]), 6),  # 0 + a
        (lambda a, b: a * b, 18),
        (lambda a, b: 2 * a, 12),
        (lambda a, b: a / b, 2),
        (lambda a, b: 12 / a, 2),
    ],
)
def test_lone_arithmetic_costs_one(counter, operation, result):
    a, b = lift(counter, Fraction(6), Fraction(3))
    assert operation(a, b).value == result
    assert counter.total == 1


@pytest.mark.parametrize(
    "comparison",
    [
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: b > a,
        lambda a, b: b >= a,
        lambda a, b: a == 1,
        lambda a, b: a != b,
        lambda a, b: min(a, b) is a,
    ],
)
def test_comparison_costs_one(counter, comparison):
    assert comparison(*lift(counter, 1, 2))
    assert counter.total == 1


def test_sign_and_size_are_free(counter):
    a, _ = lift(counter, -3, 0)
    assert [(-a).value, abs(a).value] == [3, 3]
    assert counter.total == 0


def test_angle_costs_ten(counter):
    y, x = lift(counter, 1, -1)
    assert counter.atan2(y, x) == pytest.approx(3 * pi / 4)
    assert counter.total == 10


def test_angle_of_numbers_beyond_float64(counter):
    y, x = lift(counter, Fraction(10) ** 400, Fraction(10) ** 400)
    assert counter.atan2(y, x) == pytest.approx(pi / 4)
    assert counter.atan2(1, x) == 0


def test_matrix_product_of_torch_costs_its_multiply_adds(counter):
    with counter.tensors():
        torch.ones(3, 5) @ torch.ones(5, 7)
    torch.ones(3, 5) @ torch.ones(5, 7)  # not counted
    assert counter.total == 3 * 5 * 7


@pytest.mark.parametrize(
    ("hidden_size", "seq_len", "operations"), [(2, 2, 16), (4, 3, 72), (16, 10, 2880)]
)
def test_published_price_of_a_sample(hidden_size, seq_len, operations):
    model = zoo_2nd_argmax(hidden_size, seq_len)
    assert sampling(model, 100, seed=0).operations == 100 * operations


@pytest.mark.parametrize("architecture", [DistRNN, ScalarRNN])
@pytest.mark.parametrize(("d", "n"), [(1, 2), (2, 3), (5, 2), (8, 5), (3, 11)])
def test_price_of_a_recurrent_sample_in_closed_form(architecture, d, n):
    model = architecture(d, n)
    o = 1 if architecture is ScalarRNN else n
    assert sampling(model, 10, seed=0).operations == 10 * (n * d * (d + 1) + o * d)
    assert sampling(model.eval(), 10, seed=0).operations == 10 * (n * d * (d + 1) + o * d)


def test_price_of_a_transformer_sample_includes_attention():
    d, n, layers = 4, 3, 2
    model = DistTransformer(d, n, n_layers=layers)
    # in each layer queries, keys, values; their products; the mixing of values; the way out
    layer = 3 * n * d * d + n * n * d + n * n * d + n * d * d
    assert sampling(model, 10, seed=0).operations == 10 * (layers * layer + d * n)


@given(st.integers(0, 2**32 - 1), st.integers(-300, 300))
def test_price_of_exactness_does_not_depend_on_scale(make_rnn, gaussian_rnn, seed, exponent):
    rng = np.random.default_rng(seed)
    model = gaussian_rnn(seed, 3)
    w_hi, w_hh, w_oh = weights_of(model)
    c = 2.0 ** rng.integers(-20, 20, 3)
    rescaled = make_rnn(w_hi * c, w_hh * c[:, None] / c, w_oh / c * 2.0**exponent)
    assert exact(rescaled).operations == exact(model).operations


def test_price_of_exactness_grows_with_the_square_of_the_size():
    operations = [exact(zoo_2nd_argmax(d, 2)).operations for d in (8, 16, 32)]
    assert operations[0] * 2 < operations[1] < operations[0] * 4.5
    assert operations[1] * 2 < operations[2] < operations[1] * 4.5


def test_price_of_m22_is_that_of_a_few_samples(official_2_2):
    # ARC's argument: the four ratios, the two gaps; exactness adds four angles at 10 each.
    assert first_order(official_2_2).operations < exact(official_2_2).operations < 10 * 16
    assert exact(official_2_2).operations > 4 * 10


def test_negated_product_is_fused_once(counter):
    a, b, c = counter.lift(np.array([2.0, 3.0, 5.0]))
    product = a * b
    assert (-product + c).value == -1
    assert (product + c).value == 11
    assert counter.total == 2  # a multiply-add and an addition
