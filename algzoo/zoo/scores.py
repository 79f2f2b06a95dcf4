"""Scores of the models: as measured here, and as ARC published them for its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict

from .families import FAMILIES, Family, check_choice
from .files import write_whole

Source = Literal["bundled", "official"]

DATA = Path(__file__).parent / "data"


class Score(TypedDict):
    """Score of each seed of one size: accuracy, or root mean squared error for the median."""

    best_seed: int
    scores: list[float]


@cache
def measured_scores() -> dict[str, Score]:
    """Return the scores of the bundled models by ``family_hidden_seq``; see data/PROVENANCE.md."""
    scores: dict[str, Score] = json.loads((DATA / "scores.json").read_text("utf-8"))["models"]
    return scores


@cache
def n_score_inputs() -> int:
    """Return the number of random inputs on which the scores of recurrent models were measured."""
    n_inputs: int = json.loads((DATA / "scores.json").read_text("utf-8"))["n_samples"]
    return n_inputs


def write_scores(scores: Mapping[str, Any]) -> None:
    """Replace the file that :func:`measured_scores` reads."""
    write_whole(DATA / "scores.json", (json.dumps(scores, indent=1) + "\n").encode())
    measured_scores.cache_clear()
    n_score_inputs.cache_clear()


@cache
def _published() -> Any:
    return json.loads((DATA / "published.json").read_text("utf-8"))


def published_score(family: str, hidden_size: int, seq_len: int) -> float:
    """Return ARC's published score of its best seed: accuracy, or RMS error for the median."""
    table = _published()["rmse" if FAMILIES[family].measures_error else "accuracy"]
    return float(table[family][f"{hidden_size},{seq_len}"])


def best_seed(family: str, hidden_size: int, seq_len: int, source: Source = "bundled") -> int:
    """Return the seed of the best model of a size, as measured here or as published by ARC.

    Raises
    ------
    ValueError
        If the family, size or source does not exist; the message names the choices.
    """
    family_with(family, hidden_size, seq_len)
    check_choice("source", source, ["bundled", "official"])
    if source == "official":
        return int(_published()["best_seed"][family][f"{hidden_size},{seq_len}"])
    return measured_scores()[f"{family}_{hidden_size}_{seq_len}"]["best_seed"]


def family_with(name: str, hidden_size: int, seq_len: int) -> Family:
    """Return the family if it has a model of that size; otherwise raise a ``ValueError``."""
    check_choice("family", name, FAMILIES)
    family = FAMILIES[name]
    check_choice("hidden_size", hidden_size, family.hidden_sizes)
    check_choice("seq_len", seq_len, family.seq_lens)
    return family
