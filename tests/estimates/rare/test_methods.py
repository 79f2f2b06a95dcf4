"""Every method that takes all events, on events whose probability is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from algzoo.estimates.rare import (
    METHODS,
    RareEvent,
    cross_entropy,
    event_of,
    gld,
    half_space,
    itgis,
    mhis,
    naive,
    subset_simulation,
)
from algzoo.zoo import zoo_2nd_argmax

NORMAL = (1.5, -2.0, 0.5)  # of the events of conftest.py
BUDGET = 2**14
SEEDS = range(20)
GENERAL = [name for name, method in METHODS.items() if method.scope is None]
SETTINGS = {"ITGIS": {"temperature": 1.0}, "MHIS": {"temperature": 2.0}}


def call(name, event, budget=BUDGET, seed=0):
    return METHODS[name](event, budget, seed, **SETTINGS.get(name, {}))


def values(method, event, budget, **settings):
    return np.array([method(event, budget, seed, **settings).value for seed in SEEDS])


def assert_mean_is(found, truth, spread):
    """The mean over seeds is the truth within 4 standard errors, which are small enough to tell."""
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert error < spread * truth
    assert abs(found.mean() - truth) < 4 * error


@pytest.mark.parametrize("name", GENERAL)
def test_a_tenth(name, linear):
    event, truth = linear(1.28155)
    found = np.array([call(name, event, seed=seed).value for seed in SEEDS])
    assert_mean_is(found, truth, 0.03)


@pytest.mark.parametrize("sds", [3.0902, 4.7534, 7.349])
def test_itgis_on_half_spaces(sds, linear):
    # The best shift is to the boundary. The first batch, from the unshifted Gaussian, has no hits
    # if the event is rare enough, and lowers the mean over all inputs by its share of them.
    event, truth = linear(sds)
    temperature = np.linalg.norm(NORMAL) / sds
    seen = 1 if sds < 4 else 1 - 256 / (BUDGET // 3)
    found = values(itgis, event, BUDGET, temperature=temperature)
    assert_mean_is(found, seen * truth, 0.02 if sds > 4 else 0.05)


def test_mhis_on_half_spaces(linear):
    event, truth = linear(3.0902)
    assert_mean_is(values(mhis, event, 2**16, temperature=1.2), truth, 0.05)
    event, truth = linear(4.7534)
    assert_mean_is(values(mhis, event, 2**18, temperature=1.1), truth, 0.05)


@pytest.mark.parametrize("sds", [3.0902, 4.7534, 7.349])
@pytest.mark.parametrize(
    ("method", "spread"), [(gld, 0.15), (subset_simulation, 0.25), (cross_entropy, 0.02)]
)
def test_methods_without_gradients_on_half_spaces(method, spread, sds, linear):
    event, truth = linear(sds)
    assert_mean_is(values(method, event, BUDGET), truth, spread)


@pytest.mark.parametrize("width", [1e-3, 1e-6])
@pytest.mark.parametrize(("method", "spread"), [(subset_simulation, 0.25), (cross_entropy, 0.02)])
def test_slivers(method, spread, width, sliver):
    event, truth = sliver(width)
    assert_mean_is(values(method, event, BUDGET), truth, spread)


def test_a_shifted_gaussian_loses_one_of_two_half_spaces(two_sided):
    event, truth = two_sided(4.0)
    found = values(itgis, event, 2**18, temperature=0.64)
    assert (np.abs(found / truth - 0.5) < 0.1).all()


def test_subset_simulation_and_mhis_find_both_half_spaces(two_sided):
    event, truth = two_sided(4.0)
    assert_mean_is(values(subset_simulation, event, BUDGET), truth, 0.25)
    event, truth = two_sided(3.0)
    assert_mean_is(values(mhis, event, 2**17, temperature=1.6), truth, 0.1)


def test_std_is_the_spread_over_seeds(linear):
    event, truth = linear(2.0)
    for method, settings in ((naive, {}), (itgis, {"temperature": 1.28}), (cross_entropy, {})):
        found = [method(event, 4096, seed, **settings) for seed in range(200)]
        spread = np.std([estimate.value for estimate in found], ddof=1)
        stated = np.sqrt(np.mean([estimate.std**2 for estimate in found]))
        assert stated == pytest.approx(spread, rel=0.2)
        assert np.mean([estimate.value for estimate in found]) == pytest.approx(truth, rel=0.02)


@pytest.mark.parametrize("name", GENERAL)
def test_what_never_happens_has_probability_zero(name, constant_score):
    assert call(name, constant_score(-1.0)).value == 0


@pytest.mark.parametrize("name", GENERAL)
def test_what_always_happens_has_probability_one(name, constant_score):
    assert call(name, constant_score(1.0)).value == 1


@pytest.mark.parametrize("name", GENERAL)
def test_what_hardly_ever_fails_has_nearly_probability_one(name):
    event = half_space([1.0, 1.0], -8.0)
    assert call(name, event).value == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("name", GENERAL)
def test_what_is_out_of_reach_is_estimated_as_zero_or_nearly(name):
    assert call(name, half_space([1.0, 1.0], 1e3)).value < 1e-30


@pytest.mark.parametrize("name", GENERAL)
def test_result_depends_on_the_seed_only(name, linear):
    event, _ = linear(1.0)
    first = call(name, event, seed=3)
    assert call(name, event, seed=3) == first
    assert call(name, event, seed=4).value != first.value


@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize("budget", [1000, 1025, 5000])
def test_the_event_is_asked_no_more_often_than_the_budget_says(name, budget, linear):
    event, _ = linear(3.0)
    passes = 0

    def counted(function, price):
        def call(x):
            nonlocal passes
            passes += price * len(x)
            return function(x)

        return call

    readout = replace(event.readout, activations=counted(event.readout.activations, 1))
    watched = RareEvent(
        3, counted(event.score, 1), counted(event.score_and_gradient, 3), 1000, readout
    )
    found = call(name, watched, budget)
    assert 0 < passes <= budget
    assert passes * 1000 <= found.operations < passes * 1000 + 1000 * budget
    assert found.runs_network == "random inputs"


def test_naive_charges_the_passes_alone():
    model = zoo_2nd_argmax(4, 3)
    assert naive(event_of(model, 0.0), 1000, 0).operations == 72_000  # ARC's 72 a sample


@pytest.mark.parametrize("method", [itgis, mhis])
@pytest.mark.parametrize("temperature", [0, -1.0, np.nan, np.inf])
def test_a_temperature_that_is_none_is_refused(method, temperature, linear):
    with pytest.raises(ValueError, match="temperature must be a finite number above 0, got"):
        method(linear(1.0)[0], BUDGET, 0, temperature=temperature)


@pytest.mark.parametrize("name", GENERAL)
def test_a_budget_that_is_too_small_and_a_negative_seed_are_refused(name, linear):
    event, _ = linear(1.0)
    with pytest.raises(ValueError, match="budget"):
        call(name, event, budget=0)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        call(name, event, seed=-1)


@pytest.mark.parametrize("share", [0, 1, -0.5, np.nan])
def test_a_share_that_is_none_is_refused(share, linear):
    with pytest.raises(ValueError, match="share must be between 0 and 1, got"):
        subset_simulation(linear(1.0)[0], BUDGET, 0, share=share)


def test_levels_with_too_few_inputs_are_refused(linear):
    with pytest.raises(ValueError, match="5 inputs at each level are too few"):
        subset_simulation(linear(1.0)[0], BUDGET, 0, per_level=5)


def test_a_budget_that_ends_before_the_event_gives_zero(linear):
    event, _ = linear(7.0)
    found = subset_simulation(event, 3000, 0, per_level=1000)
    assert (found.value, found.hits) == (0, 0)


def test_effective_sample_size_is_that_of_the_weights(linear):
    # With N(m, I) for p and the hits above the boundary m, in one dimension, E w^2 and (E w)^2
    # follow from completing the square: E_q w^2 = exp(m^2) Phi(-2 m) for the shift m.
    sds = 5.0
    event, truth = linear(sds)
    found = itgis(event, 2**18, 0, temperature=np.linalg.norm(NORMAL) / sds)
    n = 2**18 // 3
    expected = n * truth**2 / (np.exp(sds**2) * ndtr(-2 * sds))
    assert found.effective_sample_size == pytest.approx(expected, rel=0.05)
    assert found.hits == pytest.approx(n / 2, rel=0.02)


def test_an_impossible_event_is_refused():
    with pytest.raises(ValueError, match="dimension"):
        RareEvent(0, len, len, 1)
    with pytest.raises(ValueError, match="operations"):
        RareEvent(1, len, len, -1)
    with pytest.raises(ValueError, match="other than 0"):
        half_space([0.0, 0.0], 1.0)
    with pytest.raises(ValueError, match="threshold"):
        half_space([1.0], np.nan)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_method_without_its_temperature_is_refused(name, linear):
    assert METHODS[name].needs_temperature
    with pytest.raises(TypeError, match="temperature"):
        METHODS[name](linear(1.0)[0], BUDGET, 0)


def test_a_method_that_needs_activations_does_not_take_events_without(sliver, linear):
    assert not METHODS["QLD"].takes(sliver(0.1)[0])
    assert METHODS["QLD"].takes(linear(1.0)[0])
