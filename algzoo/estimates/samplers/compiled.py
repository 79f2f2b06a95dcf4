"""Compilation of functions to machine code that computes the same bits on every processor.

Numba must neither fuse a product with the addition that follows it, which not every processor can
do, nor reorder sums. Compiled functions use only +, -, *, / and square roots, which are rounded
correctly everywhere; the last digits of logarithms and similar functions differ from one machine to
the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function, and keep the machine code on disk if there is a place for it."""
    # Numba names its files after this. It writes the index of a new source before the code: after a
    # process was killed in between, the next one would take old code of that name for the new code.
    source = Path(function.__code__.co_filename).read_bytes()
    function.__qualname__ += f"_{hashlib.sha256(source).hexdigest()[:16]}"
    try:
        return numba.njit(function, cache=True, **_OPTIONS)
    except RuntimeError:  # neither beside this file nor in the user's cache can it be written
        return numba.njit(function, **_OPTIONS)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function as a part of the compiled functions that call it."""
    return numba.njit(function, inline="always", **_OPTIONS)
