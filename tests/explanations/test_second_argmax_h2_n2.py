import json
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from algzoo.estimates import exact, wrong_sectors
from algzoo.explanations import measures
from algzoo.explanations import second_argmax_h2_n2 as second_argmax_2_2
from algzoo.explanations.measures import STANDARDISE, rescaling_error
from algzoo.explanations.second_argmax_h2_n2 import (
    arc_ledger,
    circuit_shares,
    coefficient_gap,
    conditional_ledger,
    form_error,
    gap_densities,
    lean_ledger,
    selection_bits,
)
from algzoo.scoring import cauchy_models
from algzoo.structure import Weights, cones, outputs, reorder_neurons, standard_form, weights_of
from algzoo.zoo import SEEDS, DistRNN, handcrafted_2nd_argmax, zoo_2nd_argmax

LEDGERS = [arc_ledger, conditional_ledger, lean_ledger]
every_ledger = pytest.mark.parametrize("ledger_of", LEDGERS)


def entries_of_kind(ledger, *kinds):
    return [entry for entry in ledger.entries if entry.check.kind in kinds]


def cauchy_above(rng, threshold, n):
    """Standard Cauchy numbers, given that they are above a threshold."""
    return stats.cauchy.isf(rng.uniform(0, stats.cauchy.sf(threshold), n))


def models_with_right_signs(rng, n, *, right_sizes):
    """Models under the joint Cauchy prior, given that W_hi = (1, -1) and d[0] < 0 < d[1].

    Where ``right_sizes``, given the pattern of W_hh that M2,2 has as well.
    """
    w_hh = rng.standard_cauchy((n, 2, 2))
    if right_sizes:
        w_hh[:, 0, 0], w_hh[:, 1, 1] = (cauchy_above(rng, -1, n) for _ in range(2))
        w_hh[:, 0, 1], w_hh[:, 1, 0] = (cauchy_above(rng, +1, n) for _ in range(2))
    sizes = np.abs(rng.standard_cauchy((n, 2)) - rng.standard_cauchy((n, 2)))
    w_oh = np.stack([np.zeros((n, 2)), sizes * [-1, 1]], axis=1)
    return Weights(np.broadcast_to([1.0, -1.0], (n, 2)), w_hh, w_oh)


def chosen(weights, choice):
    return Weights(*(matrix[choice] for matrix in weights))


def errors(make_rnn, weights):
    return np.array([1 - exact(make_rnn(*one)).value for one in zip(*weights, strict=True)])


def accurate(make_rnn, weights, error):
    """Those of the models that are wrong with at most this probability.

    With the right signs, the difference of the logits is monotone on each side of x0 = 0, so that a
    model is wrong only between the diagonal and a decision ray: it must be right in the directions
    that lie the whole allowance before and behind the diagonal.
    """
    allowance = 2 * np.pi * error
    angle = np.pi * np.array([[1], [5]]) / 4 + allowance * np.array([-1, 1])
    x = np.stack([np.cos(angle.ravel()), np.sin(angle.ravel())], axis=-1)
    answers = outputs(weights, np.broadcast_to(x, (len(weights.w_hi), 4, 2))).argmax(-1)
    candidates = chosen(weights, (answers == x.argmin(-1)).all(-1))
    return chosen(candidates, errors(make_rnn, candidates) <= error)


def test_arc_counts_40_bits_on_official_m22(official_2_2):
    ledger = arc_ledger(official_2_2)
    assert ledger.total_bits == pytest.approx(40.2, abs=0.05)
    by_kind = ledger.bits_by_kind()
    assert by_kind["sign"] + by_kind["size"] == 14
    assert by_kind["order"] == 4
    assert by_kind["equality"] == pytest.approx(22.17, abs=0.01)
    assert by_kind["algebra"] == 0
    assert all(entry.holds for entry in ledger.entries)


def test_36_bits_are_left_where_nothing_is_paid_twice(official_2_2):
    ledger = conditional_ledger(official_2_2)
    assert ledger.total_bits == pytest.approx(36.2, abs=0.05)
    assert ledger.bits_by_kind()["order"] == 0
    assert all(entry.holds for entry in ledger.entries)


def test_gaps_are_twice_the_angles_of_the_wrong_sectors(official_2_2):
    expected = [2 * (second - first) for first, second in wrong_sectors(official_2_2)]
    for ledger_of in LEDGERS:
        gaps = [entry.value for entry in entries_of_kind(ledger_of(official_2_2), "equality")]
        assert gaps == pytest.approx(expected, rel=1e-9)
    assert expected == pytest.approx([3.270e-4, 6.460e-4], abs=5e-8)


