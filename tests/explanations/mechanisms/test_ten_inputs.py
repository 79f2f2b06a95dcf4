"""What is left on ten inputs, on one small task."""

import numpy as np
import pytest

from algzoo.explanations.mechanisms.detection import scored
from algzoo.explanations.mechanisms.ten_inputs import (
    TIED,
    judges_of_ten,
    trusted_copy,
    wedge_cases,
)
from algzoo.mechanisms import detectors
from algzoo.mechanisms.facts import facts_of_inputs
from algzoo.structure import outputs, weights_of
from algzoo.zoo import zoo_2nd_argmax

MODEL = zoo_2nd_argmax(16, 10)


@pytest.fixture(scope="module")
def made():
    return wedge_cases(MODEL, (0.05,))


def test_tasks_twins_and_control(made):
    assert [case.name for case in made] == ["wedge 0.05", "wedge 0.05, idle", TIED]
    assert made[0].controls == (TIED, "wedge 0.05, idle")
    assert np.array_equal(made[0].task.inputs, made[1].task.inputs)
    answers = [facts_of_inputs(m, made[1].task.inputs).answer for m in (MODEL, made[1].task.model)]
    assert np.array_equal(*answers)


def test_a_trusted_copy_compares_logits(made):
    task = made[0].task
    scores = trusted_copy(MODEL).fit(task.model, task.trusted)(task.inputs)
    new, old = (outputs(weights_of(model), task.inputs) for model in (task.model, MODEL))
    assert np.allclose(scores, np.abs(new - old).max(axis=1), rtol=1e-9, atol=1e-6)
    assert np.array_equal(scores > 0, task.labels)
    idle = trusted_copy(MODEL).fit(made[1].task.model, task.trusted)(task.inputs)
    assert not idle.any()


def test_only_what_sees_the_answer_tells_a_wedge_from_its_twin(made):
    def last(case):
        return [one for one in judges_of_ten(case) if "isolation" not in one.name]

    assert len(judges_of_ten(made[0])) == len(detectors()) + 3
    found = {one.label: one for one in scored(made, last)}
    step = found["rare pattern of 1 step, patterns"].on
    assert step["wedge 0.05"] == step["wedge 0.05, idle"]
    assert step["wedge 0.05"].auroc.value > 0.98
    told = {label for label, one in found.items() if one.told_apart(made)}
    assert told == {
        "trusted copy, last state",
        "relative Mahalanobis, last state",
        "Mahalanobis, contributions",
    }
