"""Statements of explanations on pieces where their truth is known."""

import numpy as np
import pytest

from algzoo.explanations.mechanisms.statements import (
    accounted_for,
    first_kept,
    m22_statements,
    m43_statements,
    not_by_default,
)
from algzoo.mechanisms import failure_rates, ledger_detector, performance, plant_swap, planted
from algzoo.mechanisms.facts import facts_of_inputs
from algzoo.zoo import zoo_2nd_argmax


def everywhere(facts):
    return np.full(len(facts.answer), True)


@pytest.mark.parametrize("seed", [1, 2])
def test_all_hold_everywhere_in_a_good_m22(seed):
    model = zoo_2nd_argmax(2, 2, seed=seed)
    assert set(failure_rates(model, m22_statements(model), everywhere).values()) == {0.0}


@pytest.mark.parametrize(("seed", "tied"), [(0, 0.6253), (3, 0.6253), (4, 0.6249)])
def test_poor_seeds_have_forgotten_half_of_the_plane(seed, tied):
    model = zoo_2nd_argmax(2, 2, seed=seed)
    rates = failure_rates(model, m22_statements(model), everywhere)
    assert rates[first_kept(2).text] == 0.5
    assert rates[not_by_default(4).text] == pytest.approx(tied, abs=1e-4)


def test_the_dead_cell_of_m43_rests_on_a_default():
    model = zoo_2nd_argmax(4, 3)
    statements = m43_statements(model)
    dead = failure_rates(model, statements, lambda facts: ~facts.active[:, -1].any(axis=1))
    assert dead[not_by_default(4).text] == 1
    pairs = [one for one in statements if one.text.startswith("After x2")]
    assert dead[pairs[0].text] == 1
    whole = failure_rates(model, statements, everywhere)
    # The probability is that of the dead cell in the chapter on M4,3.
    assert whole[not_by_default(4).text] == pytest.approx(0.00166954, rel=1e-5)


@pytest.mark.parametrize("mass", [0.1, 1e-3])
def test_the_ledger_finds_added_neurons_and_has_no_false_alarm(mass):
    model = zoo_2nd_argmax(4, 3)
    statements = m43_statements(model)
    made = plant_swap(model, mass)
    last = statements[-1].text
    inside = failure_rates(made.model, statements, made.acts)
    outside = failure_rates(made.model, statements, lambda facts: ~made.acts(facts))
    # Where the exchanged input is in the dead cell, no logit is left that would differ.
    assert inside[last] + inside[not_by_default(4).text] >= 1 - made.exceptions / mass
    assert inside[last] > 0.99
    assert outside[last] < made.exceptions  # where all hinges fire, and rounding is large
    assert failure_rates(made.idle, statements, everywhere)[last] == 0
    task = planted(made.model, made.acts, name="swap", description="Two inputs are exchanged.")
    score = ledger_detector(statements, model).fit(made.model, task.trusted)
    assert performance(score(task.inputs), task.labels).auroc.value > 0.9999
    # On the untouched model the same inputs are nothing special to the checks.
    checks = ledger_detector(statements[:-1], model, "checks")
    unchanged = checks.fit(model, task.trusted)(task.inputs)
    assert 0.4 < performance(unchanged, task.labels).auroc.value < 0.6
    assert not made.acts(facts_of_inputs(made.model, task.trusted)).any()


def test_models_of_other_sizes_are_refused():
    with pytest.raises(ValueError, match="hidden_size 4 and seq_len 3, got hidden_size 2"):
        m43_statements(zoo_2nd_argmax(2, 2))
    with pytest.raises(ValueError, match="hidden_size 2 and seq_len 2, got hidden_size 4"):
        m22_statements(zoo_2nd_argmax(4, 3))
    assert accounted_for(2).text.startswith("The logits are those of the 2 neurons")
