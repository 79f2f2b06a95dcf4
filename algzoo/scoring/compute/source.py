"""Digest of the package, so that only the same code finds what was kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

_LIBRARIES = ("numba", "numpy", "scipy", "torch")  # what numbers are computed with


@cache
def source_digest() -> str:
    """SHA-256 over all files of the package, data included, and the versions of its libraries.

    The files are read once in a process. The package may be installed as a folder or in an archive.
    """
    digest = hashlib.sha256()
    for name in _LIBRARIES:
        digest.update(f"{name}\0{version(name)}\0".encode())
    for name, content in _contents(files("algzoo"), ""):
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\0".encode())
    return digest.hexdigest()


def _contents(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file, in the order of their names; without compiled code."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _contents(entry, name)
        else:
            yield name, entry.read_bytes()
