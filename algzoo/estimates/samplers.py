"""Samplers that the challenge compares with: random sampling and what does better at the same cost.

Each takes a recurrent 2nd-argmax model, a number of samples and a seed. All but the shrunk one are
unbiased. They are charged by ARC's convention: the multiply-adds of the forward passes, n d (d + 1)
+ o d each; drawing and arranging the inputs is free, and so is looking whether an answer is right.

Unlike :func:`~algzoo.estimates.sampling.sampling`, which runs a model in its own number type, they
compute in float64, by one thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, pvariance

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.stats import qmc

from ..structure import Weights
from ..zoo import FAMILIES, Model, check_model
from ..zoo.model_check import check_can_be_run
from ..zoo.streams import model_digest, named_stream
from .estimate import Estimate, Estimator
from .samplers_forward import answers_right, checked_weights, operations_of_samples
from .samplers_last_input import last_input
from .samplers_tree import tree
from .sampling import sampling

Sampler = Callable[[Model, int, int], Estimate]

_NEWTON_STEPS = 100  # at most; sequences of ten inputs take about thirty

_HALF_CELL = 2.0**-31  # scipy's Sobol points lie on the lower corners of cells of side 2^-30


def antithetic(model: Model, n_samples: int, seed: int) -> Estimate:
    """Accuracy on inputs in pairs x, -x; the last one alone where ``n_samples`` is odd.

    ``std`` is that of independent pairs; ``None`` where ``n_samples`` is odd or all pairs scored
    the same.

    Raises
    ------
    ValueError
        Where the model is no recurrent 2nd-argmax model, ``n_samples`` is not positive or ``seed``
        is negative.
    """
    weights = checked_weights(model, n_samples, seed)
    seq_len, n_pairs = model.seq_len, -(-n_samples // 2)
    half = np.random.default_rng(seed).standard_normal((seq_len, n_pairs))
    x = np.stack([half, -half], axis=-1).reshape(seq_len, 2 * n_pairs)[:, :n_samples]
    right = answers_right(weights, x)
    std = None
    if n_samples % 2 == 0 and n_pairs > 1:
        pairs = right.reshape(-1, 2).mean(axis=1)
        std = float(pairs.std(ddof=1)) / math.sqrt(n_pairs) or None
    return _estimate(weights, right, std)


def sobol(model: Model, n_samples: int, seed: int) -> Estimate:
    """Accuracy on the first points of Sobol's sequence, scrambled, as Gaussian quantiles.

    A power of two is best for ``n_samples``. No ``std``: one scrambling does not tell it. Errors as
    :func:`antithetic`.

    Source: A. B. Owen, "Scrambling Sobol' and Niederreiter-Xing points", J. Complexity 14, 1998;
    scipy's scrambling is Matousek's.
    """
    weights = checked_weights(model, n_samples, seed)
    x = special.ndtri(sobol_points(model.seq_len, n_samples, np.random.default_rng(seed)))
    return _estimate(weights, answers_right(weights, x), None)


def stratified(model: Model, n_samples: int, seed: int) -> Estimate:
    """Accuracy on inputs stratified by the positions of the largest and the second largest.

    All n (n - 1) ordered pairs of positions are equally probable, so that equal and proportional
    allocation are the same: every pair has as many samples as every other, and a remainder goes to
    pairs chosen at random without replacement.

    ``std`` where every pair has the same number of samples, at least two, and within some pair not
    all scored the same; else ``None``. Errors as :func:`antithetic`.
    """
    weights = checked_weights(model, n_samples, seed)
    rng = np.random.default_rng(seed)
    positions = _stratified_positions(model.seq_len, n_samples, rng)
    x = _move_largest(rng.standard_normal((model.seq_len, n_samples)), *positions)
    right = answers_right(weights, x)
    std = None
    n_pairs = model.seq_len * (model.seq_len - 1)
    if n_samples % n_pairs == 0 and n_samples > n_pairs:
        of_pairs = right.reshape(n_pairs, -1)
        variance = of_pairs.var(axis=1, ddof=1).mean()
        std = math.sqrt(variance / n_samples) or None
    return _estimate(weights, right, std)


def stratified_sobol(model: Model, n_samples: int, seed: int) -> Estimate:
    """Accuracy on stratified positions of the two largest, with magnitudes by Sobol's sequence.

    The pairs of positions are those of :func:`stratified`. The first two coordinates of a point
    give the second largest and the largest number, by inverting their distribution functions; the
    others, the remaining numbers, which are independent given the second largest. The samples of a
    pair are neighbours in the sequence, so that n (n - 1) times a power of two is best for
    ``n_samples``. No ``std``. Errors as :func:`antithetic`.
    """
    weights = checked_weights(model, n_samples, seed)
    rng = np.random.default_rng(seed)
    n = model.seq_len
    largest, second = _stratified_positions(n, n_samples, rng)
    u = sobol_points(n, n_samples, rng)
    u_second = _second_largest(u[0], n)  # of n uniform numbers; the largest is uniform above it
    rest = u[2:] * u_second
    uniform = np.concatenate([(u_second + (1 - u_second) * u[1])[None], u_second[None], rest])
    x = _swap(special.ndtri(uniform), np.zeros_like(largest), largest)
    # What stood at the first position has moved to where the largest was.
    x = _swap(x, np.where(largest == 1, 0, 1), second)
    return _estimate(weights, answers_right(weights, x), None)


def prior_shrunk(
    model: Model, n_samples: int, seed: int, *, mean: float, variance: float
) -> Estimate:
    """Accuracy by :func:`sampling`, shrunk to the mean of the population that the model is from.

    The posterior mean, to second order: ``mean + w (p - mean)`` where p is the sampled accuracy and
    ``w = variance / (variance + v / n_samples)``, ``v = mean (1 - mean) - variance`` being the
    average of a (1 - a) over the population. Its expected squared error is
    ``1 / (1 / variance + n_samples / v)``; ``std`` is the root of that.

    Parameters
    ----------
    mean, variance
        Of the accuracy over the population: advice, to be had from other models.

    Raises
    ------
    ValueError
        Where no accuracies have this mean and variance, the model's score is no accuracy,
        ``n_samples`` is not positive or ``seed`` is negative.
    """
    within = mean * (1 - mean) - variance
    if not (0 <= mean <= 1 and variance >= 0 and within >= 0):
        raise ValueError(
            f"Accuracies with mean {mean} have a variance from 0 to mean (1 - mean), got {variance}"
        )
    check_can_be_run(model)
    if FAMILIES[model.task_name].measures_error:
        raise ValueError(f"Shrinking is for accuracies; {model.task_name} is scored by its error")
    sampled = sampling(model, n_samples, seed)
    total = variance + within / n_samples
    weight = variance / total if total > 0 else 0.0
    value = mean + weight * (sampled.value - mean)
    return Estimate(value, sampled.operations, "D", std=math.sqrt(weight * within / n_samples))


def constant(value: float) -> Estimator:
    """Estimator that says ``value`` of every model: advice and nothing else.

    Its tier is B, the crudest mean field: it does not sample, and deduces nothing. Reading the
    number is charged one operation, so that there is something to compare its error with.

    Raises
    ------
    ValueError
        Where ``value`` is no probability.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"An accuracy is between 0 and 1, got {value}")
    return lambda model: Estimate(value, 1, "B")


