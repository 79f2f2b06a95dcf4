"""Losses of estimates of rare events, by hand, by brute force and by what they must not hide."""

import math

import numpy as np
import pytest
from scipy.optimize import differential_evolution

from algzoo.scoring.rare.metric import (
    Fit,
    fitted,
    fitted_to_others,
    interval,
    itakura_saito,
    score,
    squared_log_error,
)


@pytest.fixture
def scattered():
    """Truths, and estimates whose logarithms are an affine function of theirs, with noise."""
    rng = np.random.default_rng(0)
    truth = 10 ** rng.uniform(-13, -2, 12)
    return truth, np.exp(0.7 * np.log(truth)[:, None] - 2 + rng.normal(size=(12, 3)))


def test_the_loss_is_that_of_the_formula():
    # By hand: ratios 1, 1/2, 2, e.
    p = 1e-7
    expected = [0, 0.5 + math.log(2) - 1, 2 - math.log(2) - 1, math.e - 2]
    q = p / np.array([1, 0.5, 2, math.e])
    np.testing.assert_allclose(itakura_saito(p, q), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        squared_log_error(p, q), [0, math.log(2) ** 2, math.log(2) ** 2, 1], atol=1e-12
    )


def test_zeros_and_overflow_are_infinite_and_large_estimates_are_not():
    assert itakura_saito(1e-3, [0.0, 5e-324, 1.0]).tolist()[:2] == [math.inf, math.inf]
    assert itakura_saito(1e-3, 1e-290) == pytest.approx(1e287, rel=1e-9)
    assert squared_log_error(1e-3, [0.0, 1e-300])[0] == math.inf
    assert squared_log_error(1e-3, 1e-300) == pytest.approx((297 * math.log(10)) ** 2)


@pytest.mark.parametrize("truth", [0.0, -1e-3, 1.5, math.nan])
@pytest.mark.parametrize("loss", [itakura_saito, squared_log_error])
def test_a_truth_that_is_no_positive_probability_is_refused(loss, truth):
    with pytest.raises(ValueError, match="a true probability must be above 0 and at most 1"):
        loss(truth, 0.1)


@pytest.mark.parametrize("estimate", [-1e-9, math.nan])
def test_an_estimate_that_is_negative_or_no_number_is_refused(estimate):
    with pytest.raises(ValueError, match="an estimate must be a number of at least 0"):
        itakura_saito(0.1, estimate)


@pytest.mark.parametrize("n_zeros", [0, 4])
def test_the_fit_is_the_best_there_is(scattered, n_zeros):
    truth, estimate = scattered
    estimate[:n_zeros] = 0
    p, q = np.broadcast_arrays(truth[:, None], estimate)

    def loss(parameters):
        a, b, log_c = parameters
        return float(itakura_saito(p, Fit(a, b, math.exp(log_c))(q)).mean())

    found = fitted(p, q)
    search = differential_evolution(loss, [(0, 3), (-20, 20), (-50, 0)], seed=1, tol=1e-10)
    ours = float(itakura_saito(p, found(q)).mean())
    assert ours == pytest.approx(search.fun, rel=1e-6)


def test_the_fit_undoes_a_power_and_a_factor():
    truth = np.logspace(-12, -2, 11)
    fit = fitted(truth, 5 * truth**0.5)
    np.testing.assert_allclose(fit(5 * truth**0.5), truth, rtol=1e-4)
    assert (fit.a, fit.b) == (
        pytest.approx(2, rel=1e-4),
        pytest.approx(-2 * math.log(5), rel=1e-3),
    )


def test_only_zeros_become_the_mean_of_the_truths():
    # mean(p) / c + ln c is smallest at c = mean(p).
    truth = np.array([1e-3, 1e-5, 2e-3])
    np.testing.assert_allclose(fitted(truth, np.zeros(3))(np.zeros(3)), truth.mean())


def test_no_task_helps_to_correct_itself(scattered):
    truth, estimate = scattered
    corrected = fitted_to_others(truth, estimate)
    for task in (0, 7):
        others = np.delete(np.arange(len(truth)), task)
        own = fitted(truth[others, None], estimate[others])(estimate[task])
        np.testing.assert_allclose(corrected[task], own, rtol=1e-3)
        moved = truth.copy()
        moved[task] *= 1e3
        np.testing.assert_allclose(
            fitted_to_others(moved, estimate)[task], corrected[task], rtol=1e-3
        )
    with pytest.raises(ValueError, match="at least two tasks"):
        fitted_to_others(truth[:1], estimate[:1])


def test_an_interval_covers_the_mean_of_the_tasks():
    # 200 experiments of 20 tasks whose losses have mean 1; seeds of a task share its loss.
    rng = np.random.default_rng(3)
    covered = 0
    for experiment in range(200):
        losses = np.repeat(rng.exponential(size=(20, 1)), 4, axis=1)
        found = interval(losses, experiment)
        covered += found.low <= 1 <= found.high
    assert 0.84 < covered / 200 < 0.98  # skewed losses: a bit less than 95%


def test_a_score_hides_no_zero():
    truth = np.array([1e-3, 1e-6, 1e-9])
    estimate = np.array([[1e-3, 2e-3], [1e-6, 0.0], [0.0, 0.0]])
    found = score(truth, estimate)
    assert (found.n_tasks, found.n_seeds, found.n_zeros, found.n_infinite) == (3, 2, 3, 3)
    assert found.mean.value == found.squared_log.value == math.inf
    assert found.mean_of_finite == pytest.approx((0.5 + math.log(2) - 1) / 3)
    assert found.squared_log_of_finite == pytest.approx(math.log(2) ** 2 / 3)
    assert found.median == math.inf
    assert found.worst == (math.inf, 1)
    assert math.isfinite(found.after_fit.value)
    none = score(truth, np.zeros((3, 2)))
    assert (none.mean_of_finite, none.squared_log_of_finite, none.n_zeros) == (None, None, 6)


def test_a_perfect_method_has_no_loss():
    truth = np.logspace(-10, -2, 5)
    found = score(truth, np.repeat(truth[:, None], 2, axis=1))
    assert found.mean == (0, 0, 0)
    assert found.after_fit.value == pytest.approx(0, abs=1e-8)
    assert found.worst[0] == 0
