"""Make an entry of a round of rare outputs, and compute some of one again."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import get_args

import numpy as np

from ...estimates import RunsNetwork
from ...estimates.counting.counter import VERSION
from ...estimates.rare import METHODS
from ..compute.challenge import Workers, surroundings
from ..compute.entering import Recomputed, code_of, source_of_module
from ..compute.entries import Source, drawn_numbers
from ..compute.plain_json import rounded
from ..compute.sandbox import EstimatorFailure
from .calls import Answer, RareEntrant, Request, answers, job_of, rare_entrant_named
from .entries import RareEntry, RareResult, rare_result
from .rounds import RareRound, rare_round_named
from .table import SAME, temperature_for

_PACKAGE = "algzoo"


def rare_entered(
    name: str,
    its_round: RareRound,
    pool: Workers,
    *,
    author: str,
    link: str | None = None,
    temperature: float | None = None,
) -> RareEntry:
    """The entry of the method of that name in a round.

    Parameters
    ----------
    name
        As for :func:`.rare_entrant_named`.
    its_round
        The round.
    pool
        The processes that do the work.
    author, link
        Who enters it, and where to read about it.
    temperature
        For methods that need one; if it is absent, the one that was chosen on the tuning tasks for
        each budget.

    Raises
    ------
    UnknownEstimator
        If there is no such method.
    EstimatorFailure
        If there is a task without a valid estimate.
    ValueError
        If a model is not that of the round, the method does not say on what it was tuned, it needs
        a temperature and has none, it needs none and one is given, or others could not get at its
        code.
    """
    entrant = rare_entrant_named(name)
    if not entrant.tuned_on:
        raise ValueError(
            f"{name} does not say on what it was tuned: make it an "
            "algzoo.scoring.rare.RareEntrant(name, function, tuned_on=...), and name that"
        )
    temperatures = {
        budget: temperature_of(entrant, budget, temperature) for budget in its_round.budgets
    }
    source = _source(name, link)
    for one in its_round.tasks:
        one.check_model()
    found = _made(entrant, its_round, temperatures, pool)
    results, runs = [], set()
    for budget in its_round.budgets:
        rows: list[list[float] | None] = []
        operations: list[int] = []
        for number in range(len(its_round.tasks)):
            made = [one for one in found[number, budget] if one is not None]
            rows.append([one.value for one in made] if made else None)
            operations += [one.operations for one in made]
            runs |= {one.runs_network for one in made}
        mean = float(np.mean(operations)) if operations else 0.0
        results.append(rare_result(rows, mean, its_round, budget, temperatures[budget]))
    return RareEntry(
        entrant.name,
        author,
        _about(name, entrant),
        source,
        max(runs, key=get_args(RunsNetwork).index),
        entrant.tuned_on,
        VERSION,
        its_round.name,
        its_round.digest,
        tuple(results),
    )


def temperature_of(entrant: RareEntrant, budget: int, given: float | None) -> float | None:
    """The temperature of a method at a budget: as given, or as chosen on the tuning tasks.

    Raises
    ------
    ValueError
        If one is needed and was not chosen either, or none is needed and one is given.
    """
    if not entrant.needs_temperature:
        if given is not None:
            raise ValueError(f"{entrant.name} has no temperature")
        return None
    if given is not None:
        return given
    if entrant.name not in METHODS:
        raise ValueError(f"{entrant.name} needs a temperature: give --temperature")
    return temperature_for(entrant.name, budget)


def _made(
    entrant: RareEntrant,
    its_round: RareRound,
    temperatures: dict[int, float | None],
    pool: Workers,
) -> dict[tuple[int, int], list[Answer | None]]:
    """All estimates by the numbers of tasks and by budgets."""
    path, limit = surroundings(pool)
    job, jobs = job_of(entrant), {}
    for number, one in enumerate(its_round.tasks):
        requests = [
            Request(one.task, budget, seed, temperatures[budget])
            for budget in its_round.budgets
            for seed in range(its_round.n_seeds)
        ]
        jobs[number] = partial(answers, job, requests, path=path, time_limit=limit)
    found: dict[tuple[int, int], list[Answer | None]] = {}
    for number, made in pool.do(jobs).items():
        if isinstance(made, str):
            raise EstimatorFailure(f"{entrant.name}, {made}")
        for position, budget in enumerate(its_round.budgets):
            first = position * its_round.n_seeds
            found[number, budget] = made[first : first + its_round.n_seeds]
    return found


def _about(name: str, entrant: RareEntrant) -> str:
    """First line of what is written about a method in its code, or its name."""
    call = METHODS[name].function if name in METHODS else entrant.function
    text = inspect.getdoc(call) if inspect.isroutine(call) else None
    if text is None and name not in METHODS:
        text = importlib.import_module(name.rpartition(":")[0]).__doc__
    return (text or entrant.name).strip().partition("\n")[0]


def _source(name: str, link: str | None) -> Source:
    if name in METHODS:
        return Source(name, _PACKAGE, version(_PACKAGE), link, None)
    return source_of_module(name, link)


def rare_recomputed(entry: RareEntry, n_tasks: int, pool: Workers) -> Recomputed:
    """Call the method of an entry again on ``n_tasks`` tasks at each budget, with one seed.

    They are drawn by a hash of the entry, so that nobody chooses them.

    Raises
    ------
    NotCheckable
        If the method is not here.
    """
    its_round = rare_round_named(entry.round)
    problems: list[str] = []
    n_estimates = 0
    with code_of(entry.source) as (name, folder):
        entrant = rare_entrant_named(name, folder)
        if entrant.tuned_on != entry.tuned_on:
            problems.append(
                f"tuned_on is {entry.tuned_on!r}, its code declares {entrant.tuned_on!r}"
            )
        path, limit = surroundings(pool)
        job, jobs = job_of(entrant), {}
        for result in entry.results:
            text = f"{result.budget}\0{entry.text()}"
            for number in drawn_numbers(text, len(its_round.tasks), n_tasks):
                [seed] = drawn_numbers(f"{number}\0{text}", result.seeds, 1)
                task = its_round.tasks[number].task
                request = Request(task, result.budget, seed, result.temperature)
                jobs[result, number, seed] = partial(
                    answers, job, [request], path=path, time_limit=limit
                )
        for (result, number, seed), made in pool.do(jobs).items():
            if isinstance(made, str):
                problems.append(made)
                continue
            problems += _differences(entry, result, its_round, number, seed, made)
            n_estimates += 1
    return Recomputed(n_estimates, tuple(problems), ())


def _differences(
    entry: RareEntry,
    result: RareResult,
    its_round: RareRound,
    number: int,
    seed: int,
    made: Sequence[Answer | None],
) -> list[str]:
    [answer] = made
    where = f"{its_round.tasks[number].task.name}, budget {result.budget}, seed {seed}"
    row = result.estimates[number]
    if answer is None or row is None:
        if (answer is None) == (row is None):
            return []
        return [f"{where}: the entry and its code differ in whether the method is for this event"]
    found = []
    if not np.isclose(rounded(answer.value), row[seed], rtol=SAME, atol=0.0):
        found.append(f"{where}: the estimate is {answer.value:.6g}, the entry says {row[seed]:.6g}")
    order = get_args(RunsNetwork)
    if order.index(answer.runs_network) > order.index(entry.runs_network):
        found.append(
            f"{where}: the network was run on {answer.runs_network}, the entry says "
            f"{entry.runs_network!r}"
        )
    return found
