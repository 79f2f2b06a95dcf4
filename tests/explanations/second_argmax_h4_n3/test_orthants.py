import math

import numpy as np
import pytest

from algzoo.estimates import OperationCounter
from algzoo.explanations.second_argmax_h4_n3.orthants import positive_probability


def five_numbers(n, noise):
    """Normals, readouts and covariances of the noise of n sets of five Gaussian numbers."""
    rows = np.random.default_rng(n).standard_normal((n, 5, 3)) + 0.7
    covariance = np.broadcast_to(noise**2 * np.array([[1, 0.3], [0.3, 1]]), (n, 2, 2))
    return rows[:, :3], rows[:, 3:], covariance


@pytest.mark.parametrize("noise", [0.01, 0.1, 1])
def test_probability_is_that_of_samples(noise):
    sets = five_numbers(6, noise)
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((400_000, 3)), rng.standard_normal((400_000, 2))
    for normals, readout, covariance in zip(*sets, strict=True):
        noisy = x @ readout.T + z @ np.linalg.cholesky(covariance).T
        expected = ((x @ normals.T > 0).all(1) & (noisy > 0).all(1)).mean()
        spread = np.sqrt(expected * (1 - expected) / len(x)) + 1e-5
        assert abs(positive_probability(normals, readout, covariance, 32) - expected) < 4 * spread


def test_independent_numbers_are_all_positive_once_in_32():
    found = positive_probability(np.eye(3), np.zeros((2, 3)), np.diag([4.0, 5.0]), 4)
    assert found == pytest.approx(1 / 32, abs=1e-15)


def test_equal_correlations_of_a_half_give_one_in_six():
    """Of six independent numbers of one distribution, the first is the smallest."""
    normals = np.linalg.cholesky(np.full((3, 3), 0.5) + 0.5 * np.eye(3))
    readouts = np.linalg.solve(normals, np.full((3, 2), 0.5)).T
    noise = np.full((2, 2), 0.5) + 0.5 * np.eye(2) - readouts @ readouts.T
    assert positive_probability(normals, readouts, noise, 16) == pytest.approx(1 / 6, abs=1e-9)


def test_signs_add_up():
    """Over all 32 patterns of signs."""
    normals, readouts, noise = (array[0] for array in five_numbers(1, 0.3))
    total = 0.0
    for signs in np.array(np.meshgrid(*5 * [[-1, 1]])).reshape(5, -1).T:
        of_x, of_y = signs[:3, None], signs[3:, None]
        flipped = of_x * normals, of_y * readouts, of_y * noise * of_y.T
        total += positive_probability(*flipped, 48)
    assert total == pytest.approx(1, abs=1e-6)


def test_lengths_of_normals_and_units_of_readouts_do_not_matter():
    normals, readouts, noise = five_numbers(3, 0.2)
    lengths, units = np.array([1e-3, 1.0, 1e5])[:, None], np.array([1e4, 1e-2])[:, None]
    found = positive_probability(lengths * normals, units * readouts, units * noise * units.T, 8)
    np.testing.assert_allclose(found, positive_probability(normals, readouts, noise, 8), rtol=1e-12)


def test_numbers_said_by_others_without_noise_are_no_condition():
    """Y is a sum of X: what is left is the solid angle of the octant."""
    readouts = np.array([[1.0, 2.0, 3.0], [1.0, 1.0, 0.0]])
    found = positive_probability(np.eye(3), readouts, np.zeros((2, 2)), 64)
    assert found == pytest.approx(1 / 8, abs=1e-6)


@pytest.mark.parametrize("opening", [1e-3, 1e-6, 1e-9])
def test_the_probability_of_a_sliver_is_that_of_its_width(opening):
    """Two planes at a small angle: half of the digits would be lost by arcsines of correlations."""
    normals = np.array([[0, 1, 0], [math.sin(opening), -math.cos(opening), 0], [0, 0, 1]])
    readouts = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    noise = 0.04 * np.eye(2)
    # Within the sliver x is nearly along (1, 0, 0); the second readout is that of half the numbers.
    found = positive_probability(normals, readouts, noise, 64)
    samples = np.random.default_rng(0).standard_normal((200_000, 5))
    along = np.hypot(samples[:, 0], samples[:, 1])  # of the plane of the sliver, in its directions
    right = (along + 0.2 * samples[:, 3] > 0) & (np.abs(samples[:, 2]) + 0.2 * samples[:, 4] > 0)
    expected = right.mean() * opening / (2 * math.pi) / 2
    assert found == pytest.approx(expected, rel=0.01)


def test_operations_are_counted_whatever_the_shape():
    totals = []
    for n in (1, 3):
        counter = OperationCounter()
        positive_probability(*map(counter.array, five_numbers(n, 0.1)), 8)
        totals.append(counter.total)
    assert totals[1] == 3 * totals[0] > 3 * 6 * 8 * 70  # three angles and four roots for each node
