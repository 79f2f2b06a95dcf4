import copy
import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from algzoo.estimates import Estimate, exact, sampling
from algzoo.estimates.baselines import samplers_for
from algzoo.estimates.samplers.forward import has_larger, readouts
from algzoo.estimates.samplers.second_argmax import (
    _second_largest,
    antithetic,
    constant,
    prior_shrunk,
    sobol,
    stratified,
    stratified_sobol,
)
from algzoo.structure import weights_of
from algzoo.zoo import DistRNN, ScalarRNN, zoo_2nd_argmax

OURS = samplers_for(zoo_2nd_argmax(2, 2))  # those that take every size
del OURS["iid"]


def noisy(d, n, sd, seed=1):
    model = copy.deepcopy(zoo_2nd_argmax(d, n))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += sd * torch.randn(parameter.shape, generator=generator)
    return model


@pytest.fixture(scope="module")
def with_truth():
    """Noisy models, each with its accuracy and the standard error of that."""
    models = {(2, 2): noisy(2, 2, 0.1), (4, 3): noisy(4, 3, 0.1), (16, 10): noisy(16, 10, 0.005)}
    truths = {size: exact(models[size]) for size in [(2, 2), (4, 3)]}
    truths[16, 10] = sampling(models[16, 10], 2**22, seed=10**6)
    return {size: (models[size], truths[size].value, truths[size].std) for size in models}


# Numbers of samples that fit no stratum, power of two or tree, too.
@pytest.mark.parametrize(
    ("size", "n_samples", "repeats"), [((2, 2), 101, 300), ((4, 3), 250, 300), ((16, 10), 300, 200)]
)
@pytest.mark.parametrize("name", OURS)
def test_unbiased(with_truth, name, size, n_samples, repeats):
    model, truth, std = with_truth[size]
    values = [OURS[name](model, n_samples, seed).value for seed in range(repeats)]
    error = math.hypot(np.std(values, ddof=1) / math.sqrt(repeats), std)
    assert abs(np.mean(values) - truth) < 4 * error


@pytest.mark.parametrize("name", ["antithetic", "Sobol", "stratified", "stratified Sobol"])
def test_samples_cost_what_arc_says(name):
    for (d, n), price in {(2, 2): 16, (4, 3): 72, (16, 10): 2880}.items():
        estimate = OURS[name](zoo_2nd_argmax(d, n), 77, 0)
        assert estimate.operations == 77 * price
        assert estimate.value * 77 == pytest.approx(round(estimate.value * 77))


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_few_samples(name, n_samples):
    for size in ((2, 2), (4, 3), (16, 10)):
        estimate = OURS[name](zoo_2nd_argmax(*size), n_samples, 3)
        assert 0 <= estimate.value <= 1
        assert estimate.std is None or estimate.std > 0


@pytest.mark.parametrize("name", OURS)
def test_global_random_states_are_left_alone(name):
    model = zoo_2nd_argmax(4, 3)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    OURS[name](model, 50, 3)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


@pytest.mark.parametrize(("sampler", "n_samples"), [(antithetic, 400), (stratified, 360)])
def test_std_is_the_spread_over_seeds(with_truth, sampler, n_samples):
    model, _, _ = with_truth[4, 3]
    estimates = [sampler(model, n_samples, seed) for seed in range(600)]
    spread = np.std([estimate.value for estimate in estimates], ddof=1)
    stated = math.sqrt(np.mean([estimate.std**2 for estimate in estimates]))
    assert stated == pytest.approx(spread, rel=4 / math.sqrt(2 * 600))


def test_std_is_stated_only_where_it_is_right():
    model = zoo_2nd_argmax(4, 3)
    assert antithetic(model, 401, 0).std is None
    assert antithetic(model, 2, 0).std is None
    assert stratified(model, 361, 0).std is None
    assert stratified(model, 6, 0).std is None
    perfect = zoo_2nd_argmax(2, 2)
    assert antithetic(perfect, 20, 0).value == 1
    assert antithetic(perfect, 20, 0).std is None  # not 0
    assert stratified(perfect, 20, 0).std is None
    for sampler in (sobol, stratified_sobol):
        assert sampler(model, 64, 0).std is None


