"""How good a cubature is, over models and over scrambles.

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
    """What a rule reached at one budget.

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


def truths_by_rule(rule: Rule, models: Sequence[Model], scrambles: Sequence[int]) -> list[Truth]:
    """Accuracies as means of an unbiased rule over scrambles, and standard errors of the means.

    Raises
    ------
    ValueError
        Where there are fewer than two scrambles.
    """
    if len(scrambles) < 2:
        raise ValueError(f"a standard error needs at least two scrambles, got {len(scrambles)}")
    values = np.array([[rule(model, s).value for model in models] for s in scrambles])
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
        Where there are fewer than two scrambles or models, or not as many truths as models.
    """
    for what, several in (("scramble", scrambles), ("model", models)):
        if len(several) < 2:
            raise ValueError(f"errors are resampled by {what}: {len(several)} are too few")
    true, true_std = np.transpose(truths)
    # The models within, so that the inputs of a scramble are made once.
    estimates = [[rule(model, scramble) for model in models] for scramble in scrambles]
    errors = np.array([[e.value for e in row] for row in estimates]) - true
    price = sampling(models[0], 1, 0).operations
    samples = np.array([[e.operations for e in row] for row in estimates]) / price
    squared = errors**2 - true_std**2
    variance = np.broadcast_to(true * (1 - true), errors.shape) / samples

    n_scrambles, n_models = errors.shape
    scramble, model = np.divmod(np.arange(errors.size), n_models)
    both = np.stack([squared.ravel(), variance.ravel()], axis=1)
    sums = resampled_sums(both, model, seed, scramble, [0])
    ratios = sums[:, 0] / sums[:, 1]
    low, high = interval(ratios[1:])
    of_scrambles = errors.mean(axis=1)
    return ScrambleScore(
        float(samples.mean()),
        float(ratios[0]),
        low,
        high,
        float(of_scrambles.mean()),
        float(of_scrambles.std(ddof=1) / np.sqrt(n_scrambles)),
        tuple(map(float, squared.mean(axis=1) / variance.mean(axis=1))),
    )


def exponent(scores: Sequence[ScrambleScore]) -> float:
    """Exponent of the mean squared error in the cost: -1 for sampling, less is better.

    Least squares on logarithms; budgets with a ratio that is not positive, for the truths are no
    better, are left out.
    """
    there = [score for score in scores if score.ratio > 0]
    cost = np.log([score.samples for score in there])
    error = np.log([score.ratio / score.samples for score in there])
    return float(np.polyfit(cost, error, 1)[0])
