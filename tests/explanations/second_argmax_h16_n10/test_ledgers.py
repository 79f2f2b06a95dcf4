import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from algzoo.explanations.second_argmax_h16_n10.ledgers import (
    Units,
    class_mean,
    feature_ledger,
    natural_weight,
    natural_weight_gap,
    neglected_share,
    order_mean,
    rank_of_answer,
    skeleton_ledger,
)
from algzoo.scoring import initialised_models
from algzoo.structure import (
    Thresholds,
    Weights,
    find_features,
    outputs,
    reorder_neurons,
    weights_of,
)
from algzoo.zoo import example_2nd_argmax, zoo_2nd_argmax, zoo_median
from algzoo.zoo.handcrafted.lengths import leave_one_out_2nd_argmax, top_two_2nd_argmax


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
    ledger = skeleton_ledger(model)
    assert len(ledger.entries) == 90
    assert ledger.total_bits == pytest.approx(90 * math.log2(10))
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
        if entry.check.kind == "zero" and entry.check.measure.arguments[2] is False:
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


def neglected(weights, neuron, counted, with_input, seq_len):
    """The share by running the network and adding up squares, one step after the other."""
    x = np.random.default_rng(0).standard_normal((2**12, seq_len))
    w_hi, w_hh, _ = weights
    state = np.zeros((len(x), len(w_hi)))
    squares = np.zeros(len(w_hi))
    for t in range(seq_len - 1):
        state = np.maximum(state @ w_hh.T + np.outer(x[:, t], w_hi), 0)
        squares += (state**2).mean(0) / (seq_len - 1)
    received = w_hh[neuron] ** 2 * squares
    total = received.sum() + with_input * w_hi[neuron] ** 2 * (x**2).mean()
    return 1 - sum(received[j] for j in counted) / total


def test_neglected_shares_are_those_of_the_activations():
    draws = initialised_models(np.random.default_rng(0), 6, 5, 4)
    for neuron, counted, without_input in [(0, (1, 2), False), (3, (3,), True), (4, (), False)]:
        found = neglected_share(neuron, counted, without_input, 4)(draws)
        each = [
            neglected(Weights(*(w[i] for w in draws)), neuron, counted, without_input, 4)
            for i in range(6)
        ]
        assert found == pytest.approx(each, rel=1e-9)


def test_a_neuron_that_receives_nothing_is_not_explained_by_anything():
    silent = Weights(np.zeros(2), np.ones((2, 2)), np.ones((3, 2)))
    assert neglected_share(0, (1,), True, 3)(silent) == 1
    assert neglected_share(0, (1,), False, 3)(silent) == 1
    # What is counted is all there is, however little.
    little = Weights(np.array([0.0, 1e-3]), np.array([[0.0, 1e-3], [0, 0]]), np.ones((3, 2)))
    assert neglected_share(0, (1,), True, 3)(little) == pytest.approx(0, abs=1e-12)


def test_units_are_products_of_weights_along_the_way():
    w_hi, w_hh = np.array([-2.0, 0.0, 0.0]), np.zeros((3, 3))
    w_hh[1, 0], w_hh[2, 1], w_hh[1, 1], w_hh[2, 0] = -3.0, 5.0, 0.25, 45.0
    weights = Weights(w_hi, w_hh, np.ones((3, 3)))
    units = Units(((0, None), (1, 0), (2, 1)))
    assert units.of(weights) == {0: 2, 1: 6, 2: 30}
    natural = {(1, 0): -1.0, (2, 1): 1.0, (1, 1): 0.25, (2, 0): 3.0}
    for (i, j), weight in natural.items():
        assert natural_weight(units, i, j)(weights) == pytest.approx(weight)
        for size in (1, 3):
            gap = natural_weight_gap(units, i, j, size)(weights)
            assert gap == pytest.approx(abs(math.log(abs(weight) / size)))
    assert natural_weight_gap(units, 0, 1, 1)(weights) == math.inf


@pytest.mark.parametrize("seq_len", [3, 4, 6])
def test_ranks_are_places_in_the_order_of_the_logits(seq_len):
    """With logits that are often equal: of these the first is the answer."""
    rng = np.random.default_rng(seq_len)
    n = 40
    w_hh = rng.standard_normal((n, 3, 3))
    w_oh = rng.integers(0, 2, (n, seq_len, 3)).astype(float)
    weights = Weights(rng.choice([-1.0, 1.0], (n, 3)), w_hh, w_oh)
    n_ties = 0
    for first, second in itertools.permutations(range(seq_len), 2):
        x = class_mean(first, second, seq_len)
        ranks = rank_of_answer(first, second, seq_len)(weights)
        for i in range(n):
            logits = outputs(Weights(*(w[i] for w in weights)), x[None])[0].tolist()
            order = sorted(range(seq_len), key=lambda place: (-logits[place], place))
            assert ranks[i] == order.index(second)
            n_ties += logits.count(logits[second]) > 1
    assert n_ties > 50


