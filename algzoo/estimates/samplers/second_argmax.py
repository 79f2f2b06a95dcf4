"""Samplers that reduce the variance of random sampling at the same cost.

Each takes a model, a number of samples and a seed. All but the shrunk one are unbiased. They are
charged by ARC's convention, the multiply-adds of the forward passes, n d (d + 1) + o d each;
drawing and arranging the inputs is free, and so is testing whether an answer is right.

Unlike :func:`~algzoo.estimates.samplers.iid.sampling`, which runs a model in its own number type,
they compute in float64, in one thread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, pvariance

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.stats import qmc

from ...structure import Weights, weights_in_range
from ...zoo import Model, check_model
from ...zoo.streams import model_digest, named_stream
from ..estimate import Estimate, Estimator, Tally, estimator, fitted_estimator, sampler
from ..scope import ARGMEDIAN, SECOND_ARGMAX, Scope
from .forward import answers_right, operations_of_samples, standard_error
from .iid import sampling

Sampler = Callable[[Model, int, int], Estimate]
"""A function of a model, a number of inputs and a seed, which runs the model on random inputs."""

_NEWTON_STEPS = 100  # upper limit; sequences of ten inputs take about thirty

_POSITIONS = SECOND_ARGMAX | ARGMEDIAN
_ACCURATE = Scope("2nd_argmax", as_it_is=True) | Scope("argmedian") | Scope("longest_cycle")

CELL = 2.0**-30  # side of the cells on whose lower corners scipy's Sobol points lie


@sampler("antithetic", scope=_POSITIONS)
def antithetic(model: Model, n_samples: int, seed: int) -> Tally:
    """Accuracy on pairs of inputs x, -x; the last input is alone if ``n_samples`` is odd.

    ``std`` is that of independent pairs; it is ``None`` if ``n_samples`` is odd or all pairs scored
    the same.
    """
    weights = weights_in_range(model)
    seq_len, n_pairs = model.seq_len, -(-n_samples // 2)
    half = np.random.default_rng(seed).standard_normal((seq_len, n_pairs))
    x = np.stack([half, -half], axis=-1).reshape(seq_len, 2 * n_pairs)[:, :n_samples]
    right = answers_right(weights, x, _n_larger(model))
    std = None
    if n_samples % 2 == 0:
        std = standard_error(right.reshape(-1, 2).mean(axis=1))
    return _tally(weights, right, std)


@sampler(
    "Sobol",
    scope=_POSITIONS,
    source="A. B. Owen, J. Complexity 14, 1998",
    references=("owen1998",),
)
def sobol(model: Model, n_samples: int, seed: int) -> Tally:
    """Accuracy on the first points of a scrambled Sobol sequence, as Gaussian quantiles.

    A power of two is best for ``n_samples``. There is no ``std``, because a single scrambling does
    not determine one.

    References
    ----------
    A. B. Owen, "Scrambling Sobol' and Niederreiter-Xing points", J. Complexity 14, 1998; scipy's
    scrambling is Matousek's.
    """
    weights = weights_in_range(model)
    x = special.ndtri(sobol_points(model.seq_len, n_samples, np.random.default_rng(seed)))
    return _tally(weights, answers_right(weights, x, _n_larger(model)), None)


@sampler("stratified", scope=SECOND_ARGMAX)
def stratified(model: Model, n_samples: int, seed: int) -> Tally:
    """Accuracy on inputs stratified by the positions of the largest and the second largest.

    All n (n - 1) ordered pairs of positions are equally probable, so that equal and proportional
    allocation are the same: every pair has as many samples as every other, and a remainder goes to
    pairs chosen at random without replacement.

    ``std`` is given if every pair has the same number of samples, at least two, and within some
    pair not all scored the same; otherwise it is ``None``.
    """
    weights = weights_in_range(model)
    rng = np.random.default_rng(seed)
    positions = _stratified_positions(model.seq_len, n_samples, rng)
    x = _move_largest(rng.standard_normal((model.seq_len, n_samples)), *positions)
    right = answers_right(weights, x, 1)
    std = None
    n_pairs = model.seq_len * (model.seq_len - 1)
    if n_samples % n_pairs == 0 and n_samples > n_pairs:
        of_pairs = right.reshape(n_pairs, -1)
        variance = of_pairs.var(axis=1, ddof=1).mean()
        std = math.sqrt(variance / n_samples) or None
    return _tally(weights, right, std)


@sampler("stratified Sobol", scope=_POSITIONS, references=("owen1998",))
def stratified_sobol(model: Model, n_samples: int, seed: int) -> Tally:
    """Accuracy on inputs with stratified deciding positions and sizes from a Sobol sequence.

    For 2nd argmax the pairs of positions are those of :func:`stratified`. The first two coordinates
    of a point give the second largest and the largest number, by inverting their distribution
    functions; the others give the remaining numbers, which are independent given the second
    largest. The samples of a pair are adjacent in the sequence, so that n (n - 1) times a power of
    two is best for ``n_samples``.

    For argmedian the strata are the positions of the median; a remainder goes to positions chosen
    at random. The first coordinate of a point gives the median, which for uniform numbers has the
    distribution Beta((n + 1) / 2, (n + 1) / 2). The others give the remaining numbers, which are
    independent given the median and which of them lie above it.

    There is no ``std``.
    """
    weights = weights_in_range(model)
    rng = np.random.default_rng(seed)
    inputs = _around_median if model.task_name == "argmedian" else _below_second
    x = inputs(model.seq_len, n_samples, rng)
    return _tally(weights, answers_right(weights, x, _n_larger(model)), None)


def _n_larger(model: Model) -> int:
    """Number of inputs that are larger than the one whose position is the right answer."""
    return model.seq_len // 2 if model.task_name == "argmedian" else 1


def _around_median(n: int, n_samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Inputs, shape (n, n_samples), stratified by the position of the median."""
    half = n // 2
    each, remainder = divmod(n_samples, n)
    extra = rng.choice(n, size=remainder, replace=False)
    place = np.concatenate([np.repeat(np.arange(n), each), extra])
    u = sobol_points(n, n_samples, rng)
    middle = special.betaincinv(half + 1, half + 1, u[0])
    above = rng.permuted(np.arange(n - 1)[:, None].repeat(n_samples, 1), axis=0) < half
    others = np.where(above, middle + (1 - middle) * u[1:], middle * u[1:])
    uniform = np.concatenate([middle[None], others])
    columns = np.arange(n_samples)
    uniform[0] = uniform[place, columns]
    uniform[place, columns] = middle
    return np.asarray(special.ndtri(uniform))


