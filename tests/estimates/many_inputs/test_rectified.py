import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate
from scipy.special import ndtr

from algzoo.estimates import OperationCounter
from algzoo.estimates.many_inputs.rectified import rectified_moments


def rectified_mean(mean, deviation):
    if deviation == 0:
        return max(mean, 0.0)
    a = mean / deviation
    return mean * ndtr(a) + deviation * math.exp(-a * a / 2) / math.sqrt(2 * math.pi)


def covariance_by_quadrature(m1, m2, s1, s2, r):
    """Over the first number, given which the second has a mean in closed form."""
    left = s2 * math.sqrt(max(1 - r * r, 0))

    def integrand(z):
        density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return max(m1 + s1 * z, 0) * rectified_mean(m2 + r * s2 * z, left) * density

    kinks = sorted(float(np.clip(kink, -12, 12)) for kink in (-m1 / s1, -m2 / (r * s2)))
    edges = [-12, *kinks, 12]
    product = sum(
        integrate.quad(integrand, *edge, epsabs=1e-13, limit=200)[0] for edge in pairwise(edges)
    )
    return product - rectified_mean(m1, s1) * rectified_mean(m2, s2)


@pytest.mark.parametrize(("n_nodes", "error"), [(8, 1e-5), (16, 2e-7), (64, 1e-8)])
def test_covariance_is_that_of_quadrature(n_nodes, error):
    rng = np.random.default_rng(0)
    for case in range(60):
        m1, m2 = 1.5 * rng.standard_normal(2)
        s1, s2 = rng.uniform(0.2, 2, size=2)
        # Anywhere, near to 1, and 1: the hidden state after one step is a function of one input.
        size = (rng.uniform(0.01, 1), 1 - 10 ** -rng.uniform(1, 6), 1.0)[case % 3]
        r = size * rng.choice([-1, 1])
        covariance = np.array([[s1 * s1, r * s1 * s2], [r * s1 * s2, s2 * s2]])
        _, result, _ = rectified_moments(np.array([m1, m2]), covariance, n_nodes)
        expected = covariance_by_quadrature(m1, m2, s1, s2, r)
        assert abs(result[0, 1] - expected) < error * s1 * s2
        assert result[0, 1] == result[1, 0]


@pytest.mark.parametrize("r", [-1, -0.5, 0, 0.3, 1])
def test_means_of_zero_give_the_arc_cosine_kernel(r):
    mean, covariance, gate = rectified_moments(np.zeros(2), np.array([[1, r], [r, 1]]), 16)
    kernel = (math.sqrt(1 - r * r) + r * (math.pi - math.acos(r))) / (2 * math.pi)
    assert mean == pytest.approx(np.full(2, 1 / math.sqrt(2 * math.pi)), abs=1e-15)
    assert covariance[0, 1] == pytest.approx(kernel - 1 / (2 * math.pi), abs=1e-9)
    assert covariance[0, 0] == pytest.approx(1 / 2 - 1 / (2 * math.pi), abs=1e-15)
    assert gate.tolist() == [0.5, 0.5]


def test_moments_are_those_of_samples():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((5, 5))
    true_mean = rng.standard_normal(5)
    z = np.maximum(true_mean + rng.standard_normal((400_000, 5)) @ root.T, 0)
    mean, covariance, gate = rectified_moments(true_mean, root @ root.T, 16)
    n = len(z)
    assert np.abs((z.mean(0) - mean) / z.std(0) * math.sqrt(n)).max() < 4
    assert np.abs((z > 0).mean(0) - gate).max() < 4 * 0.5 / math.sqrt(n)
    centred = z - z.mean(0)
    products = centred[:, :, None] * centred[:, None]
    assert np.abs((products.mean(0) - covariance) / products.std(0) * math.sqrt(n)).max() < 4


def test_constants_and_open_gates_are_exact():
    mean = np.array([[2.0, -3.0, 40.0, 50.0]])
    covariance = np.diag([0.0, 0, 1, 1])[None]
    covariance[0, 2, 3] = covariance[0, 3, 2] = 0.3
    rectified, result, gate = rectified_moments(mean, covariance, 8)
    assert rectified[0] == pytest.approx([2, 0, 40, 50], abs=1e-12)
    assert gate[0].tolist() == [1, 0, 1, 1]
    assert result[0] == pytest.approx(covariance[0], abs=1e-11)


def test_counted_arrays_give_the_same_and_are_counted():
    rng = np.random.default_rng(3)
    root = rng.standard_normal((2, 4, 4))
    mean, covariance = rng.standard_normal((2, 4)), root @ root.swapaxes(-1, -2)
    counter = OperationCounter()
    results = rectified_moments(counter.array(mean), counter.array(covariance), 8)
    for result, plain in zip(results, rectified_moments(mean, covariance, 8), strict=True):
        assert result.values == pytest.approx(plain, rel=1e-14)
    # Of 2 laws: a root, Phi and phi a number; an arc sine, 8 sines and 8 exponentials a pair.
    assert counter.counts["transcendental"] == 2 * (4 * 3 + 6 * 17)
