"""The challenge: an estimator's error against random sampling's at equal compute.

Source: ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026: an estimator is
asked to match random sampling in mean squared error at equal compute, on average over noisy copies
of a model and over training seeds.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

import cloudpickle
import numpy as np

from ...estimates import PRICES, CatalogEntry, Estimate, Estimator, RunsNetwork, sampling
from ...estimates.baselines import samplers_for
from ...estimates.estimate import Constants, Exactness, Fit
from ...estimates.samplers.second_argmax import Drawn, Sampler
from ...zoo import Model
from ...zoo.populations import Population, base_name
from ...zoo.streams import named_stream
from ...zoo.truth_folder import truth_folder
from .leaderboard import BaseScore, Leaderboard, Row, SamplerScore, Scored, Split
from .ratios import (
    SCRAMBLES,
    Array,
    Errors,
    Ratio,
    Ratios,
    Truths,
    errors_of,
    ratios,
    scrambles_of,
)
from .sandbox import EstimatorFailure, Outcome, Request, in_words, own_sandbox, packed
from .truth import Truth, TruthCache, truths_of
from .work import nothing_more, work_off

Progress = Callable[[int, int], None]

_CHUNK = 64  # models at most that one task makes: few enough to lose, enough to pay for a start
_SAMPLER_CHUNK = 16  # fewer for all samplers at all budgets, which is much work for each model
SAMPLER_BUDGETS = (2**4, 2**13)  # least and greatest, in random inputs, to measure samplers at
_TUNING_SHARE = 4  # one part in so many of the inputs of a truth that is scored
_SAME = 1e-9  # two calls on one model may differ by rounding
_IID = "iid"
_NOTHING_TO_FIT_ON: dict[Split, str] = {
    "seed-agnostic": "there is no other base model of this size to fit on",
    "model-specific": "there are no other noisy copies of the same base model to fit on",
}

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Entrant:
    """Estimator at one budget; entrants of the same name are the budgets of one estimator.

    Attributes
    ----------
    name
        Under which it is listed.
    estimator
        Any callable ``model -> Estimate``; it may be absent where there is a ``fit``.
    advice_bits
        Length of the constants that it brings along: what was learned elsewhere, not computed from
        the model's weights.
    operations
        Its number of operations in closed form; where an estimate says otherwise, that is an error.
    fit
        Makes an estimator with fitted constants from models and their true scores. It is then
        scored three times: as it is, fitted on other base models of the same size, and fitted on
        other noisy copies of the same base model.
    scrambles
        Whether the estimator is called as ``estimator(model, scramble=number)``. Model number i of
        the population meets scramble number i mod 16, and the interval of R also says how much R
        would vary on other scrambles.
    fit_advice_bits
        As ``advice_bits``, of what ``fit`` makes.
    exact, constants, tuned_on
        What it declares of itself, as :class:`~algzoo.estimates.estimate.Declaration` describes
        them; ``None`` where it says nothing.

    Raises
    ------
    ValueError
        Where there is neither ``estimator`` nor ``fit``.
    """

    name: str
    estimator: Callable[..., Estimate] | None = None
    advice_bits: float = 0.0
    operations: Callable[[Model], int] | None = None
    fit: Fit | None = None
    scrambles: bool = False
    fit_advice_bits: float = 0.0
    exact: Exactness | None = None
    constants: Constants | None = None
    tuned_on: str | None = None

    @classmethod
    def of(cls, entry: CatalogEntry) -> Entrant:
        """The entrant of a row of the catalogue, with the facts that it declares."""
        return cls(
            entry.name,
            entry.estimator,
            entry.advice_bits,
            fit=entry.fit,
            scrambles=entry.scrambles,
            fit_advice_bits=entry.fit_advice_bits,
            exact=entry.exact,
            constants=entry.constants,
            tuned_on=entry.tuned_on,
        )

    def __post_init__(self) -> None:
        if self.estimator is None and self.fit is None:
            raise ValueError(f"Entrant {self.name!r} has neither an estimator nor a fit")


def _silent(done: int, known: int) -> None:
    """Show no progress."""


def challenge(
    estimators: Mapping[str, Estimator | Sequence[Estimator]] | Sequence[Entrant | Estimator],
    population: Population,
    *,
    truth_samples: int = 2**20,
    samplers: Mapping[str, Sampler] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    time_limit: float = 60.0,
    seed: int = 0,
    n_tuning: int = 64,
    transcendental_price: int = PRICES["transcendental"],
    truth_cache: Path | None = None,
    progress: Progress = _silent,
) -> Leaderboard:
    """Score estimators on a population of models; one row for each estimator and budget.

    Every estimator is called in a process of its own. An estimator fails if it raises an error,
    returns no valid estimate, exceeds the time limit, changes the model, gives two answers for one
    model, or uses a global random generator without declaring that it draws random inputs. Its row
    then says so, and the other estimators are not affected. The result depends neither on the
    executor nor on the number of workers.

    Parameters
    ----------
    estimators
        Entrants or plain callables ``model -> Estimate``; or these by name, several under one name
        being its budgets.
    population
        See :mod:`algzoo.zoo.populations`.
    truth_samples
        Random inputs for the truth of each model, where it is not exact. The models that fits see
        get a quarter of them, for there the errors of the truths average out.
    samplers
        Samplers ``(model, n_samples, seed) -> Estimate`` by name; where absent, those of the book
        that are for such models. Each is run on the population
        with a power of two of inputs that costs about as much as each row's estimates, but no more
        than 8,192 plain ones; its R there is taken to hold at the row's budget. Unlike estimators
        they are called in the workers themselves, without a time limit.
    executor
        Who does the work: any :class:`concurrent.futures.Executor`; processes of this machine where
        absent, ``workers`` of them or one for each core.
    time_limit
        Seconds for each call of an estimator; for a fit, for each of its models.
    seed
        Of the bootstrap, the samplers and the global random generators in an estimator's calls.
    n_tuning
        Noisy copies of each base on which fits see the truth.
    transcendental_price
        Operations that a square root or a transcendental function counts, for those estimates that
        say how many they took.
    truth_cache
        Folder where truths are kept; where absent, that of :func:`.truth_folder.truth_folder`.
    progress
        Called with the number of tasks that are done and that are known so far.

    Raises
    ------
    ValueError
        Where a number makes no sense.
    BrokenExecutor
        Where workers die again and again, or the caller's executor is broken.
    """
    for name, number in (
        ("truth_samples", truth_samples),
        ("n_tuning", n_tuning),
        ("transcendental_price", transcendental_price),
    ):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    if not time_limit > 0:
        raise ValueError(f"time_limit must be positive, got {time_limit}")
    cache = TruthCache(truth_cache or truth_folder())
    pool = Workers(executor, workers, progress, time_limit, seed, transcendental_price)

    [truths] = true_scores(pool, {"": population}, truth_samples, cache).values()
    known = truths_as_arrays(truths, population)
    entries = _entries(pool, _entrants(estimators), population, n_tuning, truth_samples, cache)
    evaluations = evaluate(pool, population, [entry.jobs for entry in entries])
    rows: list[Row] = []
    errors_of_rows: list[Errors | None] = []
    for entry, evaluation in zip(entries, evaluations, strict=True):
        row, errors = _row(entry, evaluation, known, population, transcendental_price)
        rows.append(row)
        errors_of_rows.append(errors)

    budgets = {sampler_budget(row.samples) for row in rows if row.samples is not None}
    if samplers is None:
        samplers = samplers_for(population.model(0))
    measured, notes = measured_samplers(pool, samplers, sorted(budgets), population, known)
    alone = ratios([(one.errors, None) for one in measured], known, seed)
    measured = [replace(one, ratio=own.iid) for one, own in zip(measured, alone, strict=True)]
    opponents = [best_sampler(measured, row.samples) for row in rows]
    scored = [
        (errors, best.errors if best else None)
        for errors, best in zip(errors_of_rows, opponents, strict=True)
        if errors is not None
    ]
    found = iter(ratios(scored, known, seed))
    rows = [
        row if errors is None else _with_ratios(row, next(found), best)
        for row, errors, best in zip(rows, errors_of_rows, opponents, strict=True)
    ]
    return Leaderboard(
        tuple(rows),
        _scored(population, known, truth_samples),
        tuple(one.score() for one in measured),
        tuple(notes),
    )


@dataclass
class Workers:
    """The processes that do the work, and how much of it they have done.

    Attributes are the parameters of :func:`challenge`; ``price`` is ``transcendental_price``.
    """

    executor: Executor | None = None
    workers: int | None = None
    progress: Progress = _silent
    time_limit: float = 60.0
    seed: int = 0
    price: int = PRICES["transcendental"]
    n_tasks: int = 0
    n_done: int = 0

    def do(
        self,
        tasks: Mapping[Key, partial[Result]],
        finished: Callable[[Key, Result], Collection[Key]] = nothing_more,
    ) -> dict[Key, Result]:
        """Return the results of all tasks, except those that ``finished`` says are not needed."""
        self.n_tasks += len(tasks)
        results: dict[Key, Result] = {}
        dropped: set[Key] = set()

        def count(key: Key, result: Result) -> Collection[Key]:
            results[key] = result
            unneeded = set(finished(key, result)) - results.keys() - dropped
            dropped.update(unneeded)
            self.progress(self.n_done + len(results) + len(dropped), self.n_tasks)
            return unneeded

        self.progress(self.n_done, self.n_tasks)
        work_off(tasks, count, executor=self.executor, workers=self.workers)
        self.n_done = self.n_tasks
        return results


def _chunks(population: Population, size: int = _CHUNK) -> Iterator[tuple[int, int]]:
    """Ranges of models for one task each; none of them spans two bases."""
    for first in range(0, len(population), population.copies):
        for start in range(first, first + population.copies, size):
            yield start, min(start + size, first + population.copies)


def true_scores(
    pool: Workers, populations: Mapping[Key, Population], n_samples: int, cache: TruthCache
) -> dict[Key, list[Truth]]:
    """True scores of all models of each of the populations."""
    tasks, known = {}, {}
    for name, population in populations.items():
        for start, stop in _chunks(population):
            stored = cache.get(population, start, stop, n_samples)
            if stored is None:
                task = partial(truths_of, population, start, stop, n_samples)
                tasks[name, start, stop] = task
            else:
                known[name, start, stop] = stored

    def store(key: tuple[Key, int, int], truths: list[Truth]) -> tuple[()]:
        name, start, stop = key
        cache.put(populations[name], start, stop, n_samples, truths)
        return ()

    known |= pool.do(tasks, store)
    return {
        name: [truth for chunk in _chunks(population) for truth in known[name, *chunk]]
        for name, population in populations.items()
    }


def truths_as_arrays(truths: Sequence[Truth], population: Population) -> Truths:
    """True scores of the models of a population as arrays, and what one random input costs."""
    return Truths(
        np.array([truth.value for truth in truths]),
        np.array([truth.std**2 for truth in truths]),
        np.array([truth.sample_variance for truth in truths]),
        np.arange(len(population)) // population.copies,
        sampling(population.model(0), 1, 0).operations,
        scrambles_of(len(population)),
    )


def _entrants(
    estimators: Mapping[str, Estimator | Sequence[Estimator]] | Sequence[Entrant | Estimator],
) -> list[Entrant]:
    if isinstance(estimators, Mapping):
        return [
            Entrant(name, estimator)
            for name, of_name in estimators.items()
            for estimator in (of_name if isinstance(of_name, Sequence) else [of_name])
        ]
    return [
        entrant
        if isinstance(entrant, Entrant)
        else Entrant(getattr(entrant, "__name__", repr(entrant)), entrant)
        for entrant in estimators
    ]


@dataclass(frozen=True)
class _Entry:
    """A row, and its estimator, packed, for each base; no estimator where it has failed already."""

    row: Row
    jobs: tuple[bytes, ...] = ()
    scrambles: bool = False


def _entries(
    pool: Workers,
    entrants: Sequence[Entrant],
    population: Population,
    n_tuning: int,
    truth_samples: int,
    cache: TruthCache,
) -> list[_Entry]:
    """A row for each entrant, for one with a fit one for each split."""
    n_bases = len(population.bases)
    tuning: dict[tuple[Split, int], Population | None] = {}
    if any(entrant.fit for entrant in entrants):
        for base in range(n_bases):
            tuning["seed-agnostic", base] = population.tuning_of_others(base, n_tuning)
            tuning["model-specific", base] = population.tuning(base, n_tuning)
    present = {key: value for key, value in tuning.items() if value is not None}
    tuning_samples = max(truth_samples // _TUNING_SHARE, 1)
    truths = true_scores(pool, present, tuning_samples, cache)
    packed_fits: dict[int, bytes | str] = {
        number: _packed(entrant.fit, entrant.operations)
        for number, entrant in enumerate(entrants)
        if entrant.fit
    }
    fits = pool.do(
        {
            (number, *key): partial(
                fit_in_sandbox,
                job,
                of_key,
                [truth.value for truth in truths[key]],
                *surroundings(pool),
            )
            for number, job in packed_fits.items()
            if isinstance(job, bytes)
            for key, of_key in present.items()
        }
    )
    entries = []
    n_budgets: dict[str, int] = {}
    for number, entrant in enumerate(entrants):
        budget = n_budgets.get(entrant.name, 0)
        n_budgets[entrant.name] = budget + 1
        row = Row(
            entrant.name,
            budget,
            "zero-shot",
            entrant.advice_bits,
            exact=entrant.exact,
            constants=entrant.constants,
            tuned_on=entrant.tuned_on,
        )
        if entrant.estimator is not None:
            job = _packed(entrant.estimator, entrant.operations, entrant.scrambles)
            entries.append(_entry(row, [job] * n_bases, entrant.scrambles))
        if entrant.fit is None:
            continue
        splits: tuple[Split, ...] = ("seed-agnostic", "model-specific")
        for split in splits:
            jobs: list[bytes | str] = []
            for base in range(n_bases):
                of_key = tuning[split, base]
                if of_key is None:
                    jobs.append(_NOTHING_TO_FIT_ON[split])
                elif isinstance(failed := packed_fits[number], str):
                    jobs.append(failed)
                else:
                    jobs.append(fits[number, split, base])
            of_split = tuning[split, 0]
            fitted = replace(
                row,
                split=split,
                advice_bits=entrant.fit_advice_bits,
                constants="from this one" if split == "model-specific" else "from other networks",
                fitted_on=None if of_split is None else _fitted_on(of_split, tuning_samples),
            )
            entries.append(_entry(fitted, jobs))
    return entries


def _entry(row: Row, jobs: Sequence[bytes | str], scrambles: bool = False) -> _Entry:
    """A row with its jobs, of which those that are words say what has failed."""
    for job in jobs:
        if isinstance(job, str):
            return _Entry(replace(row, failure=job))
    return _Entry(row, tuple(job for job in jobs if isinstance(job, bytes)), scrambles)


def _fitted_on(population: Population, n_samples: int) -> str:
    n_bases = len(population.bases)
    bases = "1 base model" if n_bases == 1 else f"each of {n_bases} base models"
    return f"{population.copies} models of {bases}, truth from {n_samples} inputs where sampled"


def _packed(call: object, operations: object, scrambles: bool = False) -> bytes | str:
    try:
        return packed((call, operations, scrambles))
    except EstimatorFailure as failure:
        return str(failure)


def surroundings(pool: Workers) -> tuple[list[str], float]:
    """Where the caller finds modules, and the time limit."""
    return [os.path.abspath(folder) for folder in sys.path], pool.time_limit  # noqa: PTH100


def fit_in_sandbox(
    job: bytes,
    population: Population,
    truths: Sequence[float],
    import_path: Sequence[str],
    time_limit: float,
) -> bytes | str:
    """The fitted estimator, packed, or why there is none."""
    models = [population.model(index) for index in range(len(population))]
    try:
        return own_sandbox().fitted(
            job, models, truths, import_path=import_path, time_limit=time_limit * len(models)
        )
    except EstimatorFailure as failure:
        return str(failure)


@dataclass(frozen=True)
class Evaluation:
    """Outcomes of an estimator on models up to its first failure, and that failure in words."""

    outcomes: list[Outcome]
    failure: str | None = None

    @property
    def values(self) -> Array:
        """The estimate of each outcome."""
        return np.array([outcome.value for outcome in self.outcomes])

    def operations(self, price: int) -> Array:
        """Operations of each outcome; a transcendental function counts as ``price`` operations."""
        extra = price - PRICES["transcendental"]
        return np.array([float(o.operations + extra * o.transcendental) for o in self.outcomes])


def _evaluate(
    job: bytes,
    population: Population,
    start: int,
    stop: int,
    seed: int,
    import_path: Sequence[str],
    time_limit: float,
) -> Evaluation:
    """What an estimator makes of the models of a range."""

    def seeded(stream: str, index: int) -> Request:
        state = named_stream(stream, seed, index).generate_state(1)
        return population.model(index), int(state[0]), index % SCRAMBLES

    def models() -> Iterator[Request]:
        yield seeded("estimator, again", start)
        for index in range(start, stop):
            yield seeded("estimator", index)

    outcomes: list[Outcome] = []
    try:
        calls = own_sandbox().estimates(
            job, models(), import_path=import_path, time_limit=time_limit
        )
        with closing(calls):
            trial = next(calls)
            for outcome in calls:
                if not outcomes and outcome.runs_network != "random inputs":
                    _check_same(trial, outcome)
                outcomes.append(outcome)
    except EstimatorFailure as failure:
        return Evaluation(outcomes, f"on model {start + len(outcomes)}: {failure}")
    return Evaluation(outcomes)


def _check_same(trial: Outcome, outcome: Outcome) -> None:
    if not math.isclose(trial.value, outcome.value, rel_tol=0, abs_tol=_SAME):
        raise EstimatorFailure(
            f"gave {trial.value!r} and then {outcome.value!r} for the same model, although its "
            f"runs_network is {outcome.runs_network!r}: what draws inputs says 'random inputs'"
        )


def evaluate(
    pool: Workers,
    population: Population,
    jobs: Sequence[Sequence[bytes]],
    numbers: Sequence[int] | None = None,
) -> list[Evaluation]:
    """Call each estimator on the models of a population, in the sandbox.

    ``jobs`` holds, for each estimator and each base of the population, the job as for
    :meth:`.Sandbox.estimates`; for one that is not to be run it is empty. ``numbers`` are
    those of the models that the estimators are called on, in increasing order; all models where
    absent. A model meets the same random numbers and the same scramble either way.
    """
    chunks = list(_chunks(population))
    if numbers is not None:
        chunks = [(number, number + 1) for number in numbers]
    tasks = {
        (number, chunk): partial(
            _evaluate,
            of_bases[population.base_of(chunk[0])],
            population,
            *chunk,
            pool.seed,
            *surroundings(pool),
        )
        for chunk in chunks
        for number, of_bases in enumerate(jobs)
        if of_bases
    }

    def finished(
        key: tuple[int, tuple[int, int]], evaluation: Evaluation
    ) -> list[tuple[int, tuple[int, int]]]:
        # What comes after a failure is not needed; what comes before may fail first.
        number, chunk = key
        later = [other for other in chunks if other > chunk]
        return [(number, other) for other in later] if evaluation.failure else []

    results = pool.do(tasks, finished)
    return [
        _joined(results[number, chunk] for chunk in (chunks if of_bases else []))
        for number, of_bases in enumerate(jobs)
    ]


def _joined(parts: Iterable[Evaluation]) -> Evaluation:
    """Evaluations of the ranges of a population as one, up to the first failure."""
    outcomes: list[Outcome] = []
    for part in parts:
        outcomes += part.outcomes
        if part.failure:
            return Evaluation(outcomes, part.failure)
    return Evaluation(outcomes)


def _row(
    entry: _Entry, evaluation: Evaluation, truths: Truths, population: Population, price: int
) -> tuple[Row, Errors | None]:
    """The row with everything that concerns it alone, and its errors."""
    row = entry.row
    if row.failure or evaluation.failure:
        return replace(row, failure=row.failure or evaluation.failure), None
    values = evaluation.values
    operations = evaluation.operations(price)
    errors = errors_of(values, operations, truths, scrambled=entry.scrambles)
    signed = values - truths.value
    k = float(operations.mean()) / truths.operations_of_a_sample
    bias = float(signed.mean())
    by_base = []
    for number, base in enumerate(population.bases):
        own = truths.base == number
        variance = truths.sample_variance[own].sum()
        by_base.append(
            BaseScore(
                base_name(base),
                int(own.sum()),
                float(truths.value[own].mean()),
                positive_root(errors.squared[own].mean()),
                float(signed[own].mean()),
                max(float(errors.squared[own].sum() * k / variance), 0.0) if variance else None,
            )
        )
    row = replace(
        row,
        runs_network=max(
            (outcome.runs_network for outcome in evaluation.outcomes),
            key=get_args(RunsNetwork).index,
        ),
        operations=float(operations.mean()),
        samples=k,
        rms=positive_root(errors.squared.mean()),
        bias=bias,
        sd=positive_root(
            errors.squared.mean() - bias**2 if errors.truth_subtracted else signed.var()
        ),
        truth_subtracted=errors.truth_subtracted,
        correlation=_correlation(values, truths.value),
        slope=_slope(values, -signed),
        by_base=tuple(by_base),
    )
    return row, errors


def positive_root(mean_square: float) -> float:
    """Root of a mean square that may be negative after the truth's variance was subtracted."""
    return math.sqrt(max(float(mean_square), 0.0))


