"""The process in which :mod:`.sandbox` calls estimators, started with ``python -m``.

The process reads jobs from its standard input and forks for each job. The fork loads the estimator
and answers until it is killed. When it has ended, for whatever reason, its exit code is reported.
"""

from __future__ import annotations

import gc
import json
import math
import os
import pickle
import random
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import cloudpickle
import numpy as np
import torch

from ...estimates import Estimate, Estimator, sampling
from ...zoo import FAMILIES, DistRNN, Model
from ...zoo.model_check import is_plain
from ...zoo.streams import model_digest
from .sandbox import KILL_JOB, EstimatorFailure, die_with_parent, in_words, packed, receive, send


def _numpy_state() -> object:
    state: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    twister = state["state"]
    return twister["key"].tobytes(), twister["pos"], state["has_gauss"], state["gauss"]


_STATES: dict[str, Callable[[], object]] = {
    "torch's": lambda: torch.get_rng_state().numpy().tobytes(),
    "NumPy's": _numpy_state,
    "Python's": random.getstate,
}


def main() -> NoReturn:
    """Serve jobs until nobody asks any more."""
    die_with_parent(signal.SIGTERM)
    # What an estimator prints or reads shall not meet the messages.
    requests, answers = os.dup(0), os.dup(1)
    with Path(os.devnull).open("r+b") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    signal.signal(KILL_JOB, signal.SIG_IGN)
    torch.set_num_threads(1)
    for model in (DistRNN(2, 2), DistRNN(2, 2).double()):
        sampling(model, 1, 0)  # loads its kernel, for every fork to have it
    gc.collect()
    gc.freeze()  # so that forks do not look again and again for garbage in what is loaded
    while True:
        try:
            header, job = receive(requests), receive(requests)
        except EOFError:
            sys.exit()
        process = os.fork()
        if process == 0:
            _serve(requests, answers, job, **json.loads(header))

        def kill(number: int, _: object, process: int = process) -> None:
            os.kill(process, signal.SIGKILL)  # it may not have its group yet
            _kill_group(process)
            if number == signal.SIGTERM:
                os._exit(0)

        signal.signal(signal.SIGTERM, kill)
        signal.signal(KILL_JOB, kill)
        _, status = os.waitpid(process, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(KILL_JOB, signal.SIG_IGN)
        _kill_group(process)  # what the estimator has started
        send(answers, b"-%d" % os.waitstatus_to_exitcode(status))


def _kill_group(process: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def _serve(requests: int, answers: int, job: bytes, kind: str, import_path: list[str]) -> NoReturn:
    os.setsid()
    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(KILL_JOB, signal.SIG_DFL)
    server = os.getpid()
    sys.path += [folder for folder in import_path if folder not in sys.path]
    loaded: tuple[Any, ...] = ()

    def load() -> bytes:
        nonlocal loaded
        try:
            loaded = cloudpickle.loads(job)
        except BaseException as error:
            raise EstimatorFailure(
                f"cannot be loaded in a fresh interpreter: {in_words(error)}"
            ) from error
        return b""

    def answer(request: bytes) -> bytes:
        return _ACTS[kind](*loaded, *pickle.loads(request))

    _reply(answers, server, load)
    with suppress(EOFError):
        while True:
            _reply(answers, server, partial(answer, receive(requests)))
    os._exit(0)


def _reply(answers: int, server: int, act: Callable[[], bytes]) -> None:
    """Send what ``act`` gives, or why it gives nothing, from the process ``server`` alone."""
    try:
        content = b"+" + act()
    except EstimatorFailure as failure:
        content = b"!" + str(failure).encode()
    except BaseException as error:  # an exit or an interrupt raised by an estimator, too
        content = b"!raised " + f"{in_words(error)}{_place(error)}".encode()
    if os.getpid() != server:  # a fork that the estimator made, and let come back here
        os._exit(0)
    send(answers, content)


def _place(error: BaseException) -> str:
    """File and line where the error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


def _estimate(
    estimator: Callable[..., Estimate],
    operations: Callable[[Model], int] | None,
    scrambles: bool,
    model: Model,
    seed: int,
    scramble: int,
) -> bytes:
    """The estimate, checked, as JSON."""
    digest = model_digest(model)
    # torch.manual_seed would also put a traceback aside for every kind of device that is not there.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
    before = {name: state() for name, state in _STATES.items()}
    estimate = estimator(model, scramble=scramble) if scrambles else estimator(model)
    drawn_from = [name for name, state in _STATES.items() if state() != before[name]]
    if not is_plain(model) or model_digest(model) != digest:
        raise EstimatorFailure("changed the model that it was given")
    outcome = _checked(estimate, model)
    n_operations, runs_network = outcome["operations"], outcome["runs_network"]
    if drawn_from and runs_network != "random inputs":
        raise EstimatorFailure(
            f"used {' and '.join(drawn_from)} global random generator, although its runs_network "
            f"is {runs_network!r}: what draws inputs says 'random inputs', and a model is built or "
            "loaded outside the call"
        )
    if operations is not None and (declared := operations(model)) != n_operations:
        raise EstimatorFailure(
            f"declares {declared!r} operations in closed form, but its estimate says {n_operations}"
        )
    return json.dumps(outcome).encode()


def _checked(estimate: object, model: Model) -> dict[str, Any]:
    """What the estimate says, as plain values."""
    if not isinstance(estimate, Estimate):
        raise EstimatorFailure(
            f"returned {_short(estimate)}, which is not an algzoo.estimates.Estimate"
        )
    value, n_operations = float(estimate.value), int(estimate.operations)
    largest = math.inf if FAMILIES[model.task_name].measures_error else 1.0
    if not 0 <= value <= largest:
        raise EstimatorFailure(f"its value {value!r} is outside [0, {largest:g}]")
    if n_operations < 1:
        raise EstimatorFailure(f"its operations are {n_operations}, not a positive number")
    return {
        "value": value,
        "operations": n_operations,
        "runs_network": estimate.runs_network,
        "transcendental": int(estimate.transcendental),
    }


def _short(value: object) -> str:
    text = repr(value)
    return f"{text[:60]}..." if len(text) > 60 else text


def _fit(
    fit: Callable[[list[Model], list[float]], Estimator],
    operations: object,
    scrambles: bool,
    models: list[Model],
    truths: list[float],
) -> bytes:
    return packed((fit(models, truths), operations, scrambles))


def _call(function: Callable[..., bytes], *arguments: Any) -> bytes:
    return function(*arguments)


_ACTS: dict[str, Callable[..., bytes]] = {"estimates": _estimate, "fit": _fit, "calls": _call}


if __name__ == "__main__":
    main()
