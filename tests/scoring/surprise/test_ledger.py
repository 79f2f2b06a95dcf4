import json
import math

import numpy as np
import pytest
from scipy import stats

from algzoo.scoring import Audit, Check, Implied, Ledger, Prior
from algzoo.structure import Weights

UNIFORM = Prior(stats.uniform(0, 1), "even over the unit interval")


def number(weights):
    return weights.w_hi[..., 0]


def square(weights):
    return weights.w_hi[..., 0] ** 2


def toy(x):
    """A model, or many, of which only one number counts."""
    x = np.asarray(x, float)
    return Weights(x[..., None], np.zeros((*x.shape, 1, 1)), np.zeros((*x.shape, 2, 1)))


def below(threshold, name="below", prior=UNIFORM, kind="size", measure=number, **options):
    relation = options.pop("relation", "<")
    return Check(name, kind, "the number is small", measure, relation, threshold, prior, **options)


def above(threshold, name="above", **options):
    return Check(name, "size", "the number is large", number, ">", threshold, UNIFORM, **options)


@pytest.mark.parametrize(
    ("check", "x", "holds", "bits"),
    [
        (below(0.25), 0.1, True, 2),
        (below(0.25), 0.9, False, -math.log2(0.75)),
        (above(0.25), 0.9, True, -math.log2(0.75)),
        (above(0.25), 0.1, False, 2),
        (below(0.5), 0.1, True, 1),
        (below(0.5), 0.5, False, 1),
        (below(0.5, relation="<="), 0.5, True, 1),
        (below(0.25, relation="<="), 0.1, True, 2),
        (above(0.5), 0.5, False, 1),
        (below(2), 0.1, True, 0),
        (above(2), 3, True, math.inf),
    ],
)
def test_outcome_costs_the_log_of_its_probability(check, x, holds, bits):
    (entry,) = Ledger([check], toy(x)).entries
    assert entry.value == x
    assert entry.holds is holds
    assert entry.bits == pytest.approx(bits)


def test_failed_check_stays_and_is_paid():
    ledger = Ledger([below(0.25), above(0.75)], toy(0.5))
    assert [entry.holds for entry in ledger.entries] == [False, False]
    assert ledger.explanation_bits == pytest.approx(2 * -math.log2(0.75))


@pytest.mark.parametrize(
    ("x", "margin"),
    [(0.2, 0.2), (0.26, 0.04), (0.25, 0.0), (0.7, 0.05 / 0.75), (1.5, 1.0), (-1.0, 1.0)],
)
def test_margin_is_the_least_relative_distance_to_a_threshold(x, margin):
    ledger = Ledger([below(0.25), above(0.75)], toy(x))
    assert ledger.margin == pytest.approx(margin)


def test_margin_to_zero_is_the_size():
    assert Ledger([above(0.0)], toy(0.003)).margin == 0.003


def test_margin_leaves_out_a_threshold_that_is_what_was_found():
    ledger = Ledger([below(None)], toy(0.5))
    assert ledger.margin == 1
    assert ledger.on(toy(0.5)).margin == 1
    assert ledger.on(toy(0.55)).margin == pytest.approx(0.1)
    # One that was stated beforehand may be met exactly, and then rounding decides.
    assert Ledger([below(0.5)], toy(0.5)).margin == 0


def test_margin_leaves_out_algebra():
    assert Ledger([below(0.0, prior=None, kind="algebra", relation="<=")], toy(0.0)).margin == 1


@pytest.mark.parametrize(("x", "holds"), [(0.1, True), (0.9, False)])
def test_implied_check_costs_nothing_either_way(x, holds):
    implied = below(0.25**2, "square", Implied(), measure=square, given=("below",))
    entry = Ledger([below(0.25), implied], toy(x)).entry("square")
    assert (entry.holds, entry.bits) == (holds, 0)


def test_check_that_is_not_implied_after_all_costs_infinitely_much():
    wrong = below(0.01, "square", Implied(), measure=square, given=("below",))
    assert Ledger([below(0.25), wrong], toy(0.2)).entry("square").bits == math.inf


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ([below(0.1), above(0.2), below(0.3)], "Two checks are called 'below'"),
        ([below(0.1, given=("above",)), above(0.2)], "'above'.*must come before"),
        ([below(0.1, given=("below",))], "'below'.*must come before"),
        ([below(0.1, kind="algebra")], "algebra"),
        ([below(0.1, prior=None)], "algebra"),
        ([below(0.1, prior=Implied())], "exactly one"),
        ([above(0.1), below(0.1, "b"), below(0.1, prior=Implied(), given=("above", "b"))], "one"),
    ],
)
def test_malformed_ledgers_are_refused(checks, message):
    with pytest.raises(ValueError, match=message):
        Ledger(checks, toy(0.5))


