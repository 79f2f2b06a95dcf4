"""The table of the cliff: values are those of the rules, scores those of a plain sum."""

import numpy as np
import pytest

from algzoo.explanations.the_cliff import table
from algzoo.explanations.the_cliff.cells import cells, chosen_sd
from algzoo.explanations.the_cliff.rules import (
    FOLDED,
    RULES,
    Setting,
    settings_of,
    truth_setting,
)
from algzoo.explanations.the_cliff.table import (
    CellScores,
    Scored,
    bundled,
    read,
    recomputed,
    written,
)
from algzoo.scoring.compute.scrambles import truths_by_rule

QUICK = ("2nd_argmax_2_4", "2nd_argmax_4_6", "argmedian_4_5", "M16,10 seed 2", "M16,10 clean")


@pytest.fixture(scope="module")
def committed():
    return bundled()


@pytest.mark.parametrize("name", QUICK)
def test_a_value_of_every_rule_is_recomputed(committed, name):
    again = list(recomputed(name, committed[name], 1))
    assert len(again) == len(committed[name].scored)
    assert [str(one) for one in again if not one.held] == []


def test_noise_and_truths_are_recomputed(committed):
    name = "argmedian_2_5"
    cell, scores = cells()[name], committed[name]
    assert chosen_sd(cell) == scores.sd
    setting = truth_setting(cell)
    rule = RULES[setting.rule].estimate
    [(value, std)] = truths_by_rule(
        lambda model, scramble: rule(model, setting.budget, scramble),
        cell.models(scores.sd)[:1],
        range(1000, 1000 + setting.scrambles),
    )
    assert scores.truths[0] == pytest.approx((value, std), abs=table.SAME)


def test_every_cell_is_there_with_what_is_scored_in_it(committed):
    assert list(committed) == list(cells())
    for name, scores in committed.items():
        planned = [
            (one.rule, one.budget, one.models, one.scrambles) for one in settings_of(cells()[name])
        ]
        there = [
            (one.setting.rule, one.setting.budget, one.setting.models, one.setting.scrambles)
            for one in scores.scored
        ]
        assert there == planned, name


def made(ratio):
    rng = np.random.default_rng(0)
    true = rng.uniform(0.6, 0.9, 16)
    error = np.sqrt(ratio * true * (1 - true) / 100) * rng.standard_normal((200, 16))
    scored = Scored(Setting(FOLDED, 64, 16, 200), true + error, np.full(16, 7200))
    return CellScores(0.01, 72, tuple((float(a), 0.0) for a in true), (scored,))


def test_scores_are_those_of_errors_of_a_known_size():
    cell = made(0.25)
    [score] = cell.scores(FOLDED)
    assert score.samples == 100
    assert score.ratio == pytest.approx(0.25, rel=0.1)
    assert score.low < score.ratio < score.high
    assert cell.accuracy == pytest.approx(np.mean([a for a, _ in cell.truths]))


def test_what_is_written_is_read_again():
    cell = made(0.25)
    again = read(written({"2nd_argmax_2_4": cell}))["2nd_argmax_2_4"]
    np.testing.assert_allclose(again.scored[0].values, cell.scored[0].values, atol=5.1e-10)
    assert again.scored[0].setting == cell.scored[0].setting
    assert (again.sd, again.sample) == (cell.sd, cell.sample)
    np.testing.assert_allclose(again.truths, cell.truths, rtol=0, atol=5.1e-10)
    assert written({"2nd_argmax_2_4": again}) == written({"2nd_argmax_2_4": cell})


def test_a_value_that_moved_is_told():
    name = "argmedian_2_5"
    scores = bundled()[name]
    first = scores.scored[0]
    first.values[0, 0] += 1e-6
    moved = [one for one in recomputed(name, scores, 2) if not one.held]
    assert [one.scramble for one in moved] == [0]
    assert "folded classes, budget" in str(moved[0])
