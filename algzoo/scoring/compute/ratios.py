"""Errors of estimates over a population, and their ratio to those of random sampling.

``R = sum (G - a)^2 / sum (v / k)``, with a the true score of a model, G its estimate, v the
variance of the score of one random input (a (1 - a) for an accuracy) and k the number of random
inputs that can be run with the operations that the estimates cost on average. Below 1, the
estimator beats independent random sampling.

Source: the challenge of ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026
(mean squared error at equal compute, over noisy copies).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...zoo.streams import named_stream

Array = NDArray[np.float64]

N_RESAMPLES = 2000
LEVEL = 0.95
SCRAMBLES = 16  # that a population meets
SUBTRACTED_ABOVE = 0.02  # of the squared error: the share of the truth's own variance


@dataclass(frozen=True)
class Ratio:
    """Ratio of mean squared errors with its interval, if there are units to resample."""

    value: float
    low: float | None
    high: float | None

    def in_words(self, digits: int) -> str:
        """Return the ratio, and its interval if there is one, to so many significant digits."""
        value = f"{self.value:.{digits}g}"
        if self.low is None or self.high is None:
            return value
        return f"{value} [{self.low:.{digits}g}, {self.high:.{digits}g}]"


@dataclass(frozen=True)
class Truths:
    """True scores of N models as arrays of shape (N,), and what one random input costs.

    ``variance`` is that of the truth itself, 0 where it is exact; ``sample_variance`` that of the
    score of one random input; ``base`` the number of the base model; ``scramble`` the number of the
    scramble that the model meets, where an estimator has scrambles.
    """

    value: Array
    variance: Array
    sample_variance: Array
    base: NDArray[np.int64]
    operations_of_a_sample: int
    scramble: NDArray[np.int64] | None = None

    @property
    def population_variance(self) -> float:
        """Variance of the true score over the models, without the variance of the truths."""
        columns = (np.ones_like(self.value), self.value, self.value**2, self.variance)
        return float(_population_variance(*(column.sum() for column in columns)))

    @property
    def mean_sample_variance(self) -> float:
        """E[v]: the mean squared error of random sampling is this over k."""
        return float(self.sample_variance.mean())

    @property
    def sampling_band(self) -> tuple[float, float]:
        """Central 95% of what random sampling's RMS error on these models is, over its expectation.

        A squared error of v times chi-squared each, their sum taken as a gamma variable.
        """
        total = self.sample_variance.sum()
        if total == 0:
            return (1.0, 1.0)
        relative_variance = 2 * (self.sample_variance**2).sum() / total**2
        tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        low, high = stats.gamma.ppf(tails, 1 / relative_variance, scale=relative_variance)
        return (math.sqrt(low), math.sqrt(high))


@dataclass(frozen=True)
class Errors:
    """Squared errors (N,) of the estimates of N models, and the operations (N,) they cost.

    ``truth_subtracted`` tells that the variance of the truths was taken off the squared errors:
    they are then unbiased, and single ones may be negative. ``scrambled`` tells that every model
    met its scramble, so that the errors of models with the same scramble go together.
    """

    squared: Array
    operations: Array
    truth_subtracted: bool
    scrambled: bool = False


def scrambles_of(n_models: int) -> NDArray[np.int64]:
    """Number of the scramble that each model of a population meets: i mod 16 for model i."""
    return np.arange(n_models) % SCRAMBLES


def errors_of(
    values: Array, operations: Array, truths: Truths, *, scrambled: bool = False
) -> Errors:
    """Errors of estimates; the truth's own variance is subtracted where above 2% of the error."""
    squared = (values - truths.value) ** 2
    noisy = bool(truths.variance.sum() > SUBTRACTED_ABOVE * squared.sum())
    return Errors(squared - truths.variance if noisy else squared, operations, noisy, scrambled)


@dataclass(frozen=True)
class Ratios:
    """Ratios of one row; ``None`` where not defined, as for a population without any variance."""

    iid: Ratio | None
    shrunk: Ratio | None
    sampler: Ratio | None


