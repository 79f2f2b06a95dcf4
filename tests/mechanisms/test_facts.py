"""Facts about inputs and about cones, against exact arithmetic and PyTorch's own forward pass."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from algzoo.estimates.few_inputs.planted import plant_cone
from algzoo.mechanisms import plant_swap
from algzoo.mechanisms.facts import facts_of_cones, facts_of_inputs
from algzoo.structure import as_fractions, decision_cones, weights_of
from algzoo.zoo import zoo_2nd_argmax, zoo_median


@pytest.mark.parametrize(("d", "n"), [(2, 2), (4, 3), (16, 10)])
def test_answers_are_those_of_the_forward_pass(d, n):
    model = zoo_2nd_argmax(d, n).double()
    x = np.random.default_rng(0).standard_normal((5000, n))
    facts = facts_of_inputs(model, x)
    with torch.no_grad():
        logits = model(torch.as_tensor(x))
    assert facts.answer.tolist() == logits.argmax(1).tolist()
    assert facts.right.tolist() == x.argsort(1)[:, -2].tolist()
    assert facts.active.shape == (5000, n, d)
    assert np.array_equal(facts.is_right, facts.answer == facts.right)


def exactly(model, x):
    """Pattern and answer in exact arithmetic."""
    w_hi, w_hh, w_oh = as_fractions(weights_of(model))
    state, active = np.zeros(len(w_hi), dtype=object), []
    for number in x.tolist():
        drive = w_hh @ state + w_hi * Fraction(number)
        active.append([z > 0 for z in drive])
        state = np.maximum(drive, 0)
    logits = list(w_oh @ state)
    return active, logits.index(max(logits))


@pytest.mark.parametrize("direction", [None, [1.0, -2.0, 2.0]])
def test_terms_that_cancel_exactly_are_zero(direction):
    model = plant_cone(zoo_2nd_argmax(4, 3).double(), 1e-4, 20.0, direction).model
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3))
    x[::2] = np.array(direction or [0, 0, 1.0]) + 0.02 * x[::2]  # in and about the cone
    facts = facts_of_inputs(model, x)
    for i, one in enumerate(x):
        active, answer = exactly(model, one)
        assert facts.active[i].tolist() == active
        assert facts.answer[i] == answer


def test_a_swap_is_decided_as_in_exact_arithmetic():
    made = plant_swap(zoo_2nd_argmax(4, 3), 0.1)
    x = np.random.default_rng(0).standard_normal((200, 3))
    facts = facts_of_inputs(made.model, x)
    for i, one in enumerate(x):
        active, answer = exactly(made.model, one)
        assert facts.active[i].tolist() == active
        assert facts.answer[i] == answer


def test_where_nothing_is_active_the_first_logit_wins():
    model = zoo_2nd_argmax(2, 2, seed=3)
    x = np.random.default_rng(1).standard_normal((2000, 2))
    facts = facts_of_inputs(model, x)
    empty = ~facts.active[:, -1].any(axis=1)
    assert empty.mean() > 0.5
    assert (facts.answer[empty] == 0).all()


def test_facts_of_cones_are_those_of_inputs_within():
    model = zoo_2nd_argmax(4, 3)
    cones = decision_cones(model)
    inner = np.array([cone.rays.sum(axis=0) for cone in cones])
    wide = np.array([cone.fraction > 1e-3 for cone in cones]) & (np.abs(inner).max(axis=1) > 1e-3)
    of_cones, of_inputs = facts_of_cones(cones), facts_of_inputs(model, inner)
    assert wide.sum() > 20
    assert np.array_equal(of_cones.active[wide], of_inputs.active[wide])
    assert np.array_equal(of_cones.answer[wide], of_inputs.answer[wide])
    assert np.array_equal(of_cones.right[wide], of_inputs.right[wide])


def test_other_models_and_shapes_are_refused():
    with pytest.raises(ValueError, match="2nd-argmax"):
        facts_of_inputs(zoo_median(2, 2), np.zeros((1, 2)))
    with pytest.raises(ValueError, match=r"shape \(n, 3\), got \(4, 2\)"):
        facts_of_inputs(zoo_2nd_argmax(4, 3), np.zeros((4, 2)))