def chance(model: Model) -> Estimate:
    """What guessing a position gets, 1 / seq_len: deduced from the task, not from the weights.

    Raises
    ------
    ValueError
        Where the model's answers are no positions.
    """
    check_model(model)
    if model.task_name not in ("2nd_argmax", "argmedian"):
        raise ValueError(f"Chance is for answers that are positions, not for {model.task_name}")
    return Estimate(1 / model.seq_len, 1, "A")


@dataclass(frozen=True)
class Drawn:
    """A sampler at one budget as an estimator; its seed belongs to the model's weights.

    So every model has inputs of its own, and the errors over a population are independent.
    """

    name: str
    sampler: Sampler
    n_samples: int
    seed: int = 0

    def __call__(self, model: Model) -> Estimate:
        """The sampler's estimate."""
        check_model(model)
        digest = int(model_digest(model), 16)
        stream = named_stream(f"sampler {self.name}", self.seed, self.n_samples, digest)
        return self.sampler(model, self.n_samples, int(stream.generate_state(1)[0]))


def fitted_constant(models: Sequence[Model], accuracies: Sequence[float]) -> Estimator:
    """Estimator that says the mean of ``accuracies`` of every model."""
    return constant(fmean(accuracies))


def fitted_prior_shrunk(
    models: Sequence[Model], accuracies: Sequence[float], *, n_samples: int
) -> Estimator:
    """:func:`prior_shrunk` with the mean and the variance of ``accuracies``."""
    prior = partial(prior_shrunk, mean=fmean(accuracies), variance=pvariance(accuracies))
    return Drawn("prior_shrunk", prior, n_samples)


SAMPLERS: dict[str, Sampler] = {
    "iid": sampling,
    "antithetic": antithetic,
    "sobol": sobol,
    "stratified": stratified,
    "stratified_sobol": stratified_sobol,
    "tree": tree,
    "last_input": last_input,
}


def _estimate(weights: Weights, right: NDArray[np.bool_], std: float | None) -> Estimate:
    n_samples = len(right)
    return Estimate(float(right.mean()), operations_of_samples(weights, n_samples), "D", std=std)


def sobol_points(dimension: int, n_points: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The first points of a scrambled Sobol sequence, shape (dimension, n_points)."""
    points = qmc.Sobol(dimension, rng=rng).random_base2((n_points - 1).bit_length())
    return np.ascontiguousarray(points[:n_points].T) + _HALF_CELL


def _second_largest(u: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Quantile function of the second largest of ``n`` uniform numbers, to 1e-10.

    It is Beta(n - 1, 2): the root x of n x^(n - 1) - (n - 1) x^n = u, by Newton's method. From the
    point of inflection, (n - 2) / (n - 1), that approaches the root from one side. scipy's inverse
    of the incomplete beta function takes several times as long.
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
    """Of each column of ``x``, elements i and j interchanged."""
    swapped, columns = x.copy(), np.arange(x.shape[1])
    swapped[i, columns], swapped[j, columns] = x[j, columns], x[i, columns]
    return swapped
