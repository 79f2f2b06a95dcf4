"""Files that are there as a whole or not at all, whenever the process is killed; and locks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_PATIENCE = 1.0  # seconds for a process that is just letting go of a lock


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


@contextmanager
def locked(path: Path, doing: str) -> Iterator[None]:
    """Keep other processes out of the block while this one is in it; ``path`` is made for that.

    The folder of ``path`` is made where it does not exist. The operating system holds the lock, so
    that it ends with the process, however that ends. A killed process leaves the file, which locks
    nothing then; the next one takes it over.

    Parameters
    ----------
    path
        A file that is there while the block runs; it holds the number of the process.
    doing
        What the block does, for the message to another process: "process 7 is ``doing``".

    Raises
    ------
    BlockingIOError
        Where another process is in the block; names it.
    OSError
        Where the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=_PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise BlockingIOError(
            f"process {_holder(path)} is {doing}: wait until it ends, or end it (it holds {path})"
        ) from None
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path}: {error.strerror or error}") from error
    try:
        path.write_text(f"{os.getpid()}\n")
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: later it could be that of another process
        lock.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text().strip() or "unknown"
    except OSError:
        return "unknown"


def _mode(path: Path) -> int:
    """Permissions of the file, or those that a new one gets; a temporary file has fewer."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
