"""Checks of the arguments of a training; each raises a ``ValueError`` that names the argument."""

from __future__ import annotations

import math
import os
from numbers import Integral, Real
from pathlib import Path

import torch

RESULTS_FOLDER = "RESULTS_DIR"
"""Environment variable that names the folder into which trained models are written."""


def results_folder(wanted: str | os.PathLike[str] | None) -> Path:
    """Return the folder for the files: ``wanted``, or ``$RESULTS_DIR``, or the current folder."""
    return Path(os.environ.get(RESULTS_FOLDER) or "." if wanted is None else wanted)


def whole(name: str, value: object, *, at_least: int) -> int:
    """Return the value as an ``int`` if it is a whole number of at least ``at_least``."""
    # In Python True is an integer, but it is not a valid size.
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, not {value!r}")
    return int(value)


def number(name: str, value: object, *, at_most: float = math.inf) -> float:
    """Return the value as a ``float`` if it is a finite number between 0 and ``at_most``."""
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if not (math.isfinite(number) and 0 <= number <= at_most):
        choices = "of at least 0" if at_most == math.inf else f"between 0 and {at_most:g}"
        raise ValueError(f"{name} must be a number {choices}, not {value!r}")
    return number


def existing_device(wanted: str | torch.device | None) -> torch.device:
    """Return the device if this machine has it; if none is named, a GPU if there is one."""
    choices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    try:
        device = torch.device(choices[-1] if wanted is None else wanted)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"No device {wanted!r}, please choose one of: {', '.join(choices)}"
        ) from error
    if device.type not in choices or (device.index or 0) >= max(torch.cuda.device_count(), 1):
        raise ValueError(f"No device {str(wanted)!r}, please choose one of: {', '.join(choices)}")
    return device
