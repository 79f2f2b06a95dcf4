import math

import numpy as np
import pytest
from scipy import special, stats

from algzoo.estimates.many_inputs.exact_last_input import operations_of_prefixes, right_after
from algzoo.estimates.many_inputs.folded_classes import (
    folded_classes,
    prefixes_of,
    sampled_folded_classes,
)
from algzoo.estimates.samplers.walk import last_input_walk
from algzoo.structure import weights_of
from algzoo.zoo import zoo_2nd_argmax, zoo_argmedian


@pytest.mark.parametrize(
    ("task_name", "m"), [("2nd_argmax", 4), ("2nd_argmax", 9), ("argmedian", 6)]
)
def test_inputs_follow_the_normal_law(task_name, m):
    inputs, weight = prefixes_of(task_name, m, 2**14, 0, 1.0)
    assert (weight == 1).all()
    for position in inputs:
        assert stats.kstest(position, "norm").statistic < 0.01
    assert np.abs(np.corrcoef(inputs) - np.eye(m)).max() < 0.02
    assert np.abs(np.corrcoef(inputs**2) - np.eye(m)).max() < 0.03


@pytest.mark.parametrize(("task_name", "m"), [("2nd_argmax", 5), ("argmedian", 4)])
def test_weights_make_up_for_clustering(task_name, m):
    inputs, weight = prefixes_of(task_name, m, 2**14, 0, 2.0)
    assert weight.mean() == pytest.approx(1, abs=0.01)
    for position in inputs:
        assert np.mean(weight * position) == pytest.approx(0, abs=0.03)
        assert np.mean(weight * position**2) == pytest.approx(1, abs=0.05)


def test_clustering_brings_levels_together():
    for task_name, m, ranks in [("2nd_argmax", 9, [-3, -2, -1]), ("argmedian", 4, [1, 2])]:
        near = []
        for clustering in (1.0, 2.0):
            inputs, _ = prefixes_of(task_name, m, 2**12, 0, clustering)
            levels = special.ndtr(np.sort(inputs, axis=0)[ranks])
            near.append((np.diff(levels, axis=0) < 1e-3).mean())
        assert near[1] > 3 * near[0]


@pytest.mark.parametrize("n", [4, 10])
def test_every_class_is_visited_equally(n):
    inputs, _ = prefixes_of("2nd_argmax", n - 1, 504 * 64, 0, 1.0)
    triples = np.argsort(inputs, axis=0)[-3:]
    _, visits = np.unique(triples, axis=1, return_counts=True)
    n_classes = (n - 1) * (n - 2) * (n - 3)
    assert len(visits) == n_classes
    assert visits == pytest.approx(504 * 64 / n_classes, abs=4)


@pytest.mark.parametrize("clustering", [1.0, 1.75])
@pytest.mark.parametrize(
    "model", [zoo_2nd_argmax(4, 4), zoo_2nd_argmax(16, 10), zoo_argmedian(16, 5)]
)
def test_the_mean_over_scrambles_is_the_accuracy(model, clustering):
    values = np.array([folded_classes(model, 64, s, clustering).value for s in range(128)])
    truth = last_input_walk(model, 200_000, 0)
    spread = math.hypot(values.std() / math.sqrt(len(values)), truth.std)
    assert abs(values.mean() - truth.value) < 4 * spread


def test_clustering_helps_a_good_network():
    model = zoo_2nd_argmax(32, 5)
    truth = last_input_walk(model, 1_000_000, 0).value
    errors = [
        np.mean([(folded_classes(model, 256, s, q).value - truth) ** 2 for s in range(32)])
        for q in (1.0, 1.75)
    ]
    assert errors[1] < errors[0] / 1.5


def test_operations_are_those_of_prefixes_and_walks():
    model = zoo_2nd_argmax(16, 10)
    weights = weights_of(model)
    inputs, _ = prefixes_of("2nd_argmax", 9, 100, 3, 1.0)
    right, met = right_after(weights, inputs, 1)
    estimate = folded_classes(model, 100, 3)
    assert estimate.value == pytest.approx(right.mean(), abs=1e-14)
    assert estimate.operations == operations_of_prefixes(weights, met)
    assert estimate.transcendental == met.normal_probabilities
    assert estimate.runs_network == "chosen inputs"
    inputs, _ = prefixes_of("2nd_argmax", 9, 100, 3, 1.75)
    _, met = right_after(weights, inputs, 1)
    sampled = sampled_folded_classes(model, 100, 3)
    assert sampled.operations == operations_of_prefixes(weights, met) + 200
    assert sampled.runs_network == "random inputs"
    small = zoo_2nd_argmax(4, 6)
    assert sampled_folded_classes(small, 64, 1).value == folded_classes(small, 64, 1).value


def test_what_it_is_not_for_is_refused():
    with pytest.raises(ValueError, match=r"clustering must be at least 1, got 0\.5"):
        folded_classes(zoo_2nd_argmax(16, 10), 8, 0, 0.5)
    with pytest.raises(ValueError, match="not for DistRNN of argmedian with seq_len 3"):
        folded_classes(zoo_argmedian(4, 3), 8, 0)
