"""Efficiency of a sampler: its error compared with that of independent samples of the same cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...zoo import Model
from ..estimate import Estimate
from .iid import sampling

_PROBE = 1000  # number of samples of a trial


@dataclass(frozen=True)
class Efficiency:
    """Mean squared error of independent samples divided by that of a sampler, at equal operations.

    The sampler is better if it is above 1: it is 1 / R. ``std`` is its standard error over the
    models.
    """

    value: float
    std: float
    n_samples: int


def efficiency(
    sampler: Callable[[Model, int, int], Estimate],
    models: Sequence[Model],
    accuracies: Sequence[float],
    operations: int,
    *,
    repeats: int,
    seed: int,
) -> Efficiency:
    """Efficiency of a sampler on models of one size whose accuracies are known.

    Each model is sampled ``repeats`` times. All seeds are different, counted up from ``seed``, so
    that the models' errors are independent. The error of independent samples is not simulated; it
    is a (1 - a) / k, where k independent samples cost what the sampler did.

    Raises
    ------
    ValueError
        If there are fewer than two models, if the numbers of models and accuracies differ, or if
        the operations are too few for a single sample.
    """
    if len(models) < 2 or len(models) != len(accuracies):
        raise ValueError(
            "An efficiency needs at least two models and the accuracy of each, got "
            f"{len(models)} models and {len(accuracies)} accuracies"
        )
    n_samples = samples_at(sampler, models[0], operations)
    price = sampling(models[0], 1, 0).operations
    errors, expected = [], []
    for i, (model, accuracy) in enumerate(zip(models, accuracies, strict=True)):
        first = seed + i * repeats
        estimates = [sampler(model, n_samples, first + j) for j in range(repeats)]
        errors.append(np.mean([(estimate.value - accuracy) ** 2 for estimate in estimates]))
        expected.append(accuracy * (1 - accuracy) * price / estimates[0].operations)
    value = float(np.sum(expected) / np.sum(errors))
    # Standard error of a ratio of two means over the same models, to first order.
    residuals = np.array(expected) - value * np.array(errors)
    std = float(residuals.std(ddof=1) / math.sqrt(len(models)) / np.mean(errors))
    return Efficiency(value, std, n_samples)


def samples_at(
    sampler: Callable[[Model, int, int], Estimate], model: Model, operations: int
) -> int:
    """Number of samples that the sampler takes for about this many operations.

    Raises
    ------
    ValueError
        If the operations are too few for a single sample.
    """
    n_samples = round(operations * _PROBE / sampler(model, _PROBE, 0).operations)
    if n_samples < 1:
        raise ValueError(f"{operations} operations are too few for a single sample of this model")
    return n_samples
