"""Populations of models on which estimators are scored: noisy copies, training seeds, or both.

A population is a small description that can be sent anywhere. Its model number i is made from the
description whenever it is needed; the models are never all kept. The noise comes from named random
streams: the models that are scored use the stream ``"scoring"``, and those on which constants may
be fitted use ``"tuning"``.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from . import (
    CHECKPOINTS,
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
    """Bundled model by its name; ``n_seqs`` and ``seed`` have the defaults of :func:`load_model`.

    Raises
    ------
    ValueError
        If there is no such model; the message names the choices.
    """

    family: str
    hidden_size: int
    seq_len: int
    n_seqs: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        _read(self.family, self.hidden_size, self.seq_len, self.n_seqs, self.seed)
        # The defaults are filled in here, so that two ways of naming a model compare equal.
        if self.n_seqs is None:
            object.__setattr__(self, "n_seqs", FAMILIES[self.family].checkpoints[-1])
        if self.seed is None:
            seed = best_seed(self.family, self.hidden_size, self.seq_len)
            object.__setattr__(self, "seed", seed)

    @property
    def name(self) -> str:
        """Name of the model, ``family_hidden_seq_nseqs_seed``."""
        return f"{self.family}_{self.hidden_size}_{self.seq_len}_{self.n_seqs}_{self.seed}"

    def load(self) -> Model:
        """Load the model, a new object."""
        return load_model(self.family, self.hidden_size, self.seq_len, self.n_seqs, self.seed)


Base = ZooModel | Model
BaseLike = Base | tuple[str, int, int] | tuple[str, int, int, int | None, int | None]


@dataclass(frozen=True)
class OtherModel:
    """Model whose weights are not in the package, by its name on the command line.

    Attributes
    ----------
    family, hidden_size, seq_len, n_seqs, seed, source
        As for :func:`~algzoo.zoo.load_model`; the source is ``"official"`` or a file of your own.
        ARC's example has the source ``"example_2nd_argmax"``.
    """

    family: str
    hidden_size: int
    seq_len: int
    n_seqs: int | None
    seed: int | None
    source: str

    @property
    def name(self) -> str:
        """Name for a file: of the example, of ARC's model, or of the size and your own file."""
        size = f"{self.family}_{self.hidden_size}_{self.seq_len}"
        if self.source == EXAMPLE:
            return EXAMPLE
        if self.source != "official":
            return f"{size}_{Path(self.source).stem}"
        seed = self.seed
        if seed is None:
            seed = best_seed(self.family, self.hidden_size, self.seq_len, "official")
        return f"{size}_{self.n_seqs or CHECKPOINTS[-1]}_{seed}_official"

    def load(self) -> Model:
        """Load the model; the errors are those of :func:`base_named`."""
        if self.source == EXAMPLE:
            return example_2nd_argmax()
        size = self.family, self.hidden_size, self.seq_len
        return load_model(*size, self.n_seqs, self.seed, self.source)


def read_name(name: str) -> ZooModel | OtherModel:
    """Return what a name on the command line says, as for :func:`base_named`, without loading it.

    Raises
    ------
    ValueError
        If models are not named so, or if the package has no such model.
    """
    if name == EXAMPLE:
        return OtherModel("2nd_argmax", 16, 10, None, None, EXAMPLE)
    named, colon, source = name.partition(":")
    for family in FAMILIES:
        numbers = named.removeprefix(f"{family}_").split("_")
        if not named.startswith(f"{family}_") or not all(map(_whole, numbers)):
            continue
        hidden_size, seq_len, *training = map(int, numbers) if len(numbers) > 1 else (0, 0, 0)
        if len(training) not in (0, 2) or (training and colon and source != "official"):
            continue
        n_seqs, seed = training or (None, None)
        if not colon:
            return ZooModel(family, hidden_size, seq_len, n_seqs, seed)
        return OtherModel(family, hidden_size, seq_len, n_seqs, seed, source)
    raise ValueError(
        f"No model is called {name!r}: models are called family_hidden_seq, as 2nd_argmax_16_10, "
        f"family_hidden_seq_nseqs_seed, with family one of {', '.join(FAMILIES)}, or {EXAMPLE}; "
        "either with :official is ARC's own, and family_hidden_seq:FILE is one of your own, in a "
        ".safetensors, .pth or .pt file"
    )


def base_named(name: str) -> Base:
    """Return the base model that a name on the command line stands for.

    ``family_hidden_seq`` is the best seed of that size, ``family_hidden_seq_nseqs_seed`` a certain
    bundled model, and either with ``:official`` ARC's own model of that name.
    ``example_2nd_argmax`` is ARC's example, and ``family_hidden_seq:file`` a model of any size
    whose weights are in your own file, as for the ``source`` of :func:`~algzoo.zoo.load_model`.

    Raises
    ------
    ValueError
        If there is no such model; the message says how models are named, or what is wrong with the
        file.
    OfficialFileMissing
        If ARC's own weights are asked for and cannot be had.
    OSError
        If your own file does not exist or cannot be read.
    """
    named = read_name(name)
    return named if isinstance(named, ZooModel) else named.load()


class Population(ABC):
    """Models that are scored together: the same number of copies of each of some base models."""

    @property
    @abstractmethod
    def bases(self) -> tuple[Base, ...]:
        """The base models, each as a name or as the model itself."""

    @property
    @abstractmethod
    def copies(self) -> int:
        """Number of models of each base."""

    @property
    @abstractmethod
    def description(self) -> str:
        """Description of the population in words, without its base models."""

    @abstractmethod
    def fingerprint(self, base: int) -> str:
        """Return a text that distinguishes the models of base number ``base`` from all others."""

    @abstractmethod
    def model(self, index: int) -> Model:
        """Return model number ``index``, a new object at each call; a base's are adjacent."""

    @abstractmethod
    def tuning(self, base: int, n_models: int) -> Population | None:
        """Return models of base number ``base`` for fitting constants, or ``None`` without any."""

    @abstractmethod
    def tuning_of_others(self, base: int, n_models: int) -> Population | None:
        """Return the same for the other base models of the same size, ``n_models`` of each."""

    def __len__(self) -> int:
        return len(self.bases) * self.copies

    def base_of(self, index: int) -> int:
        """Return the number of the base from which model number ``index`` is made."""
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} models in this population, no number {index}")
        return index // self.copies


