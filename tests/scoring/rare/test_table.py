"""The stored table is what the methods give, and reads as it was written."""

import math
from dataclasses import replace

import pytest

from algzoo.estimates.rare import METHODS, Method, RareEstimate
from algzoo.scoring.rare import table as module
from algzoo.scoring.rare.metric import itakura_saito
from algzoo.scoring.rare.table import (
    PLAN,
    TUNING_BUDGETS,
    Again,
    as_text,
    bundled,
    full,
    measured,
    recomputed,
    table_from,
    write,
)
from algzoo.scoring.rare.tasks import tasks

EXACT = Method(
    "all of it",
    lambda event, budget, seed: RareEstimate(1e-4 + event.threshold * 1e-9, 7, "never"),
    runs_network="never",
)
SOME = {name: METHODS[name] for name in ("naive", "ITGIS", "GLD")} | {"all of it": EXACT}


@pytest.fixture(scope="module")
def small():
    """A table of three tasks, made by the code that made the stored one."""
    chosen = [one for one in tasks("scored") if one.name.startswith("M2,2 seed 1")]
    return measured(chosen, tasks("tuning")[:2], SOME, {256: 3, 1024: 2}, workers=1)


def test_a_table_has_every_method_budget_task_and_seed(small):
    assert small.methods == tuple(SOME)
    assert [(cell.method, cell.budget) for cell in small.cells][-1] == ("all of it", None)
    rows = list(small.rows())
    assert len(rows) == 3 * (3 + 2) * 3 + 3
    assert {row.seed for row in rows if row.budget == 256} == {0, 1, 2}
    for row in rows:
        assert row.loss == itakura_saito(row.truth, row.estimate)
    naive = [row for row in rows if row.method == "naive" and row.budget == 1024]
    assert all(row.estimate == pytest.approx(row.hits / 1024, rel=1e-5) for row in naive)
    event = tasks("scored")[0].event()
    assert all(row.operations >= 1024 * event.operations for row in naive)


def test_temperatures_come_from_the_tuning_tasks(small):
    assert {(one.method, one.budget) for one in small.tuned} == {("ITGIS", 1024)}
    assert small.tuned[0].tuned_on == tuple(one.name for one in tasks("tuning")[:2])
    assert {cell.temperature for cell in small.cells if cell.method == "ITGIS"} == {
        small.tuned[0].temperature
    }


def test_a_table_is_read_as_it_was_written(small):
    again = table_from(as_text(small))
    assert again.cells == small.cells
    assert [one.task for one in again.tasks] == [one.task for one in small.tasks]
    assert as_text(again) == as_text(small)


def test_the_same_comes_out_again(small):
    found = list(recomputed(small, 3, methods=SOME))
    assert {one.what for one in found} == {"truth", "estimate", "hits"}
    assert all(one.held for one in found)


def test_what_moved_is_seen():
    assert not Again("here", "estimate", 1e-6, 1.001e-6).held
    assert not Again("here", "estimate", 0.0, 1e-300).held
    assert not Again("here", "hits", 10, 13).held
    assert Again("here", "hits", 10, 12).held
    assert str(Again("here", "truth", 1e-6, 2e-6)) == "here: the truth was 1e-06, and is 2e-06"


def test_a_score_is_that_of_its_estimates(small):
    found = small.score("all of it", 256)
    chosen, estimates = small.estimates("all of it", 1024)
    losses = itakura_saito([one.in_six_digits for one in chosen], estimates[:, 0])
    assert found.mean.value == pytest.approx(losses.mean())
    assert found.worst == (losses.max(), losses.argmax())
    assert small.score("all of it", 256, ["planted"]) is None
    assert small.score("naive", 256, ["trained"]).n_tasks == 1
    with pytest.raises(ValueError, match="the table has no 'naive' with budget 5"):
        small.score("naive", 5)


def test_a_method_that_is_not_for_an_event_has_no_estimates():
    class Never:
        def takes(self, event):
            return False

    shy = Method("shy", EXACT.function, scope=Never())
    made = measured(tasks("scored")[:1], (), {"shy": shy}, {256: 1}, workers=1)
    assert made.cells[0].by_task == (None,)
    assert list(made.rows()) == []


def test_a_table_that_cannot_be_written_leaves_the_old_one(small, tmp_path, monkeypatch):
    path = tmp_path / "file" / "table.json"
    path.parent.write_text("in the way")
    monkeypatch.setattr(module, "TABLE", path)
    with pytest.raises(OSError, match=r"cannot write .*table\.json"):
        write(small)
    assert path.parent.read_text() == "in the way"


def test_a_part_of_the_stored_table_is_made_again(small, monkeypatch):
    other = replace(small, cells=small.cells[:-1])
    monkeypatch.setattr(module, "METHODS", SOME)
    monkeypatch.setattr(module, "bundled", lambda: small)
    monkeypatch.setattr(module, "measured", lambda *_, **__: replace(other, cells=small.cells[:2]))
    assert full(only=["naive"]).cells == small.cells
    with pytest.raises(ValueError, match="There is no method 'guess'; there are: naive, ITGIS"):
        full(only=["guess"])
    monkeypatch.setattr(module, "bundled", lambda: replace(small, tasks=small.tasks[:2]))
    with pytest.raises(ValueError, match="The stored table is about other tasks"):
        full(only=["naive"])


def test_the_stored_table_has_all_methods_and_scored_tasks():
    table = bundled()
    assert table.methods == tuple(METHODS)
    assert [one.task for one in table.tasks] == list(tasks("scored"))
    for method in METHODS.values():
        budgets = [cell.budget for cell in table.cells if cell.method == method.name]
        assert budgets == ([None] if method.runs_network == "never" else list(PLAN))
    assert {one.budget for one in table.tuned} == set(TUNING_BUDGETS)
    assert {one.tuned_on for one in table.tuned} == {tuple(one.name for one in tasks("tuning"))}
    for one in table.tuned:
        assert one.losses[one.temperature] <= 1.01 * min(one.losses.values())
    assert all(math.isfinite(row.estimate) for row in table.rows())


def test_some_of_the_stored_table_is_computed_again():
    moved = [str(one) for one in recomputed(bundled(), 2, greatest_budget=2**13) if not one.held]
    assert moved == []
