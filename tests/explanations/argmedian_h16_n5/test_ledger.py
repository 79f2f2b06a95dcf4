import math
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import stats

from algzoo.explanations.argmedian_h16_n5.ablation import ArgmedianSample
from algzoo.explanations.argmedian_h16_n5.comparisons import fitted_state
from algzoo.explanations.argmedian_h16_n5.ledger import (
    comparison_ledger,
    half_space_gap,
    logit_gap,
    more_against,
    predicted_accuracy,
    prediction_sd,
)
from algzoo.scoring import cauchy_models
from algzoo.structure import Weights, weights_of
from algzoo.zoo import DistRNN, zoo_2nd_argmax, zoo_argmedian
from algzoo.zoo.handcrafted.argmedian import least_distance_argmedian


@pytest.fixture(scope="module")
def ledger():
    return comparison_ledger(zoo_argmedian(16, 5, seed=0))


def test_the_handcrafted_model_is_what_the_ledger_says():
    weights = weights_of(least_distance_argmedian(5, dtype=torch.float64))
    for age in range(1, 5):
        for neuron in (age - 1, age + 3):  # one way round and the other
            assert half_space_gap(neuron, 4 - age)(weights) == pytest.approx(0, abs=1e-12)
    # x4 - x3 against x4 - x2: the cosine is one half.
    assert half_space_gap(0, 2)(weights) == pytest.approx(3 / 4, abs=0.03)
    for pair in combinations(range(5), 2):
        assert more_against(*pair)(weights) == 0
    for by in ("distances", "sums"):
        assert logit_gap(by)(weights) == pytest.approx(0, abs=1e-12)


def test_the_readout_turned_around_speaks_against_the_others():
    w_hi, w_hh, w_oh = weights_of(least_distance_argmedian(5, dtype=torch.float64))
    weights = Weights(w_hi, w_hh, -w_oh)
    assert [more_against(*pair)(weights) for pair in combinations(range(5), 2)] == [3] * 10
    assert logit_gap("distances")(weights) == pytest.approx(0, abs=1e-12)
    assert logit_gap("sums")(weights) == 1


def test_measures_of_many_models_are_those_of_each():
    one, other = (weights_of(zoo_argmedian(16, 5, seed=seed)) for seed in (0, 1))
    both = Weights(*(np.stack(pair) for pair in zip(one, other, strict=True)))
    for measure in (
        half_space_gap(3, 1),
        more_against(1, 3),
        logit_gap("distances"),
        logit_gap("sums"),
    ):
        found = measure(both)
        assert found == pytest.approx([float(measure(one)), float(measure(other))], rel=1e-9)


def test_entries_and_prices(ledger):
    assert len(ledger.entries) == 4 + 10 + 2
    assert all(entry.holds for entry in ledger.entries)
    # Ten decisions of one in ten, and four searches among sixteen neurons.
    assert ledger.bits_by_kind()["order"] == pytest.approx(10 * math.log2(10))
    assert ledger.search_bits == 16
    gap = ledger.entry("comparison with x3").value
    assert ledger.entry("comparison with x3").p == pytest.approx(stats.beta(2, 1 / 2).cdf(gap))
    whole = ledger.entry("logits, distances")
    assert whole.bits == pytest.approx(-math.log2(whole.value))
    assert whole.value < ledger.entry("logits, sums").value


def test_direction_prior_is_that_of_random_linear_drives():
    rng = np.random.default_rng(0)
    drives = rng.standard_normal((4000, 5))
    target = np.array([0, 0, 0, -1, 1]) / math.sqrt(2)
    gaps = 1 - (drives @ target) ** 2 / (drives**2).sum(axis=1)
    assert stats.kstest(gaps, stats.beta(2, 1 / 2).cdf).pvalue > 0.01


def test_untrained_models_pass_as_often_as_the_prior_says():
    draws = cauchy_models(np.random.default_rng(1), 100, 4, 5)
    often = [np.mean(more_against(*pair)(draws) <= 0) for pair in combinations(range(5), 2)]
    assert np.mean(often) == pytest.approx(0.1, abs=4 * math.sqrt(0.09 / 100))
    assert np.mean(logit_gap("sums")(draws) < 0.1) < 0.05


def test_prediction():
    assert predicted_accuracy(least_distance_argmedian(5, dtype=torch.float64)) == 1
    assert 0.75 < predicted_accuracy(zoo_argmedian(16, 5, seed=0)) < 0.9
    half, more = 0.5, 1 / (1 + math.exp(-2))
    assert prediction_sd([half, half], [half, more]) == pytest.approx(math.sqrt(2))
    with pytest.raises(ValueError, match="got 0 and 0"):
        prediction_sd([], [])
    with pytest.raises(ValueError, match="got 1 and 2"):
        prediction_sd([half], [half, more])


