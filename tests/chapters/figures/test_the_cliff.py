"""The figures of the cliff: what is drawn where."""

import numpy as np

from algzoo.chapters.figures.the_cliff import ratio_by_budget, ratio_by_length, ratio_maps
from algzoo.scoring.compute.scrambles import ScrambleScore


def score(samples, ratio):
    return ScrambleScore(samples, ratio, ratio / 2, ratio * 2, 0.0, 0.1, (ratio, ratio))


def test_lines_climb_from_the_exact_floor():
    never = {2: [(4, score(1000, 0.01)), (5, score(7000, 30.0))], 4: [(4, score(900, 0.02))]}
    chosen = {2: [(4, score(1000, 0.3))], 4: [(4, score(1000, 0.2))]}
    figure = ratio_by_length(never, chosen)
    [ax] = figure.axes
    lines = [line.get_xydata() for line in ax.get_lines()]
    drawn = [line.tolist() for line in lines]
    assert [[3, 0.0001], [4, 0.01], [5, 10.0]] in drawn  # what is above stands on the edge
    assert [[4, 0.3]] in drawn
    assert ax.get_xticks().tolist() == [3, 4, 5]
    widths = {line.get_label(): line.get_linewidth() for line in ax.get_lines()}
    assert widths["2 neurons"] < widths["4 neurons"]


def test_panels_show_cost_and_ratio():
    panels = {
        "one": {"rule": [score(100, 0.4), score(1000, 0.3)], "sampler": [score(90, 0.5)]},
        "other": {"rule": [score(100, 0.2)]},
    }
    figure = ratio_by_budget(panels)
    assert [ax.get_title() for ax in figure.axes] == ["one", "other"]
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["rule"].get_xydata(), [[100, 0.4], [1000, 0.3]])


def test_maps_have_a_cell_for_each_size():
    panels = {
        "a": ([4, 5], [[0.5, 0.02], [0.01, 0.3]]),
        "b": ([7], [[0.25], [0.05]]),
    }
    figure = ratio_maps([2, 8], panels)
    first, second = figure.axes
    written = {tuple(text.get_position()): text.get_text() for text in first.texts}
    assert written == {
        (0.5, 0.5): "0.5",
        (1.5, 0.5): "0.02",
        (0.5, 1.5): "0.01",
        (1.5, 1.5): "0.3",
    }
    assert [text.get_text() for text in second.texts] == ["0.25", "0.05"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["2", "8"]
    assert [label.get_text() for label in second.get_xticklabels()] == ["7"]
    # A small ratio is dark, and its number white.
    colours = {text.get_text(): text.get_color() for text in first.texts}
    assert colours["0.01"] == "white" != colours["0.5"]