def test_open_threshold_is_fixed_on_the_model_explained():
    ledger = Ledger([below(None, relation="<=")], toy(0.125))
    assert ledger.entries[0].check.threshold == 0.125
    assert ledger.explanation_bits == 3
    closer, farther = ledger.on(toy(0.1)), ledger.on(toy(0.3))
    assert closer.entries[0].check.threshold == farther.entries[0].check.threshold == 0.125
    assert (closer.entries[0].holds, closer.explanation_bits) == (True, 3)
    assert not farther.entries[0].holds
    assert farther.explanation_bits == pytest.approx(-math.log2(0.875))


def test_search_and_residual_are_paid_on_top():
    ledger = Ledger([below(0.25, alternatives=8), above(0.05, alternatives=2)], toy(0.1), 5.0)
    assert ledger.search_bits == 4
    assert ledger.explanation_bits == pytest.approx(2 - math.log2(0.95))
    assert ledger.total_bits == pytest.approx(ledger.explanation_bits + 4 + 5)
    assert ledger.on(toy(0.2)).total_bits == pytest.approx(ledger.total_bits)


def test_nothing_is_paid_that_is_not_said():
    ledger = Ledger([below(0.25)], toy(0.1))
    assert (ledger.search_bits, ledger.residual_bits, ledger.total_bits) == (0, 0, 2)


def test_bits_by_kind():
    checks = [
        below(0.25),
        below(0.5, "sign", kind="sign"),
        above(0.75),
        below(1, "free", None, kind="algebra"),
    ]
    expected = {"size": 2 - math.log2(0.75), "sign": 1, "algebra": 0}
    assert Ledger(checks, toy(0.1)).bits_by_kind() == pytest.approx(expected)


def test_entries_are_found_by_name():
    ledger = Ledger([below(0.25), above(0.75)], toy(0.5))
    assert ledger.entry("above").check.threshold == 0.75
    with pytest.raises(KeyError, match="beside"):
        ledger.entry("beside")


def test_prior_names_its_family_and_parameters():
    prior = Prior(stats.uniform(1, scale=3), "why")
    assert prior.family == "uniform"
    assert prior.parameters == {"arg0": 1, "scale": 3}


def test_records_survive_json():
    checks = [
        below(0.25, alternatives=4),
        below(0.0625, "square", Implied(), measure=square, given=("below",)),
        below(1, "free", None, kind="algebra"),
    ]
    entries = Ledger(checks, toy(0.1)).entries
    records = [json.loads(json.dumps(entry.as_record(), allow_nan=False)) for entry in entries]
    assert [record["id"] for record in records] == ["below", "square", "free"]
    assert [record["bits"] for record in records] == [2, 0, 0]
    assert [record["holds"] for record in records] == [True, True, True]
    assert records[0]["search_bits"] == 2
    assert records[0]["prior"]["family"] == "uniform"
    assert records[1]["prior"] == {"family": "implied", "by": "below"}
    assert records[2]["prior"] == {}


def test_frequencies_are_over_the_draws():
    ledger = Ledger([below(0.25), above(0.75)], toy(0.5))
    assert ledger.frequencies(toy([0.1, 0.2, 0.8, 0.5])) == {"below": 0.5, "above": 0.25}


DRAWS = toy(np.random.default_rng(0).uniform(size=10_000))


def audited(*checks):
    return {audit.id: audit for audit in Ledger(checks, toy(0.1)).audit(DRAWS)}


def test_audit_passes_right_prices():
    audit = audited(below(0.25))["below"]
    assert audit.passed
    assert audit.p == 0.25
    assert audit.draws == 10_000
    assert audit.frequency == pytest.approx(0.25, abs=0.02)


def test_audit_fails_wrong_prices():
    audit = audited(below(0.25, prior=Prior(stats.uniform(0, 2), "too wide")))["below"]
    assert (audit.p, audit.determined_by, audit.passed) == (0.125, None, False)


