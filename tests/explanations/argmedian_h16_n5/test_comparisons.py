from itertools import combinations

import numpy as np
import pytest
import torch

from algzoo.explanations.argmedian_h16_n5.ablation import ArgmedianSample
from algzoo.explanations.argmedian_h16_n5.comparisons import (
    comparisons,
    distance_coefficients,
    drives,
    fitted_state,
)
from algzoo.structure import Weights, weights_of
from algzoo.structure.features.wiring import states
from algzoo.zoo import zoo_argmedian
from algzoo.zoo.handcrafted.argmedian import least_distance_argmedian

N_INPUTS = 2**12


@pytest.fixture(scope="module")
def handcrafted():
    return ArgmedianSample.of(least_distance_argmedian(5, dtype=torch.float64), N_INPUTS, seed=0)


@pytest.fixture(scope="module")
def trained():
    return ArgmedianSample.of(zoo_argmedian(16, 5, seed=0), N_INPUTS, seed=0)


def test_comparisons_of_the_network_that_holds_nothing_else(handcrafted):
    found = comparisons(handcrafted)
    expected = [f"ReLU(x4 - x{i})" for i in (3, 2, 1, 0)]
    expected += [f"ReLU(x{i} - x4)" for i in (3, 2, 1, 0)]
    expected += [f"ReLU(x{i} - x{j})" for i in (3, 2, 1) for j in reversed(range(i))]
    assert [c.text for c in found] == expected
    assert [c.r2 for c in found] == pytest.approx([1] * 14, abs=1e-12)
    assert [c.linear_r2 for c in found] == pytest.approx([1] * 14, abs=1e-9)
    assert [c.unit for c in found] == pytest.approx([1] * 14)
    assert {c.n_candidates for c in found} == {20 + 2 * 5 * 4 + 2 * 5}
    for c in found:
        np.testing.assert_allclose(
            c.values(handcrafted.x), handcrafted.last[:, c.neuron], atol=1e-12
        )


def test_a_planted_comparison_with_the_median_of_the_others(trained):
    x = trained.x
    others = np.median(np.delete(x, 2, axis=1), axis=1)
    third = np.sort(np.delete(x, 1, axis=1), axis=1)[:, -3]
    last = trained.last.copy()
    last[:, 0] = 3 * np.maximum(others - x[:, 2], 0)
    last[:, 1] = 2 * np.maximum(x[:, 1] - third, 0)
    last[:, 2] = 0
    planted = ArgmedianSample(trained.weights, x, trained.order, last)
    median, rank, silent, *_ = comparisons(planted)
    assert (median.text, rank.text) == (
        "ReLU(median of the others - x2)",
        "ReLU(x1 - no. 3 of the others)",
    )
    assert median.is_median
    assert not rank.is_median
    assert (median.unit, rank.unit) == pytest.approx((3, 2))
    assert (median.r2, rank.r2, silent.r2) == pytest.approx((1, 1, 1))


def test_drives_are_what_the_last_step_rectifies(trained):
    np.testing.assert_allclose(np.maximum(drives(trained), 0), trained.last, atol=1e-9)


def test_the_trained_model_compares_the_newest_input_with_earlier_ones(trained):
    texts = {c.text for c in comparisons(trained) if c.r2 > 0.99}
    assert texts == {"ReLU(x4 - x3)", "ReLU(x3 - x4)", "ReLU(x2 - x4)", "ReLU(x1 - x4)"}


def test_the_largest_model_compares_inputs_with_the_median_of_the_others():
    sample = ArgmedianSample.of(zoo_argmedian(32, 11, seed=2), N_INPUTS, seed=0)
    medians = [c for c in comparisons(sample) if c.is_median and c.r2 > 0.95]
    assert {c.position for c in medians} >= {1, 2, 4, 5, 7, 8, 10}