def ratios(rows: Sequence[tuple[Errors, Errors | None]], truths: Truths, seed: int) -> list[Ratios]:
    """Ratios of each row to random sampling, prior-shrunk sampling and a measured sampler.

    Intervals are paired percentile bootstraps: models are resampled, base models where there are
    several, and everything in numerators and denominators with them. The errors of an estimator
    with scrambles are resampled by scramble as well, see :func:`resampled_sums`.

    Parameters
    ----------
    rows
        The errors of each row, and of the sampler it is compared with. That one is taken to go down
        as 1/k from its own budget to that of the row.
    seed
        Of the resampling.
    """
    shared = [
        np.ones_like(truths.value),
        truths.sample_variance,
        truths.value,
        truths.value**2,
        truths.variance,
    ]
    columns = list(shared)
    scrambled = []
    for row, sampler in rows:
        for errors in (row, sampler or row):
            scrambled += [len(columns)] * errors.scrambled
            columns += [errors.squared, errors.operations]
    matrix = np.stack(columns, axis=1)
    n_bases = int(truths.base.max()) + 1
    unit = truths.base if n_bases > 1 else np.arange(len(matrix))
    sums = resampled_sums(matrix, unit, seed, truths.scramble, scrambled)
    found = []
    for place, (_, sampler) in enumerate(rows):
        own = slice(len(shared) + 4 * place, len(shared) + 4 * place + 4)
        iid, shrunk, against = _ratios(sums[:, : len(shared)].T, sums[:, own].T, truths)
        found.append(
            Ratios(_ratio(iid), _ratio(shrunk), _ratio(against) if sampler is not None else None)
        )
    return found


def _ratios(shared: Array, own: Array, truths: Truths) -> tuple[Array, Array, Array]:
    """The three ratios from sums over models, each of shape (1 + n_resamples,)."""
    n, v, a, a_squared, variance = shared
    error, operations, sampler_error, sampler_operations = own
    k = operations / n / truths.operations_of_a_sample
    sampler_k = sampler_operations / n / truths.operations_of_a_sample
    with np.errstate(divide="ignore", invalid="ignore"):
        iid = error * k / v
        prior = _population_variance(n, a, a_squared, variance)
        shrunk = error / n * (1 / prior + k * n / v)
        against = iid / (sampler_error * sampler_k / v)
    return np.maximum(iid, 0), np.maximum(shrunk, 0), np.maximum(against, 0)


def _population_variance(n: Array, a: Array, a_squared: Array, variance: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = (a_squared - a**2 / n) / (n - 1)
    result: Array = np.maximum(spread - variance / n, 0)
    return result


def _ratio(values: Array) -> Ratio | None:
    """The first value with the interval of the others."""
    if not math.isfinite(values[0]):
        return None
    resampled = values[1:]
    if not len(resampled) or not np.isfinite(resampled).all():
        return Ratio(float(values[0]), None, None)
    return Ratio(float(values[0]), *interval(resampled))


def interval(resampled: Array) -> tuple[float, float]:
    """Ends of the central 95% of what was resampled."""
    low, high = np.percentile(resampled, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def resampled_sums(
    matrix: Array,
    unit: NDArray[np.int64],
    seed: int,
    scramble: NDArray[np.int64] | None = None,
    scrambled: Sequence[int] = (),
) -> Array:
    """Sums of the columns: first over all rows, then over resampled units, if there are several.

    In the columns ``scrambled`` a row counts as often as its unit was drawn, times as often as its
    scramble was. This two-way bootstrap is right where most of the variance lies between scrambles;
    where there is none between them, its intervals of R are too wide by a factor of up to 1.8.
    Where every scramble belongs to one unit alone, units are resampled and nothing else.

    Parameters
    ----------
    matrix
        Shape (rows, columns).
    unit, scramble
        Numbers of the unit and of the scramble of each row.
    seed
        Of the resampling. What is drawn of the units does not depend on the scrambles.
    scrambled
        Numbers of columns.

    References
    ----------
    A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007.
    """
    n_units = int(unit.max()) + 1
    by_unit = np.zeros((n_units, matrix.shape[1]))
    np.add.at(by_unit, unit, matrix)
    sums: Array = by_unit.sum(axis=0)[None]
    if n_units == 1:
        return sums
    rng = np.random.default_rng(named_stream("bootstrap", seed))
    times = [_drawn(n_units, rng) for _ in range(N_RESAMPLES)]
    sums = np.concatenate([sums, [of_units @ by_unit for of_units in times]])
    if not scrambled:
        return sums
    assert scramble is not None, "what is scrambled has the numbers of its scrambles"
    units_of_scrambles = np.unique(np.stack([scramble, unit]), axis=1)[0]
    if len(np.unique(units_of_scrambles)) == len(units_of_scrambles):
        return sums
    n_scrambles = int(scramble.max()) + 1
    cells = np.zeros((n_units, n_scrambles, len(scrambled)))
    np.add.at(cells, (unit, scramble), matrix[:, scrambled])
    rng = np.random.default_rng(named_stream("bootstrap of scrambles", seed))
    for place, of_units in enumerate(times, start=1):
        of_scrambles = np.tensordot(of_units, cells, axes=1)
        sums[place, scrambled] = _drawn(n_scrambles, rng) @ of_scrambles
    return sums


def _drawn(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each of n things is drawn, n times with replacement."""
    return np.bincount(rng.integers(n, size=n), minlength=n)
