import math

import pytest
from scipy import stats

from algzoo import zoo_2nd_argmax
from algzoo.scoring import Bill, Check, Ledger, Prior, Verdict
from algzoo.structure import standard_form


def verdict(total, *, without=75.0, bound=40.0, selection=None):
    return Verdict(Bill(total, 0.0, 0.0, 0.0), without, bound, selection)


def test_a_bill_is_the_sum_of_four_parts():
    assert Bill(1.0, 2.0, 4.0, 8.0).total == 15
    assert Bill(0.0, 0.0, 0.0, math.inf).total == math.inf


def test_a_bill_takes_checks_and_search_from_a_ledger():
    fair = Prior(stats.norm(), "a fair coin")
    check = Check("one", "sign", "", lambda w: w.w_hi[..., 0], ">", 0.0, fair, alternatives=8)
    weights = standard_form(zoo_2nd_argmax(2, 2)).weights
    bill = Bill.of(Ledger([check], weights), advice=6.0, residual=2.5)
    assert (bill.checks, bill.search, bill.advice, bill.residual) == (1.0, 3.0, 6.0, 2.5)


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("bits", [-0.1, math.nan])
def test_no_part_of_a_bill_is_negative(part, bits):
    parts = [1.0] * 4
    parts[part] = bits
    with pytest.raises(ValueError, match=f"must be at least 0, got {bits}"):
        Bill(*parts)


def test_an_explanation_that_costs_as_much_as_it_saves_is_none():
    """M16,10's classes: 314 bits where chance costs 203, far below the bound."""
    assert verdict(314, without=203, bound=2403).outcome == "none"
    assert verdict(203, without=203, bound=2403).outcome == "none"
    assert verdict(202.9, without=203, bound=2403).outcome == "partial"
    assert verdict(math.inf).outcome == "none"
    # Brute force on longest cycle: within the bound, but the accuracy alone costs less.
    assert verdict(512, without=33, bound=698).outcome == "none"


def test_full_is_at_most_the_bits_of_selection():
    """M2,2: at least 31 bits against 27 is not full."""
    assert verdict(27, selection=27.0).outcome == "full"
    assert verdict(31, selection=27.0).outcome == "partial"
    # A selection above the price without an explanation saves nothing from being none.
    assert verdict(75, selection=80.0).outcome == "none"
    assert verdict(74, selection=80.0).outcome == "full"


def test_an_upper_bound_shows_that_a_total_is_too_large_and_nothing_else():
    assert verdict(0.0).outcome == "partial"
    assert verdict(40.0).within_selection is None
    assert verdict(40.1).within_selection is False
    # The bits themselves decide where they are known, even if the bound should be below them.
    assert verdict(45.0, selection=50.0).within_selection is True
    assert verdict(30.0, selection=20.0).within_selection is False


def test_the_share_goes_from_no_explanation_to_the_bits_of_selection():
    totals = (75, 62.5, 50, 37.5, 25.0001, 25, 10)
    shares = [verdict(total, selection=25.0).share for total in totals]
    assert shares == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1], abs=1e-4)
    # If the selection is not known it may be 0: the share is then the least that it can be.
    assert verdict(30).share == 0.6
    assert all(verdict(30).share < verdict(30, selection=s).share for s in (1.0, 10.0, 20.0))


def test_the_margin_is_the_distance_to_another_verdict():
    assert verdict(72.0).margin == pytest.approx(3 / 75)
    assert verdict(41.0).margin == pytest.approx(1 / 40)
    assert verdict(28.0, selection=25.0).margin == pytest.approx(3 / 25)
    assert verdict(0.25, without=0.0).margin == 0.25
    assert verdict(math.inf).margin == 1


@pytest.mark.parametrize("name", ["without", "bound", "selection"])
@pytest.mark.parametrize("bits", [-1.0, math.nan])
def test_bits_are_not_negative(name, bits):
    with pytest.raises(ValueError, match=f"bits of {name} must be at least 0, got {bits}"):
        verdict(1.0, **{name: bits})
