import numpy as np
import pytest

from algzoo.estimates import OperationCounter
from algzoo.estimates.orthants import positive_probability


def gaussian_covariances(n, noise):
    rng = np.random.default_rng(n)
    rows = rng.standard_normal((n, 5, 3)) + 0.7
    covariance = rows @ rows.swapaxes(-1, -2)
    covariance[:, 3:, 3:] += noise**2 * np.array([[1, 0.3], [0.3, 1]])
    return covariance


@pytest.mark.parametrize("noise", [0.01, 0.1, 1])
def test_probability_is_that_of_samples(noise):
    covariances = gaussian_covariances(6, noise)
    z = np.random.default_rng(0).standard_normal((400_000, 5))
    for covariance in covariances:
        expected = (z @ np.linalg.cholesky(covariance).T > 0).all(1).mean()
        spread = np.sqrt(expected * (1 - expected) / len(z)) + 1e-5
        assert abs(positive_probability(covariance, 32) - expected) < 4 * spread


def test_independent_numbers_are_all_positive_once_in_32():
    assert positive_probability(np.diag(np.arange(1.0, 6)), 4) == pytest.approx(1 / 32, abs=1e-15)


def test_equal_correlations_of_a_half_give_one_in_six():
    """Of six independent numbers of one distribution, the first is the smallest."""
    covariance = np.full((5, 5), 0.5) + 0.5 * np.eye(5)
    assert positive_probability(covariance, 16) == pytest.approx(1 / 6, abs=1e-9)


def test_signs_add_up():
    """Over all 32 patterns of signs."""
    covariance = gaussian_covariances(1, 0.3)[0]
    total = 0.0
    for signs in np.array(np.meshgrid(*5 * [[-1, 1]])).reshape(5, -1).T:
        total += positive_probability(covariance * np.outer(signs, signs), 48)
    assert total == pytest.approx(1, abs=1e-6)


def test_operations_are_counted_whatever_the_shape():
    totals = []
    for n in (1, 3):
        counter = OperationCounter()
        positive_probability(counter.array(gaussian_covariances(n, 0.1)), 8)
        totals.append(counter.total)
    assert totals[1] == 3 * totals[0] > 3 * 6 * 8 * 70  # three asin and four roots for each node
