import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import torch
from mpmath import mp, mpf

from algzoo.estimates import angular
from algzoo.estimates.few_inputs.margin_tail import margin_tail
from algzoo.structure import cones, decision_cones, weights_of
from algzoo.zoo import DistRNN, handcrafted_2nd_argmax, zoo_2nd_argmax


def random_model(hidden_size, seq_len, seed):
    torch.manual_seed(seed)
    return DistRNN(hidden_size, seq_len)


def tail_by_angles(model, threshold):
    """The mean of exp(-t^2 / (2 m^2)) over directions, in 40 digits, on the cones of a model."""
    total = mpf(0)
    for cone in cones(model):
        (a, b), (c, d) = ([mpf(float(x)) for x in row] for row in cone.outputs)
        start, stop = (mpf(angle) for angle in cone.angles)
        # The right answer changes at pi / 4 and 5 pi / 4, and the model's where the logits tie.
        tie = mpmath.atan2(c - a, b - d)
        cuts = [k * mp.pi + angle for k in (-2, -1, 0, 1, 2) for angle in (tie, mp.pi / 4)]
        steepest = mpmath.atan2(d - b, c - a)
        cuts += [k * mp.pi + steepest for k in (-2, -1, 0, 1, 2)]
        ends = [start, *sorted(cut for cut in cuts if start < cut < stop), stop]
        for low, high in pairwise(ends):
            x, y = mpmath.cos((low + high) / 2), mpmath.sin((low + high) / 2)
            sign = 1 if y > x else -1  # of logit 1 minus logit 0, where the answer is wrong
            if sign * ((c - a) * x + (d - b) * y) <= 0:
                continue

            def density(angle, sign=sign, up=d - b, along=c - a):
                margin = sign * (along * mpmath.cos(angle) + up * mpmath.sin(angle))
                return mpmath.exp(-((threshold / margin) ** 2) / 2) if margin > 0 else mpf(0)

            # Narrow peaks at either end need pieces of every size.
            width = high - low
            steps = [mpf(4) ** -k for k in range(1, 12)]
            points = sorted(
                {low, high, *(low + width * s for s in steps), *(high - width * s for s in steps)}
            )
            total += mpmath.quad(density, points)
    return total / (2 * mp.pi)


MODELS_OF_TWO = {
    "trained (2, 2)": lambda: zoo_2nd_argmax(2, 2),
    "trained (4, 2)": lambda: zoo_2nd_argmax(4, 2),
    "poor (2, 2)": lambda: zoo_2nd_argmax(2, 2, seed=1),
    "random (3, 2)": lambda: random_model(3, 2, seed=5),
}


@pytest.mark.parametrize("kind", MODELS_OF_TWO)
@pytest.mark.parametrize("size", [1e-2, 0.3, 2, 8])
def test_two_inputs_agree_with_quadrature_in_40_digits(kind, size):
    model = MODELS_OF_TWO[kind]()
    largest = max(
        np.linalg.norm(cone.outputs[cone.answer] - cone.outputs[cone.right_answer])
        * math.sin(min(cone.solid_angle, math.pi / 2))
        for cone in decision_cones(model)
        if not cone.is_right
    )
    threshold = size * float(largest)
    with mp.workdps(40):
        expected = tail_by_angles(model, mpf(threshold))
        found = margin_tail(model, threshold)
        assert expected > 1e-40
        assert abs(found / expected - 1) < 1e-10


def edge_integral(peak, q, r, level):
    """The probability between an arc and the direction of steepest margin, and beyond the level.

    Around that direction, the tail's integral from the peak to the arc has the closed form
    erfc(t / sqrt 2) - u erfc(t / (u sqrt 2)), u being the cosine of the distance.
    """
    cosine_q, cosine_r = mpmath.fdot(peak, q), mpmath.fdot(peak, r)
    product = mpmath.fdot(q, r)
    volume = (
        peak[0] * (q[1] * r[2] - q[2] * r[1])
        + peak[1] * (q[2] * r[0] - q[0] * r[2])
        + peak[2] * (q[0] * r[1] - q[1] * r[0])
    )
    if not volume:  # the arc lies on a meridian
        return mpf(0)

    def term(share):
        height = (1 - share) * cosine_q + share * cosine_r
        square = (1 - share) ** 2 + share**2 + 2 * share * (1 - share) * product
        u = height / mpmath.sqrt(square)
        inner = mpmath.erfc(level / mpmath.sqrt(2))
        if u > 0:  # on a tie, rounding may turn the sign
            inner -= u * mpmath.erfc(level / (u * mpmath.sqrt(2)))
        return inner / (square - height * height)

    foot_q, foot_r = cosine_q - cosine_r * product, cosine_r - cosine_q * product
    ends = [0, foot_r / (foot_q + foot_r), 1] if foot_q > 0 and foot_r > 0 else [0, 1]
    points = [mpf(0)]
    for low, high in pairwise(ends):
        steps = [mpf(2) ** -k for k in range(1, 5)]
        points += [low + (high - low) * step for step in steps[::-1]]
        points += [high - (high - low) * step for step in steps[1:]] + [high]
    return volume * mpmath.quad(term, points) / (4 * mp.pi)