def test_orders_are_those_of_the_pieces_with_one_active_neuron(official_2_2):
    single = {piece.a0 / piece.a1 for piece in cones(official_2_2) if piece.pattern[1].sum() == 1}
    ratios = [entry.value for entry in entries_of_kind(arc_ledger(official_2_2), "order")]
    assert sorted(ratios) == pytest.approx(sorted(single), rel=1e-12)


@every_ledger
def test_units_of_the_neurons_do_not_matter(make_rnn, official_2_2, ledger_of):
    w_hi, w_hh, w_oh = weights_of(official_2_2)
    c = np.array([3.0, 0.1])
    rescaled = make_rnn(w_hi * c, w_hh * c[:, None] / c, w_oh / c)
    assert ledger_of(rescaled).total_bits == pytest.approx(ledger_of(official_2_2).total_bits)


def test_lean_checks_do_not_depend_on_numbering(official_2_2):
    swapped = reorder_neurons(official_2_2, [1, 0])
    ledger = lean_ledger(swapped)
    assert all(entry.holds for entry in ledger.entries)
    assert ledger.total_bits == pytest.approx(lean_ledger(official_2_2).total_bits)


@every_ledger
@pytest.mark.parametrize("seed", SEEDS)
def test_records_of_bundled_models_survive_json(ledger_of, seed):
    for entry in ledger_of(zoo_2nd_argmax(2, 2, seed=seed)).entries:
        record = json.loads(json.dumps(entry.as_record(), allow_nan=False))
        assert record["bits"] == entry.bits


@every_ledger
def test_untrained_models_fail_checks_and_pay_for_them(official_2_2, ledger_of):
    ledger = ledger_of(official_2_2)
    for seed in range(20):
        untrained = cauchy_models(np.random.default_rng(seed), 1, 2, 2)
        other = ledger.on(chosen(untrained, 0))
        assert [entry.check for entry in other.entries] == [entry.check for entry in ledger.entries]
        failed = [entry for entry in other.entries if not entry.holds]
        assert failed
        assert math.isfinite(other.total_bits)
        assert all(entry.bits > 0 for entry in failed if entry.check.kind != "order")


@every_ledger
def test_untrained_models_of_torch_have_finite_totals(official_2_2, ledger_of):
    ledger = ledger_of(official_2_2)
    torch.manual_seed(0)
    for _ in range(20):
        assert math.isfinite(ledger.on(standard_form(DistRNN(2, 2)).weights).total_bits)


def test_statement_at_its_threshold_is_not_said_to_hold():
    # All of W_hh is 1 in size: "abs(W_hh[0, 0]) < 1" is as wrong as "abs(W_hh[0, 1]) > 1".
    ledger = arc_ledger(handcrafted_2nd_argmax(2))
    sizes = entries_of_kind(ledger, "size")
    assert [entry.value for entry in sizes] == [1, 1, 1, 1]
    assert [entry.holds for entry in sizes] == [False, False, False, False]


@pytest.mark.parametrize("ledger_of", [arc_ledger, conditional_ledger])
def test_algebra_has_the_same_outcome_on_all_models(official_2_2, ledger_of):
    ledger = ledger_of(official_2_2)
    draws = cauchy_models(np.random.default_rng(0), 20, 2, 2)
    for entry in entries_of_kind(ledger, "algebra"):
        values = entry.check.measure(draws)
        assert values.shape == (20,)
        assert values.max() < 1e-12
        assert entry.check.holds(draws).all()


def wrong_in_one_place(weights, x):
    """Outputs, the second of which is wrong by 1/4 on the sixth input."""
    found = outputs(weights, x)
    found[..., 5, 1] += 0.25 * (weights.w_oh.sum((-1, -2)) > 0)
    return found


def test_pieces_of_another_form_would_be_noticed(monkeypatch):
    draws = cauchy_models(np.random.default_rng(3), 60, 2, 2)
    angle = 2 * np.pi * 5.3 / 24
    x = np.array([math.cos(angle), math.sin(angle)])
    monkeypatch.setattr(second_argmax_2_2, "outputs", wrong_in_one_place)
    found = form_error()(draws)
    for i in range(60):
        w_hi, w_hh, w_oh = (w[i] for w in draws)
        state = np.maximum(w_hh @ np.maximum(w_hi * x[0], 0) + w_hi * x[1], 0)
        logits = w_oh @ state
        wrong = 0.25 * (w_oh.sum() > 0)
        size = (abs(w_oh[1] - w_oh[0]) * state).sum() + abs(logits + np.array([0, wrong])).sum()
        assert found[i] == pytest.approx(wrong / size if wrong else 0, abs=1e-12)


