"""Compiling functions to machine code that computes the same bits on every processor.

Numba may neither fuse a product with the addition that follows it, which not every processor can
do, nor reorder sums. Compiled functions keep to +, -, *, / and square roots, which are rounded
correctly everywhere; logarithms and the like differ from one machine to the next in their last
digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function; the machine code is kept on disk where there is a place for it."""
    # Numba names its files after this. It writes the index of a new source before the code: of a
    # process killed in between, the next one would take old code of the same name for the new.
    source = Path(function.__code__.co_filename).read_bytes()
    function.__qualname__ += f"_{hashlib.sha256(source).hexdigest()[:16]}"
    try:
        return numba.njit(function, cache=True, **_OPTIONS)
    except RuntimeError:  # neither beside this file nor in the user's cache can it be written
        return numba.njit(function, **_OPTIONS)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function as a part of the compiled functions that call it."""
    return numba.njit(function, inline="always", **_OPTIONS)
