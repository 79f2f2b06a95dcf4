import math

import numpy as np
import pytest
import torch

from algzoo.estimates import exact, sampling
from algzoo.explanations.second_argmax_h4_n3.lambda_family import (
    lambda_error,
    lambda_error_small_angle,
    lambda_estimate,
    lambda_fits,
    lambda_of,
)
from algzoo.structure import outputs, weights_of
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax

# In the plane sum x = 0, which holds all that a function of differences depends on.
PLANE = np.array([[2, -1, -1], [0, -1, 1]]) / np.sqrt([[6], [2]])

float64 = {"dtype": torch.float64}


def error_by_angles(model):
    """Total angle of wrong answers over 2 pi, its ends found by bisection of the answers."""
    weights = weights_of(model)

    def is_wrong(angle):
        x = np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ PLANE
        return outputs(weights, x).argmax(-1) != np.argsort(x)[..., 1]

    # The wedges are about x1 = x2, which is at 0 and pi.
    fine = np.geomspace(1e-11, 0.1, 600)
    start = -0.4567
    grid = np.concatenate([-fine, fine, np.pi - fine, np.pi + fine])
    grid = np.sort(np.concatenate([grid, np.linspace(start, start + 2 * np.pi, 3001)]))
    wrong = is_wrong(grid)
    at = np.flatnonzero(wrong[1:] != wrong[:-1])
    low, high = grid[at], grid[at + 1]
    for _ in range(60):
        middle = (low + high) / 2
        same = is_wrong(middle) == wrong[at]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    between = np.sum(high[1::2] - high[::2]) / (2 * np.pi)
    return 1 - between if wrong[0] else between


@pytest.mark.parametrize("lam", [0.05, 0.5, 1, 3, 4, 5, 10, 30, 100, 1000])
def test_error_is_the_angle_of_wrong_answers(lam):
    error = error_by_angles(handcrafted_2nd_argmax(3, lam=lam, **float64))
    assert error == pytest.approx(lambda_error(lam), rel=1e-6)


@pytest.mark.parametrize(
    ("lam", "exact", "small_angle"),
    [
        (3, 2.249e-2, 2.250e-2),
        (5, 9.11e-3, 9.11e-3),
        (10, 2.500e-3, 2.500e-3),
        (30, 2.963e-4, 2.963e-4),
        (100, 2.728e-5, 2.729e-5),
        (1000, 2.753e-7, 2.754e-7),
    ],
)
def test_error_is_that_of_the_prototype(lam, exact, small_angle):
    # Its figures were rounded, or cut, to three or four digits.
    assert lambda_error(lam) == pytest.approx(exact, rel=6e-4)
    assert lambda_error_small_angle(lam) == pytest.approx(small_angle, rel=1e-3)


def test_small_angles_agree_to_third_order():
    for lam in (1e2, 1e3, 1e4):
        assert lambda_error_small_angle(lam) == pytest.approx(lambda_error(lam), rel=lam**-3)


@pytest.mark.parametrize("lam", [0.5, 3, 10, 100, 1000])
def test_error_is_that_of_the_exact_estimate(lam):
    model = handcrafted_2nd_argmax(3, lam=lam, **float64)
    # Rounding of the weights is what is left.
    rel = 1e-6 if lam < 1000 else 1e-4
    assert 1 - exact(model).value == pytest.approx(lambda_error(lam), rel=rel, abs=1e-14)


@pytest.mark.parametrize("lam", [3, 10])
def test_error_is_that_of_samples(lam):
    sampled = sampling(handcrafted_2nd_argmax(3, lam=lam, **float64), 2**20, seed=0)
    assert abs(1 - sampled.value - lambda_error(lam)) < 4 * sampled.std


@pytest.mark.parametrize("lam", [1e3, 3e3, 1e4])
def test_error_is_the_angle_to_lambda_10_000(lam):
    """On inputs of sum 0; at 10,000 rounding of the answers begins to show there too."""
    error = error_by_angles(handcrafted_2nd_argmax(3, lam=lam, **float64))
    assert error == pytest.approx(lambda_error(lam), rel=1e-5 if lam < 1e4 else 0.05)


def test_rounding_of_the_weights_ends_the_gain():
    """Exact errors of the models whose weights are rounded: nothing else is."""

    def errors(dtype, lams):
        models = [handcrafted_2nd_argmax(3, lam=lam, dtype=dtype) for lam in lams]
        return [1 - exact(model).value for model in models]

    found = errors(torch.float32, [30, 100, 1e3, 1e4])
    assert found[0] == pytest.approx(lambda_error(30), rel=0.05)
    assert found[1] > 3 * lambda_error(100)
    assert found[1] < found[2] < found[3]

    found = errors(torch.float64, [1e3, 3e3, 1e4, 1e5])
    assert found[1] == pytest.approx(lambda_error(3e3), rel=0.01)
    assert 2 * lambda_error(1e4) < found[2] < found[1] < found[0] < found[3]


def test_float32_gets_worse_from_100_on():
    sampled = [
        sampling(handcrafted_2nd_argmax(3, lam=lam), 2**20, seed=0)
        for lam in (30, 100, 300, 1e3, 1e4)
    ]
    errors = [1 - s.value for s in sampled]
    assert abs(errors[0] - lambda_error(30)) < 4 * sampled[0].std
    assert errors[1] - lambda_error(100) > 4 * sampled[1].std
    assert errors[1] < errors[2] < errors[3] < errors[4]
    assert errors[1:3] == pytest.approx([8.2e-5, 1.6e-3], rel=0.5)
    assert errors[3:] == pytest.approx([8.5e-3, 0.42], rel=0.5)


def test_m43_is_the_member_of_lambda_four():
    model = zoo_2nd_argmax(4, 3, seed=0)
    assert lambda_fits(model) == pytest.approx((3.82, 3.97, 4.23, 3.95), abs=0.005)
    assert lambda_of(model) == pytest.approx(4, abs=0.01)


def test_estimate_is_the_formula_at_the_mean_fit():
    model = zoo_2nd_argmax(4, 3, seed=0)
    estimate = lambda_estimate(model)
    assert estimate.value == 1 - lambda_error(lambda_of(model))
    assert estimate.operations < 72  # a single sample


@pytest.mark.parametrize("lam", [0.5, 3, 100, 1e4])
def test_lambda_of_a_member_is_its_own(lam):
    fits = lambda_fits(handcrafted_2nd_argmax(3, lam=lam, **float64))
    assert fits == pytest.approx(4 * [lam], rel=1e-12 * lam**2 + 1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_other_seeds_have_no_lambda(seed):
    with pytest.raises(ValueError, match="No positive lambda fits"):
        lambda_of(zoo_2nd_argmax(4, 3, seed=seed))


def test_other_sizes_have_no_lambda():
    with pytest.raises(
        ValueError,
        match="the lambda family is for 2nd-argmax models of three inputs and four neurons",
    ):
        lambda_of(zoo_2nd_argmax(2, 2))


@pytest.mark.parametrize("error", [lambda_error, lambda_error_small_angle])
@pytest.mark.parametrize("lam", [0, -1, math.nan])
def test_impossible_lambdas_are_refused(error, lam):
    with pytest.raises(ValueError, match="must be positive"):
        error(lam)
