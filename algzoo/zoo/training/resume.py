"""Files of a training that may be killed at any moment: checkpoints, and where it goes on from."""

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
    """Write a file that is there as a whole or not at all, whenever this process is killed.

    Raises
    ------
    OSError
        Names the file that cannot be written; the old one is as it was.
    """
    # Always the same name: what a killed run left there is replaced when that step is made again.
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the name without the content
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)  # what fills a disk shall not stay on it
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}") from error


def write_tensors(state: Mapping[str, Any], path: Path) -> None:
    """Write what :func:`torch.save` makes of ``state``, as :func:`write_file` does."""
    content = io.BytesIO()
    torch.save(state, content)
    write_file(content.getvalue(), path)


def write_resume_file(state: dict[str, Any], path: Path) -> None:
    """Write a state that :func:`read_resume_file` reads: nested dicts, lists, tensors, values."""
    write_tensors({**state, "digest": _digest(state)}, path)


def read_resume_file(path: Path, arguments: Mapping[str, object]) -> dict[str, Any]:
    """State of a training with these arguments, which are its entry ``"arguments"``.

    Raises
    ------
    ValueError
        Where the file is damaged, or of a training with other arguments, of which one is named.
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
                f"{path} is of a training with {name}={found.get(name)!r}, not {value!r}: go "
                f"on with the same arguments, or delete the file to train anew"
            )
    return state


def damaged(path: Path) -> ValueError:
    """The error to raise where a resume file does not hold what it should."""
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
