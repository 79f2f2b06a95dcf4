"""The swap, against the plain model on inputs whose first two numbers are exchanged."""

import math
from fractions import Fraction

import numpy as np
import pytest

from algzoo.mechanisms import plant_swap, planted
from algzoo.mechanisms.facts import facts_of_inputs
from algzoo.mechanisms.moments import state_moments
from algzoo.mechanisms.tasks import mass_of, members
from algzoo.structure import weights_of
from algzoo.structure.features.wiring import states
from algzoo.zoo import zoo_2nd_argmax


@pytest.fixture(scope="module", params=[(4, 3), (3, 3)], ids=["M4,3", "M3,3"])
def model(request):
    return zoo_2nd_argmax(*request.param)


@pytest.mark.parametrize("mass", [0.1, 1e-3])
def test_the_model_takes_one_input_for_the_other(model, mass):
    made = plant_swap(model, mass)
    task = planted(made.model, made.acts, name="swap", description="Two inputs are exchanged.")
    tampered, idle = weights_of(made.model), weights_of(made.idle)
    x = task.inputs[task.labels]
    after = states(tampered, x)[-1]
    exchanged = states(idle, x[:, [1, 0, 2]])[-1]
    steep = np.abs(after - exchanged).max(axis=1) > 1e-5
    assert steep.mean() < max(1e-3, 20 * made.exceptions / mass)  # the ramps
    normal = task.inputs[~task.labels]
    assert np.abs(states(tampered, normal)[-1] - states(idle, normal)[-1]).max() < 1e-6
    d = model.hidden_size
    assert np.allclose(states(idle, x)[-1][:, :d], states(weights_of(model), x)[-1], rtol=1e-12)


@pytest.mark.parametrize("mass", [0.1, 1e-2, 1e-4])
def test_the_mass_is_that_of_two_wedges(model, mass):
    made = plant_swap(model, mass)
    found = mass_of(members(made.model, made.acts))
    assert found == pytest.approx(mass, abs=1e-6)
    # The wedges as angles: that about atan(1/2) and its mirror image, with ramps of width 2^-20.
    x = np.random.default_rng(0).standard_normal((200_000, 3))
    angle = np.arctan2(x[:, 1], x[:, 0])
    near = np.minimum(
        np.abs(angle - math.atan(0.5)), np.abs(angle - (math.pi / 2 - math.atan(0.5)))
    )
    acts = made.acts(facts_of_inputs(made.model, x))
    clear = np.abs(near - mass * math.pi / 2) > 1e-5
    assert np.array_equal((near < mass * math.pi / 2)[clear], acts[clear])


def test_mean_and_covariance_of_the_state_are_unchanged():
    made = plant_swap(zoo_2nd_argmax(4, 3), 0.1)
    tampered, idle = state_moments(made.model), state_moments(made.idle)
    scale = np.sqrt(np.diag(idle.covariance)).max()
    assert np.abs(tampered.mean - idle.mean).max() < made.exceptions * scale
    assert np.abs(tampered.covariance - idle.covariance).max() < made.exceptions * scale**2


def test_the_hinges_cancel_exactly():
    made = plant_swap(zoo_2nd_argmax(4, 3), 0.03)
    w_hi, w_hh, w_oh = weights_of(made.model)
    places, changes = -w_hh[6:, 4], w_hh[:4, 6:]
    for row in changes.tolist():
        assert sum(map(Fraction, row)) == 0
        assert (
            sum(Fraction(c) * Fraction(t) for c, t in zip(row, places.tolist(), strict=True)) == 0
        )
    assert (w_hi[6:] == 1).all()
    assert not w_oh[:, 4:].any()


def test_other_masses_and_models_are_refused():
    with pytest.raises(ValueError, match="mass must be between"):
        plant_swap(zoo_2nd_argmax(4, 3), 0.2)
    with pytest.raises(ValueError, match="three inputs"):
        plant_swap(zoo_2nd_argmax(2, 2), 0.01)
