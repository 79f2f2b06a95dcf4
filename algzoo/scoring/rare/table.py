"""The table of rare outputs: every estimate of every method for the scored tasks.

``algzoo rare --table`` makes it, in about ten minutes on one core, and ``algzoo rare --check N``
computes some of it again. It is stored with the package. Estimates are kept to six digits.

The random numbers of a method are the same on every machine. What is computed with them differs in
the last bits, so that an estimate is compared with a tolerance, :data:`SAME`, and a number of hits
by :data:`SAME_HITS`: an input that is within rounding of the event's boundary may be in it or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...estimates.counting.counter import VERSION
from ...estimates.rare import METHODS, Method, RareEstimate, RareEvent
from ...zoo.files import write_whole
from ..compute.plain_json import plain_json, rounded
from ..compute.work import work_off
from .metric import Score, itakura_saito, score
from .tasks import RareTask, TaskKind, TaskTruth, tasks, true_probability
from .tuning import Tuned, tuned_temperature

Array = NDArray[np.float64]

TABLE = Path(__file__).parents[1] / "data" / "rare" / "table.json"
PLAN: Mapping[int, int] = {2**10: 8, 2**13: 8, 2**16: 6, 2**20: 1}
"""Budgets, in forward passes, with the number of seeds at each."""

TUNING_BUDGETS = (2**10, 2**13, 2**16)
"""Budgets at which temperatures are chosen; larger ones have that of the largest."""

SAME = 1e-4  # relative, of estimates on two machines
SAME_HITS = 2


@dataclass(frozen=True)
class Drawn:
    """Estimates of one method for one task at one budget, one for each seed from 0.

    ``hits`` and ``effective_sample_sizes`` are ``None`` for methods without them.
    """

    estimates: tuple[float, ...]
    operations: float
    hits: tuple[int | None, ...]
    effective_sample_sizes: tuple[float | None, ...]


@dataclass(frozen=True)
class Cell:
    """One method at one budget.

    Attributes
    ----------
    method
        Its name.
    budget
        Forward passes that it may use; ``None`` for a method that never runs the network, which has
        neither budget nor seeds.
    temperature
        The temperature, ``None`` for a method without one.
    by_task
        For each task of the table, in order; ``None`` if the method is not for this event.
    """

    method: str
    budget: int | None
    temperature: float | None
    by_task: tuple[Drawn | None, ...]


@dataclass(frozen=True)
class Row:
    """One estimate of the table with its loss."""

    task: str
    kind: TaskKind
    truth: float
    method: str
    budget: int | None
    seed: int
    estimate: float
    loss: float
    operations: float
    hits: int | None
    effective_sample_size: float | None


@dataclass(frozen=True)
class Table:
    """All estimates.

    Attributes
    ----------
    tasks
        The tasks with their truths.
    tuned
        The choices of temperatures.
    cells
        One for each method and budget.
    counter_version
        Version of the convention by which operations are counted.
    """

    tasks: tuple[TaskTruth, ...]
    tuned: tuple[Tuned, ...]
    cells: tuple[Cell, ...]
    counter_version: int

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods, in their order."""
        return tuple(dict.fromkeys(cell.method for cell in self.cells))

    def cell(self, method: str, budget: int) -> Cell:
        """The cell of a method at a budget; a method without budgets has one cell for all.

        Raises
        ------
        ValueError
            If there is none.
        """
        for cell in self.cells:
            if cell.method == method and cell.budget in (budget, None):
                return cell
        raise ValueError(f"the table has no {method!r} with budget {budget}")

    def rows(self) -> Iterator[Row]:
        """Every estimate."""
        for cell in self.cells:
            for one, drawn in zip(self.tasks, cell.by_task, strict=True):
                if drawn is None:
                    continue
                losses = itakura_saito(one.in_six_digits, drawn.estimates)
                for seed, estimate in enumerate(drawn.estimates):
                    yield Row(
                        one.task.name,
                        one.task.kind,
                        one.in_six_digits,
                        cell.method,
                        cell.budget,
                        seed,
                        estimate,
                        float(losses[seed]),
                        drawn.operations,
                        drawn.hits[seed],
                        drawn.effective_sample_sizes[seed],
                    )

    def estimates(
        self, method: str, budget: int, kinds: Sequence[TaskKind] | None = None
    ) -> tuple[tuple[TaskTruth, ...], Array]:
        """Return the tasks that a method is for, of these kinds, and its estimates of them.

        Returns
        -------
        tuple
            The tasks, and an array of shape (n_tasks, n_seeds).
        """
        chosen = [
            (one, drawn.estimates)
            for one, drawn in zip(self.tasks, self.cell(method, budget).by_task, strict=True)
            if drawn is not None and (kinds is None or one.task.kind in kinds)
        ]
        return tuple(one for one, _ in chosen), np.array([values for _, values in chosen], float)

    def score(
        self, method: str, budget: int, kinds: Sequence[TaskKind] | None = None
    ) -> Score | None:
        """Score a method at a budget on tasks of these kinds; ``None`` if it is for none of them.

        The number of the worst task is one in :meth:`estimates`.
        """
        key = (method, budget, None if kinds is None else tuple(kinds))
        if key not in self._scores:
            chosen, estimates = self.estimates(method, budget, kinds)
            truths = [one.in_six_digits for one in chosen]
            self._scores[key] = score(truths, estimates) if chosen else None
        return self._scores[key]

    @cached_property
    def _scores(self) -> dict[tuple[str, int, tuple[TaskKind, ...] | None], Score | None]:
        """Scores that were computed before: the fits without each task take a while."""
        return {}


