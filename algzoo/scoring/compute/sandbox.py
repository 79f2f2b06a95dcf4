"""Call an estimator that may do anything, in a process that may be lost.

The process is a fork of a warm interpreter, :mod:`algzoo.scoring.compute.sandbox_worker`; one job,
one fork. One that does not answer in time is killed with everything that it started, and nothing
that an estimator does to its own process reaches the next job.

This guards against accidents and against fooling oneself, not against an attacker: an estimator can
do whatever its user can.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import cloudpickle

from ...estimates import RunsNetwork
from ...zoo import Model

KILL_JOB = signal.SIGUSR1  # asks the interpreter to kill the job that it runs

_START_LIMIT = 120.0  # seconds for the interpreter to start, and for an estimator to be imported
_PR_SET_PDEATHSIG = 1
_KILL_LIMIT = 10.0  # seconds for it to do so
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_LENGTH = struct.Struct("<Q")
_LONGEST_REASON = 300  # characters

Request = tuple[Model, int, int]  # with the seed of the random generators and the scramble

_local = threading.local()


class EstimatorFailure(Exception):  # noqa: N818 (it is the estimator's, not ours)
    """What an estimator did instead of giving a valid estimate, in words."""


@dataclass(frozen=True)
class Outcome:
    """What an estimator returned for one model, checked."""

    value: float
    operations: int
    runs_network: RunsNetwork
    transcendental: int


def packed(thing: object) -> bytes:
    """Return ``thing`` as bytes for another process.

    Raises
    ------
    EstimatorFailure
        Where it cannot be sent; says why.
    """
    try:
        content: bytes = cloudpickle.dumps(thing)
    except (Exception, SystemExit) as error:  # what is sent may say how, by code of its own
        raise EstimatorFailure(f"cannot be sent to another process: {in_words(error)}") from error
    return content


def in_words(error: BaseException) -> str:
    """Type and message of an error on one line of bounded length."""
    if isinstance(error, SystemExit):  # its message is an exit status, or nothing
        text = f"SystemExit, as by sys.exit({error.code!r})"
    else:
        text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 3]}..."


def own_sandbox() -> Sandbox:
    """The sandbox of this thread; its interpreter ends with the thread."""
    if not hasattr(_local, "sandbox"):
        _local.sandbox = Sandbox()
    sandbox: Sandbox = _local.sandbox
    return sandbox


class Sandbox:
    """A warm interpreter in which estimators are called, started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[[subprocess.Popen[bytes]], Sandbox] | None = None

    def close(self) -> None:
        """End the interpreter and whatever runs in it."""
        if self._end is not None:
            self._end()
        self._process = self._end = None

    def estimates(
        self,
        job: bytes,
        models: Iterable[Request],
        *,
        import_path: Sequence[str] = (),
        time_limit: float,
    ) -> Generator[Outcome]:
        """Return the estimates of the models, one after the other.

        Parameters
        ----------
        job
            ``(estimator, operations, scrambles)``, :func:`packed`; ``operations`` is the declared
            closed form of the number of operations, or ``None``; ``scrambles`` tells whether the
            estimator takes a ``scramble``.
        models
            Each with the seed of the global random generators during its call, and its scramble.
        import_path
            Folders in which modules are looked for, besides the interpreter's own.
        time_limit
            Seconds for each call.

        Raises
        ------
        EstimatorFailure
            At the first model for which there is no valid estimate; says why.
        """
        requests = map(_packed_request, models)
        for answer in self._answers("estimates", job, requests, import_path, time_limit):
            yield Outcome(**json.loads(answer))

    def calls(
        self,
        job: bytes,
        requests: Iterable[tuple[Any, ...]],
        *,
        import_path: Sequence[str] = (),
        time_limit: float,
    ) -> Generator[bytes]:
        """Return what a function gives for these arguments, one after the other.

        ``job`` is ``(function,)``, :func:`packed`; the function returns bytes, and raises
        :class:`EstimatorFailure` where the estimator does not give a valid estimate. Errors as
        :meth:`estimates`.
        """
        return self._answers("calls", job, map(packed, requests), import_path, time_limit)

    def _answers(
        self,
        kind: str,
        job: bytes,
        requests: Iterable[bytes],
        import_path: Sequence[str],
        time_limit: float,
    ) -> Generator[bytes]:
        with self._job(kind, import_path, job):
            for request in requests:
                self._send(request)
                yield self._answer(time_limit, f"took longer than {time_limit:g} s")

    def fitted(
        self,
        job: bytes,
        models: Sequence[Model],
        truths: Sequence[float],
        *,
        import_path: Sequence[str] = (),
        time_limit: float,
    ) -> bytes:
        """The estimator, :func:`packed` as a job, that a fit returns for models and true scores.

        ``job`` is ``(fit, operations, False)``. ``time_limit`` in seconds is for the whole call.
        Errors as :meth:`estimates`.
        """
        with self._job("fit", import_path, job):
            self._send(pickle.dumps((list(models), list(truths))))
            return self._answer(time_limit, f"its fit took longer than {time_limit:g} s")

    @contextmanager
    def _job(self, kind: str, import_path: Sequence[str], job: bytes) -> Iterator[None]:
        """A fork in which the job is loaded, gone at the end of the block."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "algzoo.scoring.compute.sandbox_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **dict.fromkeys(_THREADS, "1"), "PYTHONPATH": _python_path()},
                start_new_session=True,  # the key that interrupts us is not for it
            )
            self._end = weakref.finalize(self, _stop, self._process)
        ended = False
        try:
            self._send(json.dumps({"kind": kind, "import_path": list(import_path)}).encode())
            self._send(job)
            self._answer(_START_LIMIT, f"was not loaded within {_START_LIMIT:g} s")
            yield
        except _Ended as end:
            ended = True
            raise EstimatorFailure(str(end)) from None
        except (_Refused, TimeoutError, EOFError) as error:
            raise EstimatorFailure(str(error)) from None
        finally:
            if not ended:
                self._kill_job()

    def _kill_job(self) -> None:
        """Keep the interpreter, unless it does not say that the job is gone."""
        assert self._process is not None
        self._process.send_signal(KILL_JOB)
        until = time.monotonic() + _KILL_LIMIT
        try:
            while self._receive(until)[:1] != b"-":
                pass
        except (TimeoutError, EOFError):
            self.close()

    def _send(self, content: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            send(self._process.stdin.fileno(), content)
        except BrokenPipeError:
            raise EOFError("its process was ended") from None

    def _answer(self, time_limit: float, late: str) -> bytes:
        """Content of the next answer."""
        try:
            answer = self._receive(time.monotonic() + time_limit)
        except TimeoutError:
            raise TimeoutError(late) from None
        mark, content = answer[:1], answer[1:]
        if mark == b"+":
            return content
        if mark == b"!":
            raise _Refused(content.decode())
        raise _Ended(_end_in_words(int(content)))

    def _receive(self, until: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        file = self._process.stdout.fileno()
        (length,) = _LENGTH.unpack(_read(file, _LENGTH.size, until))
        return _read(file, length, until)


def _packed_request(request: Request) -> bytes:
    """As bytes; in the quicker way where that can send everything that the model holds."""
    try:
        return pickle.dumps(request)
    except Exception:
        return packed(request)


class _Refused(Exception):  # noqa: N818
    """The job says that the estimator did not give a valid estimate."""


class _Ended(Exception):  # noqa: N818
    """The process of the job has ended of itself."""


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """Get that signal when the thread that started this process ends; on Linux alone."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def send(file: int, content: bytes) -> None:
    """Write ``content``, with its length before it, to a file descriptor."""
    view = memoryview(_LENGTH.pack(len(content)) + content)
    while view:
        view = view[os.write(file, view) :]


def receive(file: int) -> bytes:
    """Read what :func:`send` has written; ``EOFError`` if the other side is gone."""
    (length,) = _LENGTH.unpack(_read(file, _LENGTH.size))
    return _read(file, length)


def _read(file: int, length: int, until: float | None = None) -> bytes:
    content = bytearray()
    ready = select.poll()
    ready.register(file, select.POLLIN)
    while len(content) < length:
        if until is not None and not ready.poll(max(until - time.monotonic(), 0) * 1000):
            raise TimeoutError("no answer in time")
        piece = os.read(file, min(length - len(content), 2**20))
        if not piece:
            raise EOFError("its process was ended")
        content += piece
    return bytes(content)


def _end_in_words(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended its process with exit status {exit_code}"
    return f"its process was ended by signal {signal.Signals(-exit_code).name}"


def _python_path() -> str:
    """Where we find modules, for another interpreter to find the same ones."""
    return os.pathsep.join(os.path.abspath(folder) for folder in sys.path)  # noqa: PTH100


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # upon which it kills its job
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(OSError):
            pipe.close()
