"""Red teaming against sampling, against the exact estimate, and on planted cones."""

import numpy as np
import pytest
import torch

from algzoo.estimates.few_inputs.linear_tail import share, tail
from algzoo.estimates.few_inputs.planted import plant_cone
from algzoo.estimates.rare import event_of, exact, red_teaming
from algzoo.estimates.rare.piece import error_piece
from algzoo.structure import weights_of
from algzoo.structure.features.wiring import states
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax


def keys_of(weights, x):
    """Activity of all neurons, sign of the first input, answer and order, by a forward pass."""
    activations = states(weights, x)
    answer = (activations[-1] @ weights.w_oh.T).argmax(axis=1)
    sign = np.where(x[:, 0] >= 0, 1, -1)
    return np.column_stack([*(activations > 0), sign, answer, x.argsort(axis=1)])


@pytest.mark.parametrize(
    ("d", "n", "seed"), [(2, 2, 1), (3, 2, 0), (2, 3, 0), (4, 3, 0), (8, 3, 3)]
)
def test_a_piece_is_where_all_activities_and_answers_are_the_same(d, n, seed):
    model = zoo_2nd_argmax(d, n, seed=seed)
    weights = weights_of(model)
    x = np.random.default_rng(0).standard_normal((2**19, n))
    keys = keys_of(weights, x)
    score = event_of(model, 0.0).score(x)
    seen = 0
    for i in np.flatnonzero(score > 0)[:6]:
        piece = error_piece(weights, x[i])
        assert piece.key == tuple(keys[i])
        same = (keys == keys[i]).all(axis=1)
        p = share(piece.lead.rays)
        assert abs(same.mean() - p) < 4 * np.sqrt(p * (1 - p) / len(x))
        t = float(np.median(score[same]))
        above = (same & (score > t)).mean()
        p = tail([piece.lead], t)
        assert abs(above - p) < 4 * np.sqrt(p * (1 - p) / len(x))
        seen += 1
    assert seen


def test_where_the_model_is_right_there_is_no_piece():
    model = zoo_2nd_argmax(2, 2)
    assert error_piece(weights_of(model), np.array([1.0, -1.0])) is None
    # All neurons are off, all logits are 0, and the answer is 0 by default, though 1 is right.
    model = zoo_2nd_argmax(4, 3)
    x = np.random.default_rng(0).standard_normal((10_000, 3))
    off = ~states(weights_of(model), x)[-1].any(axis=1)
    assert off.any()
    assert all(error_piece(weights_of(model), row) is None for row in x[off])


@pytest.mark.parametrize("threshold", [0.0, 0.1])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_of_two_inputs_all_errors_are_found(seed, threshold):
    event = event_of(zoo_2nd_argmax(2, 2, seed=seed), threshold)
    found = red_teaming(event, 2**10, 0)
    assert found.value == pytest.approx(exact(event).value, rel=1e-10)


@pytest.mark.parametrize("threshold", [0.0, 0.1])
@pytest.mark.parametrize(("d", "least"), [(2, 0.9), (4, 0.8), (8, 0.8)])
def test_of_three_inputs_a_lower_bound_that_grows(d, least, threshold):
    event = event_of(zoo_2nd_argmax(d, 3), threshold)
    truth = exact(event).value
    found = [red_teaming(event, budget, 0).value for budget in (2**6, 2**14)]
    assert found[0] < found[1] <= truth * (1 + 1e-10)
    assert found[1] > least * truth


def test_slivers_at_ties_are_found_however_thin():
    event = event_of(handcrafted_2nd_argmax(3, lam=1e4, dtype=torch.float64), 0.0)
    truth = exact(event).value
    assert truth < 1e-6
    assert red_teaming(event, 2**12, 0).value > 0.5 * truth


def test_a_thin_cone_without_a_slope_around_it_is_found_by_chance_alone():
    event = event_of(plant_cone(handcrafted_2nd_argmax(2), 0.01, 5.0).model, 0.0)
    assert red_teaming(event, 2**16, 0).value == pytest.approx(exact(event).value, rel=1e-9)
    event = event_of(plant_cone(handcrafted_2nd_argmax(2), 1e-9, 5.0).model, 0.0)
    assert red_teaming(event, 2**16, 0).value == 0