def test_units_that_mattered_would_be_noticed(monkeypatch):
    """Had the outputs a term that depends on the unit of a neuron, by its change."""
    monkeypatch.setattr(
        measures,
        "outputs",
        lambda weights, x: outputs(weights, x) + abs(weights.w_hi[..., None, :]) * [1, 10],
    )
    draws = cauchy_models(np.random.default_rng(3), 60, 2, 2)
    # The units are a half and 4: 1 becomes 2, and 10 becomes 2.5.
    assert rescaling_error()(draws) == pytest.approx(np.full(60, 7.5))
    monkeypatch.setattr(
        measures,
        "outputs",
        lambda weights, x: outputs(weights, x) + 1e-9 * abs(weights.w_hi[..., None, :]),
    )
    assert not STANDARDISE.holds(draws).any()


def test_gaps_are_twice_the_angle_from_the_diagonal():
    draws = cauchy_models(np.random.default_rng(4), 100, 2, 2)
    d = draws.w_oh[:, 1] - draws.w_oh[:, 0]
    for took_up in (0, 1):
        a0 = (d * draws.w_hh[:, :, took_up]).sum(1) * (1, -1)[took_up]
        a1 = -(d * draws.w_hi).sum(1)
        direction = np.angle(a0 + 1j * a1)  # of (a0, a1), the diagonal being pi / 4
        expected = 2 * np.abs((np.pi / 4 - direction + np.pi) % (2 * np.pi) - np.pi)
        found = coefficient_gap(took_up)(draws)
        close = expected < np.pi  # the angle by the shorter way
        assert close.sum() > 30
        assert found[close] == pytest.approx(expected[close])


def test_lean_prices_are_those_of_cauchy_numbers(official_2_2):
    """Above 1 a quarter of the time, above -1 three quarters; gaps by their densities."""
    entries = lean_ledger(official_2_2).entries
    assert [entry.p for entry in entries[:-2]] == pytest.approx(
        [1 / 2, 1 / 2, 1 / 2, 1 / 4, 3 / 4, 1 / 4, 3 / 4]
    )
    for entry, density_at_0 in zip(entries[-2:], gap_densities(), strict=True):
        assert entry.p == pytest.approx(2 * density_at_0 * entry.value)
    assert lean_ledger(official_2_2).total_bits == pytest.approx(
        3 + 2 * math.log2(4 * 4 / 3) - sum(math.log2(entry.p) for entry in entries[-2:])
    )


def test_an_input_weight_of_zero_is_opposite_to_none(official_2_2):
    _, w_hh, w_oh = lean_ledger(official_2_2).weights
    for first, second, holds in [(1, -1, True), (1, 0, False), (1, 1, False)]:
        weights = Weights(np.array([first, second]), w_hh, w_oh)
        assert lean_ledger(official_2_2).on(weights).entry("opposite W_hi").holds is holds


@every_ledger
def test_prices_are_the_frequencies_under_the_cauchy_prior(official_2_2, ledger_of):
    ledger = ledger_of(official_2_2)
    n = 2**18
    frequencies = ledger.frequencies(cauchy_models(np.random.default_rng(0), n, 2, 2))
    kinds = ["sign", "size"] if ledger_of is conditional_ledger else ["sign", "size", "order"]
    for entry in entries_of_kind(ledger, *kinds):
        standard_error = math.sqrt(entry.p * (1 - entry.p) / n)
        assert abs(frequencies[entry.check.id] - entry.p) < 4 * standard_error


def test_audit_finds_the_orders_paid_twice(official_2_2):
    draws = cauchy_models(np.random.default_rng(1), 2**18, 2, 2)
    ledger = arc_ledger(official_2_2)
    flagged = [audit for audit in ledger.audit(draws) if not audit.passed]
    orders = [entry.check.id for entry in entries_of_kind(ledger, "order")]
    assert [audit.id for audit in flagged] == orders
    determined_by = [ledger.entry(audit.determined_by).value for audit in flagged]
    assert determined_by == pytest.approx([ledger.entry(name).value for name in orders])


