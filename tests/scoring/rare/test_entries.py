"""Entries for rare outputs: what does not follow from the estimates, and what is no entry."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from algzoo.scoring.compute.challenge import Workers
from algzoo.scoring.compute.checked_json import EntryError
from algzoo.scoring.compute.entering import NotCheckable
from algzoo.scoring.compute.entries import Entry, write_entry
from algzoo.scoring.compute.sandbox import EstimatorFailure
from algzoo.scoring.rare.calls import rare_entrant_named
from algzoo.scoring.rare.entering import rare_entered, rare_recomputed, temperature_of
from algzoo.scoring.rare.entries import (
    RareEntry,
    any_entry_from,
    rare_disagreements,
    rare_rank,
    rare_result,
    read_any_entry,
)
from algzoo.scoring.rare.metric import itakura_saito
from algzoo.scoring.rare.rounds import rare_round_named

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "analyses" / "leaderboard" / "example" / "my_rare_method.py"
COMMITTED = sorted((ROOT / "analyses" / "leaderboard" / "rare").glob("*.json"))
TRIAL = rare_round_named("rare-trial")


@pytest.fixture(scope="module")
def pool():
    return Workers(workers=1)


@pytest.fixture(scope="module")
def entry(tmp_path_factory, pool):
    """The worked method, entered in the round for trying."""
    folder = tmp_path_factory.mktemp("outsider")
    shutil.copy(EXAMPLE, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        found = rare_entered("my_rare_method:entry", TRIAL, pool, author="Ada")
    sys.modules.pop("my_rare_method", None)
    return found


def changed(entry, change):
    content = json.loads(entry.text())
    change(content)
    return any_entry_from(json.dumps(content))


def test_an_entry_says_what_was_entered(entry):
    assert (entry.name, entry.author) == ("Gaussian three times as wide", "Ada")
    assert (entry.tuned_on, entry.runs_network) == ("nothing", "random inputs")
    assert entry.about == EXAMPLE.read_text("utf-8").split('"""')[3]
    assert "\n".join(entry.source.code) + "\n" == EXAMPLE.read_text("utf-8")
    assert [result.budget for result in entry.results] == [1024, 4096]


def test_losses_are_those_of_the_estimates(entry):
    for result in entry.results:
        losses = [
            itakura_saito(one.in_six_digits, row)
            for one, row in zip(TRIAL.tasks, result.estimates, strict=True)
        ]
        finite = [loss for row in losses for loss in row if loss < float("inf")]
        assert result.loss_of_finite == pytest.approx(sum(finite) / len(finite), rel=1e-5)
        assert result.zeros == sum(value == 0 for row in result.estimates for value in row)
        assert (result.loss[0] is None) == (result.zeros > 0)


def test_an_entry_is_read_as_it_was_written(entry, tmp_path):
    path = tmp_path / "entry.json"
    write_entry(path, entry, any_entry_from)
    assert read_any_entry(path) == entry
    assert rare_disagreements(entry) == []
    with pytest.raises(FileExistsError, match="is there already"):
        write_entry(path, entry, any_entry_from)
    assert read_any_entry(path) == entry


def test_an_entry_of_the_challenge_is_told_apart():
    [path, *_] = sorted((ROOT / "analyses" / "leaderboard").glob("*.json"))
    assert isinstance(read_any_entry(path), Entry)


