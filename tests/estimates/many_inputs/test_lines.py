import math

import numpy as np
import pytest
from scipy import stats

from algzoo.estimates import sampling
from algzoo.estimates.many_inputs.lines import _lines, line_cubature
from algzoo.structure import outputs, weights_of
from algzoo.zoo import example_2nd_argmax, handcrafted_2nd_argmax, zoo_2nd_argmax
from algzoo.zoo.populations import NoisyCopies, ZooModel


@pytest.mark.parametrize(("n", "rows"), [(4, 32), (10, 128)])
def test_lines_move_the_second_between_third_and_largest(inputs_of, n, rows):
    lines = _lines(n, rows, scramble=1)
    x = inputs_of(lines.tree, 3, 2 * rows)
    assert x.shape == (3, 2 * rows, n)
    order = np.argsort(x, axis=-1)
    assert (order[..., -2] == lines.answer).all()
    ranked = np.sort(x, axis=-1)
    for rank, values in ((-1, lines.largest), (-2, lines.second), (-3, lines.third)):
        assert ranked[..., rank] == pytest.approx(np.broadcast_to(values, (3, 2 * rows)))
    # Gauss's nodes of the probability between the neighbours.
    low, high = stats.norm.cdf(lines.third), stats.norm.cdf(lines.largest)
    share = (stats.norm.cdf(lines.second) - low) / (high - low)
    nodes = 0.5 + np.array([-0.5, 0, 0.5]) * math.sqrt(3 / 5)
    assert share == pytest.approx(np.broadcast_to(nodes[:, None], share.shape), abs=1e-6)
    # The second half is the first with the last two inputs exchanged.
    assert (x[:, rows:, [*range(n - 2), n - 1, n - 2]] == x[:, :rows]).all()


def test_largest_and_third_and_the_others_follow_their_laws(inputs_of):
    lines = _lines(10, 1024, scramble=0)
    largest, third = stats.norm.cdf(lines.largest[:1024]), stats.norm.cdf(lines.third[:1024])
    assert stats.kstest(largest, stats.beta(10, 1).cdf).statistic < 0.01
    assert stats.kstest(third, stats.beta(8, 3).cdf).statistic < 0.02
    others = np.sort(inputs_of(lines.tree, 3, 2048)[0, :1024], axis=-1)[:, :7]
    share = stats.norm.cdf(others) / third[:, None]
    assert stats.kstest(share.ravel(), "uniform").statistic < 0.01
    # All three positions are visited, the answer equally often at each.
    _, visits = np.unique(lines.answer, return_counts=True)
    assert (np.abs(visits / 204.8 - 1) < 0.1).all()


def test_the_probability_is_that_of_linear_pieces(inputs_of):
    """On a fine grid, with numpy's own interpolation."""
    model = zoo_2nd_argmax(16, 10, seed=1)
    lines = _lines(10, 16, scramble=0)
    logits = outputs(weights_of(model), inputs_of(lines.tree, 3, 32))
    values = []
    for line in range(32):
        low, high = stats.norm.cdf([lines.third[line], lines.largest[line]])
        s = stats.norm.ppf(low + (high - low) * (np.arange(4000) + 0.5) / 4000)
        knots = lines.second[:, line]
        margins = logits[:, line, lines.answer[line], None] - logits[:, line]
        right = np.ones(4000, bool)
        for other in set(range(10)) - {lines.answer[line]}:
            m = margins[:, other]
            first, last = (
                (m[1] - m[0]) / (knots[1] - knots[0]),
                (m[2] - m[1]) / (knots[2] - knots[1]),
            )
            right &= (
                np.where(s < knots[1], m[1] + first * (s - knots[1]), m[1] + last * (s - knots[1]))
                > 0
            )
        values.append(right.mean())
    assert line_cubature(model, 16, 0).value == pytest.approx(np.mean(values), abs=2e-4)


def test_a_margin_that_never_changes_decides_everywhere(make_rnn):
    constant = make_rnn(np.zeros(2), np.zeros((2, 2)), np.zeros((4, 2)), seq_len=4)
    assert line_cubature(constant, 8, 0).value == 0


def test_a_perfect_model_is_right_on_all_lines_of_positive_numbers():
    # The handcrafted network of ten inputs is wrong only where the second largest is negative.
    estimate = line_cubature(handcrafted_2nd_argmax(10), 1024, 0)
    assert estimate.value == pytest.approx(1 - 11 / 2**10, abs=0.004)


def test_the_mean_over_scrambles_is_within_a_hundredth(official):
    for model in (example_2nd_argmax(), zoo_2nd_argmax(16, 10), zoo_2nd_argmax(16, 10, seed=3)):
        values = [line_cubature(model, 128, scramble).value for scramble in range(24)]
        assert abs(np.mean(values) - sampling(model, 2**17, 0).value) < 0.015


@pytest.mark.parametrize("name", ["example", "seed 2"])
def test_it_beats_sampling_at_equal_cost(name, official):
    base = example_2nd_argmax() if name == "example" else ZooModel("2nd_argmax", 16, 10)
    population = NoisyCopies(base, 0.005, 16)
    errors, variances = [], []
    for index in range(16):
        model = population.model(index)
        truth = sampling(model, 2**16, 0).value
        estimates = [line_cubature(model, 128, scramble) for scramble in range(8)]
        errors += [estimate.value - truth for estimate in estimates]
        variances.append(truth * (1 - truth) * 2880 / estimates[0].operations)
    assert np.mean(np.square(errors)) < 0.9 * np.mean(variances)


def test_operations_are_the_tree_and_the_crossings():
    estimate = line_cubature(zoo_2nd_argmax(16, 10), 128, 0)
    tree = _lines(10, 128, 0).tree.operations(16)
    assert 300 * 2880 < tree < estimate.operations < 350 * 2880
    assert estimate.transcendental == 4 * 256  # Phi at both ends of both pieces of every line


@pytest.mark.parametrize("rows", [0, 1, 3, 100, -8])
def test_wrong_numbers_of_rows_are_refused(rows):
    with pytest.raises(ValueError, match=f"a power of two and at least 2, got {rows}"):
        line_cubature(zoo_2nd_argmax(16, 10), rows, 0)
