"""Measurement of the bundled models' scores, which decide the best seed of each size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ...zoo import FAMILIES, SEEDS, DistTransformer, Family, Model, load_model, sizes
from ..functions.exhaustive import exhaustive_accuracy
from .iid import ensemble_sampling

SAMPLE_SEED = 20260101  # all models see the same inputs, so that seeds are compared fairly


def scores(models: Sequence[Model], n_samples: int) -> list[float]:
    """Scores of models of one family and length: accuracies, or RMS errors for the median.

    They are sampled on the same inputs; those of longest cycle are exact.
    """
    if isinstance(models[0], DistTransformer):
        return [float(exhaustive_accuracy(model)) for model in models]
    values = [estimate.value for estimate in ensemble_sampling(models, n_samples, SAMPLE_SEED)]
    is_error = FAMILIES[models[0].task_name].measures_error
    return [math.sqrt(value) for value in values] if is_error else values


def best_of(family: Family, scores: list[float]) -> int:
    """Seed of the highest accuracy or the least error; the first of equal ones."""
    return scores.index(min(scores) if family.measures_error else max(scores))


def measure_all(n_samples: int) -> Iterator[tuple[Family, int, int, list[float]]]:
    """Yield family, hidden size, length and the scores of the five seeds, for every size."""
    for family, hidden_size, seq_len in sizes():
        models = [load_model(family.name, hidden_size, seq_len, seed=seed) for seed in SEEDS]
        yield family, hidden_size, seq_len, scores(models, n_samples)
