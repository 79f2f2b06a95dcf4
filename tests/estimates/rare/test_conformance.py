"""What every method does at the limits: a probability of 0 or 1, no budget, no temperature."""

import re

import pytest
import torch

from algzoo.estimates.rare import (
    METHODS,
    event_of,
    half_space,
    names_largest,
    names_smallest,
    squared_error_above,
)
from algzoo.zoo import handcrafted_2nd_argmax, top_two_2nd_argmax, zoo_2nd_argmax, zoo_median

BUDGET = 2**12
ANY = [name for name, method in METHODS.items() if method.scope is None]
OF_MODELS = [name for name in METHODS if name not in ANY]
NEVER_RUN = [name for name, method in METHODS.items() if method.runs_network == "never"]


def negated(model):
    """Return the model with the answers that were its last choice."""
    with torch.no_grad():
        model.linear.weight.neg_()
    return model


MODELS = {
    "two inputs": lambda: zoo_2nd_argmax(2, 2),
    "two inputs, never wrong": lambda: handcrafted_2nd_argmax(2),
    "two inputs, always wrong": lambda: negated(handcrafted_2nd_argmax(2)),
    "three inputs": lambda: zoo_2nd_argmax(4, 3),
    "five inputs, nearly never wrong": lambda: top_two_2nd_argmax(5),
    "five inputs, nearly always wrong": lambda: negated(top_two_2nd_argmax(5)),
}
IS_FOR_TWO = "is for 2nd-argmax models of two or three inputs, not for DistRNN"
IS_FOR_MORE = "is for 2nd-argmax models of at least four inputs, not for DistRNN"
AT_ZERO = "with threshold 0, not for the event 'wrong answer' with threshold"
NOT_NEGATIVE = "needs an event with a threshold of 0 or more, got -1000000000.0$"

# For each model and threshold, what the methods return that need the model, or how they refuse.
LIMITS = {
    ("two inputs", 1e9): {
        "exact": 0.0,
        "red teaming": 0.0,
        "first order": AT_ZERO,
        "leaves of pairs": IS_FOR_MORE,
        "folded classes": IS_FOR_MORE,
    },
    ("two inputs", -1e9): {
        "exact": NOT_NEGATIVE,
        "red teaming": NOT_NEGATIVE,
        "first order": AT_ZERO,
        "leaves of pairs": IS_FOR_MORE,
        "folded classes": IS_FOR_MORE,
    },
    ("two inputs, never wrong", 0.0): {
        "exact": 0.0,
        "red teaming": 0.0,
        "first order": 0.0,
        "leaves of pairs": IS_FOR_MORE,
        "folded classes": IS_FOR_MORE,
    },
    ("two inputs, always wrong", 0.0): {
        "exact": 1.0,
        "red teaming": 1.0,
        "first order": "they are not both positive",
        "leaves of pairs": IS_FOR_MORE,
        "folded classes": IS_FOR_MORE,
    },
    ("three inputs", 1e9): {
        "exact": 0.0,
        "red teaming": 0.0,
        "first order": AT_ZERO,
        "leaves of pairs": IS_FOR_MORE,
        "folded classes": IS_FOR_MORE,
    },
    ("five inputs, nearly never wrong", 0.0): {
        "exact": IS_FOR_TWO,
        "red teaming": IS_FOR_TWO,
        "first order": IS_FOR_TWO,
        "leaves of pairs": 0.0,
        "folded classes": 0.0,
    },
    ("five inputs, nearly always wrong", 0.0): {
        "exact": IS_FOR_TWO,
        "red teaming": IS_FOR_TWO,
        "first order": IS_FOR_TWO,
        "leaves of pairs": 1.0,
        "folded classes": 1.0,
    },
    ("five inputs, nearly never wrong", 1e9): {
        "exact": IS_FOR_TWO,
        "red teaming": IS_FOR_TWO,
        "first order": IS_FOR_TWO,
        "leaves of pairs": AT_ZERO,
        "folded classes": AT_ZERO,
    },
}


