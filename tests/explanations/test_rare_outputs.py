"""The phase diagram of rare outputs, thresholds, and what climbing the margin leads to."""

import math

import numpy as np
import pytest
import torch

from algzoo.estimates import margin_tail, plant_cone
from algzoo.estimates.rare import event_of, half_space
from algzoo.explanations.rare_outputs import (
    Place,
    n_right,
    phase_diagram,
    pull,
    tail_curve,
    thin_places,
    threshold_for,
    towards,
    within_factor,
)
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax


def test_a_threshold_has_its_probability():
    model = zoo_2nd_argmax(2, 3, seed=0)
    for probability in (0.1, 1e-5, 1e-15):
        threshold = threshold_for(model, probability)
        assert margin_tail(model, threshold) == pytest.approx(probability, rel=1e-6)


@pytest.mark.parametrize("probability", [0.0, -1.0, 0.5, math.nan])
def test_an_impossible_probability_is_refused(probability):
    with pytest.raises(ValueError, match=r"must be between 0 and 7\.7"):
        threshold_for(zoo_2nd_argmax(2, 2), probability)


def test_the_diagram_has_each_event_once_and_random_sampling_sees_what_it_can():
    methods = ("naive", "cross-entropy", "red teaming")
    places = phase_diagram((0.1, 1e-6), (1e-2, 1e-6, 1e-10), methods=methods)
    events = [(place.mass, place.probability) for place in places if place.method == "naive"]
    assert events == [(0.1, 1e-2), (0.1, 1e-6), (0.1, 1e-10), (1e-6, 1e-6), (1e-6, 1e-10)]
    assert len(places) == 3 * len(events)
    right = within_factor(places)
    assert [(place.mass, place.probability) for place in right["naive"]] == [(0.1, 1e-2)]
    # A wide cone is met by chance and followed outwards; a thin one is not met.
    for name in ("cross-entropy", "red teaming"):
        assert [place.mass for place in right[name]] == [0.1] * 3
    assert {place.ratio for place in places if place.mass == 1e-6} == {0.0}


def test_the_best_temperature_counts():
    [place] = phase_diagram((0.1,), (1e-3,), methods=("ITGIS",), n_seeds=1)
    assert 0.2 < place.ratio < 5


def test_gradients_of_a_half_space_lead_to_it():
    """The gradient is the normal itself, so that it always turns an input towards it."""
    assert towards(half_space([3.0, 4.0], 1.0), [3.0, 4.0], 1000) == 1.0
    assert towards(half_space([3.0, 4.0], 1.0), [-3.0, -4.0], 1000) == 0.0


def test_no_gradient_leads_to_a_planted_cone():
    planted = plant_cone(handcrafted_2nd_argmax(2, dtype=torch.float64), 1e-6, 5.0)
    share = towards(event_of(planted.model, 0.0), planted.axis, 100_000)
    assert share == pytest.approx(0.5, abs=0.01)


def test_what_a_method_is_drawn_to():
    """Of two inputs whose score is x0, by moments of a Gaussian: exp(x / T) shifts x0 by 1 / T."""
    found = pull(half_space([1.0, 0.0], 0.0), temperature=1.0, n_inputs=2**18)
    assert found.largest_inside == pytest.approx(1.0, abs=1e-6)
    assert found.typical == pytest.approx(2 / math.pi, abs=5e-3)
    assert found.length == pytest.approx(math.sqrt(math.pi / 2), abs=5e-3)
    x = np.random.default_rng(1).normal([1.0, 0.0], 1.0, (2**18, 2))
    assert found.length_weighted == pytest.approx(np.hypot(*x.T).mean(), abs=0.02)
    with pytest.raises(ValueError, match="none of 10 random inputs"):
        pull(half_space([1.0, 0.0], 50.0), 1.0, n_inputs=10)


def test_what_is_within_a_factor_is_right():
    ratios = np.array([0.0, 0.4, 0.6, 1.0, 1.9, 2.1, 1e9])
    assert n_right(ratios) == 3
    assert n_right(ratios, factor=10) == 5


def test_thin_cones_are_counted_with_their_zeros():
    thin = [Place(1e-4, 1e-6, "a", 0.0), Place(1e-8, 1e-8, "a", 0.5)]
    others = [Place(0.1, 1e-6, "a", 0.0), Place(1e-4, 1e-4, "a", 0.0)]
    assert thin_places([*others, *thin]) == (2, 1)


def test_a_curve_has_exact_probabilities_and_shares_where_there_are_any():
    model = zoo_2nd_argmax(2, 3, seed=0)
    margins = np.array([-1.0, 0.5, 3.0, 5.0])
    thresholds = [0.0, 1.0, 2.0, 3.0, 4.0, 1000.0]
    exact, shares = tail_curve(model, thresholds, margins)
    assert exact == [(t, margin_tail(model, t)) for t in thresholds[:5]]
    assert shares == [(0.0, 0.75), (4.0, 0.25)]
    assert tail_curve(model, [0.0], margins[:1])[1] == []
