"""Rounds of rare outputs stay what they are: their tasks, models and true probabilities."""

import json
from importlib.resources import files

import pytest

from algzoo.scoring.rare.rounds import (
    frozen_rare,
    rare_round_from,
    rare_round_named,
    rare_round_names,
)
from algzoo.scoring.rare.tasks import tasks, true_probability

DIGESTS = {  # a round never changes: what is new gets a new name
    "rare-2026-12": "574caa8ae3650dfac97f9342f584bcea58ac87c34b4b670da48c9354305f2ea0",
    "rare-trial": "72d9d6e9dbc4d531f34600bb39c2f4fecea5e11d147e0c0d96694a2ee433745b",
}


def text_of(name):
    return (files("algzoo.scoring") / "data" / "rare_rounds" / f"{name}.json").read_text("utf-8")


def test_no_round_has_changed():
    assert {name: rare_round_named(name).digest for name in rare_round_names()} == DIGESTS


def test_the_digest_is_that_of_the_content():
    text = text_of("rare-trial")
    assert rare_round_from(text.replace("\n", " ")).digest == DIGESTS["rare-trial"]
    assert (
        rare_round_from(text.replace("0.000100483", "0.000100484", 1)).digest
        != DIGESTS["rare-trial"]
    )


@pytest.mark.parametrize("name", DIGESTS)
def test_models_and_probabilities_are_those_of_the_round(name):
    for one in rare_round_named(name).tasks:
        one.check_model()
        if one.truth.std is None and not one.task.name.startswith(("M16", "M32")):
            again = true_probability(one.task).value
            assert one.truth.value == pytest.approx(again, rel=1e-8), one.task.name


def test_no_task_of_a_round_is_one_of_tuning():
    tuning = {task.recipe for task in tasks("tuning")}
    for name in rare_round_names():
        assert not tuning & {one.task.recipe for one in rare_round_named(name).tasks}


def test_the_round_for_trying_is_frozen_as_it_was():
    its_round = rare_round_named("rare-trial")
    again = frozen_rare(
        its_round.name,
        its_round.about,
        [one.task for one in its_round.tasks],
        ranked=its_round.ranked,
        budgets=its_round.budgets,
        n_seeds=its_round.n_seeds,
    )
    old, new = json.loads(text_of("rare-trial")), json.loads(again)
    for before, after in zip(old.pop("tasks"), new.pop("tasks"), strict=True):
        assert before.pop("truth") == pytest.approx(after.pop("truth"), rel=1e-8)
        assert before == after
    assert old == new


def test_a_model_with_other_weights_is_noticed():
    text = text_of("rare-trial")
    digest = json.loads(text)["tasks"][0]["digest"]
    changed = rare_round_from(text.replace(digest, "0" * 64, 1))
    with pytest.raises(ValueError, match="the model of 'M2,2 seed 1' is not the one whose"):
        changed.tasks[0].check_model()


def test_a_round_that_is_not_there_or_of_the_other_kind():
    with pytest.raises(ValueError, match="There is no round 'x'; there are: rare-2026-12, rare-t"):
        rare_round_named("x")
    with pytest.raises(ValueError, match="2026-12 is a round of `algzoo challenge`"):
        rare_round_named("2026-12")
