"""Facts about inputs and about cones, against exact arithmetic and PyTorch's own forward pass."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from algzoo.mechanisms.facts import facts_of_cones, facts_of_inputs
from algzoo.structure import decision_cones
from algzoo.zoo import DistRNN, zoo_2nd_argmax, zoo_median


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


def test_an_input_on_the_border_is_decided_in_exact_arithmetic():
    # 0.1 * 3 is above 0.3 in floats and below it as the stored numbers are.
    model = DistRNN(2, 2).double()
    with torch.no_grad():
        model.rnn.weight_ih_l0.copy_(torch.tensor([[1.0], [-1.0]]))
        model.rnn.weight_hh_l0.copy_(torch.tensor([[0.0, 0.0], [3.0, 0.0]]))
        model.linear.weight.copy_(torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
    for first, last in ((0.1, 0.30000000000000004), (0.1, 0.3)):
        active = 3 * Fraction(first) - Fraction(last) > 0
        facts = facts_of_inputs(model, np.array([[first, last]]))
        assert facts.active[0, 1, 1] == active
        assert facts.answer[0] == int(active)
    assert 3 * 0.1 - 0.30000000000000004 == 0  # where floats see a tie


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
