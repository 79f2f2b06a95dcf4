import itertools
import math

import pytest

from algzoo.estimates import sampling
from algzoo.estimates.samplers.zoo_scores import SAMPLE_SEED, best_of, measure_all, scores, sizes
from algzoo.zoo import FAMILIES, measured_scores, zoo_2nd_argmax, zoo_longest_cycle, zoo_median


def test_sizes_are_116_and_differ():
    listed = [(family.name, hidden_size, seq_len) for family, hidden_size, seq_len in sizes()]
    assert len(set(listed)) == len(listed) == 116


def test_accuracies_are_sampled_on_the_same_inputs():
    models = [zoo_2nd_argmax(2, 2, seed=seed) for seed in (1, 3)]
    expected = [sampling(model, 1000, SAMPLE_SEED).value for model in models]
    assert scores(models, 1000) == expected


def test_errors_of_median_are_root_mean_squares():
    model = zoo_median(2, 3, seed=3)
    assert scores([model], 1000) == [math.sqrt(sampling(model, 1000, SAMPLE_SEED).value)]


def test_longest_cycle_is_scored_on_every_function():
    model = zoo_longest_cycle(2, 3)
    functions = list(itertools.product(range(3), repeat=3))
    assert scores([model], 1)[0] * len(functions) == pytest.approx(26, abs=1e-9)


def test_all_sizes_are_measured_in_order():
    family, hidden_size, seq_len, measured = next(measure_all(500))
    assert (family.name, hidden_size, seq_len) == ("2nd_argmax", 2, 2)
    assert measured == scores([zoo_2nd_argmax(2, 2, seed=seed) for seed in range(5)], 500)


@pytest.mark.parametrize(
    ("hidden_size", "seq_len"), [size for size in FAMILIES["longest_cycle"].sizes() if size[1] < 6]
)
def test_recorded_scores_of_longest_cycle_are_exact(hidden_size, seq_len):
    recorded = measured_scores()[f"longest_cycle_{hidden_size}_{seq_len}"]["scores"]
    models = [zoo_longest_cycle(hidden_size, seq_len, seed=seed) for seed in range(5)]
    assert scores(models, 1) == recorded


@pytest.mark.parametrize(
    ("family", "best"), [("2nd_argmax", 1), ("argmedian", 1), ("median", 2), ("longest_cycle", 1)]
)
def test_best_is_the_first_highest_accuracy_or_least_error(family, best):
    assert best_of(FAMILIES[family], [0.5, 0.9, 0.1, 0.9, 0.1]) == best
