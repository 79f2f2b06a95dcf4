"""Populations of models on which estimators are scored: noisy copies, training seeds, or both.

A population is a small description that can be sent anywhere; its model number i is made from it
whenever it is needed, and nothing keeps all of them. Noise comes from random streams that have
names: what is scored is called ``"scoring"``, and what constants may be fitted on ``"tuning"``.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import torch

from . import (
    EXAMPLE,
    FAMILIES,
    SEEDS,
    Model,
    best_seed,
    check_model,
    example_2nd_argmax,
    load_model,
)
from .streams import model_digest, named_stream

Stream = Literal["scoring", "tuning"]


@dataclass(frozen=True)
class ZooModel:
    """A bundled model by its name; where ``n_seqs`` or ``seed`` is absent, as :func:`load_model`.

    Raises
    ------
    ValueError
        Where there is no such model; names the choices.
    """

    family: str
    hidden_size: int
    seq_len: int
    n_seqs: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        _read(self.family, self.hidden_size, self.seq_len, self.n_seqs, self.seed)
        # Settled once, so that two ways of naming one model are the same model.
        if self.n_seqs is None:
            object.__setattr__(self, "n_seqs", FAMILIES[self.family].checkpoints[-1])
        if self.seed is None:
            seed = best_seed(self.family, self.hidden_size, self.seq_len)
            object.__setattr__(self, "seed", seed)

    @property
    def name(self) -> str:
        """``family_hidden_seq_nseqs_seed``."""
        return f"{self.family}_{self.hidden_size}_{self.seq_len}_{self.n_seqs}_{self.seed}"


Base = ZooModel | Model
BaseLike = Base | tuple[str, int, int] | tuple[str, int, int, int | None, int | None]


def base_named(name: str) -> Base:
    """The model called ``family_hidden_seq``, ``family_hidden_seq_nseqs_seed`` or ARC's example.

    The first is the best seed of that size. ``family_hidden_seq:file`` is a model of any size whose
    weights are in a file of your own, as for the ``source`` of :func:`~algzoo.zoo.load_model`.

    Raises
    ------
    ValueError
        Where there is no such model; says how models are called, or what is wrong with the file.
    OfficialFileMissing
        Where ARC's example is asked for and cannot be had.
    OSError
        Where your own file is not there or cannot be read.
    """
    if name == EXAMPLE:
        return example_2nd_argmax()
    named, colon, own_file = name.partition(":")
    for family in FAMILIES:
        numbers = named.removeprefix(f"{family}_").split("_")
        if not named.startswith(f"{family}_") or not all(map(_whole, numbers)):
            continue
        if colon and len(numbers) == 2:
            return load_model(family, int(numbers[0]), int(numbers[1]), source=own_file)
        if not colon and len(numbers) in (2, 4):
            return ZooModel(family, *map(int, numbers))
    raise ValueError(
        f"No model is called {name!r}: models are called family_hidden_seq, as 2nd_argmax_16_10, "
        f"family_hidden_seq_nseqs_seed, with family one of {', '.join(FAMILIES)}, or {EXAMPLE}; "
        "family_hidden_seq:FILE is one of your own, in a .safetensors, .pth or .pt file"
    )


class Population(ABC):
    """Models that are scored together: the same number of copies of each of some base models."""

    @property
    @abstractmethod
    def bases(self) -> tuple[Base, ...]:
        """The base models, each as a name or as the model itself."""

    @property
    @abstractmethod
    def copies(self) -> int:
        """How many models there are of each base."""

    @property
    @abstractmethod
    def description(self) -> str:
        """The population in words; the bases themselves are not part of it."""

    @abstractmethod
    def fingerprint(self, base: int) -> str:
        """Text that tells the models of base number ``base`` from those of other populations."""

    @abstractmethod
    def model(self, index: int) -> Model:
        """Model number ``index``, a new object at every call; those of a base are in a row."""

    @abstractmethod
    def tuning(self, base: int, n_models: int) -> Population | None:
        """Models of base number ``base`` to fit constants on; ``None`` where there are none."""

    @abstractmethod
    def tuning_of_others(self, base: int, n_models: int) -> Population | None:
        """The same for the other base models of the same size, ``n_models`` of each."""

    def __len__(self) -> int:
        return len(self.bases) * self.copies

    def base_of(self, index: int) -> int:
        """Number of the base of which model number ``index`` is made."""
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} models in this population, no number {index}")
        return index // self.copies


@dataclass(frozen=True)
class TrainingSeeds(Population):
    """A model of one size trained with every seed.

    ``n_seqs`` as for :func:`algzoo.zoo.zoo_2nd_argmax`. Raises ``ValueError`` where there is no
    such size.
    """

    family: str
    hidden_size: int
    seq_len: int
    n_seqs: int | None = None
    seeds: tuple[int, ...] = SEEDS

    def __post_init__(self) -> None:
        _ = self.bases  # raises where one does not exist

    @property
    def bases(self) -> tuple[ZooModel, ...]:
        """The base models."""
        size = (self.family, self.hidden_size, self.seq_len, self.n_seqs)
        return tuple(ZooModel(*size, seed) for seed in self.seeds)

    @property
    def copies(self) -> int:
        """Models of each base."""
        return 1

    @property
    def description(self) -> str:
        """In words."""
        return f"{self.family}_{self.hidden_size}_{self.seq_len}, {len(self.seeds)} training seeds"

    def fingerprint(self, base: int) -> str:
        """Weights of the base."""
        return model_digest(_load(self.bases[base]))

    def model(self, index: int) -> Model:
        """Model number ``index``, a new object."""
        return copy.deepcopy(_load(self.bases[self.base_of(index)]))

    def tuning(self, base: int, n_models: int) -> None:
        """``None``, for the only model of a seed is the one that is scored."""

    def tuning_of_others(self, base: int, n_models: int) -> TrainingSeeds | None:
        """Models of the other bases of this size to fit constants on."""
        seeds = tuple(seed for seed in self.seeds if seed != self.seeds[base])
        return replace(self, seeds=seeds) if seeds else None


@dataclass(frozen=True)
class NoisyCopies(Population):
    """Copies of models with independent Gaussian noise on all raw weights.

    Parameters
    ----------
    base
        A model's name, ``(family, hidden_size, seq_len)`` or with ``n_seqs`` and ``seed`` as well;
        or any model; or :class:`TrainingSeeds`, for noisy copies of every training seed.
    sd
        Standard deviation of the noise.
    n_models
        Copies of each base.
    seed
        Of the noise. Populations that differ in ``sd`` alone share their standard Gaussian noise.
    relative
        Whether every weight is multiplied by 1 + noise instead.

    Raises
    ------
    ValueError
        Where a base does not exist or does something else than its weights say
        (:func:`~algzoo.zoo.model_check.check_plain`), ``sd`` is negative or there are no models.

    Notes
    -----
    Noise is added in float64, then rounded to the type of the weights.
    """

    base: BaseLike | TrainingSeeds | tuple[Base, ...]
    sd: float
    n_models: int
    seed: int = 0
    relative: bool = False
    stream: Stream = "scoring"

    def __post_init__(self) -> None:
        if not 0 <= self.sd < float("inf"):
            raise ValueError(f"sd must be at least 0 and finite, got {self.sd}")
        if self.n_models < 1:
            raise ValueError(f"n_models must be at least 1, got {self.n_models}")
        object.__setattr__(self, "base", _as_bases(self.base))

    @property
    def bases(self) -> tuple[Base, ...]:
        """The base models."""
        assert isinstance(self.base, tuple)
        return self.base  # type: ignore[return-value]  # _as_bases has settled it

    @property
    def copies(self) -> int:
        """Models of each base."""
        return self.n_models

    @property
    def description(self) -> str:
        """In words."""
        sort = "relative noise" if self.relative else "noise on the raw weights"
        of = f"{len(self.bases)} base models" if len(self.bases) > 1 else base_name(self.bases[0])
        return f"{of}, {self.n_models} copies with {sort} of sd {self.sd:g}, seed {self.seed}"

    def fingerprint(self, base: int) -> str:
        """Weights of the base, and all that its copies depend on."""
        noise = f"{self.stream} {self.seed} {base} {self.sd!r} {self.relative}"
        return f"{model_digest(_load(self.bases[base]))} {noise}"

    def model(self, index: int) -> Model:
        """Model number ``index``, a new object."""
        base = self.base_of(index)
        model = copy.deepcopy(_load(self.bases[base]))
        sequence = named_stream(self.stream, self.seed, base, index % self.n_models)
        rng = np.random.default_rng(sequence)
        with torch.no_grad():
            for _, weight in sorted(model.named_parameters()):
                noise = self.sd * torch.from_numpy(rng.standard_normal(tuple(weight.shape)))
                raw = weight.double().cpu()
                weight.copy_(raw * (1 + noise) if self.relative else raw + noise)
        return model

    def tuning(self, base: int, n_models: int) -> NoisyCopies:
        """Models of the same base to fit constants on."""
        return replace(self, base=(self.bases[base],), n_models=n_models, stream="tuning")

    def tuning_of_others(self, base: int, n_models: int) -> NoisyCopies | None:
        """Models of the other bases of this size to fit constants on."""
        scored = self.bases[base]
        if len(self.bases) > 1:
            others = self.bases[:base] + self.bases[base + 1 :]
        else:
            others = _training_seeds_like(scored)
        # By their weights, for a model that was passed as an object may be one of the seeds.
        digest = model_digest(_load(scored))
        others = tuple(other for other in others if model_digest(_load(other)) != digest)
        return replace(self, base=others, n_models=n_models, stream="tuning") if others else None


def _whole(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def base_name(base: Base) -> str:
    """What to call a base model."""
    if isinstance(base, ZooModel):
        return base.name
    return f"{type(base).__name__} for {base.task_name} with seq_len {base.seq_len}"


def _as_bases(base: object) -> tuple[Base, ...]:
    if isinstance(base, TrainingSeeds):
        return base.bases
    if isinstance(base, tuple) and base and isinstance(base[0], str):
        return (ZooModel(*base),)
    bases = base if isinstance(base, tuple) else (base,)
    for one in bases:
        if isinstance(one, torch.nn.Module):
            check_model(one)  # its copies, and their truths on disk, are known by the weights alone
        elif not isinstance(one, ZooModel):
            raise ValueError(
                "A base is a model, (family, hidden_size, seq_len), the same with n_seqs and seed, "
                f"or TrainingSeeds, not {_on_a_line(one)}"
            )
    if not bases:
        raise ValueError("There is no base model to make copies of")
    return bases


def _on_a_line(thing: object) -> str:
    text = " ".join(repr(thing).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _training_seeds_like(base: Base) -> tuple[Base, ...]:
    """Every training seed of the size of ``base``, none where the zoo has no such size."""
    model = _load(base)
    n_seqs = base.n_seqs if isinstance(base, ZooModel) else None
    hidden_size = int(model.hidden_size)
    try:
        return TrainingSeeds(model.task_name, hidden_size, model.seq_len, n_seqs).bases
    except ValueError:
        return ()


def _load(base: Base) -> Model:
    """The base itself, not a copy."""
    if isinstance(base, ZooModel):
        return _read(base.family, base.hidden_size, base.seq_len, base.n_seqs, base.seed)
    return base


_read = cache(load_model)  # a population looks at its bases again for every model
