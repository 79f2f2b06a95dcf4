"""Ratios of mean squared errors: every number by plain loops, and the resampling done again."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from algzoo.scoring.compute.ratios import (
    N_RESAMPLES,
    Errors,
    Truths,
    errors_of,
    ratios,
    resampled_sums,
    scrambles_of,
)
from algzoo.zoo.streams import named_stream

COST = 50  # operations of a random input


def truths_of(n, seed=0, n_bases=1, variance=0.0):
    rng = np.random.default_rng(seed)
    value = rng.uniform(0.6, 0.9, n)
    base = np.sort(rng.permutation(np.arange(n) % n_bases))
    return Truths(value, np.full(n, variance), value * (1 - value), base, COST)


def errors(n, seed, operations, scale=0.02):
    rng = np.random.default_rng([seed, 1])
    return Errors((scale * rng.standard_normal(n)) ** 2, np.full(n, float(operations)), False)


def by_hand(numbers, truths, row, sampler):
    """The three ratios over the models of these numbers, repeated as they are."""
    n = len(numbers)
    a = [float(truths.value[i]) for i in numbers]
    v = math.fsum(truths.sample_variance[i] for i in numbers) / n
    mean = math.fsum(a) / n
    spread = math.fsum((x - mean) ** 2 for x in a) / (n - 1)
    prior = max(spread - math.fsum(truths.variance[i] for i in numbers) / n, 0)
    k = math.fsum(row.operations[i] for i in numbers) / n / COST
    mse = math.fsum(row.squared[i] for i in numbers) / n
    iid = mse / (v / k)
    shrunk = mse * (1 / prior + k / v) if prior else math.nan
    sampler_k = math.fsum(sampler.operations[i] for i in numbers) / n / COST
    sampler_iid = math.fsum(sampler.squared[i] for i in numbers) / n * sampler_k / v
    return [iid, shrunk, iid / sampler_iid]


def resampled(truths, seed):
    """Numbers of models: units drawn with replacement, every model of a unit drawn with it."""
    n = len(truths.value)
    by_base = [[i for i in range(n) if truths.base[i] == base] for base in set(truths.base)]
    units = by_base if len(by_base) > 1 else [[i] for i in range(n)]
    rng = np.random.default_rng(named_stream("bootstrap", seed))
    for _ in range(N_RESAMPLES):
        drawn = rng.integers(len(units), size=len(units))
        yield list(itertools.chain.from_iterable(units[unit] for unit in drawn))


@pytest.mark.parametrize(
    ("n_bases", "variance", "seed"), [(1, 0.0, 0), (1, 0.002, 3), (2, 0, 2), (4, 0, 1)]
)
def test_ratios_and_their_intervals_by_hand(n_bases, variance, seed):
    truths = truths_of(24, n_bases=n_bases, variance=variance)
    rows = [
        (errors(24, 1, 200), errors(24, 2, 800)),
        (errors(24, 3, 5000), None),
        (errors(24, 4, 700), errors(24, 5, 300)),
    ]
    found = ratios(rows, truths, seed)
    draws = list(resampled(truths, seed))
    for (row, sampler), ratio in zip(rows, found, strict=True):
        values = by_hand(range(24), truths, row, sampler or row)
        intervals = np.array([by_hand(numbers, truths, row, sampler or row) for numbers in draws])
        for place, one in enumerate([ratio.iid, ratio.shrunk, ratio.sampler]):
            if place == 2 and sampler is None:
                assert one is None
                continue
            assert one.value == pytest.approx(values[place])
            low, high = np.percentile(intervals[:, place], [2.5, 97.5])
            assert (one.low, one.high) == pytest.approx((low, high))


def scrambled_error(truths, share, rng):
    """Errors with a part that all models of a scramble have in common; R is one."""
    n = len(truths.value)
    common = rng.standard_normal(int(truths.scramble.max()) + 1)[truths.scramble]
    of_each = math.sqrt(share) * common + math.sqrt(1 - share) * rng.standard_normal(n)
    squared = truths.sample_variance * of_each**2
    return Errors(squared, np.full(n, float(COST)), False, scrambled=True)


@pytest.mark.parametrize(
    ("share", "covered", "wider"), [(1.0, (0.8, 0.95), 3), (0.5, (0.85, 0.99), 1.8)]
)
def test_intervals_hold_where_errors_go_by_scramble(monkeypatch, share, covered, wider):
    """With sixteen scrambles percentile bootstraps hold less often than said, but not by much."""
    monkeypatch.setattr("algzoo.scoring.compute.ratios.N_RESAMPLES", 400)
    plain = truths_of(256)
    truths = replace(plain, scramble=scrambles_of(256))
    rng = np.random.default_rng(0)
    rows = [(scrambled_error(truths, share, rng), None) for _ in range(300)]
    found = [one.iid for one in ratios(rows, truths, 0)]
    alone = [(replace(row, scrambled=False), None) for row, _ in rows]
    of_models = [one.iid for one in ratios(alone, truths, 0)]
    assert [one.value for one in found] == [one.value for one in of_models]
    hold = np.mean([one.low < 1 < one.high for one in found])
    assert covered[0] < hold < covered[1]
    assert np.mean([one.low < 1 < one.high for one in of_models]) < 0.7
    widths = [np.mean([one.high - one.low for one in several]) for several in (found, of_models)]
    assert widths[0] > wider * widths[1]


def test_numerators_are_drawn_by_unit_and_by_scramble():
    """Every weight is the product of two, drawn from streams of their own."""
    n, n_scrambles = 21, 4
    rng = np.random.default_rng(3)
    matrix, unit, scramble = rng.random((n, 3)), np.arange(n) % 7, np.arange(n) % n_scrambles
    found = resampled_sums(matrix, unit, 5, scramble, [1])
    of_units, of_scrambles = (
        np.random.default_rng(named_stream(name, 5))
        for name in ("bootstrap", "bootstrap of scrambles")
    )
    assert found[0] == pytest.approx(matrix.sum(axis=0))
    for row in found[1:100]:
        drawn = of_units.integers(7, size=7).tolist()
        also = of_scrambles.integers(n_scrambles, size=n_scrambles).tolist()
        times = [drawn.count(u) for u in unit]
        both = [drawn.count(u) * also.count(s) for u, s in zip(unit, scramble, strict=True)]
        expected = [np.dot(times, matrix[:, 0]), np.dot(both, matrix[:, 1])]
        assert row[:2] == pytest.approx(expected)
        assert row[2] == pytest.approx(np.dot(times, matrix[:, 2]))


def test_rows_without_scrambles_are_not_touched_by_those_with():
    truths = truths_of(40)
    with_scrambles = replace(truths, scramble=scrambles_of(40))
    row, sampler = errors(40, 1, 200), errors(40, 2, 300)
    scrambled = replace(errors(40, 3, 200), scrambled=True)
    before = ratios([(row, sampler)], truths, 0)
    after = ratios([(row, sampler), (scrambled, sampler)], with_scrambles, 0)
    assert after[:1] == before
    assert after[1].iid.high > ratios([(errors(40, 3, 200), None)], truths, 0)[0].iid.high


def test_where_each_model_has_a_scramble_of_its_own_models_are_enough():
    truths = replace(truths_of(12), scramble=scrambles_of(12))
    row = errors(12, 1, 200)
    [alone], [scrambled] = (
        ratios([(replace(row, scrambled=flag), None)], truths, 0) for flag in (False, True)
    )
    assert alone == scrambled


def test_another_seed_gives_another_interval_of_the_same_ratio():
    truths, rows = truths_of(30), [(errors(30, 1, 200), None)]
    [one], [same], [other] = (ratios(rows, truths, seed) for seed in (0, 0, 1))
    assert one == same
    assert one.iid.value == other.iid.value
    assert one.iid.low != other.iid.low
    assert one.iid.low == pytest.approx(other.iid.low, rel=0.1)


def test_one_model_has_no_interval_and_no_population():
    [found] = ratios([(errors(1, 1, 200), None)], truths_of(1), 0)
    assert found.iid.value > 0
    assert (found.iid.low, found.iid.high) == (None, None)
    assert found.shrunk is None


def test_models_without_variance_have_no_ratios():
    right = Truths(np.ones(5), np.zeros(5), np.zeros(5), np.zeros(5, np.int64), COST)
    [found] = ratios([(errors(5, 1, 200), None)], right, 0)
    assert (found.iid, found.shrunk, found.sampler) == (None, None, None)
    assert right.sampling_band == (1, 1)
    assert right.population_variance == 0


def test_a_negative_sum_of_errors_is_none():
    """After the variance of the truths was taken off, what is left may be below zero."""
    truths = truths_of(20, variance=1e-3)
    values = truths.value + 1e-4
    row = errors_of(values, np.full(20, 500.0), truths)
    assert row.truth_subtracted
    assert row.squared == pytest.approx(np.full(20, 1e-8 - 1e-3))
    [found] = ratios([(row, None)], truths, 0)
    assert (found.iid.value, found.shrunk.value) == (0, 0)


@pytest.mark.parametrize(("share", "subtracted"), [(0.0199, False), (0.0201, True)])
def test_the_variance_of_truths_is_subtracted_above_two_percent_of_the_error(share, subtracted):
    n = 10
    truths = truths_of(n)
    values = truths.value + np.linspace(-0.03, 0.05, n)
    squared = (values - truths.value) ** 2
    truths = Truths(
        truths.value,
        np.full(n, share * squared.sum() / n),
        truths.sample_variance,
        truths.base,
        COST,
    )
    found = errors_of(values, np.arange(n, dtype=float), truths)
    assert found.truth_subtracted is subtracted
    expected = squared - truths.variance if subtracted else squared
    assert found.squared == pytest.approx(expected)
    assert found.operations.tolist() == list(range(n))


def test_nothing_is_subtracted_where_the_truth_is_exact():
    truths = truths_of(3)
    assert not errors_of(truths.value, np.ones(3), truths).truth_subtracted


@pytest.mark.parametrize("variance", [0.0, 0.002, 0.05])
def test_population_variance_is_that_of_the_truths_less_their_own(variance):
    truths = truths_of(12, variance=variance)
    expected = max(np.var(truths.value, ddof=1) - variance, 0)
    assert truths.population_variance == pytest.approx(expected)
    assert truths.mean_sample_variance == pytest.approx(truths.sample_variance.mean())


def test_band_of_random_sampling_by_sampling_it():
    truths = truths_of(15)
    v = truths.sample_variance
    rng = np.random.default_rng(0)
    sums = (v * rng.standard_normal((200_000, 15)) ** 2).sum(1) / v.sum()
    found = truths.sampling_band
    assert found == pytest.approx(np.sqrt(np.quantile(sums, [0.025, 0.975])), rel=0.01)
    # Exactly chi-squared where all are of one size.
    alike = Truths(np.full(8, 0.5), np.zeros(8), np.full(8, 0.25), np.arange(8), COST)
    expected = np.sqrt(stats.chi2.ppf([0.025, 0.975], 8) / 8)
    assert alike.sampling_band == pytest.approx(expected)