def call(name, event, budget=BUDGET, seed=0, temperature=1.0):
    settings = {"temperature": temperature} if METHODS[name].needs_temperature else {}
    return METHODS[name](event, budget, seed, **settings)


def assert_one_line(error, message):
    assert re.search(message, str(error.value))
    assert "\n" not in str(error.value)


def test_the_table_is_whole():
    for row in LIMITS.values():
        assert sorted(row) == sorted(OF_MODELS)
    for name in OF_MODELS:
        assert any(isinstance(row[name], float) for row in LIMITS.values())


@pytest.mark.parametrize("name", OF_MODELS)
@pytest.mark.parametrize(("model", "threshold"), LIMITS)
def test_limits_of_methods_that_need_the_model(name, model, threshold):
    event, expected = event_of(MODELS[model](), threshold), LIMITS[model, threshold][name]
    if isinstance(expected, float):
        found = call(name, event)
        assert found.value == pytest.approx(expected, abs=1e-3 if "nearly" in model else 1e-12)
        assert found.runs_network == METHODS[name].runs_network
        assert 0 < found.operations < 2 * BUDGET * event.operations
    else:
        with pytest.raises(ValueError, match=name.split()[0]) as error:
            call(name, event)
        assert_one_line(error, expected)
    if isinstance(expected, str) and expected not in (NOT_NEGATIVE, "they are not both positive"):
        assert not METHODS[name].takes(event)


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize("model", ["two inputs", "three inputs"])
def test_limits_of_the_others(name, model):
    assert call(name, event_of(MODELS[model](), 1e9)).value == 0
    always = call(name, event_of(MODELS[model](), -1e9), temperature=100.0)
    assert always.value == pytest.approx(1, abs=0.02)
    assert always.runs_network == METHODS[name].runs_network


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize(
    "event",
    [
        names_smallest(zoo_2nd_argmax(4, 3), 1e9),
        names_largest(zoo_2nd_argmax(4, 3), 1e9),
        squared_error_above(zoo_median(4, 3), 1e18),
    ],
    ids=lambda event: event.kind,
)
def test_other_events_that_never_happen(name, event):
    assert call(name, event).value == 0


@pytest.mark.parametrize("name", METHODS)
def test_no_budget(name):
    if name in NEVER_RUN:
        event = event_of(zoo_2nd_argmax(2, 2), 0.0)
        assert call(name, event, budget=0) == call(name, event)
        return
    of_model = event_of(zoo_2nd_argmax(4, 5), 0.0)
    event = of_model if METHODS[name].takes(of_model) else event_of(zoo_2nd_argmax(2, 2), 0.0)
    for budget in (0, -1):
        with pytest.raises(ValueError, match=r"budget|inputs at each level") as error:
            call(name, event, budget=budget)
        assert_one_line(error, "raise budget|must be at least .* forward passes, got")


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_no_temperature(name, temperature):
    event = event_of(zoo_2nd_argmax(2, 2), 0.0)
    if METHODS[name].needs_temperature:
        with pytest.raises(ValueError, match="temperature must be a finite number above 0, got"):
            METHODS[name](event, BUDGET, 0, temperature=temperature)
    else:
        with pytest.raises(TypeError, match="unexpected keyword argument 'temperature'"):
            METHODS[name](event, BUDGET, 0, temperature=temperature)


@pytest.mark.parametrize("name", OF_MODELS)
def test_an_event_without_a_model(name):
    event = half_space([1.0, 2.0], 0.0)
    assert not METHODS[name].takes(event)
    with pytest.raises(TypeError, match="needs a model, and this event has none") as error:
        call(name, event)
    assert_one_line(error, "event_of")


@pytest.mark.parametrize("name", OF_MODELS)
def test_another_event_of_a_model(name):
    event = names_largest(zoo_2nd_argmax(4, 5 if "s of " in name or "classes" in name else 2), 0.0)
    assert not METHODS[name].takes(event)
    with pytest.raises(ValueError, match="is for the events 'wrong answer' of") as error:
        call(name, event)
    assert_one_line(error, "not for the event 'largest named' with threshold 0.0$")
