import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from algzoo.estimates import sampling
from algzoo.zoo import (
    DistRNN,
    DistTransformer,
    ScalarRNN,
    handcrafted_2nd_argmax,
    zoo_2nd_argmax,
    zoo_argmedian,
)


def without_weights(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    return model


def test_result_depends_on_samples_and_seed_only():
    model = zoo_2nd_argmax(4, 3)
    torch.manual_seed(1)
    first = sampling(model, 100_000, seed=7)
    torch.manual_seed(2)
    assert sampling(model, 100_000, seed=7) == first
    assert sampling(model, 100_000, seed=8).value != first.value
    assert sampling(model, 99_999, seed=7) != first


def test_global_random_state_is_left_alone():
    model = zoo_2nd_argmax(4, 3)
    before = torch.get_rng_state()
    sampling(model, 1000, seed=7)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("n_samples", [1, 1000, 2**16, 2**16 + 1, 200_000])
def test_every_sample_is_counted_once(n_samples):
    estimate = sampling(zoo_2nd_argmax(2, 2), n_samples, seed=0)
    assert estimate.operations == 16 * n_samples
    assert estimate.value * n_samples == pytest.approx(round(estimate.value * n_samples), abs=1e-6)
    assert 0.99 <= estimate.value <= 1


def test_std_of_an_accuracy_is_binomial():
    estimate = sampling(zoo_2nd_argmax(4, 3), 70_000, seed=0)
    p = estimate.value
    assert 0.98 < p < 0.99
    assert estimate.std == pytest.approx(math.sqrt(p * (1 - p) / 70_000), rel=1e-6)
    assert estimate.tier == "D"


def test_std_is_the_spread_over_seeds():
    model = zoo_argmedian(8, 5)
    estimates = [sampling(model, 500, seed) for seed in range(400)]
    spread = np.std([estimate.value for estimate in estimates], ddof=1)
    assert np.mean([estimate.std for estimate in estimates]) == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize(("sign", "value"), [(1, 1.0), (-1, 0.0)])
def test_all_samples_alike_leave_a_doubt_of_one_in_n(sign, value):
    model = handcrafted_2nd_argmax(2)
    with torch.no_grad():
        model.linear.weight *= sign
    for n in (100, 10_000):
        estimate = sampling(model, n, seed=0)
        assert estimate.value == value
        assert 0.9 / n < estimate.std < 1.1 / n


def test_median_gives_the_mean_squared_error():
    # Of two numbers the median is the mean, of variance 1/2; its square has variance 2 (1/2)^2.
    n = 200_000
    estimate = sampling(without_weights(ScalarRNN(2, 2)), n, seed=0)
    assert estimate.std == pytest.approx(math.sqrt(0.5 / n), rel=0.02)
    assert abs(estimate.value - 0.5) < 4 * estimate.std


def test_argmedian_is_scored_on_its_own_task():
    # Without weights the answer is always 0, right for one position in five.
    model = without_weights(zoo_argmedian(8, 5))
    estimate = sampling(model, 100_000, seed=0)
    assert abs(estimate.value - 1 / 5) < 4 * estimate.std


def test_argmedian_of_three_is_2nd_argmax_of_three():
    argmedian, second = zoo_argmedian(4, 3, seed=0), zoo_2nd_argmax(4, 3, seed=0)
    assert sampling(argmedian, 10_000, seed=0) == sampling(second, 10_000, seed=0)


def test_longest_cycle_is_sampled_over_all_functions(shared):
    model = without_weights(DistTransformer(2, 3))  # always says length 1, right for 16 of 27
    estimate = sampling(model, 100_000, seed=0)
    assert abs(estimate.value - 16 / 27) < 4 * estimate.std
    path = shared / "data" / "official" / "longest_cycle_2_3_1073741824_0.safetensors"
    model = DistTransformer(2, 3, n_layers=2)
    model.load_state_dict(load_file(path))
    assert sampling(model, 10_000, seed=0).value == 1.0


def test_model_is_run_in_its_own_number_type():
    model = zoo_2nd_argmax(2, 2)
    assert abs(sampling(model.double(), 2**16, seed=0).value - 0.99992) < 2e-4
    assert model.dtype == torch.float64


@pytest.mark.parametrize("n_samples", [0, -1])
def test_no_samples_are_refused(n_samples):
    with pytest.raises(ValueError, match=f"n_samples must be at least 1, got {n_samples}"):
        sampling(DistRNN(2, 2), n_samples, seed=0)