def test_dictionaries_hold_what_they_say(handcrafted, trained):
    by_name = {
        name: fitted_state(handcrafted, name)
        for name in ("inputs", "distances", "prefix orders", "maxima")
    }
    assert [len(fit.terms) for fit in by_name.values()] == [5, 15, 27, 31]
    for name in ("distances", "prefix orders", "maxima"):
        np.testing.assert_allclose(by_name[name].r2, 1, atol=1e-9)
        assert by_name[name].accuracy == by_name[name].intact == 1
        assert by_name[name].logits_r2 == pytest.approx(1)
    # A ReLU of a symmetric difference is half linear: 1/2 / (1 - 1/pi) of its variance. And x4 is
    # in every regression.
    assert by_name["inputs"].r2 == pytest.approx([0.5 / (1 - 1 / np.pi)] * 14, abs=0.03)
    fits = [fitted_state(trained, name) for name in ("inputs", "distances", "maxima")]
    assert fits[0].accuracy < fits[1].accuracy < fits[2].accuracy < fits[2].intact
    assert fits[0].r2.mean() < fits[1].r2.mean() < fits[2].r2.mean() < 1


def test_distance_coefficients_of_the_network_that_adds_up_distances(handcrafted):
    fit = fitted_state(handcrafted, "distances")
    found = distance_coefficients(handcrafted.weights.w_oh, fit)
    pairs = [term for term in fit.terms if len(term) == 2]
    expected = np.array([[-float(i in pair) for pair in pairs] for i in range(5)])
    np.testing.assert_allclose(found, expected - expected.mean(axis=0), atol=1e-9)
    with pytest.raises(ValueError, match="by maxima"):
        distance_coefficients(handcrafted.weights.w_oh, fitted_state(handcrafted, "maxima"))


def test_the_median_is_nearest_to_the_median_of_the_others(trained):
    x = trained.x
    others = np.stack([np.median(np.delete(x, i, axis=1), axis=1) for i in range(5)], axis=1)
    np.testing.assert_array_equal(np.abs(x - others).argmin(axis=1), trained.answer)


def test_too_many_maxima():
    sample = ArgmedianSample.of(zoo_argmedian(4, 11), 64, seed=0)
    with pytest.raises(ValueError, match="at most 8"):
        fitted_state(sample, "maxima")


def test_last_states_agree_with_the_feature_searchs(trained):
    weights = weights_of(zoo_argmedian(16, 5, seed=0))
    np.testing.assert_allclose(states(weights, trained.x)[-1], trained.last, atol=1e-9)


def planted_sample(n, hidden_size=5, n_inputs=121, seed=0):
    """A sample of an untrained network, with a neuron that never fires, on an odd number."""
    rng = np.random.default_rng(seed)
    w_hh = rng.standard_normal((hidden_size, hidden_size))
    w_hi = rng.standard_normal(hidden_size)
    w_hi[0], w_hh[0] = 0, 0
    weights = Weights(w_hi, w_hh, rng.standard_normal((n, hidden_size)))
    x = rng.standard_normal((n_inputs, n))
    state = np.zeros((n_inputs, hidden_size))
    for newest in x.T:
        state = np.maximum(state @ w_hh.T + np.outer(newest, w_hi), 0)
    return ArgmedianSample(weights, x, np.argsort(-x, axis=1), state)