def measured(
    of: Sequence[RareTask],
    tuning: Sequence[RareTask],
    methods: Mapping[str, Method] = METHODS,
    plan: Mapping[int, int] = PLAN,
    workers: int | None = None,
) -> Table:
    """Choose temperatures on the tuning tasks, and make all estimates for the others.

    Parameters
    ----------
    of, tuning
        The tasks.
    methods
        The methods by name.
    plan
        Number of seeds for each budget.
    workers
        Processes; one for each core if it is absent.
    """
    budgets = [budget for budget in plan if budget in TUNING_BUDGETS] or [min(plan)]
    choices = {
        (name, budget): partial(tuned_temperature, method, budget, tuning)
        for name, method in methods.items()
        if method.needs_temperature
        for budget in budgets
    }
    tuned = _done(choices, workers)
    jobs: dict[tuple[str, int | None, int], partial[Drawn | None]] = {}
    cells: list[Cell] = []
    settings: dict[tuple[str, int | None], float | None] = {}
    for name, method in methods.items():
        for budget, n_seeds in _plan_of(method, plan):
            at = max((one for one in budgets if one <= (budget or 0)), default=budgets[0])
            chosen = tuned[name, at].temperature if method.needs_temperature else None
            settings[name, budget] = chosen
            for number, task in enumerate(of):
                jobs[name, budget, number] = partial(
                    drawn, task, method, budget or min(plan), n_seeds, chosen
                )
    truths = _done({number: partial(TaskTruth.of, task) for number, task in enumerate(of)}, workers)
    found = _done(jobs, workers)
    for (name, budget), temperature in settings.items():
        by_task = tuple(found[name, budget, number] for number in range(len(of)))
        cells.append(Cell(name, budget, temperature, by_task))
    return Table(
        tuple(truths[number] for number in range(len(of))),
        tuple(tuned[key] for key in choices),
        tuple(cells),
        VERSION,
    )


def _plan_of(method: Method, plan: Mapping[int, int]) -> list[tuple[int | None, int]]:
    return [(None, 1)] if method.runs_network == "never" else list(plan.items())


def _done(jobs: Mapping[Any, partial[Any]], workers: int | None) -> dict[Any, Any]:
    results: dict[Any, Any] = {}

    def finished(key: Any, result: Any) -> tuple[()]:
        results[key] = result
        return ()

    work_off(jobs, finished, workers=workers)
    return results


def drawn(
    task: RareTask,
    method: Method,
    budget: int,
    seeds: int | Sequence[int],
    temperature: float | None,
) -> Drawn | None:
    """Make the estimates of a method for a task, ``None`` if it is not for this event.

    ``seeds`` are a number of seeds, from 0, or the seeds themselves.
    """
    event = task.event()
    if not applies(method, event):
        return None
    setting = {} if temperature is None else {"temperature": temperature}
    numbers = range(seeds) if isinstance(seeds, int) else seeds
    found = [method(event, budget, seed, **setting) for seed in numbers]
    return Drawn(
        tuple(rounded(one.value) for one in found),
        rounded(float(np.mean([one.operations for one in found]))),
        tuple(one.hits for one in found),
        tuple(_sample_size(one) for one in found),
    )


def applies(method: Method, event: RareEvent) -> bool:
    """Tell whether a method is for an event.

    A formula may only hold for some of the models that it is written for; this shows when it is
    tried.
    """
    if not method.takes(event):
        return False
    if method.runs_network == "never":
        try:
            method(event, 0, 0)
        except ValueError:
            return False
    return True


def _sample_size(estimate: RareEstimate) -> float | None:
    size = estimate.effective_sample_size
    return None if size is None else rounded(size)


@dataclass(frozen=True)
class Again:
    """A number of the table that was computed once more."""

    where: str
    what: Literal["truth", "estimate", "hits"]
    committed: float
    now: float

    @property
    def held(self) -> bool:
        """Whether both numbers are the same up to rounding."""
        if self.what == "hits":
            return abs(self.now - self.committed) <= SAME_HITS
        return bool(np.isclose(self.now, self.committed, rtol=SAME, atol=0.0))

    def __str__(self) -> str:
        return f"{self.where}: the {self.what} was {self.committed:g}, and is {self.now:g}"


