import numpy as np
import pytest
import torch

from algzoo import example_2nd_argmax
from algzoo.explanations.second_argmax_h16_n10_example.published import (
    fitted_by_age,
    impulse_responses,
    linear_after_first,
    linear_by_age,
    linear_condition,
    margins,
    narrowest_gaps,
    pairs,
    superposed_logits,
    two_impulses,
    two_largest_alone,
)
from algzoo.structure import Weights, outputs, weights_of
from algzoo.zoo import task_2nd_argmax, zoo_2nd_argmax


@pytest.fixture
def example(official):
    return weights_of(example_2nd_argmax())


def copier(factor):
    """Two inputs: neuron 0 holds x1, neuron 1 x0; the answer is 1 if factor x0 > x1 > 0."""
    w_hh = np.array([[0.0, 0.0], [1.0, 0.0]])
    return Weights(np.array([1.0, 0.0]), w_hh, np.array([[1.0, 0.0], [0.0, factor]]))


def test_two_impulses_are_inputs_whose_right_answer_is_the_second_position():
    x = two_impulses(0.8)
    assert x.shape == (90, 10)
    np.testing.assert_array_equal(task_2nd_argmax(torch.tensor(x)), pairs()[:, 1])
    assert len(np.unique(x, axis=0)) == 90
    np.testing.assert_allclose(x.sum(1), 1.8)


def test_margins_are_positive_where_the_answer_is_right():
    weights = weights_of(zoo_2nd_argmax(16, 10))
    x = np.random.default_rng(0).standard_normal((1000, 10))
    answers = np.argsort(-x, axis=1)[:, 1]
    logits = outputs(weights, x)
    np.testing.assert_array_equal(margins(logits, answers) > 0, logits.argmax(1) == answers)
    np.testing.assert_array_equal(margins(np.array([[3.0, 1.0, 2.5]]), np.array([2])), [-0.5])


def test_the_published_counts_come_out_on_arcs_example(example):
    answers = pairs()[:, 1]
    of_two = margins(outputs(example, two_impulses(0.8)), answers)
    assert (of_two > 0).sum() == 90
    assert of_two.min() == pytest.approx(3.57, abs=5e-3)
    holds = linear_condition(example) > 0
    assert holds.sum() == 76
    failing = pairs()[~holds]
    # Ten of the failing pairs contain position 0, six position 1, two position 7; so it is written.
    assert [int((failing == p).any(1).sum()) for p in (0, 1, 7)] == [10, 6, 2]


def test_the_condition_cannot_tell_the_two_orders_apart():
    for seed in range(3):
        weights = weights_of(zoo_2nd_argmax(16, 10, seed=seed))
        square = np.full((10, 10), np.nan)
        square[tuple(pairs().T)] = linear_condition(weights)
        np.testing.assert_allclose(square, square.T, rtol=1e-12)


def test_responses_add_up_in_a_linear_network():
    rng = np.random.default_rng(0)
    linear = Weights(rng.uniform(0, 1, 5), rng.uniform(0, 0.4, (5, 5)), rng.normal(size=(4, 5)))
    x = two_impulses(0.3, 4)
    np.testing.assert_allclose(superposed_logits(linear, 0.3), outputs(linear, x), rtol=1e-12)
    np.testing.assert_allclose(linear_after_first(linear, x), outputs(linear, x), rtol=1e-12)
    np.testing.assert_allclose(
        impulse_responses(linear) @ linear.w_oh.T, outputs(linear, np.eye(4)), rtol=1e-12
    )


def test_only_the_steps_after_the_first_impulse_lose_their_relu():
    # Neuron 0 would be negative after the second step, neuron 1 after the first.
    weights = Weights(np.array([1.0, -1.0]), np.array([[-2.0, 0.0], [0.0, 1.0]]), np.eye(2))
    x = np.array([[1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(linear_after_first(weights, x), [[-2.0, 0.0], [1.0, 0.0]])


def test_the_two_largest_are_kept_with_their_signs():
    x = np.array([[0.5, -1.0, 2.0, 0.1], [-3.0, -0.2, -0.1, -4.0]])
    np.testing.assert_array_equal(two_largest_alone(x), [[0.5, 0, 2.0, 0], [0, -0.2, -0.1, 0]])


@pytest.mark.parametrize("factor", [1.02, 1.3])
def test_the_narrowest_gap_is_where_the_decision_lies(factor):
    x = np.random.default_rng(0).uniform(0.5, 2, (400, 2))
    found = narrowest_gaps(copier(factor), x, halvings=40)
    right = outputs(copier(factor), x).argmax(1) == np.argsort(-x, 1)[:, 1]
    x = x[right]
    # x1 = m + g/2 beats factor (m - g/2) for g > 2 m (factor - 1) / (factor + 1); x0 always wins.
    wrong_below = x.sum(1) * (factor - 1) / (factor + 1)
    expected = np.where(x[:, 1] > x[:, 0], wrong_below, 0.0)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_function_that_is_linear_by_age_is_found():
    def held(x):
        top = np.sort(x, axis=1)
        by_age = 1.0 + x.argmax(axis=1)
        return np.stack(
            [by_age * top[:, -1] - top[:, -2], top[:, -2] + 2 * x[:, -1] - by_age], axis=1
        )

    x, new = (np.random.default_rng(s).standard_normal((300, 5)) for s in (0, 1))
    coefficients = fitted_by_age(x, held(x))
    np.testing.assert_allclose(linear_by_age(coefficients, new), held(new), atol=1e-12)
    # Of the largest, the second, the newest and 1.
    np.testing.assert_allclose(coefficients[2, :, 0], [3, -1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(coefficients[2, :, 1], [0, 1, 2, -3], atol=1e-12)


def test_a_position_without_inputs_is_named():
    first = np.array([[3.0, 1.0, 0.0]] * 5 + [[0.0, 1.0, 0.5]] * 4)
    with pytest.raises(ValueError, match="0 inputs have their largest number at position 2; 4"):
        fitted_by_age(first, np.ones((9, 1)))
