"""Exact moments, against closed forms and samples."""

import math

import mpmath
import numpy as np
import pytest

from algzoo.mechanisms.moments import polygon_moments, state_map, state_moments
from algzoo.structure import cones, weights_of
from algzoo.structure.features.wiring import states
from algzoo.zoo import zoo_2nd_argmax


def test_an_octant():
    corners = [[mpmath.mpf(int(i == j)) for j in range(3)] for i in range(3)]
    first, second = polygon_moments(corners)
    # E[x0; all positive] = phi(0) / 4, E[x0 x1; all positive] = phi(0)^2 / 2, E[x0^2; ...] = 1/8.
    density = 1 / math.sqrt(2 * math.pi)
    assert np.allclose(first.astype(float), density / 4, rtol=1e-14)
    expected = np.full((3, 3), density**2 / 2)
    np.fill_diagonal(expected, 1 / 8)
    assert np.allclose(second.astype(float), expected, rtol=1e-14)


def test_a_model_that_holds_one_input():
    model = zoo_2nd_argmax(4, 3)
    for parameter in model.parameters():
        parameter.data.zero_()
    model.rnn.weight_ih_l0.data[:, 0] = model.rnn.weight_ih_l0.new_tensor([1, -1, 2, 0])
    found = state_moments(model)
    half = 1 / math.sqrt(2 * math.pi)  # mean of ReLU(x)
    assert np.allclose(found.mean, [half, half, 2 * half, 0], atol=1e-15)
    expected = np.zeros((4, 4))
    expected[:3, :3] = np.outer([1, -1, 2], [1, -1, 2]) / 2
    expected[1, [0, 2]] = expected[[0, 2], 1] = 0
    assert np.allclose(found.covariance, expected - np.outer(found.mean, found.mean), atol=1e-15)


def test_m43_against_a_sample():
    model = zoo_2nd_argmax(4, 3)
    found = state_moments(model)
    sample = states(weights_of(model), np.random.default_rng(0).standard_normal((10**6, 3)))[-1]
    deviation = np.sqrt(np.diag(found.covariance) / len(sample))
    assert (np.abs(sample.mean(0) - found.mean) < 4 * deviation).all()
    assert np.allclose(np.cov(sample.T), found.covariance, rtol=0.01)


def test_the_state_is_linear_on_a_cone():
    model = zoo_2nd_argmax(4, 3)
    weights = weights_of(model)
    for cone in cones(model):
        if cone.fraction > 1e-3:
            inner = cone.rays.sum(axis=0)
            if np.linalg.norm(inner) > 0.1:
                expected = states(weights, inner[None])[-1][0]
                assert state_map(weights, cone.pattern) @ inner == pytest.approx(
                    expected, abs=1e-12
                )
