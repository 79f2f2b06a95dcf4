import numpy as np
import pytest
from scipy import stats

from algzoo.estimates.many_inputs.order_classes import (
    arranged,
    class_moments,
    classes,
    order_statistics,
)


def test_classes_are_all_ordered_pairs():
    assert classes(3).tolist() == [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]
    assert len(np.unique(classes(10), axis=0)) == 90


@pytest.mark.parametrize("n", [3, 4, 10])
def test_over_all_classes_the_inputs_are_independent_and_standard(n):
    mean, covariance = class_moments(n)
    assert mean.mean(0) == pytest.approx(np.zeros(n), abs=1e-12)
    second_moment = covariance + mean[:, :, None] * mean[:, None]
    assert second_moment.mean(0) == pytest.approx(np.eye(n), abs=1e-12)


def test_moments_of_three_are_those_of_order_statistics():
    """H. Jones, "Exact lower moments of order statistics in small samples", 1948: n = 3."""
    mean, covariance = class_moments(3)
    expected = 3 / (2 * np.sqrt(np.pi))
    assert mean[0] == pytest.approx([expected, 0, -expected], abs=1e-12)
    extreme = 1 + np.sqrt(3) / (2 * np.pi) - 9 / (4 * np.pi)
    assert np.diag(covariance[0]) == pytest.approx(
        [extreme, 1 - np.sqrt(3) / np.pi, extreme], abs=1e-12
    )


def test_moments_are_those_of_samples():
    x = np.random.default_rng(0).standard_normal((400_000, 5))
    order = np.argsort(x, axis=1)
    for number in (0, 7, 19):
        largest, second = classes(5)[number]
        inside = x[(order[:, -1] == largest) & (order[:, -2] == second)]
        error = inside.mean(0) - class_moments(5).mean[number]
        assert np.abs(error * np.sqrt(len(inside)) / inside.std(0)).max() < 4
        products = inside[:, :, None] * inside[:, None]
        difference = np.cov(inside.T) - class_moments(5).covariance[number]
        assert np.abs(difference * np.sqrt(len(inside)) / products.std(0)).max() < 4


def test_inputs_are_in_their_class_and_follow_the_normal_law():
    n = 5
    x = arranged(order_statistics(np.random.default_rng(1).random((n, 3000))))
    order = np.argsort(x, axis=-1)
    assert (order[..., [-1, -2]] == classes(n)[:, None]).all()
    # A position has one rank in each class; over all classes it is standard Gaussian.
    rng = np.random.default_rng(2)
    one_each = x[rng.integers(len(x), size=3000), np.arange(3000)]
    for position in one_each.T:
        assert stats.kstest(position, "norm").pvalue > 0.001
