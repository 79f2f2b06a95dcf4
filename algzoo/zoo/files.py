"""Files that are there as a whole or not at all, whenever the process is killed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def temporary_file(path: Path, content: bytes, suffix: str = ".tmp") -> Iterator[Path]:
    """A file beside ``path`` with ``content``; it goes away unless it is renamed inside the block.

    The folder of ``path`` is made where it does not exist. What a killed process leaves there ends
    in ``suffix``, so that nobody takes it for a file of the kind of ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(suffix, f".{path.name}.", path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(number)  # or a power cut could leave the name without the content
        yield Path(name)
    finally:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)  # what fills a disk shall not stay on it


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` beside ``path``, then rename; the old file keeps its permissions.

    Raises
    ------
    OSError
        Says which file cannot be written; the old one is as it was.
    """
    try:
        with temporary_file(path, content) as temporary:
            temporary.chmod(_mode(path))
            temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path}: {error.strerror or error}") from error


def _mode(path: Path) -> int:
    """Permissions of the file, or those that a new one gets; a temporary file has fewer."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
