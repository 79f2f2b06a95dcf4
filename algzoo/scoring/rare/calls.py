"""Call anybody's method for rare events, in a process of its own, and check what it returns."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ...estimates import Estimate, RunsNetwork
from ...estimates.rare import METHODS, Method, ModelEvent, RareEvent
from ..compute.named import UnknownEstimator, object_named
from ..compute.sandbox import EstimatorFailure, own_sandbox, packed
from .table import applies
from .tasks import RareTask, tuning_models

_PASSES_WITH_GRADIENT = 3  # as in algzoo.estimates.rare.record


@dataclass(frozen=True)
class RareEntrant:
    """A method for rare events, of the book or of anybody else.

    Attributes
    ----------
    name
        Its name.
    function
        Function ``(event, budget, seed) -> Estimate`` with a further argument ``temperature`` if it
        needs one. ``event`` is a :class:`~algzoo.estimates.rare.ModelEvent`, ``budget`` the number
        of forward passes that it may ask of it, and all randomness comes from ``seed``.
    tuned_on
        The models on which its settings were chosen, in words; ``None`` if that is not said.
    needs_temperature
        Whether it takes a temperature.
    takes
        Tells for which events it is; ``None`` if it is for all.
    """

    name: str
    function: Callable[..., Estimate]
    tuned_on: str | None = None
    needs_temperature: bool = False
    takes: Callable[[RareEvent], bool] | None = None

    @classmethod
    def of(cls, method: Method) -> RareEntrant:
        """Make one of a method of the book."""
        tuned_on = tuning_models() if method.needs_temperature else "nothing"
        return cls(
            method.name,
            method,
            tuned_on,
            method.needs_temperature,
            partial(applies, method),
        )


def rare_entrant_named(name: str, folder: Path | None = None) -> RareEntrant:
    """Return the method that a name on the command line stands for.

    Parameters
    ----------
    name
        One of the book's methods, or ``package.module:name`` for a function ``(event, budget, seed)
        -> Estimate`` or a :class:`RareEntrant`.
    folder
        Where modules are looked for, besides where Python is installed; the working directory if it
        is absent.

    Raises
    ------
    UnknownEstimator
        If there is none.
    """
    if name in METHODS:
        return RareEntrant.of(METHODS[name])
    found = object_named(name, f"one of the book's methods: {', '.join(METHODS)}", folder)
    if isinstance(found, RareEntrant):
        return found
    if not callable(found):
        raise UnknownEstimator(
            f"{name} is {'not there' if found is None else repr(found)}: it must be a function "
            "(event, budget, seed) -> Estimate, or an algzoo.scoring.rare.RareEntrant"
        )
    return RareEntrant(name, found)


@dataclass(frozen=True)
class Request:
    """Task, budget, seed and, if the method needs one, temperature of an estimate."""

    task: RareTask
    budget: int
    seed: int
    temperature: float | None = None


@dataclass(frozen=True)
class Answer:
    """An estimate, checked."""

    value: float
    operations: int
    runs_network: RunsNetwork
    hits: int | None
    effective_sample_size: float | None


def job_of(entrant: RareEntrant) -> bytes:
    """Return a method as it is sent to another process, where its module need not be imported yet.

    Raises
    ------
    EstimatorFailure
        If it cannot be sent; says why.
    """
    return packed((partial(_answer, entrant),))


def answers(
    job: bytes, requests: Sequence[Request], *, path: Sequence[str], time_limit: float
) -> list[Answer | None] | str:
    """Return the estimates, ``None`` for events that the method is not for, or what went wrong.

    They are made one after the other, in one process.

    Parameters
    ----------
    job
        The method, by :func:`job_of`.
    requests
        What it is asked for.
    path
        Folders in which modules are looked for, besides the interpreter's own.
    time_limit
        Seconds for each estimate.
    """
    found: list[Answer | None] = []
    try:
        calls = own_sandbox().calls(
            job, ((one,) for one in requests), import_path=path, time_limit=time_limit
        )
        for content in calls:
            record = json.loads(content)
            found.append(None if record is None else Answer(**record))
    except EstimatorFailure as failure:
        one = requests[len(found)]
        return f"on {one.task.name}, budget {one.budget}, seed {one.seed}: {failure}"
    return found


def _answer(entrant: RareEntrant, request: Request) -> bytes:
    event = request.task.event()
    if entrant.takes is not None and not entrant.takes(event):
        return b"null"
    counted = _Counted(event, request.budget)
    settings: dict[str, Any] = {}
    if request.temperature is not None:
        settings["temperature"] = request.temperature
    estimate = entrant.function(counted.event, request.budget, request.seed, **settings)
    return json.dumps(_checked(estimate, counted)).encode()


class _Counted:
    """An event that counts the forward passes that it is asked for, and refuses too many."""

    def __init__(self, event: ModelEvent, budget: int) -> None:
        self.passes, self.budget, self.operations = 0, budget, event.operations
        readout = event.readout
        if readout is not None:
            readout = replace(readout, activations=self._counting(readout.activations, 1))
        self.event = replace(
            event,
            score=self._counting(event.score, 1),
            score_and_gradient=self._counting(event.score_and_gradient, _PASSES_WITH_GRADIENT),
            readout=readout,
        )

    def _counting(self, function: Callable[[Any], Any], passes: int) -> Callable[[Any], Any]:
        def counted(x: Any) -> Any:
            self.passes += passes * len(x)
            if self.passes > self.budget:
                raise EstimatorFailure(
                    f"asked for more than its budget of {self.budget} forward passes (an "
                    f"evaluation with the gradient is {_PASSES_WITH_GRADIENT})"
                )
            return function(x)

        return counted


def _checked(estimate: object, counted: _Counted) -> dict[str, Any]:
    """What the estimate says, as plain values."""
    if not isinstance(estimate, Estimate):
        text = " ".join(repr(estimate).split())[:60]
        raise EstimatorFailure(f"returned {text}, which is not an algzoo.estimates.Estimate")
    value, operations = float(estimate.value), int(estimate.operations)
    if not 0 <= value <= 1:
        raise EstimatorFailure(f"its value {value!r} is no probability")
    least = counted.passes * counted.operations
    if counted.passes > counted.budget:
        raise EstimatorFailure(f"asked for more than its budget of {counted.budget} forward passes")
    if operations < max(least, 1):
        raise EstimatorFailure(
            f"its operations are {operations}, and its {counted.passes} forward passes alone take "
            f"{least}"
        )
    if counted.passes and estimate.runs_network == "never":
        raise EstimatorFailure(
            f"says that it never runs the network, and did so {counted.passes} times"
        )
    hits = getattr(estimate, "hits", None)
    size = getattr(estimate, "effective_sample_size", None)
    return {
        "value": value,
        "operations": operations,
        "runs_network": estimate.runs_network,
        "hits": None if hits is None else int(hits),
        "effective_sample_size": None if size is None or not math.isfinite(size) else float(size),
    }
