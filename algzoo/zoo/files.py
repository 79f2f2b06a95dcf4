"""Files that are written completely or not at all, even if the process is killed; file locks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

_PATIENCE = 1.0  # seconds to wait for a process that is about to release a lock


@contextmanager
def temporary_file(path: Path, content: bytes, suffix: str = ".tmp") -> Iterator[Path]:
    """Write ``content`` to a file beside ``path`` and delete it at the end of the block.

    The file stays if the block renames it. The folder of ``path`` is created if it does not exist.
    The name of a file that a killed process leaves there ends in ``suffix``, so that it is not
    mistaken for a file of the kind of ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(suffix, f".{path.name}.", path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(number)  # otherwise a power cut could leave the name without the content
        yield Path(name)
    finally:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)  # a file that filled the disk must not stay


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to a temporary file, then rename it to ``path``.

    A file that existed before keeps its permissions.

    Raises
    ------
    OSError
        If the file cannot be written. The message names it; the old file is unchanged.
    """
    try:
        with temporary_file(path, content) as temporary:
            temporary.chmod(_mode(path))
            temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def locked(path: Path, doing: str) -> Iterator[None]:
    """Keep other processes out of the block while this process runs it.

    The lock is on the file ``path``, which is created for the purpose, with its folder. The
    operating system releases the lock when the process ends, however it ends. The file of a killed
    process may remain, but it locks nothing, and the next process takes it over.

    Parameters
    ----------
    path
        A file that exists while the block runs; it holds the process id.
    doing
        What the block does, for the message to another process: "process 7 is ``doing``".

    Raises
    ------
    BlockingIOError
        If another process is in the block; the message gives its process id.
    OSError
        If the file cannot be written.
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
            path.unlink()  # before the release: later the file could be another process's
        lock.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text().strip() or "unknown"
    except OSError:
        return "unknown"


def _mode(path: Path) -> int:
    """Return the permissions of the file, or those of a new one; a temporary file has fewer."""
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