@dataclass(frozen=True)
class TrainingSeeds(Population):
    """Models of one size, one for every training seed.

    ``n_seqs`` is that of :func:`algzoo.zoo.zoo_2nd_argmax`.

    Raises
    ------
    ValueError
        If there is no such size.
    """

    family: str
    hidden_size: int
    seq_len: int
    n_seqs: int | None = None
    seeds: tuple[int, ...] = SEEDS

    def __post_init__(self) -> None:
        _ = self.bases  # raises an error if one does not exist

    @property
    def bases(self) -> tuple[ZooModel, ...]:
        """The base models."""
        size = (self.family, self.hidden_size, self.seq_len, self.n_seqs)
        return tuple(ZooModel(*size, seed) for seed in self.seeds)

    @property
    def copies(self) -> int:
        """Number of models of each base, which is 1."""
        return 1

    @property
    def description(self) -> str:
        """Description of the population in words."""
        return f"{self.family}_{self.hidden_size}_{self.seq_len}, {len(self.seeds)} training seeds"

    def fingerprint(self, base: int) -> str:
        """Return the digest of the base's weights."""
        return model_digest(_load(self.bases[base]))

    def model(self, index: int) -> Model:
        """Return model number ``index``, a new object."""
        return copy.deepcopy(_load(self.bases[self.base_of(index)]))

    def tuning(self, base: int, n_models: int) -> None:
        """Return ``None``: the only model of a seed is the one that is scored."""

    def tuning_of_others(self, base: int, n_models: int) -> TrainingSeeds | None:
        """Return models of the other bases of this size, on which to fit constants."""
        seeds = tuple(seed for seed in self.seeds if seed != self.seeds[base])
        return replace(self, seeds=seeds) if seeds else None


@dataclass(frozen=True)
class NoisyCopies(Population):
    """Copies of models with independent Gaussian noise on all raw weights.

    Parameters
    ----------
    base
        Name of a model, ``(family, hidden_size, seq_len)``, with ``n_seqs`` and ``seed`` if wanted;
        or any model; or :class:`TrainingSeeds`, for noisy copies of every training seed.
    sd
        Standard deviation of the noise.
    n_models
        Number of copies of each base.
    seed
        Seed of the noise. Populations that differ only in ``sd`` share their standard Gaussian
        noise.
    relative
        Whether every weight is multiplied by 1 + noise instead.

    Raises
    ------
    ValueError
        If a base does not exist or computes something else than its weights say
        (:func:`~algzoo.zoo.model_check.check_plain`), if ``sd`` is negative, or if there are no
        models.

    Notes
    -----
    The noise is added in float64, and the sum is rounded to the number type of the weights.

    Examples
    --------
    >>> population = NoisyCopies(("2nd_argmax", 4, 3), sd=0.01, n_models=10)
    >>> len(population)
    10
    >>> population.model(0).hidden_size
    4
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
        """Number of models of each base."""
        return self.n_models

    @property
    def description(self) -> str:
        """Description of the population in words."""
        sort = "relative noise" if self.relative else "noise on the raw weights"
        of = f"{len(self.bases)} base models" if len(self.bases) > 1 else base_name(self.bases[0])
        return f"{of}, {self.n_models} copies with {sort} of sd {self.sd:g}, seed {self.seed}"

    def fingerprint(self, base: int) -> str:
        """Return a text of the base's weights and everything else that its copies depend on."""
        noise = f"{self.stream} {self.seed} {base} {self.sd!r} {self.relative}"
        return f"{model_digest(_load(self.bases[base]))} {noise}"

    def model(self, index: int) -> Model:
        """Return model number ``index``, a new object."""
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
        """Return models of the same base on which to fit constants."""
        return replace(self, base=(self.bases[base],), n_models=n_models, stream="tuning")

    def tuning_of_others(self, base: int, n_models: int) -> NoisyCopies | None:
        """Return models of the other bases of this size, on which to fit constants."""
        scored = self.bases[base]
        if len(self.bases) > 1:
            others = self.bases[:base] + self.bases[base + 1 :]
        else:
            others = _training_seeds_like(scored)
        # Compared by weights, because a model that was passed as an object may be a seed.
        digest = model_digest(_load(scored))
        others = tuple(other for other in others if model_digest(_load(other)) != digest)
        return replace(self, base=others, n_models=n_models, stream="tuning") if others else None


def _whole(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def base_name(base: Base) -> str:
    """Return the name under which a base model is reported."""
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
            check_model(one)  # its copies and their cached true scores are found by weights alone
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
    """Return all training seeds of the size of ``base``, none if the zoo has no such size."""
    model = _load(base)
    n_seqs = base.n_seqs if isinstance(base, ZooModel) else None
    hidden_size = int(model.hidden_size)
    try:
        return TrainingSeeds(model.task_name, hidden_size, model.seq_len, n_seqs).bases
    except ValueError:
        return ()


def _load(base: Base) -> Model:
    """Return the base model itself, not a copy."""
    if isinstance(base, ZooModel):
        return _read(base.family, base.hidden_size, base.seq_len, base.n_seqs, base.seed)
    return base


_read = cache(load_model)  # a population looks at its bases again for every model
