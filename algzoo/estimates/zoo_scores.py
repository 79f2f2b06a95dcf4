"""Measuring the bundled models: the scores that choose the best seed of each size."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..zoo import FAMILIES, SEEDS, Family, load_recurrent
from .sampling import sampling

SAMPLE_SEED = 20260101  # one stream of inputs for all models, so that seeds are compared fairly


def measure_size(family: Family, hidden_size: int, seq_len: int, n_samples: int) -> list[float]:
    """Score of each seed of one size: accuracy, for median root mean squared error."""
    scores = []
    for seed in SEEDS:
        model = load_recurrent(family.name, hidden_size, seq_len, None, seed, "bundled")
        value = sampling(model, n_samples, SAMPLE_SEED).value
        scores.append(math.sqrt(value) if family.name == "median" else value)
    return scores


def best_of(name: str, scores: list[float]) -> int:
    """Seed of the highest accuracy, or least error; the first of equals."""
    least_is_best = name.startswith("median")
    return scores.index(min(scores) if least_is_best else max(scores))


def measure_all(n_samples: int) -> Iterator[tuple[str, list[float]]]:
    """Name ``family_hidden_seq`` and scores of every size of the bundled models."""
    for family, hidden_size, seq_len in sizes():
        scores = measure_size(family, hidden_size, seq_len, n_samples)
        yield f"{family.name}_{hidden_size}_{seq_len}", scores


def sizes() -> Iterator[tuple[Family, int, int]]:
    """Every family and size of the bundled recurrent models."""
    for family in FAMILIES.values():
        for hidden_size in family.hidden_sizes:
            for seq_len in family.seq_lens:
                yield family, hidden_size, seq_len
