import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import qmc

from algzoo.estimates import sampling
from algzoo.estimates.few_inputs.four import (
    accuracy_at_angle,
    angle_quadrature,
    angle_quadrature_with_doubt,
)
from algzoo.structure import outputs, reorder_neurons, standard_form, weights_of
from algzoo.zoo import zoo_2nd_argmax

SEED = st.integers(0, 2**32 - 1)
ANGLE = st.floats(-np.pi / 2, 3 * np.pi / 2)


@st.composite
def small_integer_matrices(draw):
    """W_hi, W_hh and W_oh with many ties, parallel planes, duplicates and zeros."""
    d = draw(st.integers(1, 4))
    entry = st.integers(-2, 2).map(float)
    return tuple(draw(arrays(float, shape, elements=entry)) for shape in [(d,), (d, d), (4, d)])


def share_of_the_disc(model, angle, n=2**14):
    """Share of the unit disc of (x2, x3), evenly covered by points, where the model is right."""
    u, v = qmc.Sobol(2, seed=0).random(n).T
    x2, x3 = np.sqrt(u) * np.cos(2 * np.pi * v), np.sqrt(u) * np.sin(2 * np.pi * v)
    r = np.sqrt(1 - u)
    x = np.stack([r * np.cos(angle), r * np.sin(angle), x2, x3], axis=1)
    logits = np.round(outputs(weights_of(model), x), 12)  # so that exact ties are ties
    return (logits.argmax(-1) == x.argsort(-1)[:, -2]).mean()


@given(SEED, st.integers(1, 6), ANGLE)
@settings(max_examples=40)
def test_at_an_angle_against_points_on_the_disc(gaussian_rnn, seed, hidden_size, angle):
    model = gaussian_rnn(seed, hidden_size, seq_len=4)
    expected = share_of_the_disc(model, angle)
    assert accuracy_at_angle(model, angle) == pytest.approx(expected, abs=0.004)


@given(small_integer_matrices(), st.floats(0.01, 0.99), st.integers(0, 7))
@settings(max_examples=60)
def test_at_an_angle_with_ties_duplicates_and_zeros(make_rnn, matrices, part, octant):
    # Not on x0 = 0, x1 = 0, x0 = x1 or x0 = -x1, where floats round ties apart.
    model = make_rnn(*matrices, seq_len=4)
    angle = (octant + part) * np.pi / 4
    expected = share_of_the_disc(model, angle)
    assert accuracy_at_angle(model, angle) == pytest.approx(expected, abs=0.004)


@given(SEED, st.integers(1, 5), ANGLE)
@settings(max_examples=30)
def test_units_and_numbering_do_not_matter(make_rnn, gaussian_rnn, seed, d, angle):
    rng = np.random.default_rng(seed)
    model = gaussian_rnn(seed, d, seq_len=4)
    w_hi, w_hh, w_oh = weights_of(model)
    c = np.exp(2 * rng.standard_normal(d))
    rescaled = make_rnn(w_hi * c, w_hh * c[:, None] / c, w_oh / c, seq_len=4)
    renumbered = reorder_neurons(model, rng.permutation(d))
    value = accuracy_at_angle(model, angle)
    assert accuracy_at_angle(rescaled, angle) == pytest.approx(value, abs=1e-11)
    assert accuracy_at_angle(standard_form(model), angle) == pytest.approx(value, abs=1e-11)
    assert accuracy_at_angle(renumbered, angle) == pytest.approx(value, abs=1e-13)


@given(ANGLE)
@settings(max_examples=20)
def test_the_four_answers_share_the_probability(make_rnn, angle):
    rights = []
    for answer in range(4):
        w_oh = np.zeros((4, 2))
        w_oh[answer] = 1
        model = make_rnn([1, -1], [[1, 1], [1, 1]], w_oh, seq_len=4)
        rights.append(accuracy_at_angle(model, angle))
    assert sum(rights) == pytest.approx(1, abs=1e-14)
    assert rights[2] == pytest.approx(rights[3], abs=1e-14)  # x2 and x3 are exchangeable
    # x2 is the second-largest either between x0 and x1 or where one of them and x3 are.
    assert share_of_the_disc(model, angle) == pytest.approx(rights[3], abs=0.003)


