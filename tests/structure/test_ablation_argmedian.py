import numpy as np
import pytest
import torch

from algzoo.structure.ablation import answers_carried
from algzoo.structure.ablation_argmedian import (
    ArgmedianSample,
    comparison_survival,
    median_errors,
)
from algzoo.structure.comparisons import comparisons
from algzoo.zoo import zoo_2nd_argmax, zoo_argmedian
from algzoo.zoo.handcrafted_argmedian import least_distance_argmedian
from algzoo.zoo.tasks import task_argmedian

N_INPUTS = 2**12


@pytest.fixture(scope="module")
def sample():
    return ArgmedianSample.of(zoo_argmedian(8, 5, seed=2), N_INPUTS, seed=3)


def test_sample_is_the_model_on_gaussian_inputs(sample):
    model, x = zoo_argmedian(8, 5, seed=2).double(), torch.tensor(sample.x)
    np.testing.assert_array_equal(sample.answer, task_argmedian(x))
    with torch.no_grad():
        answers = model(x).argmax(-1)
    np.testing.assert_array_equal(sample.given(sample.last), answers)
    assert sample.accuracy(sample.last) == (answers == task_argmedian(x)).double().mean()


def test_answers_of_an_even_number():
    model = zoo_argmedian(4, 5)
    model = type(model)(4, 4)
    model.task_name = "argmedian"
    even = ArgmedianSample.of(model, 64, seed=0)
    np.testing.assert_array_equal(even.answer, task_argmedian(torch.tensor(even.x)))


def test_errors_by_brute_force(sample):
    found = median_errors(sample, n_bins=4)
    x, given = sample.x, sample.given(sample.last)
    ordered = np.sort(x, axis=1)
    wrong = x[np.arange(len(x)), given] != ordered[:, 2]
    assert found.rate == wrong.mean()
    for position in range(5):
        there = x[:, position] == ordered[:, 2]
        assert found.by_position[position] == pytest.approx(wrong[there].mean())
        for other in range(5):
            for table, rank in ((found.above, 3), (found.below, 1)):
                both = there & (x[:, other] == ordered[:, rank])
                if both.any():
                    assert table[position, other] == pytest.approx(wrong[both].mean())
                else:
                    assert np.isnan(table[position, other])
    answered = [np.mean(x[np.arange(len(x)), given] == ordered[:, 4 - k]) for k in range(5)]
    np.testing.assert_allclose(found.answered_rank, answered)
    gap = np.minimum(ordered[:, 3] - ordered[:, 2], ordered[:, 2] - ordered[:, 1])
    nearest = gap <= found.by_nearest.edges[1]
    assert found.by_nearest.rate[0] == pytest.approx(wrong[nearest].mean(), abs=2e-3)
    assert found.by_gap_above.rate.mean() == pytest.approx(found.rate, abs=1e-3)
    assert found.by_gap_below.rate.mean() == pytest.approx(found.rate, abs=1e-3)


def test_exact_comparisons_change_nothing():
    model = least_distance_argmedian(5, dtype=torch.float64)
    own = ArgmedianSample.of(model, N_INPUTS, seed=0)
    found = comparison_survival(own, comparisons(own), seed=0)
    assert found.intact == found.together == 1
    assert set(found.one.values()) == {1.0}
    assert found.without < 0.3


def test_replacing_one_neuron_by_hand(sample):
    chosen = comparisons(sample)[:2]
    found = comparison_survival(sample, chosen, seed=0)
    last = sample.last.copy()
    last[:, 0] = chosen[0].values(sample.x)
    assert found.one[0] == sample.accuracy(last)
    last[:, 1] = chosen[1].values(sample.x)
    assert found.together == sample.accuracy(last)
    last[:, :2] = sample.last[:, :2].mean(axis=0)
    assert found.without == sample.accuracy(last)
    assert comparison_survival(sample, [], seed=0).together == found.intact
    assert found.one_with_noise.keys() == found.one.keys() == {0, 1}


def test_answers_carried_takes_the_sample(sample):
    fall = answers_carried(sample, "zero")
    assert fall.shape == (8, 5)
    last = sample.last.copy()
    last[:, 3] = 0
    share = np.bincount(sample.answer) / len(sample.x)
    overall = sample.accuracy(sample.last) - sample.accuracy(last)
    assert fall[3] @ share == pytest.approx(overall)


def test_other_tasks_and_sizes():
    with pytest.raises(ValueError, match="argmedian model is needed, got one of 2nd_argmax"):
        ArgmedianSample.of(zoo_2nd_argmax(4, 5), 8, seed=0)
    with pytest.raises(ValueError, match="n_inputs"):
        ArgmedianSample.of(zoo_argmedian(4, 5), 0, seed=0)
    with pytest.raises(ValueError, match="n_bins"):
        median_errors(ArgmedianSample.of(zoo_argmedian(4, 5), 8, seed=0), n_bins=0)
    with pytest.raises(ValueError, match="at least 3"):
        median_errors(ArgmedianSample.of(least_distance_argmedian(2), 8, seed=0))
