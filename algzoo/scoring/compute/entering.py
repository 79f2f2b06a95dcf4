"""Make an entry of the leaderboard, and compute some estimates of an entry again."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ...estimates import RunsNetwork
from ...estimates._catalog import collected
from ...estimates.counting.counter import PRICES, VERSION
from ...estimates.estimate import Constants
from ...zoo.official import OfficialFileMissing
from ...zoo.populations import Population
from .challenge import (
    Entrant,
    Evaluation,
    Workers,
    evaluate,
    fit_in_sandbox,
    surroundings,
    true_scores,
)
from .entries import Entry, Facts, Result, Source, drawn_models, result_of
from .leaderboard import Split
from .named import UnknownEstimator, entrants_named
from .rounds import Round, RoundPopulation, digest_of_models, round_named
from .sandbox import EstimatorFailure, packed
from .truth import TruthCache

SAME = 5e-5  # between two machines' estimates: rounding may move an answer or a penalty
HOW_TO_GET = "`algzoo fetch example_2nd_argmax` gets it"
LONGEST_CODE = 300  # lines of a file that an entry brings along

_PRICE = PRICES["transcendental"]


class NotCheckable(Exception):  # noqa: N818 (it is no error of the entry)
    """The estimator of an entry cannot be called here; says why."""


def the_entrant(name: str, split: Split | None = None) -> tuple[Entrant, Split]:
    """The one entrant that an estimator's name stands for, with its facts declared, and its split.

    Where ``split`` is absent, it is that of :func:`score`.

    Raises
    ------
    UnknownEstimator
        If there is none, or there are several.
    ValueError
        If it does not declare what an entry has to say, or does not have that split.
    """
    entrants = entrants_named(name)
    if len(entrants) != 1:
        raise UnknownEstimator(
            f"{name} is a list of {len(entrants)}, but an entry has one estimator"
        )
    [entrant] = entrants
    if entrant.exact is None or entrant.constants is None or not entrant.tuned_on:
        raise ValueError(
            f"{name} does not declare what an entry states: make it an algzoo.scoring.Entrant("
            f"name, estimator, exact=..., constants=..., tuned_on=...), with advice_bits if it has "
            "constants, and name that"
        )
    split = split or _usual_split(entrant)
    if split == "zero-shot" and entrant.estimator is None:
        raise ValueError(f"{name} exists only with fitted constants, so it has no split zero-shot")
    if split != "zero-shot" and entrant.fit is None:
        raise ValueError(f"{name} has no fit, so it has no split {split}")
    return entrant, split


def _usual_split(entrant: Entrant) -> Split:
    return "seed-agnostic" if entrant.estimator is None else "zero-shot"


def score(
    entrant: Entrant,
    its_round: Round,
    pool: Workers,
    cache: TruthCache,
    split: Split | None = None,
) -> tuple[tuple[Result, ...], tuple[str, ...], RunsNetwork]:
    """Results on the populations of a round, those that are missing, and how it runs the network.

    Estimators are called, and fitted, as :func:`.challenge` does it. ``pool`` has the seed of the
    round; ``cache`` keeps the true scores of the models of fits. Where ``split`` is absent, an
    estimator that exists only with fitted constants is fitted on other training seeds, and others
    are taken as they are.

    Raises
    ------
    EstimatorFailure
        If there is a model without a valid estimate.
    ValueError
        If the models are not those of the round, or all populations are missing.
    """
    split = split or _usual_split(entrant)
    results, missing = [], []
    runs: list[RunsNetwork] = []
    for population in its_round.populations.values():
        models = models_of(population)
        if models is None:
            missing.append(population.name)
            continue
        jobs = _jobs(entrant, split, its_round, models, pool, cache)
        [evaluation] = evaluate(pool, models, [jobs])
        if evaluation.failure:
            raise EstimatorFailure(f"{entrant.name}, {population.name}, {evaluation.failure}")
        operations = evaluation.operations(_PRICE).astype(np.int64)
        runs += [outcome.runs_network for outcome in evaluation.outcomes]
        results.append(
            result_of(
                evaluation.values,
                operations,
                population,
                seed=its_round.seed,
                scrambles=entrant.scrambles and split == "zero-shot",
            )
        )
    if not results:
        raise ValueError(f"All populations of round {its_round.name} need ARC's file: {HOW_TO_GET}")
    return tuple(results), tuple(missing), max(runs, key=get_args(RunsNetwork).index)


def models_of(population: RoundPopulation) -> Population | None:
    """The models of a population, ``None`` where ARC's file is needed and not there.

    Raises
    ------
    ValueError
        If they are not those of the round.
    """
    try:
        models = population.models()
    except OfficialFileMissing:
        return None
    if digest_of_models(models) != population.models_digest:
        raise ValueError(
            f"the models of {population.name!r} are not those of the round: this version of NumPy "
            "makes other noise, or the weights they are made from have changed"
        )
    return models


def _jobs(
    entrant: Entrant,
    split: Split,
    its_round: Round,
    models: Population,
    pool: Workers,
    cache: TruthCache,
) -> Sequence[bytes]:
    """The estimator as it is sent to the sandbox, for each base model."""
    if split == "zero-shot":
        job = packed((entrant.estimator, entrant.operations, entrant.scrambles))
        return [job] * len(models.bases)
    fit = packed((entrant.fit, entrant.operations, False))
    of_bases = {}
    for base in range(len(models.bases)):
        others = its_round.models_of_fit(models, base, split)
        if others is None:
            raise EstimatorFailure(f"{entrant.name} has no models to be fitted on")
        of_bases[base] = others
    truths = true_scores(pool, of_bases, its_round.fit_truth_samples, cache)
    fitted = pool.do(
        {
            base: partial(
                fit_in_sandbox,
                fit,
                others,
                [truth.value for truth in truths[base]],
                *surroundings(pool),
            )
            for base, others in of_bases.items()
        }
    )
    jobs = []
    for base in of_bases:
        estimator = fitted[base]
        if isinstance(estimator, str):
            raise EstimatorFailure(f"{entrant.name}: {estimator}")
        jobs.append(estimator)
    return jobs


def entered(
    name: str,
    its_round: Round,
    pool: Workers,
    cache: TruthCache,
    *,
    author: str,
    link: str | None = None,
    split: Split | None = None,
) -> Entry:
    """The entry of the estimator of that name in a round; see :func:`score`."""
    entrant, split = the_entrant(name, split)
    source = source_of(name, link)
    results, missing, runs_network = score(entrant, its_round, pool, cache, split)
    return Entry(
        entrant.name if split == "zero-shot" else f"{entrant.name}; {split}",
        author,
        _about(name, entrant),
        source,
        _facts(entrant, split, runs_network),
        VERSION,
        its_round.name,
        its_round.digest,
        results,
        missing,
    )


def _facts(entrant: Entrant, split: Split, runs_network: RunsNetwork) -> Facts:
    assert entrant.exact is not None
    assert entrant.constants is not None
    assert entrant.tuned_on is not None
    constants: dict[Split, Constants] = {
        "zero-shot": entrant.constants,
        "seed-agnostic": "from other networks",
        "model-specific": "from this one",
    }
    return Facts(
        runs_network,
        entrant.exact,
        constants[split],
        entrant.advice_bits if split == "zero-shot" else entrant.fit_advice_bits,
        entrant.tuned_on,
        split,
        entrant.scrambles and split == "zero-shot",
    )


def _about(name: str, entrant: Entrant) -> str:
    """First line of what is written about an estimator in its code, or its name."""
    for entry in collected()[0]:
        if entry.name == name:
            return entry.summary
    call: Any = entrant.estimator or entrant.fit
    while isinstance(call, partial):
        call = call.func
    module = importlib.import_module(name.rpartition(":")[0])
    text = inspect.getdoc(call) if inspect.isroutine(call) else None
    return (text or module.__doc__ or entrant.name).strip().partition("\n")[0]


def source_of(name: str, link: str | None) -> Source:
    """Where the estimator of that name is; a file outside any package is brought along.

    Raises
    ------
    ValueError
        If others could not get at its code.
    """
    for entry in collected()[0]:
        if entry.name == name:
            return Source(name, entry.origin, version(entry.origin), link, None)
    return source_of_module(name, link)


def source_of_module(name: str, link: str | None) -> Source:
    """Where what is called ``package.module:name`` is; errors as :func:`source_of`."""
    module_name = name.rpartition(":")[0]
    packages = packages_distributions().get(module_name.partition(".")[0], [])
    if packages:
        return Source(name, packages[0], version(packages[0]), link, None)
    module = importlib.import_module(module_name)
    path = Path(module.__file__ or "")
    lines = path.read_text("utf-8").splitlines() if path.suffix == ".py" else []
    if "." in module_name or path.name == "__init__.py" or not 0 < len(lines) <= LONGEST_CODE:
        raise ValueError(
            f"{module_name} is neither in an installed package nor a single file of at most "
            f"{LONGEST_CODE} lines, which the entry would bring along: make it a package and "
            "install it"
        )
    return Source(name, None, None, link, tuple(lines))


@dataclass(frozen=True)
class Recomputed:
    """What came out when some of an entry was computed again.

    Attributes
    ----------
    n_estimates
        How many estimates were.
    problems
        What came out otherwise, a sentence each, without the name of the entry.
    skipped
        Populations that need ARC's file, which is not there.
    """

    n_estimates: int
    problems: tuple[str, ...]
    skipped: tuple[str, ...]


def recomputed(
    entry: Entry,
    n_models: int,
    pool: Workers,
    cache: TruthCache,
    populations: Sequence[str] | None = None,
) -> Recomputed:
    """Call the estimator of an entry again on ``n_models`` models of each population.

    They are drawn by :func:`.drawn_models`. ``populations`` are the names of those that are looked
    at, all where absent.

    Raises
    ------
    NotCheckable
        If the estimator is not here.
    """
    its_round = round_named(entry.round)
    with _loaded(entry) as entrant:
        problems = _other_facts(entry, entrant)
        skipped, n_estimates = [], 0
        for result in entry.results:
            if populations is not None and result.population not in populations:
                continue
            population = its_round.populations[result.population]
            models = models_of(population)
            if models is None:
                skipped.append(result.population)
                continue
            numbers = drawn_models(entry, result.population, n_models)
            try:
                jobs = _jobs(entrant, entry.facts.split, its_round, models, pool, cache)
            except EstimatorFailure as failure:
                problems.append(f"{result.population}: {failure}")
                continue
            [evaluation] = evaluate(pool, models, [jobs], numbers)
            problems += _differences(result, numbers, evaluation, entry.facts)
            n_estimates += len(evaluation.outcomes)
    return Recomputed(n_estimates, tuple(problems), tuple(skipped))


@contextmanager
def _loaded(entry: Entry) -> Iterator[Entrant]:
    """The entrant of an entry, for the time of the block."""
    with code_of(entry.source) as (name, folder):
        [entrant] = entrants_named(name, folder)
        yield entrant


@contextmanager
def code_of(source: Source) -> Iterator[tuple[str, Path]]:
    """A name under which an estimator can be imported, and from which folder, in the block.

    Code that an entry brings along is a module in a temporary folder there. Its name is not that
    under which it was written, so that entries whose files had the same name do not meet.

    Raises
    ------
    NotCheckable
        If the block raises :class:`.UnknownEstimator`.
    """
    name = source.estimator
    with tempfile.TemporaryDirectory(prefix="algzoo-entry-") as folder:
        if source.code is not None:
            code = "\n".join(source.code) + "\n"
            module = f"entry_{hashlib.sha256(code.encode()).hexdigest()[:16]}"
            (Path(folder) / f"{module}.py").write_text(code, "utf-8")
            name = f"{module}:{name.rpartition(':')[2]}"
        path = [*sys.path]
        try:
            importlib.invalidate_caches()
            yield name, Path(folder)
        except UnknownEstimator as error:
            raise NotCheckable(_not_here(source, str(error))) from error
        finally:
            sys.path[:] = path


def _not_here(source: Source, why: str) -> str:
    package, wanted = source.package, source.version
    if package is None:
        return why
    try:
        installed = version(package)
    except PackageNotFoundError:
        return f"{package} {wanted} is not installed here"
    return f"{why} (version {installed} of {package} is installed, {wanted} was scored)"


def _other_facts(entry: Entry, entrant: Entrant) -> list[str]:
    """Facts that the code declares otherwise than the entry."""
    if entrant.exact is None or entrant.constants is None or not entrant.tuned_on:
        return ["its code does not declare exact, constants and tuned_on any more"]
    said = entry.facts
    declared = _facts(entrant, said.split, said.runs_network)
    return [
        f"{name} is {getattr(said, name)!r}, its code declares {getattr(declared, name)!r}"
        for name in vars(said)
        if getattr(said, name) != getattr(declared, name)
    ]


def _differences(
    result: Result, numbers: Sequence[int], evaluation: Evaluation, facts: Facts
) -> list[str]:
    """What came out otherwise on the models with these numbers."""
    found = []
    if evaluation.failure:
        found.append(f"{result.population}: {evaluation.failure}")
    order = get_args(RunsNetwork)
    operations = np.broadcast_to(np.array(result.operations_of_models), (result.models,))
    for number, outcome in zip(numbers, evaluation.outcomes, strict=False):
        where = f"{result.population}, model {number}"
        said = result.estimates[number]
        if abs(outcome.value - said) > SAME:
            found.append(f"{where}: the estimate is {outcome.value:.8f}, the entry says {said:.8f}")
        if outcome.operations != operations[number]:
            found.append(
                f"{where}: the estimate took {outcome.operations} operations, the entry says "
                f"{operations[number]}"
            )
        if order.index(outcome.runs_network) > order.index(facts.runs_network):
            found.append(
                f"{where}: the network was run on {outcome.runs_network}, the entry says "
                f"{facts.runs_network!r}"
            )
    return found
