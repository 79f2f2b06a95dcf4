"""Figures of rare outputs show what they are given, and what is off the scale at its edge."""

import numpy as np

from algzoo.chapters.figures import rare
from algzoo.explanations.rare_outputs import Place


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_the_ladder_draws_zeros_and_what_is_far_off_at_the_edges():
    panels = {"one kind": {"a": [(1e-3, 1.0), (1e-5, 0.0), (1e-6, 1e9)]}, "another": {}}
    figure = rare.ladder(panels)
    [marks] = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 3]
    heights = list(marks.get_ydata())
    assert heights[0] == 1.0
    assert heights[1] < 1e-5
    assert heights[2] == 1e4
    assert [ax.get_title() for ax in figure.axes[:2]] == ["one kind", "another"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a"]


def test_the_phase_diagram_says_by_how_much_an_estimate_is_off():
    places = [
        Place(0.1, 1e-2, "a", 1.5),
        Place(0.1, 1e-4, "a", 4.0),
        Place(1e-4, 1e-4, "a", 2e-4),
        Place(0.1, 1e-2, "b", 0.0),
    ]
    figure = rare.phases(places)
    assert texts(figure) == ["", "", "\N{MINUS SIGN}4", "0"]
    faces = [patch.get_facecolor() for patch in figure.axes[0].patches]
    assert len(set(faces)) == 3
    assert [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]


def test_tails_are_drawn_with_their_samples():
    curve = [(t, 10.0**-t) for t in range(8)]
    figure = rare.tails({"x": curve}, {"x": curve[:2]}, 1000)
    line, dots, _ = figure.axes[0].lines
    assert np.allclose(line.get_ydata(), [p for _, p in curve])
    assert len(dots.get_xdata()) == 2
    assert texts(figure) == ["1 in 1,000"]