def recomputed(
    table: Table,
    n_tasks: int,
    greatest_budget: int = 2**13,
    methods: Mapping[str, Method] = METHODS,
) -> Iterator[Again]:
    """Compute some of the table again.

    For each method and budget up to a greatest one, seed 0 for ``n_tasks`` of the tasks, other ones
    from method to method; and their true probabilities.
    """
    checked = set()
    for position, cell in enumerate(table.cells):
        if (cell.budget or 0) > greatest_budget or cell.method not in methods:
            continue
        for step in range(min(n_tasks, len(table.tasks))):
            number = (step * len(table.tasks) // n_tasks + 5 * position) % len(table.tasks)
            one, known = table.tasks[number], cell.by_task[number]
            if number not in checked and one.truth.std is None:
                checked.add(number)
                now = true_probability(one.task).value
                yield Again(one.task.name, "truth", one.truth.value, rounded(now))
            if known is None:
                continue
            where = f"{cell.method}, budget {cell.budget}, {one.task.name}, seed 0"
            least = min(other.budget for other in table.cells if other.budget is not None)
            made = drawn(one.task, methods[cell.method], cell.budget or least, 1, cell.temperature)
            assert made is not None
            hits, hits_now = known.hits[0], made.hits[0]
            if hits is not None and hits_now is not None:
                yield Again(where, "hits", hits, hits_now)
            if hits == hits_now:  # an input on the boundary changes the estimate
                yield Again(where, "estimate", known.estimates[0], made.estimates[0])


def as_text(table: Table) -> str:
    """Return the table as JSON."""
    return plain_json(
        {
            "counter_version": table.counter_version,
            "tasks": [one.as_record() for one in table.tasks],
            "tuned": [
                {**asdict(one), "losses": [[t, rounded(loss)] for t, loss in one.losses.items()]}
                for one in table.tuned
            ],
            "cells": [
                {
                    "method": cell.method,
                    "budget": cell.budget,
                    "temperature": cell.temperature,
                    "by_task": [_drawn_record(one) for one in cell.by_task],
                }
                for cell in table.cells
            ],
        }
    )


def _drawn_record(one: Drawn | None) -> dict[str, Any] | None:
    if one is None:
        return None
    record: dict[str, Any] = {"operations": one.operations, "estimates": list(one.estimates)}
    if one.hits[0] is not None:
        record["hits"] = list(one.hits)
    if one.effective_sample_sizes[0] is not None:
        record["effective_sample_sizes"] = list(one.effective_sample_sizes)
    return record


def table_from(text: str) -> Table:
    """Read a table from JSON."""
    content = json.loads(text)
    return Table(
        tuple(TaskTruth.read(one) for one in content["tasks"]),
        tuple(
            Tuned(
                **{
                    **one,
                    "losses": dict(one["losses"]),
                    "tuned_on": tuple(one["tuned_on"]),
                }
            )
            for one in content["tuned"]
        ),
        tuple(
            Cell(
                cell["method"],
                cell["budget"],
                cell["temperature"],
                tuple(_drawn_from(one) for one in cell["by_task"]),
            )
            for cell in content["cells"]
        ),
        content["counter_version"],
    )


def _drawn_from(record: dict[str, Any] | None) -> Drawn | None:
    if record is None:
        return None
    estimates = tuple(record["estimates"])
    nothing = (None,) * len(estimates)
    return Drawn(
        estimates,
        record["operations"],
        tuple(record.get("hits", nothing)),
        tuple(record.get("effective_sample_sizes", nothing)),
    )


@cache
def bundled() -> Table:
    """Return the table that is stored with the package."""
    return table_from(TABLE.read_text("utf-8"))


def temperature_for(method: str, budget: int) -> float:
    """Temperature of one of the book's methods, as it was chosen for the table.

    It is that of the largest budget up to ``budget`` at which one was chosen, or of the smallest.

    Raises
    ------
    ValueError
        If none was chosen for this method.
    """
    chosen = {one.budget: one.temperature for one in bundled().tuned if one.method == method}
    if not chosen:
        raise ValueError(f"no temperature was chosen for {method!r}")
    return chosen[max((one for one in chosen if one <= budget), default=min(chosen))]


def write(table: Table) -> Path:
    """Write the table to where the package has it, and return the path.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_whole(TABLE, as_text(table).encode())
    return TABLE


def full(workers: int | None = None, only: Sequence[str] = ()) -> Table:
    """Make the whole table, or only the cells of some methods and keep the others as they are.

    Raises
    ------
    ValueError
        If there is no such method, or the stored table is about other tasks, so that all of it has
        to be made.
    """
    for name in only:
        if name not in METHODS:
            raise ValueError(f"There is no method {name!r}; there are: {', '.join(METHODS)}")
    chosen = {name: method for name, method in METHODS.items() if not only or name in only}
    made = measured(tasks("scored"), tasks("tuning"), chosen, workers=workers)
    if not only:
        return made
    old = bundled()
    about = [[(one.task, one.digest) for one in table.tasks] for table in (old, made)]
    if about[0] != about[1] or old.counter_version != made.counter_version:
        raise ValueError(
            "The stored table is about other tasks: make all of it, with --table alone"
        )
    cells = (*made.cells, *(cell for cell in old.cells if cell.method not in chosen))
    tuned = (*made.tuned, *(one for one in old.tuned if one.method not in chosen))
    order = list(METHODS).index
    return replace(
        made,
        cells=tuple(sorted(cells, key=lambda cell: order(cell.method))),
        tuned=tuple(sorted(tuned, key=lambda one: order(one.method))),
    )
