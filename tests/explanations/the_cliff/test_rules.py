"""The rules of the cliff: which are scored where, at about which cost."""

import pytest

from algzoo.estimates import sampling
from algzoo.explanations.the_cliff.cells import cells, clean_model, map_cells
from algzoo.explanations.the_cliff.rules import (
    CLUSTERED,
    FOLDED,
    PAIRS,
    PLANES,
    RULES,
    TIES,
    budget_near,
    right_rule,
    settings_of,
)
from algzoo.explanations.the_cliff.table import bundled


def cost(rule, cell, budget):
    model = clean_model(cell)
    return RULES[rule].estimate(model, budget, 0).operations / sampling(model, 1, 0).operations


@pytest.mark.parametrize("rule", [FOLDED, CLUSTERED, PAIRS])
def test_a_budget_is_the_power_of_two_next_to_the_cost_that_is_asked_for(rule):
    cell = cells()["2nd_argmax_8_5"]
    budget = budget_near(rule, cell, 1000)
    assert budget & (budget - 1) == 0
    assert 2**-0.55 < cost(rule, cell, budget) / 1000 < 2**0.55


def test_nodes_are_as_many_as_the_cost_asks_for():
    cell = cells()["2nd_argmax_2_4"]
    assert cost(TIES, cell, budget_near(TIES, cell, 1000)) == pytest.approx(1000, rel=0.1)


@pytest.mark.parametrize(
    ("name", "never"), [("2nd_argmax_2_4", TIES), ("2nd_argmax_2_5", PLANES), ("argmedian_2_5", "")]
)
def test_a_rule_that_never_runs_the_network_is_scored_where_there_is_one(name, never):
    found = settings_of(cells()[name])
    rules = {one.rule for one in found if RULES[one.rule].runs_network == "never"}
    assert rules == ({never} if never else set())
    assert all(one.scrambles >= 8 for one in found)


def test_m1610_is_scored_against_samplers_on_all_its_copies():
    found = settings_of(cells()["M16,10 seed 2"])
    kinds = {RULES[one.rule].runs_network for one in found}
    assert kinds == {"chosen inputs", "random inputs"}
    assert any((one.rule, one.models, one.scrambles) == (PAIRS, 48, 32) for one in found)


def test_the_right_rule_is_the_best_of_the_table_for_most_sizes():
    table = bundled()
    sizes = [cell for cell in map_cells() if cell.family == "2nd_argmax"]
    best = 0
    for cell in sizes:
        scores = table[cell.name]
        ratios = {rule: scores.at(rule, 1000).ratio for rule in (FOLDED, CLUSTERED, PAIRS)}
        right = ratios[right_rule(cell.family, cell.hidden_size)]
        best += right == min(ratios.values())
        assert right < 2.5 * min(ratios.values()), cell.name
    assert best > 0.7 * len(sizes)