@pytest.mark.parametrize("ledger_of", [conditional_ledger, lean_ledger])
def test_audit_passes_ledgers_that_pay_once(official_2_2, ledger_of):
    draws = cauchy_models(np.random.default_rng(1), 2**18, 2, 2)
    assert all(audit.passed for audit in ledger_of(official_2_2).audit(draws))


def test_gap_densities_by_conditional_sampling():
    rng = np.random.default_rng(0)
    n, h = 2**20, 1e-3
    _, w_hh, w_oh = models_with_right_signs(rng, n, right_sizes=True)
    r = -w_oh[:, 1, 0] / w_oh[:, 1, 1]

    def density(own, r):
        """Of rho = (w - r own) / (1 + r) near 1: sample all but w, and integrate over w > 1."""
        low, high = ((1 + side * h) * (1 + r) + r * own for side in (-1, 1))
        share = stats.cauchy.cdf(np.maximum(high, 1)) - stats.cauchy.cdf(np.maximum(low, 1))
        return share / stats.cauchy.sf(1) / (2 * h)

    first, second = density(w_hh[:, 0, 0], r), density(w_hh[:, 1, 1], 1 / r)
    expected = first.mean(), (first * second).mean() / first.mean()
    assert gap_densities() == pytest.approx(expected, rel=0.02)


def density(x):
    return 1 / (math.pi * (1 + x * x))


def near_one(r):
    """Density at 1 of (W10 - r W00) / (1 + r) together with W10 > 1 > -W00, by quadrature."""

    def integrand(log_u):
        u = math.exp(log_u)  # 1 + W00
        return u * density(u - 1) * density(1 + r * u) * (1 + r)

    ends = sorted([-30, -math.log(r), 0, 30])
    return sum(integrate.quad(integrand, a, b, epsabs=1e-10)[0] for a, b in pairwise(ends) if a < b)


def over_ratios(function):
    """Mean over r, the ratio of two half-Cauchy numbers, as the tangent of an angle and back."""

    def integrand(log_r):
        r = math.exp(log_r)
        weight = 1 / 2 if log_r == 0 else log_r / (r * r - 1) * r
        return 4 / math.pi**2 * weight * function(r)

    return sum(
        integrate.quad(integrand, a, b, epsabs=1e-9, epsrel=1e-7)[0] for a, b in [(-24, 0), (0, 24)]
    )


def test_densities_and_shares_of_circuits_by_quadrature():
    pattern = 1 / 4 * 3 / 4  # W10 > 1 and W00 > -1
    one = over_ratios(near_one)
    both = over_ratios(lambda r: near_one(r) * near_one(1 / r))
    assert over_ratios(lambda r: 1) == pytest.approx(1)
    assert gap_densities() == pytest.approx((one / pattern, both / (one * pattern)), rel=1e-6)
    single_right = density(1) * 1 / 4  # W10 near 1, W00 < -1
    single_left = density(-1) * 3 / 4  # W11 near -1, W01 < 1
    pairs = np.array([[both, one * single_left], [single_right * one, single_right * single_left]])
    assert circuit_shares() == pytest.approx(pairs / pairs.sum(), rel=1e-6)


def test_selection_bits_count_the_area_of_all_circuits(nearly_perfect_rnn):
    model = nearly_perfect_rnn()
    both = np.prod(gap_densities()) * (1 / 4 * 3 / 4) ** 2
    total = both / circuit_shares()[0, 0]
    area = 2 * (4 * math.pi * (1 - exact(model).value)) ** 2
    assert selection_bits(model) == pytest.approx(-math.log2(area * total / 8), rel=1e-9)


def test_selection_holds_up_to_its_largest_error(nearly_perfect_rnn, monkeypatch):
    model = nearly_perfect_rnn()
    error = 1 - exact(standard_form(model)).value
    monkeypatch.setattr(second_argmax_2_2, "LARGEST_SMALL_ERROR", error)
    assert selection_bits(model) > 0
    monkeypatch.setattr(second_argmax_2_2, "LARGEST_SMALL_ERROR", math.nextafter(error, 0))
    with pytest.raises(ValueError, match="above 0 and up to"):
        selection_bits(model)


def test_price_of_a_gap_is_the_frequency_with_which_it_is_measured(nearly_perfect_rnn):
    ledger = lean_ledger(nearly_perfect_rnn(1.148))
    entry = ledger.entry("equality x0 > 0")
    assert 0.004 < entry.value < 0.006
    draws = models_with_right_signs(np.random.default_rng(0), 2**22, right_sizes=True)
    assert entry.check.holds(draws).mean() == pytest.approx(entry.p, rel=0.04)


