import hashlib
import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from algzoo.estimates import sampling
from algzoo.estimates.samplers import random_inputs as module
from algzoo.estimates.samplers.random_inputs import gaussian_inputs, uniform_inputs
from algzoo.zoo import zoo_2nd_argmax, zoo_longest_cycle, zoo_median


def stream(seed):
    return np.random.SeedSequence(seed)


def digest(array):
    return hashlib.sha256(array.astype(array.dtype.newbyteorder("<"))).hexdigest()[:16]


def quantiles(whole):
    """What is made of whole numbers from -2^31 to 2^31 - 1, float64, and what it should be."""
    whole = np.resize(whole, -(-len(whole) // 256) * 256)
    numbers = np.empty(len(whole))
    module._gaussian(whole.astype(np.int32).view(np.uint32), numbers)
    size = np.where(whole >= 0, whole, -whole - 1)
    return numbers, np.where(whole >= 0, -1, 1) * ndtri((2.0**31 - 0.5 - size) / 2.0**32)


def test_numbers_are_quantiles_of_the_normal_distribution():
    rng = np.random.default_rng(0)
    powers = 2 ** rng.uniform(0, 31, 100_000)
    near_zero, far = powers.astype(np.int64), 2**31 - powers.astype(np.int64)
    ends = [0, 1, 2, 2**31 - 1, 2**31 - 2, 2**31 - 3]
    whole = np.concatenate([near_zero, far, rng.integers(0, 2**31, 200_000), ends])
    for signed in (whole, -whole - 1):
        found, expected = quantiles(np.clip(signed, -(2**31), 2**31 - 1))
        np.testing.assert_allclose(found, expected, rtol=5e-7)


def test_the_largest_number_is_that_of_32_bits():
    found, _ = quantiles(np.array([2**31 - 1, -(2**31)]))
    assert found.max() == pytest.approx(-ndtri(2.0**-33), rel=1e-6)
    assert found.max() < 6.4
    assert found.min() == -found.max()


@pytest.mark.parametrize("number_type", [np.float32, np.float64])
def test_distribution_is_standard_normal(number_type):
    x = gaussian_inputs((8, 2**17), stream(1), number_type)
    assert (x.shape, x.dtype) == ((8, 2**17), number_type)
    assert stats.kstest(x.ravel(), "norm").pvalue > 1e-3
    for power, moment in ((1, 0), (2, 1), (3, 0), (4, 3), (6, 15)):
        values = x.astype(float) ** power
        assert abs(values.mean() - moment) < 4 * values.std() / math.sqrt(x.size)
    assert np.abs(np.corrcoef(x) - np.eye(8)).max() < 4 / math.sqrt(2**17)


def test_both_types_have_the_same_numbers_but_for_rounding():
    one, other = (gaussian_inputs((3, 2**14), stream(2), t) for t in (np.float32, np.float64))
    np.testing.assert_allclose(one, other, rtol=2e-7)
    assert len(np.unique(other)) == other.size


def test_streams_differ():
    one, other = (gaussian_inputs((2, 2**14), stream(seed), np.float64) for seed in (3, 4))
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / math.sqrt(one.size)


@pytest.mark.parametrize("n_tokens", [1, 2, 3, 6, 10])
def test_tokens_are_equally_probable(n_tokens):
    x = uniform_inputs((3, 2**14), stream(5), n_tokens)
    assert x.shape == (3, 2**14)
    counts = np.bincount(x.ravel(), minlength=n_tokens)
    assert len(counts) == n_tokens
    if n_tokens > 1:
        assert stats.chisquare(counts).pvalue > 1e-3


def test_numbers_are_the_same_bits_on_every_machine():
    assert digest(gaussian_inputs((4, 2**12), stream(6), np.float32)) == "ca4856e5846fa2e7"
    assert digest(gaussian_inputs((4, 2**12), stream(6), np.float64)) == "3f41364294360242"
    assert digest(uniform_inputs((4, 2**12), stream(6), 6)) == "4e5c2f47f8b42c08"


def test_samples_are_counted_alike_on_every_machine():
    """In float32, where the last bits of the inputs and of the outputs decide on some answers."""
    n = 2**20
    assert sampling(zoo_2nd_argmax(16, 10, seed=2), n, seed=0).value * n == 995_197
    assert sampling(zoo_2nd_argmax(2, 2, seed=2), n, seed=0).value * n == 1_048_484
    assert sampling(zoo_median(8, 3, seed=0), n, seed=0).value == 1.904758211089937e-11
    assert sampling(zoo_longest_cycle(4, 4, seed=0), 2**14, seed=0).value * 2**14 == 14_600