def tail_by_edges(model, threshold):
    """The same probability for three inputs: a signed sum over edges, in 50 digits."""
    total = mpf(0)
    for cone in decision_cones(model):
        row = cone.outputs[cone.answer] - cone.outputs[cone.right_answer]
        if cone.is_right or not row.any():
            continue
        gradient = [mpf(float(x)) for x in row]
        size = mpmath.sqrt(mpmath.fdot(gradient, gradient))
        if threshold / size > 14:
            continue
        peak = [x / size for x in gradient]
        rays = [[mpf(float(x)) for x in ray] for ray in cone.rays]
        rays = [[x / mpmath.norm(ray) for x in ray] for ray in rays]
        for q, r in zip(rays, rays[1:] + rays[:1], strict=True):
            total += edge_integral(peak, q, r, threshold / size)
    return total


@pytest.mark.parametrize(
    ("make", "threshold"),
    [
        (lambda: zoo_2nd_argmax(2, 3), 3.0),
        (lambda: random_model(2, 3, seed=3), 0.5),
        (lambda: random_model(2, 3, seed=3), 2.0),
    ],
)
def test_three_inputs_agree_with_a_sum_over_edges_in_50_digits(make, threshold):
    model = make()
    with mp.workdps(50):
        expected = tail_by_edges(model, mpf(threshold))
    assert expected > 1e-35
    assert abs(margin_tail(model, threshold) / expected - 1) < 1e-10


@pytest.mark.parametrize("seq_len", [2, 3])
@pytest.mark.parametrize("threshold", [0.02, 0.2])
def test_samples_agree(seq_len, threshold):
    model = random_model(4, seq_len, seed=1)
    x = np.random.default_rng(0).standard_normal((1_000_000, seq_len))
    w_hi, w_hh, w_oh = weights_of(model)
    state = np.zeros((len(x), 4))
    for column in x.T:
        state = np.maximum(column[:, None] * w_hi + state @ w_hh.T, 0)
    logits = state @ w_oh.T
    right = np.argsort(x, axis=1)[:, -2]
    of_right = logits[np.arange(len(x)), right]
    logits[np.arange(len(x)), right] = -np.inf
    share = np.mean(logits.max(axis=1) - of_right > threshold)
    expected = margin_tail(model, threshold)
    assert 1e-3 < expected < 0.9
    assert abs(share - expected) < 4 * math.sqrt(expected / len(x))


@pytest.mark.parametrize("seed", range(5))
def test_threshold_zero_gives_the_error_rate(seed):
    model = zoo_2nd_argmax(4, 2, seed=seed)
    assert margin_tail(model, 0) == pytest.approx(1 - angular(model).value, abs=1e-15)
    tiny = margin_tail(model, 1e-300)
    assert tiny == pytest.approx(margin_tail(model, 0), rel=1e-12)


def test_equal_logits_are_no_error_by_a_margin():
    model = zoo_2nd_argmax(4, 3)  # which has a cell without an active neuron
    wrong = [cone for cone in decision_cones(model) if not cone.is_right]
    tied = [c.fraction for c in wrong if (c.outputs[c.answer] == c.outputs[c.right_answer]).all()]
    assert sum(tied) > 1e-3
    expected = sum(cone.fraction for cone in wrong) - sum(tied)
    assert margin_tail(model, 0) == pytest.approx(expected, abs=1e-13)


def test_scaling_the_readout_scales_the_margin():
    model = zoo_2nd_argmax(4, 3)
    before = margin_tail(model, 2.0)
    with torch.no_grad():
        model.linear.weight *= 4
    assert margin_tail(model, 8.0) == before


def test_events_without_probability():
    right = handcrafted_2nd_argmax(2)
    assert margin_tail(right, 0) == 0
    assert margin_tail(right, 1.0) == 0
    assert margin_tail(zoo_2nd_argmax(2, 2), math.inf) == 0
    assert margin_tail(zoo_2nd_argmax(2, 2), 1e6) == 0


@pytest.mark.parametrize("threshold", [-1e-9, math.nan, -math.inf])
def test_a_threshold_that_is_none_is_refused(threshold):
    with pytest.raises(ValueError, match=f"must be 0 or more, got {threshold}"):
        margin_tail(zoo_2nd_argmax(2, 2), threshold)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="the tail of the margin is for 2nd-argmax models of two"):
        margin_tail(zoo_2nd_argmax(2, 4), 0.1)
