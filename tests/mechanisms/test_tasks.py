"""Labels and masses of the tasks, against independent counts, angles and samples."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from algzoo.estimates.few_inputs.planted import plant_cone
from algzoo.mechanisms import (
    against_decoy,
    dead_state,
    forgotten_input,
    hard_inputs,
    neurons_fire,
    planted,
    planted_cone,
)
from algzoo.mechanisms.facts import facts_of_inputs
from algzoo.mechanisms.tasks import members, tie_angle
from algzoo.structure import weights_of
from algzoo.zoo import zoo_2nd_argmax


def last_state(model, x):
    w_hi, w_hh, _ = weights_of(model)
    state = np.zeros((len(x), len(w_hi)))
    for column in x.T:
        state = np.maximum(state @ w_hh.T + column[:, None] * w_hi, 0)
    return state


def check(task):
    assert task.labels.sum() * 2 == len(task.inputs) == len(task.labels)
    assert task.trusted.shape[1] == task.inputs.shape[1] == task.model.seq_len
    assert task.normal_mass + task.abnormal_mass < 1 + 1e-12


@pytest.mark.parametrize("right_only", [False, True])
def test_the_dead_state_of_m43(right_only):
    model = zoo_2nd_argmax(4, 3)
    task = dead_state(model, right_only=right_only)
    check(task)
    empty = ~last_state(model, task.inputs).any(axis=1)
    assert np.array_equal(empty, task.labels)
    assert last_state(model, task.trusted).any(axis=1).all()
    with torch.no_grad():
        answers = model.double()(torch.as_tensor(task.inputs)).argmax(1).numpy()
    assert (answers == 0).all()
    x = np.random.default_rng(3).standard_normal((2**20, 3))
    facts = facts_of_inputs(model, x)
    with_answer = (facts.answer == 0) & (facts.is_right | (not right_only))
    in_class = with_answer & ~facts.active[:, -1].any(axis=1)
    for mass, found in (
        (task.abnormal_mass, in_class),
        (task.normal_mass, with_answer & ~in_class),
    ):
        assert abs(found.mean() - mass) < 4 * math.sqrt(mass / len(x))
    if right_only:
        assert (task.inputs.argsort(1)[:, -2] == 0).all()


def test_the_forgotten_half_is_three_eighths_right():
    # In seed 0 both input weights are positive and all answers are 0: x0 < 0 is forgotten, and 0 is
    # right where x0 < x1, which has the probability 3/8 there and 1/8 elsewhere.
    task = forgotten_input(zoo_2nd_argmax(2, 2, seed=0))
    check(task)
    assert task.abnormal_mass == pytest.approx(3 / 8, abs=1e-12)
    assert task.normal_mass == pytest.approx(1 / 8, abs=1e-12)
    assert np.array_equal(task.inputs[:, 0] < 0, task.labels)
    assert (task.inputs[:, 0] < task.inputs[:, 1]).all()
    with pytest.raises(ValueError, match="no input of this model is in the abnormal class"):
        forgotten_input(zoo_2nd_argmax(2, 2))


def test_a_planted_neurons_fire_in_its_cone():
    made = plant_cone(zoo_2nd_argmax(2, 2).double(), mass=1e-3, margin=1.0)
    fires = neurons_fire(made.trigger)
    task = planted(made.model, fires, name="planted", description="A neuron fires.")
    check(task)
    k = -float(made.model.rnn.weight_hh_l0[made.trigger[0], -2].detach())
    assert task.abnormal_mass == pytest.approx(math.atan(1 / k) / math.pi, rel=1e-9)
    assert task.normal_mass == pytest.approx(1 - task.abnormal_mass, abs=1e-12)
    x0, x1 = task.inputs.T
    assert np.array_equal(x1 > k * np.abs(x0), task.labels)
    # Lengths are those of a Gaussian vector, and angles are uniform.
    length = np.hypot(x0, x1)[task.labels]
    assert stats.kstest(length, stats.rayleigh.cdf).pvalue > 1e-3
    angle = np.arctan2(x0, x1)[task.labels]
    width = math.atan(1 / k)
    assert stats.kstest(angle, stats.uniform(-width, 2 * width).cdf).pvalue > 1e-3


def test_rare_inputs_are_uniform_on_the_sphere():
    made = plant_cone(zoo_2nd_argmax(4, 3).double(), mass=1e-4, margin=20.0)
    fires = neurons_fire(made.trigger)
    task = planted(made.model, fires, name="planted", description="A neuron fires.")
    x = task.inputs[task.labels]
    assert stats.kstest((x**2).sum(1), stats.chi2(3).cdf).pvalue > 1e-3
    # In the thin cone k max(2 abs(x0), abs(x0) + abs(x1)) < x2, the point (x0, x1) / x2 is uniform.
    k = -float(made.model.rnn.weight_hh_l0[made.trigger[0], -2].detach())
    u, v = k * np.abs(x[:, 0] / x[:, 2]), k * np.abs(x[:, 1] / x[:, 2])
    assert (np.maximum(2 * u, u + v) < 1).all()
    low = u < 0.25  # holds for 7/12 of the quadrant's area 3/8, where u + v < 1 and u < 1/2
    assert abs(low.mean() - (0.25 - 0.25**2 / 2) / 0.375) < 4 * math.sqrt(0.25 / len(x))
    # To first order in the cone's width, whose square is 1 / k^2.
    assert task.abnormal_mass == pytest.approx(1.5 / (4 * math.pi) / k**2, rel=2 / k**2)


def test_a_decoy_is_the_mirror_image():
    made = plant_cone(zoo_2nd_argmax(4, 3), mass=1e-3, margin=20.0)
    fires = neurons_fire(made.trigger)
    plain = planted(made.model, fires, name="planted", description="A neuron fires.")
    task = against_decoy(plain, fires)
    check(task)
    assert np.array_equal(fires(facts_of_inputs(made.model, task.inputs)), task.labels)
    assert fires(facts_of_inputs(made.model, -task.inputs[~task.labels])).all()
    for x in (task.trusted, -task.trusted):
        assert not fires(facts_of_inputs(made.model, x)).any()
    assert task.normal_mass == task.abnormal_mass == plain.abnormal_mass
    with pytest.raises(ValueError, match="mirror image"):
        against_decoy(plain, lambda facts: facts.active.any(axis=(1, 2)))


@pytest.mark.parametrize(("d", "n"), [(2, 2), (4, 3)])
def test_the_angle_to_a_tie_is_uniform(d, n):
    x = np.random.default_rng(0).standard_normal((20000, n))
    assert stats.kstest(tie_angle(x), stats.uniform.cdf).pvalue > 1e-3
    task = hard_inputs(zoo_2nd_argmax(d, n), 0.1)
    check(task)
    assert (task.normal_mass, task.abnormal_mass) == (0.9, 0.1)
    assert np.array_equal(tie_angle(task.inputs) < 0.1, task.labels)
    equal = x.copy()
    equal[:, 1] = equal[:, 0]
    assert np.abs(tie_angle(equal)).max() < 1e-12


def test_what_cannot_be_asked_for_is_refused():
    with pytest.raises(ValueError, match="two or three, got seq_len 10"):
        hard_inputs(zoo_2nd_argmax(16, 10), 0.1)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        hard_inputs(zoo_2nd_argmax(2, 2), 1.5)
    with pytest.raises(ValueError, match="seq_len 2 and 3"):
        members(zoo_2nd_argmax(16, 10), neurons_fire([0]))


@pytest.mark.parametrize(("d", "n"), [(2, 2), (4, 3)])
@pytest.mark.parametrize("kept", [False, True])
def test_a_cone_of_random_direction(d, n, kept):
    model = zoo_2nd_argmax(d, n)
    task = planted_cone(model, 1e-3, kept=kept, seed=5)
    check(task)
    before = facts_of_inputs(model, task.inputs)
    after = facts_of_inputs(task.model, task.inputs)
    changed = before.answer != after.answer
    assert not changed[~task.labels].any()
    # The planted answer is given in the middle of the cone in which the neurons fire.
    assert changed[task.labels].mean() == 0 if kept else changed[task.labels].mean() > 0.3
    x = task.inputs[task.labels]
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    axis = unit.mean(axis=0)
    axis /= np.linalg.norm(axis)
    # All are near one direction, and no other input is as near as half of them.
    along = unit @ axis
    others = task.inputs[~task.labels]
    assert along.min() > 0.98
    assert (others @ axis / np.linalg.norm(others, axis=1)).max() < np.median(along)
    assert 1e-3 < task.abnormal_mass < 1e-2