def _below_second(n: int, n_samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Inputs, shape (n, n_samples), stratified by the positions of the two largest."""
    largest, second = _stratified_positions(n, n_samples, rng)
    u = sobol_points(n, n_samples, rng)
    u_second = _second_largest(u[0], n)  # second of n uniform numbers; the largest is uniform above
    rest = u[2:] * u_second
    uniform = np.concatenate([(u_second + (1 - u_second) * u[1])[None], u_second[None], rest])
    x = _swap(special.ndtri(uniform), np.zeros_like(largest), largest)
    # The number at the first position has moved to where the largest was.
    return _swap(x, np.where(largest == 1, 0, 1), second)


def prior_shrunk(
    model: Model, n_samples: int, seed: int, *, mean: float, variance: float
) -> Estimate:
    """Accuracy by :func:`sampling`, shrunk to the mean of the population that the model is from.

    This is the posterior mean, to second order: ``mean + w (p - mean)`` where p is the sampled
    accuracy and ``w = variance / (variance + v / n_samples)``, with ``v = mean (1 - mean) -
    variance`` the average of a (1 - a) over the population. Its expected squared error is ``1 / (1
    / variance + n_samples / v)``, and ``std`` is the square root of that.

    Parameters
    ----------
    model, n_samples, seed
        As for :func:`sampling`.
    mean, variance
        Mean and variance of the accuracy over the population, which must be known from other
        models.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`sampling`, or if no accuracies have this mean and
        variance, or if the model's score is not an accuracy.
    """
    within = mean * (1 - mean) - variance
    if not (0 <= mean <= 1 and variance >= 0 and within >= 0):
        raise ValueError(
            f"Accuracies with mean {mean} have a variance from 0 to mean (1 - mean), got {variance}"
        )
    _ACCURATE.check(model, "prior-shrunk sampling")
    sampled = sampling(model, n_samples, seed)
    total = variance + within / n_samples
    weight = variance / total if total > 0 else 0.0
    value = mean + weight * (sampled.value - mean)
    std = math.sqrt(weight * within / n_samples)
    return Estimate(value, sampled.operations, sampled.runs_network, std=std)


def constant(value: float) -> Estimator:
    """Make an estimator that returns ``value`` for every model.

    Reading the number counts as one operation, so that its error can be compared with that of a
    number of samples.

    Raises
    ------
    ValueError
        If ``value`` is not a probability.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"An accuracy is between 0 and 1, got {value}")
    return lambda model: Estimate(value, 1, "never")


