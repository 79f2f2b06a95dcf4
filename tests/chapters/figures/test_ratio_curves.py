"""The figures of the study: which entry is on which curve, and what is drawn."""

import numpy as np
import pytest

from algzoo.chapters.figures.ratio_curves import (
    ESTIMATES,
    SAMPLERS,
    Curve,
    method_of,
    ratio_curves,
    ratios_by_population,
    spelled,
)
from algzoo.explanations.second_argmax_h16_n10_estimates import study
from algzoo.explanations.second_argmax_h16_n10_estimates.study import Scores
from algzoo.scoring.compute.ratios import Ratio, Ratios


def score(samples, value, low=None, high=None):
    return Scores(samples, 0.1, 0.0, Ratios(Ratio(value, low, high), None, None), None)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("skeleton", "skeleton"),
        ("skeleton; seed-agnostic", "skeleton; seed-agnostic"),
        ("order anchors, two; model-specific", "order anchors; model-specific"),
        ("leaves of pairs by sampling, 1024 inputs", "leaves of pairs by sampling"),
        ("folded classes, 1024 points, clustering 1.75", "folded classes"),
    ],
)
def test_the_method_of_an_entry_is_its_name_without_the_budget(name, method):
    assert method_of(name) == method


def test_every_curve_has_entries_of_its_kind():
    entries = study.entries()
    for curve in (*ESTIMATES, *SAMPLERS):
        own = [entry for entry in entries if method_of(entry.name) == curve.method]
        assert own, curve.method
        for entry in own:
            kind = {"never": "never", "random inputs": "random"}.get(entry.runs_network)
            fitted = {"from other networks": "other", "from this one": "this", "none": "chosen"}
            assert curve.kind == (kind or fitted[entry.constants])


def test_a_curve_goes_from_the_cheapest_budget_to_the_dearest_and_keeps_to_the_limits():
    scores = {
        "rule, 8 points": score(80, 0.5, 0.4, 0.6),
        "rule, 4 points": score(40, 50.0, 40.0, 60.0),
        "rule by sampling, 4 points": score(40, 0.2, 0.1, 0.3),
    }
    curve = Curve("rule", "chosen", "the rule")
    [ax] = ratio_curves(scores, [curve], limits=(0.1, 20)).axes
    drawn = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    np.testing.assert_allclose(drawn[0].get_xydata(), [[40, 20], [80, 0.5]])
    [bars] = ax.collections
    np.testing.assert_allclose(bars.get_segments()[1], [[80, 0.4], [80, 0.6]])
    assert [text.get_text() for text in ax.texts] == ["the rule"]
    assert spelled(scores, curve) == "50, 0.5"
    assert spelled(scores, Curve("another", "never")) == "not scored"


def test_populations_of_a_base_share_a_panel_and_noise_levels_their_places():
    everywhere = {
        title: {"a": score(1, value, value / 2, value * 2)}
        for title, value in {"x, sd 0.002": 0.1, "x, sd 0.01": 0.2, "y, sd 0.01": 0.4}.items()
    }
    left, right = ratios_by_population(everywhere, {"a": "the first"}).axes
    assert [ax.get_title() for ax in (left, right)] == ["x", "y"]
    line, other = left.lines[1], right.lines[1]
    np.testing.assert_allclose(line.get_ydata(), [0.1, 0.2])
    assert np.round(line.get_xdata()).tolist() == [0, 1]
    assert np.round(other.get_xdata()).tolist() == [1]
    assert [text.get_text() for text in left.get_xticklabels()] == ["0.002", "0.01"]
