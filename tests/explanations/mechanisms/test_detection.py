"""Detectors on tasks and controls: twins differ in what is read, and no claim exceeds a control."""

import numpy as np
import pytest

from algzoo.explanations.mechanisms.detection import (
    HARD_22,
    HARD_43,
    Scored,
    cases,
    judges,
    scored,
    without_noise,
)
from algzoo.mechanisms import Performance
from algzoo.mechanisms.facts import facts_of_inputs, states_of_inputs
from algzoo.mechanisms.metrics import Measured
from algzoo.zoo import zoo_2nd_argmax

M43 = zoo_2nd_argmax(4, 3)


@pytest.fixture(scope="module")
def made():
    found = cases(M43, zoo_2nd_argmax(2, 2), zoo_2nd_argmax(2, 2, seed=3))
    return {case.name: case for case in found}


def test_every_planted_task_has_an_idle_twin(made):
    planted = [case for case in made.values() if len(case.controls) == 2]
    assert len(planted) == 8
    for case in planted:
        hard, name = case.controls
        assert (hard, name) == (HARD_43, f"{case.name}, idle")
        twin = made[name].task
        assert np.array_equal(twin.inputs, case.task.inputs)
        assert np.array_equal(twin.labels, case.task.labels)
        before, idle, tampered = (
            facts_of_inputs(model, twin.inputs[twin.labels]).answer
            for model in (M43, twin.model, case.task.model)
        )
        assert np.array_equal(idle, before)
        changed = (tampered != before).mean()
        assert changed < 0.1 if "kept" in name else changed > 0.3
        if "cone" in name:
            same = [states_of_inputs(m, twin.inputs) for m in (twin.model, case.task.model)]
            assert np.array_equal(*same)
    assert made["forgotten input"].controls == (HARD_22,)


def test_what_needs_no_answer_is_the_same_on_a_twin(made):
    few = [made["cone 0.001, answer kept"], made["cone 0.001, answer kept, idle"]]
    twin = few[1].name
    for one in scored(few):
        here, there = one.on[few[0].name].auroc.value, one.on[twin].auroc.value
        needs_answer = "relative" in one.name or "ledger" in one.name
        if not (needs_answer or one.sees == "contributions"):
            assert here == there
        if one.name == "ledger, checks":
            assert here == 1
            assert there < 0.7


def test_the_last_statement_is_left_out(made):
    names = [one.name for one in judges(made["swap 0.1"])]
    assert len(names) == 19
    assert names[-4:] == [
        "ledger, checks",
        "ledger",
        "ledger, checks, last statement left out",
        "ledger, last statement left out",
    ]
    found = {one.name: one.on["swap 0.1"].auroc.value for one in scored([made["swap 0.1"]])}
    assert found["ledger, checks"] > 0.99
    assert abs(found["ledger, checks, last statement left out"] - 0.5) < 0.05


def measured(low, value, high):
    one = Measured(value, low, high)
    return Performance(one, one, one)


def test_a_lead_is_over_one_half_and_over_every_control(made):
    case = made["swap 0.1"]
    on = {case.name: measured(0.7, 0.75, 0.8)}
    for high, told in ((0.69, True), (0.71, False)):
        for name in case.controls:
            on |= {other: measured(0.2, 0.3, 0.4) for other in case.controls}
            on[name] = measured(high - 0.1, high - 0.05, high)
            assert Scored("a", "inputs", on).told_apart([case, made[HARD_43]]) == told * [case.name]
    on |= {other: measured(0.2, 0.3, 0.4) for other in case.controls}
    on[case.name] = measured(0.45, 0.55, 0.6)
    one = Scored("a", "inputs", on)
    assert one.lead(case) == pytest.approx(-0.05)
    assert one.told_apart([case]) == []
    assert one.worst([case, made[HARD_43]]) == case.name
    assert one.label == "a, inputs"


def test_scores_that_are_equal_in_theory_become_equal():
    scores = np.array([0.0, 1 / 3, 1 / 3 * (1 + 1e-14), -7e-20, 123456789.0, 123456789.4])
    rounded = without_noise(scores)
    assert rounded[1] == rounded[2]
    assert rounded[0] == 0
    assert np.allclose(rounded, scores, rtol=1e-8)
    assert rounded[4] == rounded[5]
    assert without_noise(np.array([1.0, 1.0 + 1e-7])).tolist() != [1.0, 1.0]
