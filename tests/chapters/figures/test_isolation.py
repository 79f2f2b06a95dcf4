"""The figure that compares networks: which neurons and which error rates it draws."""

import numpy as np

from algzoo.chapters.figures.isolation import isolation_and_ties
from algzoo.structure.features.ablation import BinnedRate


def test_neurons_are_sorted_and_the_widest_bins_are_left_out():
    shares = {"a": np.array([0.5, 0.1, 0.9]), "b": np.array([0.3, 0.7, 0.2])}
    binned = BinnedRate(np.array([0.0, 1, 3, 4, 9]), np.array([0.5, 0.4, 0.2, 0.1]))
    left, right = isolation_and_ties(shares, {"a": binned, "b": binned}, 0.25).axes
    first, second, line = left.lines
    assert first.get_ydata().tolist() == [0.1, 0.5, 0.9]
    assert second.get_ydata().tolist() == [0.2, 0.3, 0.7]
    assert (np.round(first.get_xdata()) == 0).all()
    assert (np.round(second.get_xdata()) == 1).all()
    assert set(line.get_ydata()) == {0.25}
    for curve in right.lines:
        np.testing.assert_array_equal(curve.get_xydata(), [[2, 0.4], [3.5, 0.2]])
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["a", "b"]