@pytest.mark.parametrize(("rank", "n"), [(1, 4), (2, 4), (4, 4), (2, 10), (7, 12)])
def test_order_means_by_the_distribution_function(rank, n):
    """A number above -9 has the mean -9 plus the integral of its survival function from there."""
    z = np.linspace(-9, 9, 4001)
    above = stats.binom.sf(rank - 1, n, stats.norm.sf(z))  # at least ``rank`` of n are above z
    assert order_mean(rank, n) == pytest.approx(-9 + np.trapezoid(above, z), abs=1e-11)


def test_the_rest_is_priced_by_the_number_of_its_contributions(example):
    model, search = example
    ledger = feature_ledger(model, search)
    for i, feature in search.features.items():
        entry = ledger.entry(f"rest of neuron {i}")
        n_counted = len(feature.from_neurons)
        n_rest = 16 - n_counted + (feature.from_input == 0)
        assert entry.p == pytest.approx(stats.beta(n_rest / 2, n_counted / 2).cdf(entry.value))
        share = neglected(weights_of(model), i, feature.from_neurons, feature.from_input == 0, 10)
        assert entry.value == pytest.approx(share)
        assert entry.check.threshold == entry.value


def test_the_unit_comes_from_the_weight_that_needs_no_rounding(example):
    """Of the inputs of a neuron without a weight from x; its own input weight otherwise."""
    model, search = example
    ledger = feature_ledger(model, search)
    w_hi, _, _ = weights_of(model)
    equalities = [e.check for e in ledger.entries if e.check.kind == "equality"]
    (units,) = {check.measure.arguments[0] for check in equalities}
    found = units.of(weights_of(model))
    for i, feature in search.features.items():
        assert found[i] == pytest.approx(feature.unit)
        if feature.from_input:
            assert found[i] == abs(w_hi[i])


def test_the_smallest_models_with_classes_have_three_inputs():
    assert len(skeleton_ledger(zoo_2nd_argmax(3, 3)).entries) == 6
    assert class_mean(2, 0, 3).tolist() == pytest.approx(
        [0, -order_mean(1, 3), order_mean(1, 3)], abs=1e-12
    )


@pytest.mark.parametrize(
    ("one", "other", "weights", "fixes_the_unit"),
    [
        (2.04, 1.0, {0: 2, 1: 1}, 1),
        (1.0, 2.04, {0: 1, 1: 2}, 0),
        (0.9, 1.0, {0: 1, 1: 1}, 1),
        (1.1, 1.0, {0: 1, 1: 1}, 1),
        (1.0, 0.9, {0: 1, 1: 1}, 0),
        (-1.0, 0.9, {0: -1, 1: 1}, 0),
        (0.9, -1.0, {0: 1, 1: -1}, 1),
    ],
)
def test_the_weight_that_is_not_rounded_is_not_priced(
    make_rnn, leave_one_out, one, other, weights, fixes_the_unit
):
    """Neuron 2 takes in neurons 0 and 1, and its unit is 3 times what one of them gives it."""
    w_hh = np.zeros((3, 3))
    w_hh[2, 0], w_hh[2, 1] = 3 * one / 2, 3 * other / 5
    model = make_rnn([2, -5, 0], w_hh, np.ones((4, 3)), seq_len=4)
    _, found = leave_one_out
    any_feature = next(iter(found.features.values()))
    features = {
        i: replace(any_feature, neuron=i, unit=unit, from_input=from_input, from_neurons=neurons)
        for i, unit, from_input, neurons in [(0, 2, 1, {}), (1, 5, -1, {}), (2, 3, 0, weights)]
    }
    search = replace(found, subcircuits=((2,), (0, 1)), features=features)
    ledger = feature_ledger(model, search)
    rounded = 1 - fixes_the_unit
    natural = {0: one, 1: other}
    sizes = {e.check.id: e.value for e in ledger.entries if e.check.kind == "equality"}
    gap = abs(math.log(abs(natural[rounded]) / abs(weights[rounded])))
    assert sizes == pytest.approx({f"size of W_hh[2, {rounded}]": gap}, abs=1e-12)
    for j in (0, 1):
        sign = ledger.entry(f"sign of W_hh[2, {j}]")
        assert sign.value == pytest.approx(natural[j])
        assert sign.check.relation == (">" if natural[j] > 0 else "<")
    assert [ledger.entry(f"sign of W_hi[{i}]").check.relation for i in (0, 1)] == [">", "<"]
    # One of three neurons was searched out first, then two of two, in 2 + 1 ways; and the sizes.
    expected = math.log2(3) + math.log2(2 + 1) + math.log2(abs(weights[rounded]))
    assert ledger.search_bits == pytest.approx(expected)