def _slope(x: Array, y: Array) -> float | None:
    """Slope of the regression of y on x; ``None`` where x is the same for all."""
    spread = x - x.mean()
    size = float(spread @ spread)
    return float(spread @ y) / size if np.ptp(x) > 0 and size > 0 else None


def _correlation(x: Array, y: Array) -> float | None:
    slopes = _slope(x, y), _slope(y, x)
    if slopes[0] is None or slopes[1] is None:
        return None
    return math.copysign(math.sqrt(slopes[0] * slopes[1]), slopes[0])


@dataclass(frozen=True)
class MeasuredSampler:
    """A sampler as it came out on the population, at a budget in random inputs."""

    budget: int
    name: str
    n_samples: int
    errors: Errors
    ratio: Ratio | None = None

    def score(self) -> SamplerScore:
        """For the leaderboard."""
        operations = float(self.errors.operations.mean())
        rms = positive_root(self.errors.squared.mean())
        return SamplerScore(self.name, self.n_samples, operations, rms, self.ratio)


def sampler_budget(samples: float) -> int:
    """The power of two nearest to it at which samplers are measured."""
    least, greatest = SAMPLER_BUDGETS
    return int(min(max(2.0 ** round(math.log2(samples)), least), greatest))


def measured_samplers(
    pool: Workers,
    samplers: Mapping[str, Sampler],
    budgets: Sequence[int],
    population: Population,
    truths: Truths,
) -> tuple[list[MeasuredSampler], list[str]]:
    """Each sampler at each budget, and what is to be said of those that do not work."""
    reasons: dict[str, str] = {}
    wanted: list[tuple[int, Drawn]] = []
    for name, sampler in samplers.items():
        if sampler is sampling:
            continue  # what random sampling does is known without trying
        try:
            for budget in budgets:
                n_samples = _inputs_for(sampler, budget, population, truths)
                wanted.append((budget, Drawn(name, sampler, n_samples, pool.seed)))
        except ValueError as error:
            reasons[name] = in_words(error)
    job = cloudpickle.dumps([drawn for _, drawn in wanted])
    ranges = list(_chunks(population, _SAMPLER_CHUNK))
    tasks = {chunk: partial(_sampled, job, population, *chunk) for chunk in ranges}
    results = pool.do(tasks) if wanted else {}
    measured: list[MeasuredSampler] = []
    for number, (budget, drawn) in enumerate(wanted):
        evaluation = _joined(results[chunk][number] for chunk in ranges)
        if evaluation.failure:
            reasons.setdefault(drawn.name, evaluation.failure)
            continue
        errors = errors_of(evaluation.values, evaluation.operations(pool.price), truths)
        measured.append(MeasuredSampler(budget, drawn.name, drawn.n_samples, errors))
    notes = [f"sampler {name} is left out: {reason}" for name, reason in reasons.items()]
    return measured, notes


