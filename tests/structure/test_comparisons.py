import numpy as np
import pytest
import torch

from algzoo.structure import weights_of
from algzoo.structure.ablation_argmedian import ArgmedianSample
from algzoo.structure.comparisons import (
    comparisons,
    distance_coefficients,
    drives,
    fitted_state,
)
from algzoo.structure.features_circuit import states
from algzoo.zoo import zoo_argmedian
from algzoo.zoo.handcrafted_argmedian import least_distance_argmedian

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
