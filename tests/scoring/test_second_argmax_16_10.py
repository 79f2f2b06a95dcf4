import math

import numpy as np
import pytest
import torch
from scipy import stats

from algzoo.scoring import initialised_models
from algzoo.scoring.second_argmax_16_10 import (
    class_mean,
    feature_ledger,
    order_mean,
    skeleton_ledger,
)
from algzoo.structure import Thresholds, Weights, find_features, reorder_neurons, weights_of
from algzoo.zoo import example_2nd_argmax, zoo_2nd_argmax, zoo_median
from algzoo.zoo.handcrafted_lengths import leave_one_out_2nd_argmax, top_two_2nd_argmax


@pytest.fixture(scope="module")
def leave_one_out():
    model = leave_one_out_2nd_argmax(6)
    return model, find_features(model, Thresholds(n_inputs=2**11))


@pytest.fixture
def example(official):
    model = example_2nd_argmax()
    return model, find_features(model)


def test_order_means_are_those_of_the_tables_and_of_samples():
    # Harter, "Expected values of normal order statistics", Biometrika 48, 1961.
    assert order_mean(1, 10) == pytest.approx(1.53875, abs=5e-6)
    assert order_mean(2, 10) == pytest.approx(1.00136, abs=5e-6)
    assert order_mean(1, 3) == pytest.approx(3 / (2 * math.sqrt(math.pi)), abs=1e-12)
    assert order_mean(2, 3) == pytest.approx(0, abs=1e-12)
    x = -np.sort(-np.random.default_rng(0).standard_normal((40_000, 7)), axis=1)
    for rank in range(1, 8):
        z = (x[:, rank - 1].mean() - order_mean(rank, 7)) / (x[:, rank - 1].std() / 200)
        assert abs(z) < 4


def test_class_means_are_those_of_samples():
    x = np.random.default_rng(1).standard_normal((200_000, 5))
    order = np.argsort(-x, axis=1)
    there = x[(order[:, 0] == 3) & (order[:, 1] == 1)]
    z = (there.mean(0) - class_mean(3, 1, 5)) / (there.std(0) / math.sqrt(len(there)))
    assert np.abs(z).max() < 4
    assert class_mean(3, 1, 5).sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "seq_len"), [(0, 0, 5), (0, 5, 5), (-1, 2, 5), (0, 1, 2)]
)
def test_classes_that_do_not_exist_are_refused(first, second, seq_len):
    with pytest.raises(ValueError, match=f"largest of {seq_len} inputs at {first}"):
        class_mean(first, second, seq_len)


def test_each_class_costs_the_log_of_the_number_of_answers():
    model = zoo_2nd_argmax(16, 10)
    ledger = skeleton_ledger(model, residual_bits=2.5)
    assert len(ledger.entries) == 90
    assert ledger.total_bits == pytest.approx(90 * math.log2(10) + 2.5)
    assert set(ledger.bits_by_kind()) == {"class"}
    assert ledger.search_bits == 0


def test_classes_are_decided_by_the_model_itself():
    model = zoo_2nd_argmax(16, 10, seed=1).double()
    ledger = skeleton_ledger(model)
    right = 0
    for entry in ledger.entries:
        first, second = (int(s) for s in entry.check.id.replace("largest ", "").split(", second "))
        x = torch.tensor(class_mean(first, second, 10))[None]
        assert entry.holds == (int(model(x).argmax()) == second)
        right += entry.holds
    assert right == 89
    # One decision of ten answers is wrong, which was to be expected.
    assert ledger.total_bits == pytest.approx(89 * math.log2(10) - math.log2(0.9))


def test_ties_go_to_the_first_answer():
    silent = Weights(np.ones(3), np.zeros((3, 3)), np.zeros((3, 3)))
    ledger = skeleton_ledger(zoo_2nd_argmax(3, 3)).on(silent)
    assert [e.check.id for e in ledger.entries if e.holds] == [
        "largest 1, second 0",
        "largest 2, second 0",
    ]


def test_price_of_a_class_is_its_frequency_among_untrained_models():
    ledger = skeleton_ledger(zoo_2nd_argmax(16, 10))
    n_draws = 4000
    frequencies = ledger.frequencies(initialised_models(np.random.default_rng(0), n_draws, 16, 10))
    z = (np.array(list(frequencies.values())) - 0.1) / math.sqrt(0.1 * 0.9 / n_draws)
    assert np.abs(z).max() < 4.5


def test_models_without_classes_are_refused():
    for model in (zoo_2nd_argmax(2, 2), zoo_median(4, 5)):
        with pytest.raises(ValueError, match="Classes of inputs need seq_len 3"):
            skeleton_ledger(model)


