"""Files of a training that may be killed at any moment: checkpoints and resume files."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def write_file(content: bytes, path: Path) -> None:
    """Write a file completely or not at all, even if this process is killed.

    Raises
    ------
    OSError
        If the file cannot be written. The message names it; the old file is unchanged.
    """
    # Always the same name: what a killed run left there is replaced when that step is made again.
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # otherwise a power cut could leave an empty file
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)  # a file that filled the disk must not stay
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}") from error


def write_tensors(state: Mapping[str, Any], path: Path) -> None:
    """Write what :func:`torch.save` makes of ``state``, in the manner of :func:`write_file`."""
    content = io.BytesIO()
    torch.save(state, content)
    write_file(content.getvalue(), path)


def write_resume_file(state: dict[str, Any], path: Path) -> None:
    """Write a state that :func:`read_resume_file` reads: nested dicts, lists, tensors, values."""
    write_tensors({**state, "digest": _digest(state)}, path)


def read_resume_file(path: Path, arguments: Mapping[str, object]) -> dict[str, Any]:
    """Read the state of a training with these arguments, which are its entry ``"arguments"``.

    Raises
    ------
    ValueError
        If the file is damaged, or belongs to a training with other arguments, one of which the
        message names.
    """
    content = io.BytesIO(path.read_bytes())
    try:
        state: dict[str, Any] = torch.load(content, map_location="cpu", weights_only=True)
        if state.pop("digest") != _digest(state):  # PyTorch does not notice flipped bits
            raise ValueError("its content is not what was written")
        found: dict[str, object] = dict(state["arguments"])
    except Exception as error:
        raise damaged(path) from error
    for name, value in arguments.items():
        if found.get(name) != value:
            raise ValueError(
                f"{path} belongs to a training with {name}={found.get(name)!r}, not {value!r}: "
                f"continue with the same arguments, or delete the file to start again"
            )
    return state


def damaged(path: Path) -> ValueError:
    """Return the error to raise if a resume file does not hold what it should."""
    return ValueError(f"{path} is damaged or no resume file: delete it to train anew")


def _digest(state: object) -> str:
    """SHA-256 over nested dictionaries and lists of tensors and plain values."""
    if isinstance(state, Tensor):
        content = state.detach().cpu().contiguous().numpy().tobytes()
        parts = [str(state.dtype), str(tuple(state.shape)), hashlib.sha256(content).hexdigest()]
    elif isinstance(state, dict):
        parts = ["dict", *(f"{key!r} {_digest(value)}" for key, value in state.items())]
    elif isinstance(state, list):
        parts = ["list", *map(_digest, state)]
    else:
        parts = ["value", repr(state)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
