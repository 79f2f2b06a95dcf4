"""The detector of an explanation: known surprises, and masses that are those of labels."""

import math

import numpy as np
import pytest

from algzoo.mechanisms import (
    Piece,
    Statement,
    failure_rates,
    ledger_detector,
    performance,
    plant_swap,
    planted,
)
from algzoo.structure import cones, weights_of
from algzoo.zoo import zoo_2nd_argmax

NEVER = Statement("Nothing is so.", lambda piece: False)
ALWAYS = Statement("All is well.", lambda piece: True)
FIRST = Statement("Neuron 0 is active after x0.", lambda piece: bool(piece.active[0, 0]))


@pytest.fixture(scope="module")
def model():
    return zoo_2nd_argmax(4, 3)


def test_surprises_are_those_of_exact_probabilities(model):
    x = np.random.default_rng(0).standard_normal((500, 3))
    on = x[:, 0] * weights_of(model).w_hi[0] > 0
    checks = ledger_detector([NEVER, ALWAYS, FIRST], model, "checks").fit(model, x[:0])(x)
    assert np.allclose(checks, np.where(on, 0.0, 1.0), atol=1e-12)  # certain, never, one half
    piece = ledger_detector([], model, "piece").fit(model, x[:0])(x)
    assert np.allclose(
        np.sort(np.unique(np.round(2.0**-piece, 9)))[-3:],
        np.sort(_masses(model))[-3:],
        atol=1e-9,
    )
    both = ledger_detector([FIRST], model).fit(model, x[:0])(x)
    assert np.allclose(both, piece + ~on)


def _masses(model):
    found = {}
    for cone in cones(model):
        key = cone.pattern.tobytes()
        found[key] = found.get(key, 0.0) + cone.fraction
    return list(found.values())


def test_the_law_is_that_of_the_explained_model(model):
    other = zoo_2nd_argmax(4, 3, seed=1)
    x = np.random.default_rng(0).standard_normal((50, 3))
    here = Statement(
        "It is the explained model.",
        lambda piece: piece.weights.w_hi[0] == weights_of(model).w_hi[0],
    )
    scores = ledger_detector([here], model, "checks").fit(other, x)(x)
    assert (scores == 60).all()  # never false in the explained model


def test_membership_of_a_planted_cone_scores_exactly_one(model):
    made = plant_swap(model, 1e-3)
    task = planted(made.model, made.acts, name="swap", description="Two inputs are exchanged.")
    member = Statement(
        "No added neuron acts.",
        lambda piece: not made.acts(_facts(piece))[0],
    )
    scores = ledger_detector([member], made.idle, "checks").fit(made.model, task.trusted)
    found = performance(scores(task.inputs), task.labels)
    assert found.auroc.value == found.recall.value == found.average_precision.value == 1
    rates = failure_rates(made.model, [member, NEVER], made.acts)
    assert rates == {member.text: 1.0, NEVER.text: 1.0}
    outside = failure_rates(made.model, [member], lambda facts: ~made.acts(facts))
    assert outside == {member.text: 0.0}


def _facts(piece):
    class Facts:
        active = piece.active[None]

    return Facts


def test_logits_of_a_piece(model):
    weights = weights_of(model)
    for cone in cones(model)[:20]:
        piece = Piece(weights, cone.pattern)
        assert np.allclose(piece.logits, cone.outputs, rtol=1e-9, atol=1e-9)
        assert np.array_equal(piece.logits_of(range(4)), piece.logits)
    swapped = plant_swap(model, 0.01)
    for cone in cones(swapped.idle)[:50]:
        piece = Piece(weights_of(swapped.idle), cone.pattern)
        assert np.allclose(piece.logits_of(range(4)), piece.logits, rtol=1e-9, atol=1e-9)


def test_an_empty_class_is_refused(model):
    with pytest.raises(ValueError, match="No input of this model is in the class"):
        failure_rates(model, [NEVER], lambda facts: facts.answer < 0)


def test_rates_are_exact(model):
    rates = failure_rates(model, [FIRST], lambda facts: facts.answer == facts.answer)
    assert rates[FIRST.text] == pytest.approx(0.5, abs=1e-12)
    assert math.isclose(sum(_masses(model)), 1, abs_tol=1e-12)