def test_lean_checks_suffice(make_rnn, nearly_perfect_rnn):
    ledger = lean_ledger(nearly_perfect_rnn(1.18))
    gaps = [entry.check for entry in entries_of_kind(ledger, "equality")]
    draws = models_with_right_signs(np.random.default_rng(0), 2**21, right_sizes=True)
    close = chosen(draws, np.all([check.holds(draws) for check in gaps], axis=0))
    assert len(close.w_hi) > 20
    # A gap is twice an angle, and nothing else is wrong.
    at_most = sum(check.measure(close) for check in gaps) / (4 * np.pi)
    assert (errors(make_rnn, close) <= at_most + 1e-15).all()


@pytest.fixture(scope="module")
def imperfect(nearly_perfect_rnn):
    """A model with the error 0.003, and the probability of one as accurate, says the package."""
    model = nearly_perfect_rnn(1.1415 + 0.0462)
    error = 1 - exact(model).value
    assert error == pytest.approx(0.003, rel=0.03)
    return error, 2 ** -selection_bits(model)


@pytest.fixture(scope="module")
def as_accurate(make_rnn, imperfect):
    """Models as accurate among 2^22 of the right signs, whatever their W_hh."""
    error, _ = imperfect
    draws = models_with_right_signs(np.random.default_rng(0), 2**22, right_sizes=False)
    return accurate(make_rnn, draws, error)


def test_selection_bits_by_brute_force(imperfect, as_accurate):
    # Opposite input signs and d[0] < 0 < d[1] have probability 1/8.
    _, probability = imperfect
    assert len(as_accurate.w_hi) / 2**22 / 8 == pytest.approx(probability, rel=0.2)


def test_selection_bits_given_the_lean_signs_and_sizes(make_rnn, imperfect):
    error, probability = imperfect
    n = 2**20
    draws = models_with_right_signs(np.random.default_rng(0), n, right_sizes=True)
    given = 2 * (1 / 4) ** 2 * (1 / 4 * 3 / 4) ** 2  # signs, and sizes as in lean_ledger
    frequency = len(accurate(make_rnn, draws, error).w_hi) / n
    assert frequency == pytest.approx(probability * circuit_shares()[0, 0] / given, rel=0.2)


def test_shares_of_circuits_by_brute_force(as_accurate):
    w_hh = as_accurate.w_hh
    single_right = ~((w_hh[:, 1, 0] > 1) & (w_hh[:, 0, 0] > -1))
    single_left = ~((w_hh[:, 0, 1] > 1) & (w_hh[:, 1, 1] > -1))
    counts, *_ = np.histogram2d(single_right, single_left, bins=2, range=[[0, 1], [0, 1]])
    shares = circuit_shares()
    assert shares.sum() == pytest.approx(1)
    standard_errors = np.sqrt(shares * (1 - shares) / counts.sum())
    assert (np.abs(counts / counts.sum() - shares) < 3 * standard_errors).all()


def test_accurate_models_do_have_the_right_signs(make_rnn):
    draws = cauchy_models(np.random.default_rng(0), 200_000, 2, 2)
    x = np.random.default_rng(1).standard_normal((64, 2))
    right = (outputs(draws, np.broadcast_to(x, (200_000, 64, 2))).argmax(-1) == x.argmin(-1)).mean(
        -1
    )
    candidates = chosen(draws, right > 0.9)
    models = chosen(candidates, errors(make_rnn, candidates) < 0.02)
    assert len(models.w_hi) > 20
    assert (models.w_hi.sum(-1) == 0).all()
    d = models.w_oh[:, 1] - models.w_oh[:, 0]
    assert (d * models.w_hi < 0).all()


@every_ledger
def test_models_of_another_size_are_refused(ledger_of):
    for size in ((3, 2), (2, 3), (16, 10)):
        with pytest.raises(ValueError, match=f"got hidden_size {size[0]}, seq_len {size[1]}"):
            ledger_of(zoo_2nd_argmax(*size))


def test_selection_is_priced_for_small_errors_only():
    for model in (handcrafted_2nd_argmax(2), zoo_2nd_argmax(2, 2, seed=0)):
        with pytest.raises(ValueError, match="above 0 and up to"):
            selection_bits(model)
