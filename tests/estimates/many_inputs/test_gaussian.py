import math

import numpy as np
import pytest
from scipy import stats

from algzoo.estimates import sampling
from algzoo.estimates.many_inputs.gaussian import (
    accuracy_closed_from,
    accuracy_on_gaussian_inputs,
    all_positive,
    gaussian_propagation,
    gaussian_propagation_by_class,
    propagated,
    step_errors,
)
from algzoo.estimates.many_inputs.order_classes import class_moments, classes
from algzoo.structure import weights_of
from algzoo.zoo import example_2nd_argmax, zoo_2nd_argmax


@pytest.fixture
def example(official):
    return example_2nd_argmax()


def samples_of(law, n_samples, rng):
    """Draws of (hidden state) from the Gaussian law, whose covariance may be singular."""
    values, vectors = np.linalg.eigh(law.covariance)
    z = rng.standard_normal((n_samples, len(values))) * np.sqrt(np.maximum(values, 0))
    return law.mean + z @ vectors.T


def test_independent_numbers_are_all_positive_with_the_product():
    mean = np.array([[0.3, -1, 2], [0, 0, 0]])
    result = all_positive(mean, np.stack([np.diag([1.0, 4, 9]), np.eye(3)]))
    expected = [np.prod(stats.norm.cdf([0.3, -0.5, 2 / 3])), 1 / 8]
    assert result == pytest.approx(expected, rel=1e-12)


def test_two_equal_numbers_are_the_worst_case():
    """The second condition is certain, but a Gaussian of the same moments fails it sometimes."""
    twice = all_positive(np.array([0.5, 0.5]), np.ones((2, 2)))
    assert 0 < stats.norm.cdf(0.5) - twice < 0.06


def test_all_positive_is_near_the_share_of_samples():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((100_000, 9))
    for _ in range(10):
        root = rng.standard_normal((9, 9)) + rng.standard_normal((9, 1))
        mean = 2 * rng.standard_normal(9) + 2
        share = (mean + z @ root.T > 0).all(1).mean()
        assert abs(all_positive(mean, root @ root.T) - share) < 0.02


def test_a_network_whose_neurons_stay_on_is_propagated_exactly(make_rnn):
    """Their inputs are far above zero, so that every ReLU is the identity."""
    rng = np.random.default_rng(0)
    w_hh = np.abs(rng.standard_normal((4, 4))) / 4
    w_hi = np.abs(rng.standard_normal(4)) + 1
    weights = weights_of(make_rnn(w_hi, w_hh, rng.standard_normal((5, 4)), seq_len=5))
    root = rng.standard_normal((5, 5)) / 4
    mean, covariance = np.full(5, 30.0), root @ root.T
    law = propagated(weights, mean, covariance, 8)[-1]
    linear = np.stack(
        [np.linalg.matrix_power(w_hh, 4 - t) @ w_hi for t in range(5)], axis=1
    )  # (d, n)
    assert law.mean == pytest.approx(linear @ mean, rel=1e-12)
    assert law.with_inputs == pytest.approx(linear @ covariance, rel=1e-9)
    assert law.covariance == pytest.approx(linear @ covariance @ linear.T, rel=1e-7)


def test_the_first_step_is_exact(example):
    weights = weights_of(example)
    law = propagated(weights, np.zeros(10), np.eye(10), 32)[0]
    # ReLU(w x): the positive and the negative weights see the two halves of the same number.
    w = weights.w_hi
    assert law.mean == pytest.approx(np.abs(w) / math.sqrt(2 * math.pi), rel=1e-12)
    same = np.sign(w)[:, None] == np.sign(w)
    expected = np.abs(np.outer(w, w)) * (same / 2 - 1 / (2 * math.pi))
    assert law.covariance == pytest.approx(expected, abs=1e-9 * np.abs(w).max() ** 2)
    assert law.with_inputs[:, 0] == pytest.approx(w / 2, rel=1e-12)
    assert (law.with_inputs[:, 1:] == 0).all()


