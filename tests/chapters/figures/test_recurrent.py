"""What the figures about recurrent models draw."""

import numpy as np
import pytest

from algzoo.chapters.figures import recurrent
from algzoo.structure.features.ablation import Sample, errors
from algzoo.zoo import zoo_2nd_argmax


@pytest.fixture(scope="module")
def wrong():
    return errors(Sample.of(zoo_2nd_argmax(4, 5), 2**12, seed=0), n_bins=6)


def drawn(ax):
    (mesh,) = ax.collections
    return mesh.get_array()


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_weights_have_their_signs_and_blocks_their_frames():
    shares = np.array([[0.5, -0.3, 0.0], [0.05, 0.9, -1.0], [0.2, 0.0, 0.0]])
    ax = recurrent.weight_map(shares, [1, 0, 2], [(0, 2, 2), (2, 1, 1)]).axes[0]
    np.testing.assert_allclose(drawn(ax), shares[np.ix_([1, 0, 2], [1, 0, 2])])
    assert ax.collections[0].get_clim() == (-1, 1)
    signs = {text.get_position(): text.get_text() for text in ax.texts}
    minus = "\N{MINUS SIGN}"
    assert signs == {
        (0.5, 0.52): "+",  # to 1 from 1
        (2.5, 0.52): minus,  # to 1 from 2
        (0.5, 1.52): minus,  # to 0 from 1
        (1.5, 1.52): "+",  # to 0 from 0
        (1.5, 2.52): "+",  # to 2 from 0
    }
    frames = [(p.get_xy(), p.get_width(), p.get_height()) for p in ax.patches]
    assert frames == [((0, 0), 2, 2), ((0, 2), 1, 1)]


def test_steps_show_activation_formula_and_their_difference():
    activation = np.array([[0.0, 1.0], [2.0, 0.5]])
    formula = np.array([[0.0, 1.25], [1.0, 0.5]])
    figure = recurrent.step_by_step(np.array([0.5, -1.25]), [4, 2], activation, formula)
    assert [ax.get_ylabel() for ax in figure.axes] == ["neuron 4", "neuron 2"]
    for ax, is_, says in zip(figure.axes, activation.T, formula.T, strict=True):
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), is_)
        assert [bar.get_height() for bar in ax.patches] == says.tolist()
    texts = [[text.get_text() for text in ax.texts] for ax in figure.axes]
    assert texts == [["0", "+1.00"], ["\N{MINUS SIGN}0.25", "0"]]
    assert ticks(figure.axes[-1].xaxis) == ["0\n0.50", "1\n-1.25"]


def test_answers_that_gain_are_white():
    ax = recurrent.answers(np.array([[-0.2, 0.1], [0.3, 0.0]]), [1, 0]).axes[0]
    np.testing.assert_allclose(drawn(ax), [[0.3, 0], [0, 0.1]])
    assert ax.collections[0].get_clim() == (0, 0.3)


def test_errors_by_pair_have_the_second_largest_in_rows(wrong):
    left, right, _ = recurrent.errors_by_pair(wrong).axes
    np.testing.assert_array_equal(drawn(left).filled(np.nan), wrong.first_second.T)
    np.testing.assert_array_equal(drawn(right).filled(np.nan), wrong.second_third)
    assert drawn(left).mask.diagonal().all()


def test_errors_by_gap_show_every_rate(wrong):
    axes = recurrent.errors_by_gap(wrong).axes
    for ax, binned in zip(
        axes, (wrong.by_gap_to_first, wrong.by_gap_to_third, wrong.by_second), strict=True
    ):
        (steps,) = ax.patches
        np.testing.assert_array_equal(steps.get_data().values, binned.rate)
        assert ax.get_ylim()[0] == 0
        assert ax.get_ylim()[1] > binned.rate.max()
        assert ax.get_xlim()[1] > binned.edges[-2]