def test_other_tasks():
    with pytest.raises(ValueError, match="'2nd_argmax' with seq_len 5"):
        comparison_ledger(zoo_2nd_argmax(4, 5))


def run(weights, x):
    """The drives at the last step and the logits, one step after the other."""
    w_hi, w_hh, w_oh = weights
    state = np.zeros((len(x), len(w_hi)))
    for number in x.T:
        drive = state @ w_hh.T + np.outer(number, w_hi)
        state = np.maximum(drive, 0)
    return drive, state @ w_oh.T


@pytest.mark.parametrize("n", [3, 4, 5])
def test_measures_are_those_of_plain_least_squares(n):
    """On the inputs of seed 0, which the module's docstring calls fixed."""
    x = np.random.default_rng(0).standard_normal((2**12, n))
    pairs = list(combinations(range(n), 2))
    distances = np.column_stack([abs(x[:, i] - x[:, j]) for i, j in pairs])
    predictors = np.column_stack([x, distances, np.ones(len(x))])
    sums = -np.column_stack([sum(abs(x[:, i] - x[:, j]) for j in range(n)) for i in range(n)])
    sums -= sums.mean(axis=1, keepdims=True)
    draws = cauchy_models(np.random.default_rng(n), 6, 3, n)
    factors = []
    for k in range(6):
        weights = Weights(*(w[k] for w in draws))
        drive, logits = run(weights, x)
        for neuron, earlier in [(0, 0), (2, n - 2), (1, n // 2 - 1)]:
            difference = x[:, -1] - x[:, earlier]
            one = drive[:, neuron]
            cosine = one @ difference / math.sqrt(one @ one * (difference @ difference))
            assert half_space_gap(neuron, earlier)(weights) == pytest.approx(1 - cosine**2)
        found = np.linalg.lstsq(predictors, logits, rcond=None)[0]
        for place, (i, j) in enumerate(pairs):
            of_pair = found[n + place]
            others = [of_pair[o] for o in range(n) if o not in (i, j)]
            expected = sum(other < max(of_pair[i], of_pair[j]) for other in others)
            assert more_against(i, j)(weights) == expected
        centred = logits - logits.mean(axis=1, keepdims=True)
        total = (centred**2).sum()
        coefficients = np.linalg.lstsq(predictors, centred, rcond=None)[0]
        left = ((centred - predictors @ coefficients) ** 2).sum()
        assert logit_gap("distances")(weights) == pytest.approx(left / total)
        factor = max((centred * sums).sum() / (sums**2).sum(), 0)
        left = ((centred - factor * sums) ** 2).sum()
        assert logit_gap("sums")(weights) == pytest.approx(left / total)
        factors.append(factor)
    assert min(factors) == 0 < max(factors)


def test_a_model_that_says_nothing():
    silent = Weights(np.zeros(2), np.zeros((2, 2)), np.zeros((4, 2)))
    assert half_space_gap(0, 1)(silent) == 1
    assert logit_gap("distances")(silent) == logit_gap("sums")(silent) == 0
    assert [more_against(*pair)(silent) for pair in combinations(range(4), 2)] == [0] * 6


def test_the_nearest_neuron_is_searched_out_for_each_earlier_input(ledger):
    weights = weights_of(zoo_argmedian(16, 5, seed=0))
    for earlier in range(4):
        entry = ledger.entry(f"comparison with x{earlier}")
        gaps = [float(half_space_gap(neuron, earlier)(weights)) for neuron in range(16)]
        assert entry.value == min(gaps) == gaps[entry.check.measure.arguments[0]]
        assert entry.bits == pytest.approx(-math.log2(stats.beta(2, 1 / 2).cdf(entry.value)))
    assert [c.id for c in ledger.checks[-2:]] == ["logits, distances", "logits, sums"]


def test_the_prices_depend_on_the_number_of_inputs():
    found = comparison_ledger(zoo_argmedian(4, 3))
    assert len(found.entries) == 2 + 3 + 2
    # Of three logits two are the least in one case of three.
    assert [e.p for e in found.entries[2:5]] == pytest.approx([1 / 3] * 3)
    gap = found.entries[0].value  # on the circle: of a random direction in three dimensions
    assert found.entries[0].p == pytest.approx(1 - math.sqrt(1 - gap))
    two_inputs = DistRNN(4, 2)
    two_inputs.task_name = "argmedian"
    with pytest.raises(ValueError, match="'argmedian' with seq_len 2"):
        comparison_ledger(two_inputs)


def test_the_prediction_is_that_of_fitted_activations():
    model = zoo_argmedian(16, 5, seed=0)
    sample = ArgmedianSample.of(model, 2**13, seed=0)
    assert predicted_accuracy(model) == fitted_state(sample, "distances").accuracy
    # And about that of another sample.
    other = fitted_state(ArgmedianSample.of(model, 2**14, seed=1), "distances").accuracy
    assert predicted_accuracy(model) == pytest.approx(other, abs=0.03)
