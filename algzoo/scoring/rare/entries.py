"""Entries of rounds of rare outputs: one file for each, from which its losses follow.

An entry holds every estimate. Its losses follow from these and from the true probabilities of the
round; whether the estimates are what the method gives is checked on a few tasks that are drawn by a
hash of the file, as for the entries of :mod:`algzoo.scoring.compute.entries`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...estimates import RunsNetwork
from ..compute.checked_json import (
    AMOUNT,
    COUNT,
    COUNT_OR_ZERO,
    NUMBER,
    OBJECT,
    PROBABILITY,
    TEXT,
    EntryError,
    Kind,
    checked,
    list_of,
    loaded,
    one_of,
    read_file,
)
from ..compute.entries import Entry, Source, entry_from, source_from, why_outdated
from ..compute.plain_json import plain_json, rounded
from .metric import Interval, score
from .rounds import RareRound, rare_round_named

_CLOSE = 1e-4  # relative; numbers in a file have six digits
_CLOSE_FIT = 1e-2  # a minimum is flat, so that two searches for it end at a little distance


@dataclass(frozen=True)
class RareResult:
    """Losses at one budget, and what they follow from.

    Attributes
    ----------
    budget, seeds
        Forward passes of an estimate, and number of seeds of each task.
    temperature
        Temperature of the method, ``None`` if it has none.
    tasks
        Number of tasks whose events the method is for.
    zeros
        Number of estimates of 0.
    operations
        Mean number of operations of an estimate.
    loss
        Mean Itakura-Saito loss with its 95% interval; each is ``None`` where it is infinite.
    loss_of_finite
        Mean over the finite losses, ``None`` if there are none.
    loss_after_fit
        Mean after the fit to the other tasks, with its interval.
    squared_log_of_finite
        Mean squared log error of the estimates that are not 0, ``None`` if there are none.
    worst
        Name of the task with the largest loss.
    estimates
        For each task of the round those of its seeds, ``None`` if the method is not for its event.
    """

    budget: int
    seeds: int
    temperature: float | None
    tasks: int
    zeros: int
    operations: float
    loss: tuple[float | None, ...]
    loss_of_finite: float | None
    loss_after_fit: tuple[float | None, ...] | None
    squared_log_of_finite: float | None
    worst: str
    estimates: tuple[tuple[float, ...] | None, ...]


@dataclass(frozen=True)
class RareEntry:
    """An entry of a round of rare outputs.

    Attributes
    ----------
    name, author, about
        Who entered what.
    source
        Where it is.
    runs_network, tuned_on
        Whether the network is run, as its estimates say, and what its settings were chosen on.
    counter_version
        Version of the convention by which operations are counted.
    round, round_digest
        Name of the round, and the digest of its content.
    results
        One for each budget.
    """

    name: str
    author: str
    about: str
    source: Source
    runs_network: RunsNetwork
    tuned_on: str
    counter_version: int
    round: str
    round_digest: str
    results: tuple[RareResult, ...]

    def text(self) -> str:
        """The content of its file."""
        return plain_json(json.loads(json.dumps(asdict(self), allow_nan=False)))

    def result(self, budget: int) -> RareResult | None:
        """The result at that budget, if there is one."""
        return next((one for one in self.results if one.budget == budget), None)


def rare_result(
    estimates: Sequence[Sequence[float] | None],
    operations: float,
    its_round: RareRound,
    budget: int,
    temperature: float | None,
) -> RareResult:
    """The losses of estimates, one row for each task of the round, at a budget.

    Raises
    ------
    ValueError
        If the method is for no task of the round.
    """
    kept = tuple(
        None if row is None else tuple(rounded(float(value)) for value in row) for row in estimates
    )
    chosen = [(one, row) for one, row in zip(its_round.tasks, kept, strict=True) if row is not None]
    if not chosen:
        raise ValueError(f"the method is for none of the events of round {its_round.name}")
    found = score([one.in_six_digits for one, _ in chosen], [row for _, row in chosen])
    return RareResult(
        budget,
        its_round.n_seeds,
        temperature,
        found.n_tasks,
        found.n_zeros,
        rounded(operations),
        _ends(found.mean),
        _finite(found.mean_of_finite),
        None if found.after_fit is None else _ends(found.after_fit),
        _finite(found.squared_log_of_finite),
        chosen[found.worst[1]][0].task.name,
        kept,
    )


def _ends(interval: Interval) -> tuple[float | None, ...]:
    return tuple(map(_finite, interval))


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else rounded(number)


def rare_rank(entry: RareEntry) -> tuple[int, float]:
    """The order of entries: first those for most tasks, then the least loss after the fit.

    Both at the largest budget. The loss without the fit is infinite for most methods.
    """
    last = max(entry.results, key=lambda result: result.budget)
    after = last.loss_after_fit[0] if last.loss_after_fit else None
    return -last.tasks, math.inf if after is None else after


def read_any_entry(path: Path) -> Entry | RareEntry:
    """Read the file of an entry of any round.

    Raises
    ------
    EntryError
        If it cannot be read, or is no entry.
    """
    return read_file(path, any_entry_from)


def any_entry_from(text: str) -> Entry | RareEntry:
    """Read the text of an entry; that of a round of rare outputs has no ``facts``.

    Raises
    ------
    EntryError
        If it is none; says what is wrong.
    """
    content = loaded(text)
    if not isinstance(content, dict) or "runs_network" not in content:
        return entry_from(text)
    found = checked(content, _ENTRY, "")
    return RareEntry(
        **{
            **found,
            "source": source_from(found["source"]),
            "results": tuple(_result(one, n) for n, one in enumerate(found["results"])),
        }
    )


def _result(content: Any, number: int) -> RareResult:
    where = f"results[{number}]."
    found = checked(content, _RESULT, where)
    for row in found["estimates"]:
        if row is not None and len(row) != found["seeds"]:
            raise EntryError(f"{where}estimates has {len(row)} numbers for {found['seeds']} seeds")
    estimates = (None if row is None else tuple(map(float, row)) for row in found["estimates"])
    after = found["loss_after_fit"]
    return RareResult(
        **{
            **found,
            "loss": tuple(found["loss"]),
            "loss_after_fit": None if after is None else tuple(after),
            "estimates": tuple(estimates),
        }
    )


_ROW = list_of(PROBABILITY).or_null()
_THREE = list_of(NUMBER.or_null())
_INTERVAL = Kind(
    "a list of a mean and the ends of its interval, each a number or null",
    lambda value: _THREE.fits(value) and len(value) == 3,
)
_ENTRY: Mapping[str, Kind] = {
    "name": TEXT,
    "author": TEXT,
    "about": TEXT,
    "source": OBJECT,
    "runs_network": one_of(get_args(RunsNetwork)),
    "tuned_on": TEXT,
    "counter_version": COUNT,
    "round": TEXT,
    "round_digest": TEXT,
    "results": list_of(OBJECT),
}
_RESULT: Mapping[str, Kind] = {
    "budget": COUNT,
    "seeds": COUNT,
    "temperature": NUMBER.or_null(),
    "tasks": COUNT,
    "zeros": COUNT_OR_ZERO,
    "operations": AMOUNT,
    "loss": _INTERVAL,
    "loss_of_finite": NUMBER.or_null(),
    "loss_after_fit": _INTERVAL.or_null(),
    "squared_log_of_finite": NUMBER.or_null(),
    "worst": TEXT,
    "estimates": list_of(_ROW),
}


def rare_disagreements(entry: RareEntry) -> list[str]:
    """What in an entry does not follow from its estimates and its round; no method is called.

    Each is a sentence without the name of the entry.
    """
    try:
        its_round = rare_round_named(entry.round)
    except ValueError as error:
        return [str(error)]
    if outdated := why_outdated(entry, its_round.digest):
        return [outdated]
    budgets = tuple(result.budget for result in entry.results)
    if budgets != its_round.budgets:
        return [f"its budgets are {budgets}; round {entry.round} has {its_round.budgets}"]
    return [problem for result in entry.results for problem in _differences(result, its_round)]


def _differences(result: RareResult, its_round: RareRound) -> Iterator[str]:
    where = f"budget {result.budget}"
    if len(result.estimates) != len(its_round.tasks) or result.seeds != its_round.n_seeds:
        yield (
            f"{where}: {len(result.estimates)} tasks with {result.seeds} seeds, the round has "
            f"{len(its_round.tasks)} with {its_round.n_seeds}"
        )
        return
    try:
        again = rare_result(
            result.estimates, result.operations, its_round, result.budget, result.temperature
        )
    except ValueError as error:
        yield f"{where}: {error}"
        return
    for name in ("tasks", "zeros", "worst"):
        said, follows = getattr(result, name), getattr(again, name)
        if said != follows:
            yield f"{where}: {name} is {said}, from its estimates {follows}"
    for name in ("loss", "loss_of_finite", "loss_after_fit", "squared_log_of_finite"):
        said, follows = getattr(result, name), getattr(again, name)
        if not _same(said, follows, _CLOSE_FIT if name == "loss_after_fit" else _CLOSE):
            yield f"{where}: {name} is {said}, from its estimates {follows}"


def _same(said: ArrayLike | None, follows: ArrayLike | None, close: float) -> bool:
    """Compare numbers, or lists of them, in which ``None`` stands for infinity."""
    a, b = (_array(one) for one in (said, follows))
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=close, atol=1e-8, equal_nan=True))


def _array(one: ArrayLike | None) -> NDArray[np.float64]:
    return np.array(one, float)  # ``None`` becomes nan
