"""Loading the trained recurrent models by family, size, seed and source."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict

from .architectures import DistRNN, ScalarRNN
from .families import FAMILIES, FULLY_TRAINED, SEEDS, Family, check_choice
from .weights import load_into, read_state_dict

Source = Literal["bundled", "official"]

OFFICIAL_FOLDER = "ALGZOO_OFFICIAL"  # environment variable: a folder with ARC's own weight files

_DATA = Path(__file__).parent / "data"


class Score(TypedDict):
    """Accuracy, for median root mean squared error, of each seed of one size."""

    best_seed: int
    scores: list[float]


@cache
def measured_scores() -> dict[str, Score]:
    """Scores of the bundled models by ``family_hidden_seq``; see data/PROVENANCE.md."""
    scores: dict[str, Score] = json.loads((_DATA / "scores.json").read_text("utf-8"))["models"]
    return scores


def write_scores(scores: Mapping[str, Any]) -> None:
    """Replace the file that :func:`measured_scores` reads."""
    path = _DATA / "scores.json"
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(scores, indent=1) + "\n", "utf-8")
    beside.replace(path)
    measured_scores.cache_clear()


@cache
def _published() -> Any:
    return json.loads((_DATA / "published.json").read_text("utf-8"))


def published_score(family: str, hidden_size: int, seq_len: int) -> float:
    """Score of ARC's best seed as published: accuracy, for median root mean squared error."""
    table = _published()["rmse" if family == "median" else "accuracy"]
    return float(table[family][f"{hidden_size},{seq_len}"])


def best_seed(family: str, hidden_size: int, seq_len: int, source: Source = "bundled") -> int:
    """Seed of the most accurate model of that size: as measured here, or as ARC published it."""
    _family_with(family, hidden_size, seq_len, source)
    if source == "official":
        return int(_published()["best_seed"][family][f"{hidden_size},{seq_len}"])
    return measured_scores()[f"{family}_{hidden_size}_{seq_len}"]["best_seed"]


def _family_with(family_name: str, hidden_size: int, seq_len: int, source: Source) -> Family:
    """The family, if it has such a size and source; else a ``ValueError`` naming the choices."""
    check_choice("family", family_name, FAMILIES)
    family = FAMILIES[family_name]
    check_choice("hidden_size", hidden_size, family.hidden_sizes)
    check_choice("seq_len", seq_len, family.seq_lens)
    check_choice("source", source, ["bundled", "official"])
    return family


def load_recurrent(
    family_name: str,
    hidden_size: int,
    seq_len: int,
    n_seqs: int | None,
    seed: int | None,
    source: Source,
) -> DistRNN | ScalarRNN:
    """Bundled or official model of any recurrent family; see :func:`zoo_2nd_argmax`."""
    family = _family_with(family_name, hidden_size, seq_len, source)
    if n_seqs is None:
        n_seqs = FULLY_TRAINED
    check_choice("n_seqs", n_seqs, [FULLY_TRAINED])
    if seed is None:
        seed = best_seed(family_name, hidden_size, seq_len, source)
    check_choice("seed", seed, SEEDS)
    name = f"{family_name}_{hidden_size}_{seq_len}_{n_seqs}_{seed}"
    if source == "bundled":
        path, prefix = _DATA / f"{family_name}_final.safetensors", f"{name}/"
    else:
        path, prefix = _official_file(name), ""
    model = family.architecture(int(hidden_size), int(seq_len))
    model.task_name = family_name
    load_into(model, read_state_dict(path, prefix), str(path))
    return model


def _official_file(name: str) -> Path:
    folder = os.environ.get(OFFICIAL_FOLDER)
    file_name = f"{name}.safetensors"
    if not folder:
        raise FileNotFoundError(
            f"ARC's own weights {file_name} are not bundled: put the file into a folder and name "
            f"that folder in the environment variable {OFFICIAL_FOLDER}"
        )
    path = Path(folder) / file_name
    if not path.is_file():
        raise FileNotFoundError(
            f"No {file_name} in {folder}, the folder that the environment variable "
            f"{OFFICIAL_FOLDER} names"
        )
    return path


def zoo_2nd_argmax(
    hidden_size: int,
    seq_len: int,
    *,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: Source = "bundled",
) -> DistRNN:
    """Trained RNN that gives the position of the second-largest number of a sequence.

    Parameters
    ----------
    hidden_size
        2, 3, 4, 5, 6, 8, 16 or 32.
    seq_len
        2, 3, 4, 5, 6, 8 or 10.
    n_seqs
        Number of training sequences; 2**30, the fully trained model, where absent.
    seed
        0 to 4; where absent, the seed of the most accurate bundled model.
    source
        ``"bundled"``: retrained for this package with ARC's recipe. ``"official"``: ARC's own
        weights, from the folder that the environment variable ``ALGZOO_OFFICIAL`` names.

    Raises
    ------
    ValueError
        Names the value that does not exist and the choices.
    FileNotFoundError
        Where ARC's own weights are asked for and not there.
    """
    model = load_recurrent("2nd_argmax", hidden_size, seq_len, n_seqs, seed, source)
    assert isinstance(model, DistRNN)
    return model


def zoo_argmedian(
    hidden_size: int,
    seq_len: int,
    *,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: Source = "bundled",
) -> DistRNN:
    """Trained RNN that gives the position of the middle number of a sequence of odd length.

    ``hidden_size``: 2, 4, 8, 16 or 32. ``seq_len``: 3, 5, 7 or 11. The rest as
    :func:`zoo_2nd_argmax`.
    """
    model = load_recurrent("argmedian", hidden_size, seq_len, n_seqs, seed, source)
    assert isinstance(model, DistRNN)
    return model


def zoo_median(
    hidden_size: int,
    seq_len: int,
    *,
    n_seqs: int | None = None,
    seed: int | None = None,
    source: Source = "bundled",
) -> ScalarRNN:
    """Trained RNN that gives the median of a sequence.

    ``hidden_size``: 2, 4, 8, 16 or 32. ``seq_len``: 2, 3, 5 or 10. The best seed is the one of
    least mean squared error. The rest as :func:`zoo_2nd_argmax`.
    """
    model = load_recurrent("median", hidden_size, seq_len, n_seqs, seed, source)
    assert isinstance(model, ScalarRNN)
    return model
