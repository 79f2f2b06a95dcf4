"""Weight files: read one model from a safetensors file, or say what is wrong with the file."""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

WEIGHT_FILES = (".safetensors", ".pth", ".pt")  # endings of their names; case is ignored

NUMBER_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def is_weight_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether the name has the ending of a weight file."""
    return os.fsdecode(path).lower().endswith(WEIGHT_FILES)


def read_state_dict(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """Read the state dict stored under ``prefix`` in the safetensors file at ``path``.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not a safetensors file, or holds no tensor under ``prefix``, or a tensor whose
        entries are not finite numbers.
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
        check_weight(str(path), prefix + key, tensor)
    return state


def check_weight(source: str, key: str, weight: Tensor) -> None:
    """Raise a ``ValueError`` naming ``source`` and ``key`` unless a tensor holds finite numbers."""
    if weight.dtype not in NUMBER_TYPES or weight.layout != torch.strided or weight.is_meta:
        number_type = str(weight.dtype).removeprefix("torch.")
        raise ValueError(
            f"{source}: tensor {key!r} is not made of plain numbers, but {number_type}"
        )
    if not torch.isfinite(weight).all():
        raise ValueError(f"{source}: tensor {key!r} holds a weight that is not finite")


def load_into(model: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load ``state`` into ``model`` without rounding; raise a ``ValueError`` if it does not fit.

    The model gets the number type of the weights, at least float32: half precision is widened, and
    mixed types become the widest of them. The error names ``source``.
    """
    wanted = {key: tuple(weight.shape) for key, weight in model.state_dict().items()}
    found = {key: tuple(weight.shape) for key, weight in state.items()}
    differences = [
        f"{key!r} {what}"
        for key in sorted(wanted | found)
        for what in [_difference(wanted.get(key), found.get(key))]
        if what
    ]
    if differences:
        raise ValueError(f"{source} does not hold the weights asked for: {'; '.join(differences)}")
    number_types = (weight.dtype for weight in state.values())
    model.to(reduce(torch.promote_types, number_types, torch.float32))
    model.load_state_dict(state)


def _difference(wanted: tuple[int, ...] | None, found: tuple[int, ...] | None) -> str | None:
    if wanted == found:
        return None
    if found is None:
        return f"of shape {wanted} is not there"
    return "has no place in the model" if wanted is None else f"has shape {found}, not {wanted}"
