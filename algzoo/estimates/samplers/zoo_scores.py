"""Measuring the bundled models: the scores that choose the best seed of each size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ...zoo import FAMILIES, SEEDS, DistTransformer, Family, Model, load_model, sizes
from ..functions.exhaustive import exhaustive_accuracy
from .iid import ensemble_sampling

SAMPLE_SEED = 20260101  # one stream of inputs for all models, so that seeds are compared fairly


def scores(models: Sequence[Model], n_samples: int) -> list[float]:
    """Accuracies, for median root mean squared errors, of models of one family and length.

    Sampled on the same inputs, and exact for longest cycle.
    """
    if isinstance(models[0], DistTransformer):
        return [float(exhaustive_accuracy(model)) for model in models]
    values = [estimate.value for estimate in ensemble_sampling(models, n_samples, SAMPLE_SEED)]
    is_error = FAMILIES[models[0].task_name].measures_error
    return [math.sqrt(value) for value in values] if is_error else values


def best_of(family: Family, scores: list[float]) -> int:
    """Seed of the highest accuracy, or least error; the first of equals."""
    return scores.index(min(scores) if family.measures_error else max(scores))


def measure_all(n_samples: int) -> Iterator[tuple[Family, int, int, list[float]]]:
    """Family, hidden size, length and the scores of the five seeds, of every size."""
    for family, hidden_size, seq_len in sizes():
        models = [load_model(family.name, hidden_size, seq_len, seed=seed) for seed in SEEDS]
        yield family, hidden_size, seq_len, scores(models, n_samples)