def r2_on_the_other_half(columns, target):
    half = len(target) // 2
    design = np.c_[columns, np.ones(len(target))]
    coefficients = np.linalg.lstsq(design[:half], target[:half], rcond=None)[0]
    error = target[half:] - design[half:] @ coefficients
    return 1 - (error**2).sum() / ((target[half:] - target[half:].mean()) ** 2).sum()


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_comparisons_are_the_best_of_all_by_brute_force(n):
    sample = planted_sample(n)
    x = sample.x
    candidates = {}
    for i in range(n):
        for j in set(range(n)) - {i}:
            candidates[f"ReLU(x{i} - x{j})"] = np.maximum(x[:, i] - x[:, j], 0)
        others = np.delete(x, i, axis=1)
        against = {f"no. {k + 1} of the others": -np.sort(-others)[:, k] for k in range(n - 1)}
        if n % 2:
            against["median of the others"] = np.median(others, axis=1)
        for name, values in against.items():
            candidates[f"ReLU(x{i} - {name})"] = np.maximum(x[:, i] - values, 0)
            candidates[f"ReLU({name} - x{i})"] = np.maximum(values - x[:, i], 0)
    drive = drives(sample)
    for c in comparisons(sample)[1:]:
        h = sample.last[:, c.neuron]
        errors = {
            text: ((h - np.linalg.lstsq(v[:, None], h, rcond=None)[0] * v) ** 2).sum()
            for text, v in candidates.items()
        }
        assert c.n_candidates == len(candidates)
        assert errors[c.text] == pytest.approx(min(errors.values()))
        values = candidates[c.text]
        np.testing.assert_allclose(c.values(x), (values @ h) / (values @ values) * values)
        assert c.r2 == pytest.approx(1 - errors[c.text] / ((h - h.mean()) ** 2).sum())
        assert c.linear_r2 == pytest.approx(r2_on_the_other_half(x, drive[:, c.neuron]))
    silent = comparisons(sample)[0]
    assert (silent.r2, silent.linear_r2) == (1, 1)


def values_of(term, x, dictionary):
    if len(term) == 1:
        return x[:, term[0]]
    if dictionary == "maxima":
        return x[:, term].max(axis=1)
    return np.abs(x[:, term[0]] - x[:, term[1]])


@pytest.mark.parametrize("dictionary", ["inputs", "distances", "prefix orders", "maxima"])
def test_fitted_states_by_hand(dictionary):
    n = 4
    sample = planted_sample(n, n_inputs=201)
    x = sample.x
    fit = fitted_state(sample, dictionary)
    terms = [(i,) for i in range(n)]
    columns = list(x.T)
    if dictionary == "maxima":
        terms += [s for size in (2, 3, 4) for s in combinations(range(n), size)]
    elif dictionary != "inputs":
        terms += list(combinations(range(n), 2))
    columns = [values_of(term, x, dictionary) for term in terms]
    if dictionary == "prefix orders":
        terms += [(0, 1, 2)] * 3 + [(0, 1, 2, 3)] * 4
        columns += [*np.sort(x[:, :3]).T, *np.sort(x).T]
    assert list(fit.terms) == terms
    said = (np.c_[np.array(columns).T, np.ones(201)] @ fit.coefficients)[100:]
    for neuron in range(1, 5):
        expected = r2_on_the_other_half(np.array(columns).T, sample.last[:, neuron])
        assert fit.r2[neuron] == pytest.approx(expected)
        h = sample.last[100:, neuron]
        by_coefficients = 1 - ((h - said[:, neuron]) ** 2).sum() / ((h - h.mean()) ** 2).sum()
        assert fit.r2[neuron] == pytest.approx(by_coefficients)
    assert fit.r2[0] == 1
    right = sample.answer[100:]
    said_logits = np.maximum(said, 0) @ sample.weights.w_oh.T
    logits = sample.last[100:] @ sample.weights.w_oh.T
    assert fit.accuracy == (said_logits.argmax(axis=1) == right).mean()
    assert fit.intact == (logits.argmax(axis=1) == right).mean()
    logits -= logits.mean(axis=1)[:, None]
    said_logits -= said_logits.mean(axis=1)[:, None]
    error = ((logits - said_logits) ** 2).sum()
    assert fit.logits_r2 == pytest.approx(1 - error / (logits**2).sum())


def test_maxima_are_of_eight_inputs_at_most():
    assert len(fitted_state(planted_sample(8), "maxima").terms) == 2**8 - 1
    nine = planted_sample(9)
    with pytest.raises(ValueError, match="sets of 9 inputs; maxima are for at most 8"):
        fitted_state(nine, "maxima")
    assert len(fitted_state(nine, "distances").terms) == 9 + 36