def test_ledger_of_arcs_example(example):
    model, search = example
    ledger = feature_ledger(model, search)
    assert all(entry.holds for entry in ledger.entries)
    bits = ledger.bits_by_kind()
    # Four inputs that count, eleven weights of which one only fixes a unit.
    assert bits["sign"] == pytest.approx(4 + 11)
    equalities = [e for e in ledger.entries if e.check.kind == "equality"]
    assert len(equalities) == 10
    assert bits["equality"] == pytest.approx(-sum(math.log2(e.value) for e in equalities))
    looked_at = [16 + math.comb(16, 2), 14 + math.comb(14, 2), 12]
    assert ledger.search_bits == pytest.approx(sum(map(math.log2, looked_at)))
    assert len([e for e in ledger.entries if e.check.kind == "zero"]) == 5


def test_sizes_of_weights_are_in_natural_units(example):
    model, search = example
    w_hi, w_hh, _ = weights_of(model)
    units = {i: feature.unit for i, feature in search.features.items()}
    ledger = feature_ledger(model, search)
    for i, feature in search.features.items():
        for j, whole in feature.from_neurons.items():
            natural = w_hh[i, j] * units[j] / units[i]
            assert ledger.entry(f"sign of W_hh[{i}, {j}]").value == pytest.approx(natural)
            try:
                gap = ledger.entry(f"size of W_hh[{i}, {j}]").value
            except KeyError:
                assert feature.from_input == 0
                assert natural == pytest.approx(whole)
            else:
                assert gap == pytest.approx(abs(math.log(natural / whole)))
        if feature.from_input:
            assert ledger.entry(f"sign of W_hi[{i}]").value == w_hi[i]


def test_numbering_and_units_of_the_neurons_are_free(example, make_rnn):
    model, search = example
    ledger = feature_ledger(model, search)
    factors = np.exp(np.random.default_rng(0).uniform(-1, 1, 16))
    w_hi, w_hh, w_oh = weights_of(model)
    in_other_units = w_hi * factors, w_hh * factors[:, None] / factors, w_oh / factors
    rescaled = make_rnn(*in_other_units, seq_len=10)
    other = feature_ledger(rescaled, find_features(rescaled))
    assert other.total_bits == pytest.approx(ledger.total_bits)
    order = list(np.random.default_rng(1).permutation(16))
    shuffled = reorder_neurons(model, order)
    other = feature_ledger(shuffled, find_features(shuffled))
    assert other.total_bits == pytest.approx(ledger.total_bits)


def test_what_a_formula_leaves_out_is_as_rare_as_priced_among_untrained_models(example):
    draws = initialised_models(np.random.default_rng(0), 200, 16, 10)
    for entry in feature_ledger(*example).entries:
        # Neuron 2 leaves out its input, which outweighs all else in untrained models.
        if entry.check.kind == "zero" and entry.check.measure.input_neglected is False:
            shares = entry.check.measure(draws)
            found = stats.kstest(shares, entry.check.prior.distribution.cdf)
            assert found.statistic < 0.15
            assert (shares <= entry.value).mean() < 0.02


def test_signs_hold_half_the_time_among_untrained_models_and_equalities_hardly_ever(example):
    ledger = feature_ledger(*example)
    draws = initialised_models(np.random.default_rng(0), 400, 16, 10)
    for check in ledger.checks:
        if check.kind == "sign":
            assert abs(check.holds(draws).mean() - 0.5) < 4 * math.sqrt(0.25 / 400)
        elif check.kind == "equality":
            assert check.holds(draws).mean() < 0.05


def test_exact_formulas_cost_without_bound(leave_one_out):
    ledger = feature_ledger(*leave_one_out)
    assert all(entry.holds for entry in ledger.entries)
    assert {e.value for e in ledger.entries if e.check.kind == "equality"} == {0.0}
    assert ledger.explanation_bits == math.inf


def test_a_search_that_found_nothing_costs_nothing():
    model = zoo_2nd_argmax(16, 10, seed=2)
    ledger = feature_ledger(model, find_features(model))
    assert (ledger.entries, ledger.total_bits) == ((), 0)


def test_weights_above_one_pay_for_their_number():
    model = top_two_2nd_argmax(4)
    search = find_features(model, Thresholds(n_inputs=2**11))
    ledger = feature_ledger(model, search)
    sizes = [c for c in ledger.checks if c.kind == "equality"]
    assert all(c.alternatives == c.measure.size for c in sizes)
