"""Margins linear between ties: the law of the inputs, the lines, and what the two together give."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr, ndtri

from algzoo.estimates import ensemble_sampling, exact, sampling
from algzoo.estimates.many_inputs.lines_between_ties import (
    _edges,
    _probability_positive,
    linear_between_ties,
)
from algzoo.structure import outputs, weights_of
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax
from algzoo.zoo.populations import NoisyCopies, ZooModel


@pytest.mark.parametrize(("n", "nodes"), [(3, 2), (4, 5), (10, 3)])
def test_every_triple_is_visited_and_its_second_moves_between_the_ties(inputs_of, n, nodes):
    edges = _edges(n, nodes, rounds=2, scramble=1)
    x = inputs_of(edges.tree, *edges.values.shape)
    order = np.argsort(x, axis=2)[:, :, ::-1][:, :, :3]
    assert (order == order[:, :1]).all()
    assert (order[:, 0, 1] == edges.second).all()
    _, visits = np.unique(order[:, 0], axis=0, return_counts=True)
    assert list(visits) == [2] * (n * (n - 1) * (n - 2))
    np.testing.assert_array_equal(np.sort(x, axis=2)[:, :, -2], edges.values)
    np.testing.assert_array_equal(np.sort(x, axis=2)[:, 0, [-3, -1]], edges.ends)
    # Between the quantiles of the ties, where Chebyshev's polynomial has its roots.
    low, high = ndtr(edges.ends).T[..., None]
    share = (ndtr(edges.values) - low) / (high - low)
    roots = np.sort(np.polynomial.Chebyshev.basis(nodes).roots())
    np.testing.assert_allclose(share, np.tile((roots + 1) / 2, (len(share), 1)), atol=1e-9)


def test_inputs_follow_the_law_of_order_statistics(inputs_of):
    edges = _edges(5, 2, rounds=400, scramble=0)
    x = inputs_of(edges.tree, *edges.values.shape)
    ordered = np.sort(ndtr(x[::6, 0]), axis=1)  # one edge for each draw
    drawn = np.sort(np.random.default_rng(0).random((10**5, 5)), axis=1)
    for rank in (0, 1, 2, 4):
        law = stats.beta(rank + 1, 5 - rank)
        assert stats.kstest(ordered[:, rank], law.cdf).statistic < 0.02
    ranks = [0, 1, 2, 4]  # the second largest is at its node
    np.testing.assert_allclose(
        np.corrcoef(ordered[:, ranks].T), np.corrcoef(drawn[:, ranks].T), atol=0.03
    )


@pytest.mark.parametrize("nodes", [2, 4])
def test_probabilities_are_those_of_a_fine_grid_of_the_second_largest(nodes):
    edges = _edges(4, nodes, rounds=3, scramble=0)
    margins = np.random.default_rng(1).standard_normal((len(edges.second), 3, nodes)) + 0.8
    low, high = ndtr(edges.ends).T[..., None]
    s = ndtri(low + (high - low) * (np.arange(4000) + 0.5) / 4000)
    expected = np.empty(len(s))
    for e, points in enumerate(s):
        x = edges.values[e]
        piece = np.clip(np.searchsorted(x, points) - 1, 0, nodes - 2)
        slope = np.diff(margins[e]) / np.diff(x)
        lines = margins[e][:, piece] + slope[:, piece] * (points - x[piece])
        expected[e] = (lines > 0).all(axis=0).mean()
    assert 0.2 < expected.mean() < 0.8
    np.testing.assert_allclose(_probability_positive(margins, edges), expected, atol=1e-3)


def test_a_linear_network_needs_no_more_than_two_nodes(make_rnn, inputs_of):
    # Four channels, each a decaying sum of the inputs, held as its positive and negative part.
    rng = np.random.default_rng(5)
    sign = np.array([1.0, -1.0])
    model = make_rnn(
        np.kron(rng.standard_normal(4), sign),
        np.kron(np.diag([0.5, -0.8, 1.0, 0.9]), np.outer(sign, sign)),
        np.kron(rng.standard_normal((4, 4)), sign),
        seq_len=4,
    )
    edges = _edges(4, 2, rounds=16, scramble=0)
    grid = []
    low, high = ndtr(edges.ends).T
    for share in (np.arange(100) + 0.5) / 100:
        x = inputs_of(edges.tree, *edges.values.shape)[:, 0]
        x[np.arange(len(x)), edges.second] = ndtri(low + (high - low) * share)
        grid.append(outputs(weights_of(model), x).argmax(axis=1) == edges.second)
    estimate = linear_between_ties(model, 2, 16, 0)
    assert estimate.value == pytest.approx(np.mean(grid), abs=2e-3)
    truth = sampling(model, 2**17, seed=0)
    assert linear_between_ties(model, 2, 256, 0).value == pytest.approx(truth.value, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_many_nodes_and_rounds_give_the_exact_accuracy(seed):
    model = zoo_2nd_argmax(4, 3, seed=seed)
    estimate = linear_between_ties(model, 32, 1024, 0)
    assert estimate.value == pytest.approx(exact(model).value, abs=1e-3)


def test_a_network_with_its_kinks_at_ties_is_right_on_whole_edges():
    # It is wrong only where the second largest is negative, 11 of 2^10 times; a third largest
    # below zero with a largest above leaves one more kink, where the second is zero.
    estimate = linear_between_ties(handcrafted_2nd_argmax(10), 2, 16, 0)
    assert estimate.value == pytest.approx(1 - 11 / 2**10, abs=0.01)


def test_it_holds_on_noisy_copies_of_the_bundled_model():
    base = ZooModel("2nd_argmax", 16, 10)
    models = [NoisyCopies(base, sd, 8, seed=4).model(i) for sd in (0.005, 0.01) for i in range(8)]
    truth = np.array([e.value for e in ensemble_sampling(models, 2**15, 0)])
    errors = np.array(
        [[linear_between_ties(m, 2, 1, scramble).value for scramble in range(8)] for m in models]
    )
    errors -= truth[:, None]
    # Measured on 48 other copies: means at most .003, root mean squares .008 and .009.
    assert abs(errors.mean()) < 0.008
    assert np.sqrt(np.mean(errors**2)) < 0.012


def test_a_dead_network_answers_the_first_position(make_rnn):
    model = make_rnn([0.0, 0.0], np.zeros((2, 2)), np.zeros((4, 2)), seq_len=4)
    assert linear_between_ties(model, 2, 1, 0).value == pytest.approx(1 / 4)


def test_operations_are_shared_runs_and_lines(inputs_of):
    n, d, nodes = 10, 16, 2
    x = inputs_of(_edges(n, nodes, 1, 0).tree, -1)
    begun = [len(np.unique(x[:, : t + 1], axis=0)) for t in range(n)]
    passes = (begun[0] + sum(begun[:-1])) * d * d + sum(begun) * d + begun[-1] * n * d
    # On a line: 9 margins at both nodes; of each its rise, a ratio, a root, two comparisons; the
    # extremes of 9 roots; clipping; two probabilities, their difference, a sum and a division.
    line = 9 * (2 + 1 + 1 + 1 + 2) + 2 * 8 + 4 + 2 * 10 + 3
    estimate = linear_between_ties(zoo_2nd_argmax(d, n), nodes, 1, 0)
    assert estimate.operations == passes + 720 * line + 720
    assert estimate.transcendental == 720 * 2
    assert estimate.operations < 830 * 2880


def test_wrong_arguments_are_refused():
    model = zoo_2nd_argmax(4, 3)
    with pytest.raises(ValueError, match="nodes must be at least 2, got 1"):
        linear_between_ties(model, 1, 1, 0)
    with pytest.raises(ValueError, match="rounds must be at least 1, got 0"):
        linear_between_ties(model, 2, 0, 0)
    with pytest.raises(ValueError, match="scramble must be at least 0, got -1"):
        linear_between_ties(model, 2, 1, -1)
