"""Entries of the leaderboard: one file for each, from which its scores can be computed again.

An entry holds every estimate, to eight decimals. Its scores follow from these and from the true
scores of the round; whether the estimates are what the estimator gives is checked on a few models
that are drawn by a hash of the file, so that nobody chooses them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from ...estimates import RunsNetwork
from ...estimates.counting.counter import VERSION
from ...estimates.estimate import Constants, Exactness
from ...zoo.files import write_whole
from .challenge import positive_root
from .checked_json import (
    AMOUNT,
    COUNT,
    COUNTS,
    LINE,
    LINK,
    NUMBER,
    OBJECT,
    PROBABILITY,
    SEED,
    TEXT,
    YES,
    EntryError,
    Kind,
    checked,
    list_of,
    loaded,
    one_of,
    read_file,
)
from .leaderboard import Split
from .plain_json import plain_json, rounded
from .ratios import Array, Ratio, errors_of, ratios
from .rounds import Round, RoundPopulation, round_named

DECIMALS = 8  # of an estimate in a file
_CLOSE = 1e-4  # relative; numbers in a file have six digits
_CLOSE_TO_ZERO = 1e-8  # a bias is a difference of numbers with eight decimals
_OF_INTERVAL = 0.1  # share of its width: another release of NumPy may resample other models


@dataclass(frozen=True)
class Source:
    """Where the estimator of an entry is.

    Attributes
    ----------
    estimator
        ``package.module:name``, or a name of the catalogue.
    package, version
        The distribution to install, and the version that was scored; ``None`` where the estimator
        is in a file of its own.
    link
        Where to read about it, or ``None``.
    code
        The lines of that file, without their ends.
    """

    estimator: str
    package: str | None
    version: str | None
    link: str | None
    code: tuple[str, ...] | None


@dataclass(frozen=True)
class Facts:
    """What an estimator declares of itself; see :class:`~algzoo.estimates.estimate.Declaration`.

    ``split`` says whether it was fitted for each base model, on noisy copies of the other training
    seeds or of that model, or not at all; ``scrambles`` whether it meets other scrambled points on
    other models.
    """

    runs_network: RunsNetwork
    exact: Exactness
    constants: Constants
    advice_bits: float
    tuned_on: str
    split: Split
    scrambles: bool


@dataclass(frozen=True)
class Result:
    """Score on one population of a round, and what it follows from.

    Attributes
    ----------
    population, seed, models
        Name in the round, seed of the noise, and number of models.
    operations, samples
        Mean number of operations of an estimate, and how many random inputs can be run with them.
    bias, rms
        Mean and root mean square of the errors.
    ratio, shrunk_ratio, sampler_ratio, best_sampler
        As in :class:`~algzoo.scoring.compute.leaderboard.Row`; the last two are ``None`` where the
        round has no samplers.
    estimates, operations_of_models
        Of each model; a single number where the operations are the same for all.
    """

    population: str
    seed: int
    models: int
    operations: float
    samples: float
    bias: float
    rms: float
    ratio: Ratio | None
    shrunk_ratio: Ratio | None
    best_sampler: str | None
    sampler_ratio: Ratio | None
    operations_of_models: int | tuple[int, ...]
    estimates: tuple[float, ...]


@dataclass(frozen=True)
class Entry:
    """An entry of the leaderboard.

    Attributes
    ----------
    name, author, about
        Who entered what.
    source, facts
        Where it is, and what it declares of itself.
    counter_version
        Version of the convention by which operations are counted.
    round, round_digest
        Name of the round, and the digest of its content.
    results
        One for each population.
    missing
        Populations that could not be scored because ARC's file was not there.
    """

    name: str
    author: str
    about: str
    source: Source
    facts: Facts
    counter_version: int
    round: str
    round_digest: str
    results: tuple[Result, ...]
    missing: tuple[str, ...]

    def text(self) -> str:
        """The content of its file."""
        return plain_json(json.loads(json.dumps(asdict(self), allow_nan=False)))

    def result(self, population: str) -> Result | None:
        """The result on that population of the round, if there is one."""
        return next((one for one in self.results if one.population == population), None)


def result_of(
    estimates: Array,
    operations: NDArray[np.int64],
    population: RoundPopulation,
    *,
    seed: int,
    scrambles: bool,
) -> Result:
    """The score of estimates, shape (n_models,), that took these operations.

    ``seed`` is that of the resampling, ``scrambles`` whether model number i met scramble i mod 16.
    """
    values = np.array([round(float(value), DECIMALS) for value in estimates])
    truths = population.truths
    errors = errors_of(values, operations.astype(float), truths, scrambled=scrambles)
    samples = float(operations.mean()) / truths.operations_of_a_sample
    best = population.opponent(samples)
    [found] = ratios([(errors, best.errors if best else None)], truths, seed)
    against = found.sampler if best else found.iid
    same = bool((operations == operations[0]).all())
    return Result(
        population.name,
        population.seed,
        len(values),
        rounded(float(operations.mean())),
        rounded(samples),
        rounded(float((values - truths.value).mean())),
        rounded(positive_root(errors.squared.mean())),
        _rounded(found.iid),
        _rounded(found.shrunk),
        (best.name if best else "iid") if population.opponents else None,
        _rounded(against) if population.opponents else None,
        int(operations[0]) if same else tuple(map(int, operations)),
        tuple(map(float, values)),
    )


def _rounded(ratio: Ratio | None) -> Ratio | None:
    if ratio is None:
        return None
    ends = (None if end is None else rounded(end) for end in (ratio.low, ratio.high))
    return Ratio(rounded(ratio.value), *ends)


def rank(entry: Entry, population: str) -> float:
    """R of an entry on a population against prior-shrunk sampling, infinite if it has none.

    Plain sampling is beaten by any constant at the price of a fraction of an input, so that R
    against it would put guesses first.
    """
    result = entry.result(population)
    return math.inf if result is None or not result.shrunk_ratio else result.shrunk_ratio.value


class _Written(Protocol):
    def text(self) -> str: ...


class _Scored(Protocol):
    @property
    def round(self) -> str: ...
    @property
    def round_digest(self) -> str: ...
    @property
    def counter_version(self) -> int: ...


def write_entry(path: Path, entry: _Written, reader: Callable[[str], object]) -> None:
    """Write the file of an entry, whole, if ``reader`` takes its text.

    Raises
    ------
    FileExistsError
        If there is a file of that name.
    EntryError
        If the text is not what ``reader`` takes for an entry.
    OSError
        If it cannot be written.
    """
    check_free(path)
    text = entry.text()
    try:
        reader(text)
    except EntryError as error:
        raise EntryError(f"{path} is not written: {error}") from error
    write_whole(path, text.encode())


def check_signature(author: str, link: str | None) -> None:
    """Raise an ``EntryError`` if no entry can have this author or this link."""
    checked({"author": author, "link": link}, {"author": TEXT, "link": LINK.or_null()}, "")


def check_free(path: Path) -> None:
    """Raise a ``FileExistsError`` if there is something of that name."""
    if path.exists():
        raise FileExistsError(f"{path} is there already: name another file, or remove it first")


def read_entry(path: Path) -> Entry:
    """Read the file of an entry.

    Raises
    ------
    EntryError
        If it cannot be read, or is no entry.
    """
    return read_file(path, entry_from)


def entry_from(text: str) -> Entry:
    """Read the text of an entry.

    Raises
    ------
    EntryError
        If it is none; says what is wrong.
    """
    found = checked(loaded(text), _ENTRY, "")
    facts = checked(found["facts"], _FACTS, "facts.")
    return Entry(
        **{
            **found,
            "source": source_from(found["source"]),
            "facts": Facts(**facts),
            "results": tuple(_result(one, n) for n, one in enumerate(found["results"])),
            "missing": tuple(found["missing"]),
        }
    )


def source_from(content: Any) -> Source:
    """Read where the estimator of an entry is; errors as :func:`entry_from`."""
    found = checked(content, _SOURCE, "source.")
    code = found["code"]
    return Source(**{**found, "code": None if code is None else tuple(code)})


def _result(content: Any, number: int) -> Result:
    where = f"results[{number}]."
    result = checked(content, _RESULT, where)
    for name in ("ratio", "shrunk_ratio", "sampler_ratio"):
        if result[name] is not None:
            result[name] = Ratio(**checked(result[name], _RATIO, f"{where}{name}."))
    n_models = result["models"]
    operations = result["operations_of_models"]
    for name in ("estimates", "operations_of_models"):
        if isinstance(result[name], list) and len(result[name]) != n_models:
            raise EntryError(f"{where}{name} has {len(result[name])} numbers for {n_models} models")
    result["estimates"] = tuple(map(float, result["estimates"]))
    result["operations_of_models"] = (
        tuple(operations) if isinstance(operations, list) else operations
    )
    return Result(**result)


_ENTRY: Mapping[str, Kind] = {
    "name": TEXT,
    "author": TEXT,
    "about": TEXT,
    "source": OBJECT,
    "facts": OBJECT,
    "counter_version": COUNT,
    "round": TEXT,
    "round_digest": TEXT,
    "results": list_of(OBJECT),
    "missing": list_of(TEXT),
}
_SOURCE: Mapping[str, Kind] = {
    "estimator": TEXT,
    "package": TEXT.or_null(),
    "version": TEXT.or_null(),
    "link": LINK.or_null(),
    "code": list_of(LINE).or_null(),
}
_FACTS: Mapping[str, Kind] = {
    "runs_network": one_of(get_args(RunsNetwork)),
    "exact": one_of(get_args(Exactness)),
    "constants": one_of(get_args(Constants)),
    "advice_bits": AMOUNT,
    "tuned_on": TEXT,
    "split": one_of(get_args(Split)),
    "scrambles": YES,
}
_RESULT: Mapping[str, Kind] = {
    "population": TEXT,
    "seed": SEED,
    "models": COUNT,
    "operations": AMOUNT,
    "samples": AMOUNT,
    "bias": NUMBER,
    "rms": NUMBER,
    "ratio": OBJECT.or_null(),
    "shrunk_ratio": OBJECT.or_null(),
    "best_sampler": TEXT.or_null(),
    "sampler_ratio": OBJECT.or_null(),
    "operations_of_models": COUNTS,
    "estimates": list_of(PROBABILITY),
}
_RATIO: Mapping[str, Kind] = {
    "value": NUMBER,
    "low": NUMBER.or_null(),
    "high": NUMBER.or_null(),
}


def why_outdated(entry: _Scored, digest: str) -> str | None:
    """Why an entry has to be submitted again, if it does; ``digest`` is that of its round."""
    if entry.round_digest != digest:
        return (
            f"its round_digest {entry.round_digest[:12]}... is not that of round {entry.round}, "
            f"{digest[:12]}...: it was scored on something else; submit it again"
        )
    if entry.counter_version != VERSION:
        return (
            f"its operations were counted by version {entry.counter_version} of the convention, "
            f"and now it is version {VERSION}: submit it again"
        )
    return None


def disagreements(entry: Entry) -> list[str]:
    """What in an entry does not follow from its estimates and its round; no estimator is called.

    Each is a sentence without the name of the entry.
    """
    try:
        its_round = round_named(entry.round)
    except ValueError as error:
        return [str(error)]
    if outdated := why_outdated(entry, its_round.digest):
        return [outdated]
    found = []
    named = [*(one.population for one in entry.results), *entry.missing]
    if sorted(named) != sorted(its_round.populations):
        found.append(
            f"its results and what is missing are on {', '.join(sorted(named))}; round "
            f"{entry.round} has {', '.join(sorted(its_round.populations))}, each once"
        )
    for result in entry.results:
        if result.population in its_round.populations:
            population = its_round.populations[result.population]
            found += _disagreements(result, population, its_round, entry.facts.scrambles)
    return found


def _disagreements(
    result: Result, population: RoundPopulation, its_round: Round, scrambles: bool
) -> list[str]:
    if result.models != population.n_models:
        return [f"{result.population}: {result.models} models, the round has {population.n_models}"]
    operations = np.broadcast_to(np.array(result.operations_of_models), (result.models,))
    again = result_of(
        np.array(result.estimates), operations, population, seed=its_round.seed, scrambles=scrambles
    )
    found = []
    for name in ("seed", "operations", "samples", "bias", "rms", "best_sampler"):
        said, follows = getattr(result, name), getattr(again, name)
        if not _same(said, follows):
            found.append(f"{result.population}: {name} is {said}, from its estimates {follows}")
    for name in ("ratio", "shrunk_ratio", "sampler_ratio"):
        said, follows = getattr(result, name), getattr(again, name)
        if not _same_ratio(said, follows):
            found.append(
                f"{result.population}: {name} is {_in_words(said)}, from its estimates "
                f"{_in_words(follows)}"
            )
    return found


def _same(said: float | str | None, follows: float | str | None) -> bool:
    if isinstance(said, str) or isinstance(follows, str) or said is None or follows is None:
        return said == follows
    return math.isclose(said, follows, rel_tol=_CLOSE, abs_tol=_CLOSE_TO_ZERO)


def _same_ratio(said: Ratio | None, follows: Ratio | None) -> bool:
    if said is None or follows is None:
        return said == follows
    if not _same(said.value, follows.value):
        return False
    if said.low is None or said.high is None or follows.low is None or follows.high is None:
        return said == follows
    allowed = _OF_INTERVAL * (follows.high - follows.low)
    return abs(said.low - follows.low) <= allowed and abs(said.high - follows.high) <= allowed


def _in_words(ratio: Ratio | None) -> str:
    return "not there" if ratio is None else ratio.in_words(6)


def drawn_models(entry: Entry, population: str, n_models: int) -> list[int]:
    """Numbers of ``n_models`` models of a population, drawn by a hash of the entry; all if fewer.

    Nobody can choose them, for with any other content of the file they are others.
    """
    result = entry.result(population)
    assert result is not None, "only what has a result is looked at"
    return drawn_numbers(f"{population}\0{entry.text()}", result.models, n_models)


def drawn_numbers(text: str, n: int, n_drawn: int) -> list[int]:
    """Draw ``n_drawn`` of the numbers below ``n`` by a hash of a text; all if there are fewer."""
    digest = hashlib.sha256(text.encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "little"))
    chosen = rng.choice(n, size=min(n_drawn, n), replace=False)
    return sorted(map(int, chosen))
