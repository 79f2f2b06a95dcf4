"""Scores of a cubature over models and over scrambles.

All models of a population see the inputs of one scramble, so that they share its errors. A ratio
that is measured on one scramble says little, and an interval that resamples models alone is too
narrow: here every model meets every scramble, and both are resampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...estimates import Estimate, sampling
from ...zoo import Model
from .ratios import interval, resampled_sums

Array = NDArray[np.float64]
Rule = Callable[[Model, int], Estimate]  # of a model and the seed of a scramble
Truth = tuple[float, float]  # an accuracy and its standard error


@dataclass(frozen=True)
class ScrambleScore:
    """Score of a rule at one budget.

    Attributes
    ----------
    samples
        Its mean cost in random inputs.
    ratio, low, high
        R: the mean squared error over that of random sampling at this cost, and the ends of an
        interval by resampling models and scrambles. The variance of the truths is subtracted.
    bias, bias_std
        Mean error, and its standard error over scrambles.
    by_scramble
        R of each scramble.
    """

    samples: float
    ratio: float
    low: float
    high: float
    bias: float
    bias_std: float
    by_scramble: tuple[float, ...]


def estimates_by_scramble(
    rule: Rule, models: Sequence[Model], scrambles: Sequence[int]
) -> tuple[Array, NDArray[np.int64]]:
    """Values and operations of a rule, each of shape (n_scrambles, n_models)."""
    # The loop over models is the inner one, so that the inputs of a scramble are made once.
    found = [[rule(model, scramble) for model in models] for scramble in scrambles]
    values = np.array([[estimate.value for estimate in row] for row in found])
    return values, np.array([[estimate.operations for estimate in row] for row in found])


def truths_by_rule(rule: Rule, models: Sequence[Model], scrambles: Sequence[int]) -> list[Truth]:
    """Accuracies as means of an unbiased rule over scrambles, and standard errors of the means.

    Raises
    ------
    ValueError
        If there are fewer than two scrambles.
    """
    if len(scrambles) < 2:
        raise ValueError(f"a standard error needs at least two scrambles, got {len(scrambles)}")
    values, _ = estimates_by_scramble(rule, models, scrambles)
    std = values.std(axis=0, ddof=1) / np.sqrt(len(scrambles))
    return [
        (float(mean), float(of_mean)) for mean, of_mean in zip(values.mean(0), std, strict=True)
    ]


def scramble_score(
    rule: Rule,
    models: Sequence[Model],
    truths: Sequence[Truth],
    scrambles: Sequence[int],
    seed: int = 0,
) -> ScrambleScore:
    """Score of a rule on models whose accuracies are known.

    ``seed`` is that of the resampling. The scrambles should be others than those of the truths.

    Raises
    ------
    ValueError
        If there are fewer than two scrambles or models, or not as many truths as models.
    """
    for what, several in (("scramble", scrambles), ("model", models)):
        if len(several) < 2:
            raise ValueError(f"errors are resampled by {what}: {len(several)} are too few")
    values, operations = estimates_by_scramble(rule, models, scrambles)
    samples = operations / sampling(models[0], 1, 0).operations
    return ErrorsByScramble(values, samples, truths).score(seed)


class ErrorsByScramble:
    """Errors of estimates that were made before, by scramble and model.

    Parameters
    ----------
    values
        Estimates, shape (n_scrambles, n_models). Of a single model, scrambles alone are resampled.
    samples
        Their costs in random inputs, of the same shape or one that is broadcast to it.
    truths
        Of the models.

    Raises
    ------
    ValueError
        If there are fewer than two scrambles, or not as many truths as models.
    """

    def __init__(self, values: Array, samples: Array, truths: Sequence[Truth]) -> None:
        if len(values) < 2:
            raise ValueError(f"errors are resampled by scramble: {len(values)} are too few")
        true, true_std = np.transpose(truths)
        self._errors = values - true
        shape = self._errors.shape
        self._samples = np.broadcast_to(samples, shape)
        self._squared = self._errors**2 - true_std**2
        self._variance = np.broadcast_to(true * (1 - true), shape) / self._samples

    @property
    def samples(self) -> float:
        """Their mean cost in random inputs."""
        return float(self._samples.mean())

    def ratios(self, seed: int) -> Array:
        """R on all scrambles and models, then on those that were resampled."""
        n_models = self._errors.shape[1]
        scramble, model = np.divmod(np.arange(self._errors.size), n_models)
        both = np.stack([self._squared.ravel(), self._variance.ravel()], axis=1)
        if n_models == 1:
            sums = resampled_sums(both, scramble, seed)
        else:
            sums = resampled_sums(both, model, seed, scramble, [0])
        ratios: Array = sums[:, 0] / sums[:, 1]
        return ratios

    def score(self, seed: int = 0) -> ScrambleScore:
        """R with its interval, and the mean error; ``seed`` is that of the resampling."""
        ratios = self.ratios(seed)
        low, high = interval(ratios[1:])
        of_scrambles = self._errors.mean(axis=1)
        return ScrambleScore(
            self.samples,
            float(ratios[0]),
            low,
            high,
            float(of_scrambles.mean()),
            float(of_scrambles.std(ddof=1) / np.sqrt(len(of_scrambles))),
            tuple(map(float, self._squared.mean(axis=1) / self._variance.mean(axis=1))),
        )


def exponent(budgets: Sequence[ErrorsByScramble], seed: int = 0) -> tuple[float, float, float]:
    """Exponent of the mean squared error in the cost, with the ends of its interval.

    It is -1 for random sampling; a lower one is better. A straight line is fitted to logarithms by
    least squares. Errors are resampled at each budget by itself. Budgets at which the interval of R
    is not above 0, because the truths are no more accurate, are left out.

    Raises
    ------
    ValueError
        If fewer than two budgets are left.
    """
    found = [(one.samples, one.ratios(seed + k)) for k, one in enumerate(budgets)]
    there = [(samples, ratios) for samples, ratios in found if interval(ratios[1:])[0] > 0]
    if len(there) < 2:
        raise ValueError(f"an exponent needs two budgets, {len(there)} have a ratio above 0")
    cost = np.log([samples for samples, _ in there])
    centred = cost - cost.mean()
    with np.errstate(divide="ignore"):
        logarithms = np.log(np.maximum([ratios for _, ratios in there], 0)) - cost[:, None]
    slopes = centred @ logarithms / np.sum(centred**2)
    return (float(slopes[0]), *interval(slopes[1:]))