@estimator(
    "chance",
    scope=Scope("2nd_argmax") | Scope("argmedian"),
    runs_network="never",
    exact="approximate",
    constants="none",
    source="by definition",
    cost="one operation",
    fails_when="the network has learned anything",
)
def chance(model: Model) -> Tally:
    """Accuracy of guessing a position, 1 / seq_len, which follows from the task alone."""
    return Tally(1 / model.seq_len, 1)


@dataclass(frozen=True)
class Drawn:
    """Sampler with one budget as an estimator; its seed depends on the model's weights.

    Every model therefore has its own inputs, and the errors over a population are independent.
    """

    name: str
    sampler: Sampler
    n_samples: int
    seed: int = 0

    def __call__(self, model: Model) -> Estimate:
        """Estimate the score of a model."""
        check_model(model)
        digest = int(model_digest(model), 16)
        # Only the letters, digits and underscores of a name enter, so that it may have spaces.
        name = re.sub(r"\W", "_", self.name.lower())
        stream = named_stream(f"sampler {name}", self.seed, self.n_samples, digest)
        return self.sampler(model, self.n_samples, int(stream.generate_state(1)[0]))


@fitted_estimator(
    "constant",
    scope=_ACCURATE,
    runs_network="never",
    exact="approximate",
    constants="from other networks",
    source="by definition",
    advice_bits=64,
    cost="one operation",
    fails_when="the models differ from each other, or from the models of the fit",
)
def fitted_constant(models: Sequence[Model], accuracies: Sequence[float]) -> Estimator:
    """Mean accuracy of the models of the fit, whatever the model."""
    return constant(fmean(accuracies))


@fitted_estimator(
    "prior-shrunk, {n_samples} inputs",
    scope=_ACCURATE,
    budgets=[{"n_samples": 1024}],
    runs_network="random inputs",
    exact="converges",
    constants="from other networks",
    source="this book, page on error against compute",
    advice_bits=2 * 64,
    cost="forward passes",
    fails_when="the model is unlike the models of the fit, and the inputs are few",
)
def fitted_prior_shrunk(
    models: Sequence[Model], accuracies: Sequence[float], *, n_samples: int
) -> Estimator:
    """Random sampling, shrunk to the mean of the accuracies of the models of a fit."""
    prior = partial(prior_shrunk, mean=fmean(accuracies), variance=pvariance(accuracies))
    return Drawn("prior-shrunk", prior, n_samples)


def _tally(weights: Weights, right: NDArray[np.bool_], std: float | None) -> Tally:
    return Tally(float(right.mean()), operations_of_samples(weights, len(right)), std)


def sobol_points(dimension: int, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the first points of a scrambled Sobol sequence, shape (dimension, n_points)."""
    points = qmc.Sobol(dimension, rng=rng).random_base2((n_points - 1).bit_length())
    return np.ascontiguousarray(points[:n_points].T) + CELL / 2


def _second_largest(u: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Quantile function of the second largest of ``n`` uniform numbers, to 1e-10.

    Its distribution is Beta(n - 1, 2), so that the quantile is the root x of n x^(n - 1) - (n - 1)
    x^n = u, found by Newton's method. Starting from the point of inflection, (n - 2) / (n - 1), the
    method approaches the root from one side. scipy's inverse of the incomplete beta function takes
    several times as long.
    """
    x = np.full_like(u, (n - 2) / (n - 1))
    for _ in range(_NEWTON_STEPS):
        power = np.ones_like(u)  # x^(n - 2), by products, which are the same bits everywhere
        for _ in range(n - 2):
            power *= x
        step = (power * x * (n - (n - 1) * x) - u) / (n * (n - 1) * power * (1 - x))
        x -= step
        if np.abs(step).max() < 1e-10:
            break
    return x


def _stratified_positions(
    seq_len: int, n_samples: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the largest and second largest number; the samples of a pair are neighbours."""
    n_pairs = seq_len * (seq_len - 1)
    each, remainder = divmod(n_samples, n_pairs)
    pairs = np.concatenate(
        [
            np.repeat(np.arange(n_pairs), each),
            rng.choice(n_pairs, size=remainder, replace=False),
        ]
    )
    largest, second = np.divmod(pairs, seq_len - 1)
    return largest, second + (second >= largest)


def _move_largest(
    x: NDArray[np.float64], largest: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Inputs, shape (seq_len, n_samples), with their two largest moved to the positions given."""
    x = _swap(x, x.argmax(axis=0), largest)
    return _swap(x, x.argsort(axis=0)[-2], second)


def _swap(x: NDArray[np.float64], i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.float64]:
    """Interchange elements i and j of each column of ``x``."""
    swapped, columns = x.copy(), np.arange(x.shape[1])
    swapped[i, columns], swapped[j, columns] = x[j, columns], x[i, columns]
    return swapped