def test_audit_counts_the_draws_in_which_the_given_entries_held():
    prior = Prior(stats.uniform(0, 0.5), "what is left of the unit interval")
    audit = audited(below(0.5), below(0.25, "smaller", prior, given=("below",)))["smaller"]
    assert audit.passed
    assert audit.draws == pytest.approx(5000, abs=200)
    assert (audit.p, audit.frequency) == (0.5, pytest.approx(0.5, abs=0.03))


@pytest.mark.parametrize("second", [below(0.0625, "second", measure=square), above(0.5, "second")])
def test_audit_names_the_entry_that_fixes_another(second):
    # Below 1/4 exactly where the square is below 1/16; never above 1/2 where below 1/4.
    audit = audited(below(0.25), second)["second"]
    assert audit.determined_by == "below"
    assert not audit.passed


@pytest.mark.parametrize(("p", "standard_error"), [(0.5, 0.0625), (0.2, 0.05), (0.8, 0.05)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_audit_allows_three_standard_errors_of_a_share(p, standard_error, sign):
    for times, passed in [(0, True), (2.999, True), (3.001, False)]:
        audit = Audit("x", p, p + sign * times * standard_error, 64, None)
        assert audit.passed is passed
    assert Audit("x", 0.5, 0.6875, 64, None).passed  # exactly three


@pytest.mark.parametrize(("times", "margin"), [(0, 1), (2, 1 / 3), (3, 0), (3.3, 0.1), (9, 1)])
def test_margin_of_an_audit_is_the_distance_to_three_standard_errors(times, margin):
    audit = Audit("x", 0.5, 0.5 + times * 0.0625, 64, None)
    assert audit.margin == pytest.approx(margin)


def test_margin_of_an_audit_of_what_cannot_vary_is_one():
    assert Audit("x", 1.0, 1.0, 64, None).margin == 1
    assert Audit("x", 0.5, math.nan, 0, None).margin == 1


def test_audit_that_is_fixed_by_another_or_has_no_draws_does_not_pass():
    assert not Audit("x", 0.5, 0.5, 64, "y").passed
    assert not Audit("x", 0.5, 0.6, 0, None).passed
    assert not Audit("x", 0.5, math.nan, 0, None).passed


@pytest.mark.parametrize("n", [29, 30])
@pytest.mark.parametrize("side", ["below", "above"])
def test_thirty_outcomes_alike_fix_another(n, side):
    """Where the first holds, or does not, the second does not; else it holds half of the time."""
    alike, others = (0.1, 0.9) if side == "below" else (0.9, 0.1)
    draws = toy([alike] * n + [others, others + 0.01] * 50)

    def measure(weights):
        x = weights.w_hi[..., 0]
        return np.where(np.abs(x - alike) < 0.05, 1.0, (x - others) * 100)

    second = below(0.5, "second", measure=measure)
    _, audit = Ledger([below(0.5), second], toy(0.1)).audit(draws)
    assert audit.determined_by == ("below" if n == 30 else None)


@pytest.mark.parametrize("sure", [below(2, "sure"), above(2, "sure")])
def test_what_is_sure_is_not_paid_twice(sure):
    audit = audited(below(0.25), sure)["sure"]
    assert audit.determined_by is None
    assert audit.p in (0, 1)
    assert audit.passed


def test_a_given_entry_does_not_fix_another():
    prior = Prior(stats.uniform(0, 1), "too wide")
    audit = audited(below(0.25), below(0.5, "wider", prior, given=("below",)))["wider"]
    assert (audit.p, audit.frequency, audit.determined_by) == (0.5, 1, None)


def test_the_price_of_a_check_does_not_depend_on_what_is_given_but_where_it_is_implied():
    """A failed entry that implies another makes the other fail for certain, too."""
    implied = below(0.0625, "square", Implied(), measure=square, given=("below",))
    entries = Ledger([below(0.25), implied], toy(0.9)).entries
    assert [entry.p for entry in entries] == [0.25, 0]


def test_audit_trusts_what_is_declared_as_given():
    implied = below(0.0625, "square", Implied(), measure=square, given=("below",))
    audit = audited(below(0.25), implied)["square"]
    assert (audit.p, audit.frequency, audit.passed) == (1, 1, True)


def test_audit_leaves_equalities_out():
    assert set(audited(below(0.25), below(0.1, "equal", kind="equality"))) == {"below"}


def test_audit_without_draws_does_not_pass():
    audits = audited(above(2), above(0.5, "given the impossible", given=("above",)))
    assert not audits["given the impossible"].passed
