import numpy as np
import pytest
import torch

from algzoo.explanations.argmedian_h16_n5.ablation import (
    ArgmedianSample,
    comparison_survival,
    median_errors,
)
from algzoo.explanations.argmedian_h16_n5.comparisons import comparisons
from algzoo.structure.features.ablation import answers_carried
from algzoo.zoo import zoo_2nd_argmax, zoo_argmedian
from algzoo.zoo.handcrafted.argmedian import least_distance_argmedian
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


def binned_rate(value, wrong, n_bins):
    """Error rate between quantiles, each bin with its lower edge."""
    edges = [np.quantile(value, k / n_bins) for k in range(n_bins + 1)]
    rates = []
    for k in range(n_bins):
        last = k == n_bins - 1
        inside = [v >= edges[k] and (last or v < edges[k + 1]) for v in value]
        rates.append(wrong[inside].mean())
    return edges, rates


@pytest.mark.parametrize(("n", "n_bins"), [(3, 1), (4, 7), (5, 3), (5, None)])
def test_errors_by_gaps_are_counted_one_by_one(n, n_bins):
    model = type(zoo_argmedian(4, 5))(4, n)
    model.task_name = "argmedian"
    with torch.no_grad():
        generator = torch.Generator().manual_seed(n)
        for weight in model.parameters():
            weight.normal_(generator=generator)
    own = ArgmedianSample.of(model, 400, seed=n)
    found = median_errors(own, n_bins) if n_bins else median_errors(own)
    n_bins = n_bins or 20  # what it is where nothing is said
    x, wrong = own.x, own.given(own.last) != own.answer
    middle = x[np.arange(400), own.answer]
    above = np.array([min(v for v in row if v > m) for row, m in zip(x, middle, strict=True)])
    below = np.array([max(v for v in row if v < m) for row, m in zip(x, middle, strict=True)])
    for binned, value in (
        (found.by_gap_above, above - middle),
        (found.by_gap_below, middle - below),
        (found.by_nearest, np.minimum(above - middle, middle - below)),
    ):
        edges, rates = binned_rate(value, wrong, n_bins)
        np.testing.assert_allclose(binned.edges, edges)
        np.testing.assert_allclose(binned.rate, rates)
    for i in range(n):
        for j in range(n):
            for table, other in ((found.above, above), (found.below, below)):
                there = (x[:, i] == middle) & (x[:, j] == other)
                expected = wrong[there].mean() if there.any() else np.nan
                np.testing.assert_allclose(table[i, j], expected)
    first, second = np.divmod(own.group, n)
    np.testing.assert_array_equal(x[np.arange(400), first], middle)
    np.testing.assert_array_equal(x[np.arange(400), second], above)
    np.testing.assert_allclose(
        own.group_means(),
        [
            own.last[(middle == x[:, i]) & (above == x[:, j])].mean(axis=0)
            for i, j in zip(
                (x == middle[:, None]).argmax(axis=1),
                (x == above[:, None]).argmax(axis=1),
                strict=True,
            )
        ],
    )


def test_noise_is_as_large_as_the_error_of_the_comparison(sample):
    chosen = [comparisons(sample)[i] for i in (5, 0, 3)]
    for seed in (0, 1):
        found = comparison_survival(sample, iter(chosen), seed=seed)
        rng = np.random.default_rng(seed)
        for comparison in chosen:
            last = sample.last.copy()
            error = comparison.values(sample.x) - last[:, comparison.neuron]
            size = np.sqrt((error**2).mean() - error.mean() ** 2)
            last[:, comparison.neuron] += size * rng.standard_normal(N_INPUTS)
            assert found.one_with_noise[comparison.neuron] == sample.accuracy(last)
        assert list(found.one) == [5, 0, 3]
        assert found.intact == sample.accuracy(sample.last)


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
    with pytest.raises(ValueError, match="at least 3, got 2"):
        median_errors(ArgmedianSample.of(least_distance_argmedian(2), 8, seed=0))
