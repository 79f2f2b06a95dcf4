import math

import pytest

from algzoo.estimates import sampling
from algzoo.estimates.zoo_scores import SAMPLE_SEED, best_of, measure_all, measure_size, sizes
from algzoo.zoo import FAMILIES, zoo_2nd_argmax, zoo_median


def test_sizes_are_96_and_differ():
    listed = [(family.name, hidden_size, seq_len) for family, hidden_size, seq_len in sizes()]
    assert len(set(listed)) == len(listed) == 96


def test_accuracies_are_sampled_on_the_same_inputs():
    models = [zoo_2nd_argmax(2, 2, seed=seed) for seed in range(5)]
    expected = [sampling(model, 1000, SAMPLE_SEED).value for model in models]
    assert measure_size(FAMILIES["2nd_argmax"], 2, 2, 1000) == expected


def test_errors_of_median_are_root_mean_squares():
    errors = measure_size(FAMILIES["median"], 2, 3, 1000)
    squares = [sampling(zoo_median(2, 3, seed=s), 1000, SAMPLE_SEED).value for s in range(5)]
    assert errors == pytest.approx([math.sqrt(square) for square in squares])


def test_all_sizes_are_measured_under_their_names():
    name, scores = next(measure_all(500))
    assert name == "2nd_argmax_2_2"
    assert scores == measure_size(FAMILIES["2nd_argmax"], 2, 2, 500)


@pytest.mark.parametrize(
    ("family", "best"), [("2nd_argmax", 1), ("argmedian", 1), ("median", 2), ("median_4_3", 2)]
)
def test_best_is_the_first_highest_accuracy_or_least_error(family, best):
    assert best_of(family, [0.5, 0.9, 0.1, 0.9, 0.1]) == best
