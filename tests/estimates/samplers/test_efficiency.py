import copy
import math

import numpy as np
import pytest

from algzoo.estimates import Estimate, sampling
from algzoo.estimates.samplers.efficiency import efficiency, samples_at
from algzoo.estimates.samplers.second_argmax import stratified_sobol
from algzoo.estimates.samplers.tree import tree
from algzoo.zoo import zoo_2nd_argmax


@pytest.fixture(scope="module")
def models():
    return [zoo_2nd_argmax(4, 3, seed=seed) for seed in range(4)]


@pytest.fixture(scope="module")
def accuracies(models):
    return [sampling(model, 2**20, seed=10**6).value for model in models]


def faked(models, accuracies, variance_ratio, price_ratio=1):
    """A sampler of known efficiency."""
    of = dict(zip(map(id, models), accuracies, strict=True))

    def sampler(model, n_samples, seed):
        a = of[id(model)]
        std = math.sqrt(variance_ratio * a * (1 - a) / n_samples)
        error = std * np.random.default_rng(seed).standard_normal()
        return Estimate(a + error, 72 * price_ratio * n_samples, "random inputs")

    return sampler


@pytest.mark.parametrize(
    ("variance_ratio", "price_ratio", "expected"), [(1, 1, 1), (0.25, 1, 4), (0.5, 4, 0.5)]
)
def test_a_known_efficiency_is_found(models, accuracies, variance_ratio, price_ratio, expected):
    sampler = faked(models, accuracies, variance_ratio, price_ratio)
    found = efficiency(sampler, models, accuracies, 72_000, repeats=500, seed=0)
    assert found.n_samples == 1000 / price_ratio
    assert found.value == pytest.approx(expected, rel=4 * math.sqrt(2 / 2000))


def test_std_is_the_spread(models, accuracies):
    many, of_many = [copy.copy(model) for model in models * 10], accuracies * 10
    sampler = faked(many, of_many, 1)
    found = [efficiency(sampler, many, of_many, 7200, repeats=5, seed=1000 * i) for i in range(100)]
    spread = np.std([one.value for one in found])
    stated = np.sqrt(np.mean([one.std**2 for one in found]))
    assert stated == pytest.approx(spread, rel=4 / math.sqrt(2 * 100))


def test_what_is_worth_doing(models, accuracies):
    for sampler in (tree, stratified_sobol):
        found = efficiency(sampler, models, accuracies, 72 * 600, repeats=100, seed=0)
        assert found.value > 1 + 4 * math.sqrt(2 / 400)  # not by chance


def test_samples_for_a_budget(models):
    assert samples_at(sampling, models[0], 72 * 180) == 180
    n_samples = samples_at(tree, models[0], 72 * 1000)
    assert tree(models[0], n_samples, 0).operations == pytest.approx(72 * 1000, rel=0.01)
    with pytest.raises(ValueError, match="3 operations are too few for a single sample"):
        samples_at(sampling, models[0], 3)


def test_models_and_accuracies_must_fit(models, accuracies):
    for some, of_some in [(models, accuracies[:2]), (models[:1], accuracies[:1])]:
        with pytest.raises(ValueError, match="at least two models and the accuracy of each"):
            efficiency(sampling, some, of_some, 7200, repeats=2, seed=0)
