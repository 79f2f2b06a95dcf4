"""The figure of the study: which entry is on which curve, and what is drawn."""

import numpy as np
import pytest

from algzoo.chapters.figures.ratio_curves import curve_of, ratio_curves
from algzoo.explanations.second_argmax_h16_n10_estimates import study


@pytest.mark.parametrize(
    ("name", "curve"),
    [
        ("skeleton", "skeleton"),
        ("skeleton; seed-agnostic", None),
        ("order anchors, two; seed-agnostic", "order anchors; seed-agnostic"),
        ("order anchors, two; model-specific", "order anchors; model-specific"),
        ("margin surrogate, 30 inputs; model-specific", "margin surrogate; model-specific"),
        ("order classes, 8 points each", "order classes"),
        ("boundary oracle, linear", None),
        ("Gaussian closure", None),
    ],
)
def test_entries_are_on_the_curve_of_their_sort(name: str, curve: str | None) -> None:
    assert curve_of(name) == curve


def test_panels_show_cost_and_ratio() -> None:
    table = study.bundled_study()
    groups = list(study.populations().items())[:2]
    entries = study.entries()
    panels = {title: study.scores(table, cells, entries) for title, cells in groups}
    figure = ratio_curves(panels)
    assert [axes.get_title() for axes in figure.axes] == [title for title, _ in groups]
    for axes, scores in zip(figure.axes, panels.values(), strict=True):
        lines = {line.get_label(): line for line in axes.get_lines()}
        drawn = lines["order classes"].get_xydata()
        expected = [
            (score.samples, score.ratios.iid.value)
            for name, score in scores.items()
            if name.startswith("order classes")
        ]
        np.testing.assert_allclose(drawn, sorted(expected))