def inputs_of(sampler, monkeypatch, seq_len, n_samples, seed=0):
    """The inputs that a sampler gives to a model, shape (seq_len, n_samples)."""
    seen = []

    def spy(weights, x, n_larger):
        seen.append(x)
        return np.ones(x.shape[1], bool)

    monkeypatch.setattr("algzoo.estimates.samplers.second_argmax.answers_right", spy)
    sampler(DistRNN(2, seq_len), n_samples, seed)
    return seen[0]


def test_antithetic_pairs(monkeypatch):
    x = inputs_of(antithetic, monkeypatch, 4, 10)
    assert (x[:, 0::2] == -x[:, 1::2]).all()


@pytest.mark.parametrize("sampler", [sobol, antithetic, stratified, stratified_sobol])
def test_inputs_are_standard_gaussian_in_every_position(monkeypatch, sampler):
    n = 4096
    x = inputs_of(sampler, monkeypatch, 5, n)
    assert np.isfinite(x).all()
    for row in x:
        assert stats.kstest(row, "norm").pvalue > 1e-4
    assert np.abs(np.corrcoef(x) - np.eye(5)).max() < 5 / math.sqrt(n)
    largest = np.bincount(x.argmax(axis=0), minlength=5)
    assert stats.chisquare(largest).pvalue > 1e-4
    third = np.bincount(x.argsort(axis=0)[-3], minlength=5)
    assert stats.chisquare(third).pvalue > 1e-4


@pytest.mark.parametrize("sampler", [stratified, stratified_sobol])
@pytest.mark.parametrize(("seq_len", "n_samples"), [(2, 10), (3, 12), (5, 64), (10, 180)])
def test_pairs_of_positions_are_balanced(monkeypatch, sampler, seq_len, n_samples):
    x = inputs_of(sampler, monkeypatch, seq_len, n_samples)
    order = x.argsort(axis=0)
    pairs = order[-1] * seq_len + order[-2]
    counts = np.bincount(pairs, minlength=seq_len**2).reshape(seq_len, seq_len)
    assert (counts.diagonal() == 0).all()
    others = counts[~np.eye(seq_len, dtype=bool)]
    assert others.max() - others.min() <= 1
    assert others.sum() == n_samples


@pytest.mark.parametrize("sampler", [stratified, stratified_sobol])
def test_magnitudes_are_those_of_order_statistics(monkeypatch, sampler):
    x = np.sort(inputs_of(sampler, monkeypatch, 10, 9000), axis=0)
    # E of the two largest of ten, and of the sum of all
    assert x[-1].mean() == pytest.approx(1.53875, abs=4 * x[-1].std() / math.sqrt(9000))
    assert x[-2].mean() == pytest.approx(1.00136, abs=4 * x[-2].std() / math.sqrt(9000))
    assert stats.kstest(stats.norm.cdf(x[-2]), stats.beta(9, 2).cdf).pvalue > 1e-4


@pytest.mark.parametrize("n", [2, 3, 4, 10, 32])
def test_the_quantiles_of_the_second_largest_are_those_of_a_beta_variable(n):
    ends = [2**-31, 2**-30, 0.5, 1 - 2**-30, 1 - 2**-31]
    u = np.concatenate([ends, np.random.default_rng(0).random(1000)])
    np.testing.assert_allclose(_second_largest(u, n), special.betaincinv(n - 1, 2, u), atol=1e-10)


def test_sobol_points_are_balanced(monkeypatch):
    x = inputs_of(sobol, monkeypatch, 3, 64)
    for row in x:
        assert sorted(np.floor(stats.norm.cdf(row) * 64)) == list(range(64))


