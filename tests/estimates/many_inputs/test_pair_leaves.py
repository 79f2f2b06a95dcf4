import math
from itertools import permutations

import numpy as np
import pytest
from scipy import special, stats

from algzoo.estimates import sampling
from algzoo.estimates.many_inputs.exact_last_input import operations_of_walks, right_after
from algzoo.estimates.many_inputs.pair_leaves import (
    _levels,
    _slices,
    pair_leaves,
    sampled_pair_leaves,
)
from algzoo.estimates.samplers.walk import last_input_walk
from algzoo.structure import weights_of
from algzoo.zoo import zoo_2nd_argmax, zoo_argmedian


def joined(m, points, scramble):
    slices = list(_slices(m, points, scramble))
    inputs = np.concatenate([leaves.prefixes.inputs for leaves in slices], axis=1)
    places = np.concatenate([leaves.places for leaves in slices], axis=1)
    return slices, inputs, places


@pytest.mark.parametrize("m", [3, 4, 5, 9])
def test_every_pair_of_positions_is_visited_and_known(m):
    _, inputs, places = joined(m, 1024, 3)
    np.testing.assert_array_equal(np.argsort(inputs, axis=0)[-2:], places)
    pairs, visits = np.unique(places, axis=1, return_counts=True)
    assert sorted(map(tuple, pairs.T)) == sorted(permutations(range(m), 2))
    assert visits == pytest.approx(1024 / (m - 1), abs=m + 1)


def test_inputs_follow_the_normal_law():
    _, inputs, _ = joined(9, 2048, 0)
    for position in inputs:
        assert stats.kstest(position, "norm").statistic < 0.005
    assert np.abs(np.corrcoef(inputs) - np.eye(9)).max() < 0.01
    assert np.abs(np.corrcoef(inputs**2) - np.eye(9)).max() < 0.03


def test_each_prefix_by_itself_is_a_net():
    # Of 2^k points, each prefix has as many second-largest inputs in each of 2^k equal cells.
    slices, _, places = joined(9, 256, 1)
    [leaves] = slices
    level = special.betainc(8, 2, special.ndtr(leaves.earlier[0]))
    largest = special.ndtr(leaves.earlier[1])
    share = (largest - special.ndtr(leaves.earlier[0])) / special.ndtr(-leaves.earlier[0])
    for j in range(9):
        own = places[0] == j
        for values in (level, share):
            cells = np.bincount((values[own] * 256).astype(int), minlength=256)
            # Rounding to 2^-32 may bring a level over the border of its cell.
            assert (cells == 1).mean() > 0.97


def test_prefixes_share_their_beginnings():
    slices, _, _ = joined(9, 64, 0)
    prefixes = slices[0].prefixes
    start = slices[0].places.min(axis=0)
    assert (np.diff(start) >= 0).all()
    for k, first in enumerate(start):
        path = prefixes.paths[:, prefixes.path[k]]
        np.testing.assert_array_equal(prefixes.inputs[:first, k], path[:first])
    np.testing.assert_array_equal(prefixes.begun, (start <= np.arange(9)[:, None]).sum(axis=1))


@pytest.mark.parametrize("m", [3, 4, 9])
def test_levels_are_quantiles_of_the_second_largest(m):
    u = np.concatenate([np.random.default_rng(0).random(5000), [2.0**-31, 1e-6, 1 - 2.0**-31]])
    assert _levels(u, m) == pytest.approx(special.betaincinv(m - 1, 2, u), abs=1e-11)


def test_the_estimate_is_the_mean_over_prefixes_by_whole_passes():
    model = zoo_2nd_argmax(16, 10)
    weights = weights_of(model)
    slices, inputs, _ = joined(9, 1024, 5)
    right, met = right_after(weights, inputs, 1)
    estimate = pair_leaves(model, 1024, 5)
    assert estimate.value == pytest.approx(right.mean(), abs=1e-12)
    passes = sum(leaves.prefixes.operations(16) for leaves in slices)
    assert estimate.operations == passes + operations_of_walks(weights, met)
    assert estimate.transcendental == met.normal_probabilities
    assert estimate.runs_network == "chosen inputs"


@pytest.mark.parametrize("n", [4, 5, 10])
def test_the_mean_over_scrambles_is_the_accuracy(n):
    model = zoo_2nd_argmax(4, n)
    values = np.array([pair_leaves(model, 64, scramble).value for scramble in range(64)])
    truth = last_input_walk(model, 400_000, 0)
    error = values.mean() - truth.value
    assert abs(error) < 4 * math.hypot(values.std() / 8, truth.std)


def test_it_beats_random_sampling_more_with_more_points():
    model = zoo_2nd_argmax(16, 10)
    truth = sampling(model, 2**21, 0).value
    ratios = []
    for points in (64, 1024):
        estimates = [pair_leaves(model, points, scramble) for scramble in range(24)]
        error = np.mean([(estimate.value - truth) ** 2 for estimate in estimates])
        ratios.append(error * estimates[0].operations / 2880 / (truth * (1 - truth)))
    assert ratios[1] < ratios[0] < 0.8
    assert ratios[1] < 0.4


def test_as_a_sampler_it_has_the_next_power_of_two_of_points():
    model = zoo_2nd_argmax(4, 6)
    sampled = sampled_pair_leaves(model, 5 * 100, 7)
    rule = pair_leaves(model, 128, 7)
    assert (sampled.value, sampled.operations) == (rule.value, rule.operations)
    assert sampled.runs_network == "random inputs"
    assert sampled_pair_leaves(model, 1, 0).operations == pair_leaves(model, 1, 0).operations


def test_what_it_is_not_for_is_refused():
    with pytest.raises(ValueError, match="points must be a power of two, got 24"):
        pair_leaves(zoo_2nd_argmax(16, 10), 24, 0)
    with pytest.raises(ValueError, match="8 points is for 2nd-argmax models"):
        pair_leaves(zoo_2nd_argmax(4, 3), 8, 0)
    with pytest.raises(ValueError, match="8 points is for 2nd-argmax models"):
        pair_leaves(zoo_argmedian(4, 5), 8, 0)
    with pytest.raises(ValueError, match="n_samples must be at least 1"):
        sampled_pair_leaves(zoo_2nd_argmax(16, 10), 0, 0)