def test_the_moments_after_two_steps_are_those_of_one_gaussian_step(example):
    """From the law after one step, sampled as a Gaussian one, the next step is exact."""
    weights = weights_of(example)
    mean, covariance = (part[7] for part in class_moments(10))
    first, second = propagated(weights, mean, covariance, 16)[:2]
    joint = np.block([[first.covariance, first.with_inputs], [first.with_inputs.T, covariance]])
    values, vectors = np.linalg.eigh(joint)
    rng = np.random.default_rng(0)
    n = 400_000
    z = rng.standard_normal((n, len(values))) * np.sqrt(np.maximum(values, 0)) @ vectors.T
    state, x = first.mean + z[:, :16], mean + z[:, 16:]
    state = np.maximum(state @ weights.w_hh.T + x[:, 1:2] * weights.w_hi, 0)
    centred = state - state.mean(0)
    error = np.abs(state.mean(0) - second.mean)
    assert (error <= 4 * centred.std(0) / math.sqrt(n) + 1e-12).all()
    for other, predicted in ((centred, second.covariance), (x - x.mean(0), second.with_inputs)):
        error = np.abs(centred.T @ other / n - predicted)
        square = (centred**2).T @ other**2 / n
        assert (error <= 5 * np.sqrt(square / n) + 1e-9).all()


def test_the_estimates_are_the_probabilities_under_their_laws(example):
    """Sampled from the Gaussian law, rather than by one condition after the other."""
    weights = weights_of(example)
    rng = np.random.default_rng(0)
    laws = propagated(weights, *class_moments(10), 8)[-1]
    right = 0
    for number, (_, second) in enumerate(classes(10)):
        law = type(laws)(*(part[number] for part in laws))
        logits = samples_of(law, 4000, rng) @ weights.w_oh.T
        right += (logits.argmax(1) == second).mean() / 90
    assert abs(gaussian_propagation_by_class(example).value - right) < 0.01

    law = propagated(weights, np.zeros(10), np.eye(10), 8)[-1]
    x = rng.standard_normal((200_000, 10))
    noise = law._replace(covariance=law.covariance - law.with_inputs @ law.with_inputs.T)
    state = samples_of(noise, len(x), rng) + x @ law.with_inputs.T
    right = ((state @ weights.w_oh.T).argmax(1) == x.argsort(1)[:, -2]).mean()
    assert abs(gaussian_propagation(example).value - right) < 0.01


def test_both_fail_on_the_example(example):
    plain, by_class = gaussian_propagation(example), gaussian_propagation_by_class(example)
    assert plain.value == pytest.approx(0.167, abs=0.005)
    assert by_class.value == pytest.approx(0.284, abs=0.005)
    assert sampling(example, 2**14, seed=0).value > 0.94
    # More than a thousand samples, and more than ten thousand, would cost less.
    assert 300 * 2880 < plain.operations < 600 * 2880
    assert by_class.operations > 10_000 * 2880


def test_every_closed_step_costs(example):
    rng = np.random.default_rng(0)
    accuracy = accuracy_closed_from(example, 300, rng)
    assert accuracy.shape == (11,)
    assert accuracy[0] == gaussian_propagation_by_class(example).value
    # With only the logits Gaussian .8 is left, and with two more steps less than a half.
    assert accuracy[10] == pytest.approx(0.80, abs=0.02)
    assert accuracy[8] < 0.5


def test_gaussian_inputs_alone_cost_a_third(example):
    everything = accuracy_on_gaussian_inputs(
        example, 3000, np.random.default_rng(0), others_only=False
    )
    assert everything == pytest.approx(0.59, abs=0.02)
    others = accuracy_on_gaussian_inputs(example, 3000, np.random.default_rng(0), others_only=True)
    assert others == pytest.approx(0.645, abs=0.02)


def test_step_errors_are_small_at_first_and_then_as_large_as_the_spread(example):
    # Position 0 is the largest: the first state is a multiple of a number that is nearly always
    # positive, and the only error is that a Gaussian one is not quite.
    errors = step_errors(example, 0, 5, 20_000, np.random.default_rng(0))
    assert errors.predicted_mean.shape == errors.sampled_deviation.shape == (10, 16)
    error = np.abs(errors.predicted_mean - errors.sampled_mean).max(1)
    assert error[0] < 0.05 * errors.sampled_mean[0].max()
    assert error[-1] > 0.3 * errors.sampled_deviation[-1].max()


def test_positions_that_are_no_class_are_refused():
    with pytest.raises(ValueError, match="two positions from 0 to 2, got 1 and 1"):
        step_errors(zoo_2nd_argmax(4, 3), 1, 1, 10, np.random.default_rng(0))