@pytest.mark.parametrize("answer", range(4))
def test_constant_answers_are_right_in_a_quarter(make_rnn, answer):
    w_oh = np.zeros((4, 2))
    w_oh[answer] = 1
    model = make_rnn([1, -1], [[1, 1], [1, 1]], w_oh, seq_len=4)
    estimate, doubt = angle_quadrature_with_doubt(model, 96)
    assert abs(estimate.value - 1 / 4) <= doubt + 1e-9 < 1e-3


def test_a_model_without_weights_answers_0(make_rnn):
    model = make_rnn(np.zeros(2), np.zeros((2, 2)), np.zeros((4, 2)), seq_len=4)
    estimate, doubt = angle_quadrature_with_doubt(model, 64)
    assert abs(estimate.value - 1 / 4) <= doubt + 1e-9 < 1e-3


def test_bundled_m44():
    # 0.6024769: 1,184 angles. design/exact-estimates.md, section 6: .60231 +- .00010 by samples.
    model = zoo_2nd_argmax(4, 4)
    estimate, doubt = angle_quadrature_with_doubt(model, 192)
    assert abs(estimate.value - 0.6024769) < doubt < 5e-4
    sampled = sampling(model, 2**22, 0)
    assert abs(estimate.value - sampled.value) < 4 * sampled.std
    # The same page: 2.8e6 for 192 angles.
    assert estimate.operations < 1.5e6


def test_bundled_m84():
    # Section 6 of the same page: .98726 by 160 angles, .98720 +- .00006 by samples.
    model = zoo_2nd_argmax(8, 4)
    estimate, doubt = angle_quadrature_with_doubt(model, 120)
    assert abs(estimate.value - 0.9872207) < doubt
    assert estimate.operations < 2e6


@pytest.mark.parametrize("seed", range(3))
def test_noisy_models_against_samples(seed):
    model = zoo_2nd_argmax(4, 4)
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    estimate, doubt = angle_quadrature_with_doubt(model, 96)
    sampled = sampling(model, 2**20, seed)
    assert abs(estimate.value - sampled.value) < 4 * sampled.std + doubt


@given(small_integer_matrices(), SEED)
@settings(max_examples=12)
def test_integer_weights_against_samples(make_rnn, matrices, seed):
    model = make_rnn(*matrices, seq_len=4)
    estimate, doubt = angle_quadrature_with_doubt(model, 64)
    # Multiples of 2^-12, so that ties of such models are exact in the samples as well.
    x = np.round(np.random.default_rng(seed).standard_normal((2**15, 4)) * 2**12) / 2**12
    right = x.argsort(-1)[:, -2]
    sampled = (outputs(weights_of(model), x).argmax(-1) == right).mean()
    std = np.sqrt(max(sampled * (1 - sampled), 1e-4) / len(x))
    assert abs(estimate.value - sampled) < 4.5 * std + doubt + 2**-11


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_extreme_weights_do_not_overflow(make_rnn, unit):
    model = zoo_2nd_argmax(4, 4)
    w_hi, w_hh, w_oh = weights_of(model)
    extreme = make_rnn(w_hi * unit, w_hh, w_oh / unit, seq_len=4)
    assert angle_quadrature(extreme, 24).value == pytest.approx(
        angle_quadrature(model, 24).value, abs=1e-12
    )


def test_other_models_have_no_angle():
    with pytest.raises(ValueError, match="accuracy at an angle is for 2nd-argmax models of four"):
        accuracy_at_angle(zoo_2nd_argmax(2, 3), 0.1)
    with pytest.raises(ValueError, match=r"^24 angles is for 2nd-argmax models of four"):
        angle_quadrature_with_doubt(zoo_2nd_argmax(2, 3), 24)


def test_too_few_angles_are_refused():
    with pytest.raises(ValueError, match="at least 2 for each of 12 intervals, got 20"):
        angle_quadrature(zoo_2nd_argmax(4, 4), 20)


def test_it_states_no_deviation():
    estimate = angle_quadrature(zoo_2nd_argmax(2, 4), 24)
    assert estimate.std is None
