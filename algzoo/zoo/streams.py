"""Names that are the same on every machine, of models and of random streams."""

from __future__ import annotations

import hashlib

import numpy as np

from .architectures import Model
from .model_check import check_model
from .official import content_digest


def named_stream(name: str, seed: int, *index: int) -> np.random.SeedSequence:
    """Return the random stream of a name, a seed and an index; different names share no numbers."""
    text = "\0".join(["algzoo", name, str(seed), *map(str, index)])
    return np.random.SeedSequence(int.from_bytes(hashlib.sha256(text.encode()).digest(), "little"))


def model_digest(model: Model) -> str:
    """Return the SHA-256 of what a model computes: its class, task, length and weights.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.zoo.check_model` if the model is not of a family, or computes
        something else than its weights say.
    """
    check_model(model)
    kind = f"{type(model).__name__}\0{model.task_name}\0{model.seq_len}\0"
    return hashlib.sha256((kind + content_digest(model.state_dict())).encode()).hexdigest()