def _sampled(job: bytes, population: Population, start: int, stop: int) -> list[Evaluation]:
    """What each of the samplers makes of the models of a range, up to its first failure.

    They are called in this process: unlike entrants they are the caller's own, who has tried them.
    """
    samplers: list[Drawn] = cloudpickle.loads(job)
    outcomes: list[list[Outcome]] = [[] for _ in samplers]
    failures: list[str | None] = [None for _ in samplers]
    for index in range(start, stop):
        model = population.model(index)
        for number, sampler in enumerate(samplers):
            if failures[number] is not None:
                continue
            try:
                found = sampler(model)
            except Exception as error:  # the rows of the entrants do not depend on it
                failures[number] = f"on model {index}: {in_words(error)}"
                continue
            outcome = Outcome(
                found.value, found.operations, found.runs_network, found.transcendental
            )
            outcomes[number].append(outcome)
    return list(map(Evaluation, outcomes, failures))


def _inputs_for(sampler: Sampler, budget: int, population: Population, truths: Truths) -> int:
    """A power of two of inputs that costs a sampler about as much as ``budget`` plain ones."""
    cost = sampler(population.model(0), budget, 0).operations
    return int(2 ** max(round(math.log2(budget**2 * truths.operations_of_a_sample / cost)), 0))


def best_sampler(
    measured: Sequence[MeasuredSampler], samples: float | None
) -> MeasuredSampler | None:
    """The sampler of least R at that budget, ``None`` for plain random sampling."""
    if samples is None:
        return None
    budget = sampler_budget(samples)
    found = [one for one in measured if one.budget == budget and one.ratio is not None]
    best = min(found, key=_ratio_value, default=None)
    return best if best is not None and _ratio_value(best) < 1 else None


def _ratio_value(one: MeasuredSampler) -> float:
    return math.inf if one.ratio is None else one.ratio.value


def _with_ratios(row: Row, found: Ratios, best: MeasuredSampler | None) -> Row:
    return replace(
        row,
        ratio=found.iid,
        shrunk_ratio=found.shrunk,
        best_sampler=best.name if best else _IID,
        sampler_ratio=found.sampler if best else found.iid,
    )


def _scored(population: Population, truths: Truths, truth_samples: int) -> Scored:
    variance = truths.population_variance if len(truths.value) > 1 else None
    return Scored(
        population.description,
        len(population),
        tuple(base_name(base) for base in population.bases),
        float(truths.value.mean()),
        variance,
        truths.mean_sample_variance,
        truths.mean_sample_variance / variance if variance else None,
        truths.operations_of_a_sample,
        truth_samples,
        positive_root(truths.variance.mean()),
        truths.sampling_band,
    )