def test_its_code_gives_the_same_again(entry, pool):
    again = rare_recomputed(entry, 3, pool)
    assert (again.n_estimates, again.problems) == (6, ())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c["results"][0].update(zeros=0), "budget 1024: zeros is 0, from its estimates"),
        (lambda c: c["results"][1]["loss"].__setitem__(0, 0.001), "budget 4096: loss is (0.001, "),
        (lambda c: c["results"][1].update(loss_of_finite=9.0), "loss_of_finite is 9.0, from its"),
        (lambda c: c["results"][0].update(worst="nothing"), "worst is nothing, from its estimates"),
        (
            lambda c: c["results"].pop(),
            "its budgets are (1024,); round rare-trial has (1024,",
        ),
        (lambda c: c["results"][0]["estimates"].pop(), "3 tasks with 2 seeds, the round has 4"),
        (lambda c: c.update(round_digest="0" * 64), "it was scored on something else; submit it"),
        (lambda c: c.update(counter_version=99), "counted by version 99 of the convention"),
        (lambda c: c.update(round="rare-1999"), "There is no round 'rare-1999'; there are: rare-"),
    ],
)
def test_what_does_not_follow_is_said(entry, change, problem):
    found = rare_disagreements(changed(entry, change))
    assert any(problem in one for one in found), found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(author=""), "author must be a text, not"),
        (lambda c: c.pop("about"), "the key about is missing"),
        (lambda c: c.update(more=1), "there is a key more, which no entry has"),
        (lambda c: c["results"][0].update(loss=[1, 2]), "results[0].loss must be a list of a mean"),
        (
            lambda c: c["results"][0]["estimates"].__setitem__(0, [0.1]),
            "results[0].estimates has 1 numbers for 2 seeds",
        ),
        (
            lambda c: c["results"][0]["estimates"].__setitem__(0, [2, 0]),
            "results[0].estimates must be a list, each of it a list, each of it a probability or",
        ),
        (lambda c: c["source"].update(link="x"), "source.link must be an address that begins"),
    ],
)
def test_what_is_no_entry_is_refused(entry, change, message):
    with pytest.raises(EntryError) as caught:
        changed(entry, change)
    assert message in str(caught.value)


def test_forged_estimates_are_found(entry, pool):
    def forge(content):
        for result in content["results"]:
            result["estimates"] = [[1e-4, 1e-4] for _ in result["estimates"]]

    again = rare_recomputed(changed(entry, forge), 4, pool)
    assert len(again.problems) == 8
    assert "the entry says 0.0001" in again.problems[0]


def test_code_that_is_not_here_cannot_be_checked(entry, pool):
    away = {"code": None, "package": "faraway", "version": "1", "estimator": "f:g"}
    with pytest.raises(NotCheckable, match="faraway 1 is not installed here"):
        rare_recomputed(changed(entry, lambda c: c["source"].update(away)), 1, pool)


def test_a_method_for_none_of_the_events_is_refused():
    with pytest.raises(ValueError, match="is for none of the events of round rare-trial"):
        rare_result([None] * 4, 1.0, TRIAL, 1024, None)


def test_more_tasks_come_before_smaller_losses(entry):
    def one_less(content):
        for result in content["results"]:
            result["estimates"][0] = None
            result["loss_after_fit"] = [0.0, 0.0, 0.0]
            result["tasks"] = 3

    assert rare_rank(entry) < rare_rank(changed(entry, one_less))


def test_temperatures():
    assert temperature_of(rare_entrant_named("naive"), 1024, None) is None
    assert temperature_of(rare_entrant_named("ITGIS"), 1024, 0.7) == 0.7
    assert temperature_of(rare_entrant_named("ITGIS"), 2**16, None) > 0
    with pytest.raises(ValueError, match="naive has no temperature"):
        temperature_of(rare_entrant_named("naive"), 1024, 0.7)


def test_a_temperature_of_zero_is_the_methods_error(pool):
    with pytest.raises(EstimatorFailure, match="temperature must be a finite number above 0"):
        rare_entered("ITGIS", TRIAL, pool, author="Ada", temperature=0.0)


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_the_entries_of_the_book_follow_from_their_estimates(path):
    entry = read_any_entry(path)
    assert isinstance(entry, RareEntry)
    assert rare_disagreements(entry) == []


def test_an_entry_of_the_book_is_computed_again(pool):
    path = ROOT / "analyses" / "leaderboard" / "rare" / "cross-entropy.json"
    again = rare_recomputed(read_any_entry(path), 2, pool)
    assert (again.n_estimates, again.problems) == (4, ())