def test_forward_passes_are_the_models(with_truth):
    model, _, _ = with_truth[16, 10]
    x = np.random.default_rng(0).standard_normal((10, 300))
    with torch.no_grad():
        expected = model.double()(torch.from_numpy(x.T)).numpy().T
    np.testing.assert_allclose(readouts(weights_of(model), x), expected, rtol=1e-10, atol=1e-10)
    assert has_larger(x, x.argsort(axis=0)[-2], 1).all()
    for place in (-1, -3, 0):
        assert not has_larger(x, x.argsort(axis=0)[place], 1).any()


def test_shrinking_in_closed_form():
    model, n = zoo_2nd_argmax(4, 3), 50
    mean, variance = 0.9, 0.002
    sampled = sampling(model, n, seed=3)
    estimate = prior_shrunk(model, n, 3, mean=mean, variance=variance)
    within = mean * (1 - mean) - variance
    # The mean of two independent sources, weighted by their precisions.
    precisions = np.array([1 / variance, n / within])
    assert estimate.value == pytest.approx(np.average([mean, sampled.value], weights=precisions))
    assert estimate.std == pytest.approx(precisions.sum() ** -0.5)
    assert estimate.operations == sampled.operations


def test_shrinking_has_the_expected_error_over_its_population(monkeypatch):
    rng = np.random.default_rng(0)
    a, b, n, repeats = 30.0, 6.0, 40, 20_000
    population = stats.beta(a, b)
    accuracies = population.rvs(repeats, random_state=rng)
    sampled = iter(rng.binomial(n, accuracies) / n)
    monkeypatch.setattr(
        "algzoo.estimates.samplers.second_argmax.sampling",
        lambda model, n_samples, seed: Estimate(next(sampled), 72 * n_samples, "random inputs"),
    )
    model, mean, variance = zoo_2nd_argmax(4, 3), population.mean(), population.var()
    estimates = [prior_shrunk(model, n, i, mean=mean, variance=variance) for i in range(repeats)]
    errors = (np.array([estimate.value for estimate in estimates]) - accuracies) ** 2
    # Under a beta prior the posterior mean is linear: nothing that knows the prior does better.
    expected = 1 / (1 / variance + n / population.expect(lambda p: p * (1 - p)))
    assert expected == pytest.approx(population.expect(lambda p: p * (1 - p)) / (a + b + n))
    assert estimates[0].std == pytest.approx(math.sqrt(expected))
    assert abs(errors.mean() - expected) < 4 * errors.std() / math.sqrt(repeats)


def test_a_prior_without_spread_is_the_answer():
    model = zoo_2nd_argmax(4, 3)
    assert prior_shrunk(model, 10, 0, mean=0.7, variance=0).value == 0.7
    assert prior_shrunk(model, 10, 0, mean=1, variance=0).value == 1
    free = prior_shrunk(model, 10, 0, mean=0.5, variance=0.25)  # all accuracies are 0 or 1
    assert free.value == pytest.approx(sampling(model, 10, 0).value)


@pytest.mark.parametrize(("mean", "variance"), [(0.9, 0.1), (1.1, 0), (0.5, -0.1), (-0.1, 0)])
def test_an_impossible_prior_is_refused(mean, variance):
    with pytest.raises(ValueError, match="Accuracies with mean"):
        prior_shrunk(DistRNN(4, 3), 10, 0, mean=mean, variance=variance)


def test_an_error_is_not_shrunk():
    with pytest.raises(
        ValueError,
        match="prior-shrunk sampling is for 2nd-argmax, argmedian and",
    ):
        prior_shrunk(ScalarRNN(4, 3), 10, 0, mean=0.9, variance=0.01)


def test_constant():
    estimate = constant(0.75)(DistRNN(4, 3))
    assert (estimate.value, estimate.operations, estimate.std) == (0.75, 1, None)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        constant(1.5)
