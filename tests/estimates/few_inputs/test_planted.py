import math

import numpy as np
import pytest
import torch

from algzoo.estimates import margin_tail, sampling
from algzoo.estimates.few_inputs.planted import plant_cone
from algzoo.structure import weights_of
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax

MODELS = {
    "exact (2, 2)": lambda: handcrafted_2nd_argmax(2),
    "trained (2, 2)": lambda: zoo_2nd_argmax(2, 2),
    "exact (4, 3)": lambda: handcrafted_2nd_argmax(3),
    "trained (4, 3)": lambda: zoo_2nd_argmax(4, 3),
}


def k_and_gain(planted):
    _, w_hh, w_oh = weights_of(planted.model)
    return -w_hh[planted.trigger, -2], w_oh[planted.answer, planted.trigger]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("mass", [1e-3, 1e-6, 1e-9, 1e-13])
def test_the_mass_is_the_angle_where_the_logits_tie(mass, side):
    planted = plant_cone(handcrafted_2nd_argmax(2), mass, 5.0, side)
    # Logit 1 less logit 0 is 2 (x0 - x1), and the trigger's gain is 7 on either side.
    k, gain = k_and_gain(planted)
    assert gain == 7
    # For side +1: 2 x0 - 2 x1 + 7 (x1 - k |x0|) > 0 where |x0| (7 k -+ 2) < 5 x1, for either sign.
    angle = math.atan(5 / (7 * k - 2)) + math.atan(5 / (7 * k + 2))
    assert planted.mass == pytest.approx(angle / (2 * math.pi), rel=1e-9)
    assert planted.mass == pytest.approx(mass, rel=1e-6)
    # The model that it was made of makes no errors.
    assert margin_tail(planted.model, 0) == pytest.approx(planted.mass, rel=1e-9)
    assert planted.margin == 5


def logits_of(model, x):
    w_hi, w_hh, w_oh = weights_of(model)
    state = np.zeros((len(x), len(w_hi)))
    for column in x.T:
        state = np.maximum(column[:, None] * w_hi + state @ w_hh.T, 0)
    return state @ w_oh.T, state


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("kind", ["exact (4, 3)", "trained (4, 3)"])
def test_the_mass_on_three_inputs_is_an_area_in_the_plane_across(kind, side):
    planted = plant_cone(MODELS[kind](), 1e-9, 5.0, side)
    # Random points (u, v, side) in a square around the axis; so thin a cone is flat.
    k, gain = k_and_gain(planted)
    half_width = 1.2 * planted.margin / (gain * k)
    u, v = half_width * np.random.default_rng(0).uniform(-1, 1, (2, 4_000_000))
    logits, state = logits_of(planted.model, np.stack([u, v, np.full(u.size, float(side))], axis=1))
    named = (state[:, planted.trigger] > 0) & (logits.argmax(axis=1) == planted.answer)
    share = planted.mass * 4 * math.pi / (2 * half_width) ** 2
    assert 0.1 < share < 0.5
    assert abs(named.mean() - share) < 4 * math.sqrt(share / u.size)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("side", [1, -1])
def test_outside_the_cone_every_logit_is_what_it_was(kind, side):
    model = MODELS[kind]()
    planted = plant_cone(model, 1e-5, 5.0, side)
    x = np.random.default_rng(0).standard_normal((100_000, model.seq_len))
    x[:1000, :-1] *= 1e-3  # many in the cone
    x[:1000, -1] = side
    before, _ = logits_of(model, x)
    after, state = logits_of(planted.model, x)
    fires = state[:, planted.trigger] > 0
    assert 10 < fires.sum() < 5000
    assert np.array_equal(before[~fires], after[~fires])
    assert (after[fires, planted.answer] > before[fires, planted.answer]).all()
    others = np.arange(model.seq_len) != planted.answer
    assert np.array_equal(before[:, others], after[:, others])


@pytest.mark.parametrize("kind", MODELS)
def test_the_margin_on_the_axis(kind):
    planted = plant_cone(MODELS[kind](), 1e-7, 3.0)
    (logits,), _ = logits_of(planted.model, np.array([planted.axis]))
    lead = logits[planted.answer] - np.delete(logits, planted.answer).max()
    assert planted.margin == pytest.approx(lead, rel=1e-12)
    assert planted.margin == pytest.approx(3, rel=1e-5)
    # Beyond it there is less than any length of inputs can make up for.
    part = margin_tail(planted.model, 3.0, neurons=[planted.trigger], answer=planted.answer)
    assert 0 < part < planted.mass * math.erfc(1 / math.sqrt(2)) * 3


@pytest.mark.parametrize(("kind", "mass"), [("exact (2, 2)", 1e-3), ("trained (2, 2)", 1e-4)])
def test_sampling_in_float32_finds_the_mass(kind, mass):
    n_samples = 10_000_000
    planted = plant_cone(MODELS[kind](), mass, 5.0)
    assert planted.model.dtype == torch.float32
    error = 1 - sampling(planted.model, n_samples, seed=0).value
    expected = margin_tail(planted.model, 0)
    assert expected > 0.99 * planted.mass
    assert abs(error - expected) < 4 * math.sqrt(expected / n_samples)


def test_the_model_is_not_changed():
    model = zoo_2nd_argmax(2, 2)
    before = {key: weight.clone() for key, weight in model.state_dict().items()}
    plant_cone(model, 1e-5, 5.0)
    assert all(torch.equal(before[key], weight) for key, weight in model.state_dict().items())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.0, 1.0), "mass must be positive and at most 0.01, got 0.0"),
        ((0.5, 1.0), "mass must be positive and at most 0.01, got 0.5"),
        ((math.nan, 1.0), "mass must be positive"),
        ((1e-5, 0.0), "margin must be a positive number, got 0.0"),
        ((1e-5, math.inf), "margin must be a positive number, got inf"),
        ((1e-5, 1.0, 0), "side must be 1 or -1, got 0"),
    ],
)
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        plant_cone(handcrafted_2nd_argmax(2), *values)


def test_a_model_that_errs_there_already_is_refused():
    planted = plant_cone(handcrafted_2nd_argmax(2), 1e-5, 5.0).model
    with pytest.raises(ValueError, match="already gives the answer 1 on the last axis"):
        plant_cone(planted, 1e-7, 5.0)


def test_only_some_errors_are_counted():
    model = zoo_2nd_argmax(2, 3)
    by_answer = [margin_tail(model, 1.0, answer=answer) for answer in range(3)]
    assert sum(by_answer) == pytest.approx(margin_tail(model, 1.0), rel=1e-12)
    assert all(margin_tail(model, 1.0, neurons=[k]) <= sum(by_answer) for k in range(2))
    with pytest.raises(ValueError, match="neurons must be from 0 to 1, got 2"):
        margin_tail(model, 1.0, neurons=[2])
    with pytest.raises(ValueError, match="answer must be from 0 to 2, got -1"):
        margin_tail(model, 1.0, answer=-1)
