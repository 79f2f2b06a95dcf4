"""Weight files: read one model out of a safetensors file, or say what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn


def read_state_dict(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """State dict of the model stored under ``prefix`` in the safetensors file at ``path``.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    ValueError
        Where it is not a safetensors file, holds no tensor under ``prefix``, or one with a weight
        that is not finite.
    """
    if not path.is_file():
        raise FileNotFoundError(f"No weight file at {path}")
    try:
        with safe_open(path, framework="pt") as tensors:
            state = {
                key.removeprefix(prefix): tensors.get_tensor(key)
                for key in tensors.keys()  # noqa: SIM118 (not a dict)
                if key.startswith(prefix)
            }
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
    if not state:
        raise ValueError(f"{path} holds no tensor whose name starts with {prefix!r}")
    for key, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{path}: tensor {prefix + key!r} holds a weight that is not finite")
    return state


def load_into(model: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load ``state`` into ``model``; ``ValueError`` naming ``source`` where it does not fit."""
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"{source} does not hold the weights asked for: {error}") from error
