"""Entries of the leaderboard: one file for each, from which its scores can be computed again.

An entry holds every estimate, to eight decimals. Its scores follow from these and from the true
scores of the round; whether the estimates are what the estimator gives is checked on a few models
that are drawn by a hash of the file, so that nobody chooses them.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ...estimates import RunsNetwork
from ...estimates.counting.counter import VERSION
from ...estimates.estimate import Constants, Exactness
from ...zoo.files import write_whole
from .challenge import positive_root
from .leaderboard import Split
from .plain_json import plain_json, rounded
from .ratios import Array, Ratio, errors_of, ratios
from .rounds import Round, RoundPopulation, round_named

DECIMALS = 8  # of an estimate in a file
_CLOSE = 1e-4  # relative; numbers in a file have six digits
_CLOSE_TO_ZERO = 1e-8  # a bias is a difference of numbers with eight decimals
_OF_INTERVAL = 0.1  # share of its width: another release of NumPy may resample other models


class EntryError(ValueError):
    """A file is no entry; says which file, what is wrong and what would be right."""


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


def write_entry(path: Path, entry: Entry) -> None:
    """Write the file of an entry, whole.

    Raises
    ------
    FileExistsError
        If there is a file of that name.
    OSError
        If it cannot be written.
    """
    check_free(path)
    write_whole(path, entry.text().encode())


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
    try:
        return entry_from(path.read_text("utf-8"))
    except OSError as error:
        raise EntryError(f"{path.name}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise EntryError(f"{path.name}: {error}") from error


def entry_from(text: str) -> Entry:
    """Read the text of an entry.

    Raises
    ------
    EntryError
        If it is none; says what is wrong.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise EntryError(f"is not JSON: {error}") from error
    checked = _checked(content, _ENTRY, "")
    source = _checked(checked["source"], _SOURCE, "source.")
    facts = _checked(checked["facts"], _FACTS, "facts.")
    code = source["code"]
    return Entry(
        **{
            **checked,
            "source": Source(**{**source, "code": None if code is None else tuple(code)}),
            "facts": Facts(**facts),
            "results": tuple(_result(one, n) for n, one in enumerate(checked["results"])),
            "missing": tuple(checked["missing"]),
        }
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _result(content: Any, number: int) -> Result:
    where = f"results[{number}]."
    result = _checked(content, _RESULT, where)
    for name in ("ratio", "shrunk_ratio", "sampler_ratio"):
        if result[name] is not None:
            result[name] = Ratio(**_checked(result[name], _RATIO, f"{where}{name}."))
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


@dataclass(frozen=True)
class _Kind:
    """What the value of a key must be, in words, and whether it is."""

    words: str
    fits: Callable[[Any], bool]

    def or_null(self) -> _Kind:
        return _Kind(f"{self.words} or null", lambda value: value is None or self.fits(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _list_of(kind: _Kind) -> _Kind:
    return _Kind(
        f"a list, each of it {kind.words}",
        lambda value: isinstance(value, list) and all(map(kind.fits, value)),
    )


def _one_of(choices: Sequence[str]) -> _Kind:
    return _Kind(f"one of {', '.join(choices)}", lambda value: value in choices)


_TEXT = _Kind("a text", lambda value: isinstance(value, str) and bool(value.strip()))
_LINE = _Kind("a text", lambda value: isinstance(value, str))
_YES = _Kind("true or false", lambda value: isinstance(value, bool))
_NUMBER = _Kind("a number", _is_number)
_COUNT = _Kind("a whole number of at least 1", _is_count)
_OBJECT = _Kind("an object with keys", lambda value: isinstance(value, dict))
_SEED = _Kind("a whole number", lambda value: isinstance(value, int))
_MANY = _list_of(_COUNT)
_COUNTS = _Kind(
    f"{_COUNT.words} or a list of them", lambda value: _COUNT.fits(value) or _MANY.fits(value)
)
_LINK = _Kind(
    "an address that begins with https:// or http://",
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"https?://[^\s<>\"]+", value)),
)
_PROBABILITY = _Kind("a probability", lambda value: _is_number(value) and 0 <= value <= 1)

_ENTRY: Mapping[str, _Kind] = {
    "name": _TEXT,
    "author": _TEXT,
    "about": _TEXT,
    "source": _OBJECT,
    "facts": _OBJECT,
    "counter_version": _COUNT,
    "round": _TEXT,
    "round_digest": _TEXT,
    "results": _list_of(_OBJECT),
    "missing": _list_of(_TEXT),
}
_SOURCE: Mapping[str, _Kind] = {
    "estimator": _TEXT,
    "package": _TEXT.or_null(),
    "version": _TEXT.or_null(),
    "link": _LINK.or_null(),
    "code": _list_of(_LINE).or_null(),
}
_FACTS: Mapping[str, _Kind] = {
    "runs_network": _one_of(get_args(RunsNetwork)),
    "exact": _one_of(get_args(Exactness)),
    "constants": _one_of(get_args(Constants)),
    "advice_bits": _Kind("a number of at least 0", lambda value: _is_number(value) and value >= 0),
    "tuned_on": _TEXT,
    "split": _one_of(get_args(Split)),
    "scrambles": _YES,
}
_RESULT: Mapping[str, _Kind] = {
    "population": _TEXT,
    "seed": _SEED,
    "models": _COUNT,
    "operations": _NUMBER,
    "samples": _NUMBER,
    "bias": _NUMBER,
    "rms": _NUMBER,
    "ratio": _OBJECT.or_null(),
    "shrunk_ratio": _OBJECT.or_null(),
    "best_sampler": _TEXT.or_null(),
    "sampler_ratio": _OBJECT.or_null(),
    "operations_of_models": _COUNTS,
    "estimates": _list_of(_PROBABILITY),
}
_RATIO: Mapping[str, _Kind] = {
    "value": _NUMBER,
    "low": _NUMBER.or_null(),
    "high": _NUMBER.or_null(),
}


def _checked(content: Any, kinds: Mapping[str, _Kind], where: str) -> dict[str, Any]:
    """The content of an object, if it has these keys and no others, and values of these kinds."""
    if not isinstance(content, dict):
        raise EntryError("is not an object with keys")
    for key in kinds:
        if key not in content:
            raise EntryError(f"the key {where}{key} is missing")
    for key, value in content.items():
        if key not in kinds:
            raise EntryError(f"there is a key {where}{key}, which no entry has")
        if not kinds[key].fits(value):
            text = json.dumps(value)
            shown = text if len(text) <= 60 else f"{text[:57]}..."
            raise EntryError(f"{where}{key} must be {kinds[key].words}, not {shown}")
    return dict(content)


def disagreements(entry: Entry) -> list[str]:
    """What in an entry does not follow from its estimates and its round; no estimator is called.

    Each is a sentence without the name of the entry.
    """
    try:
        its_round = round_named(entry.round)
    except ValueError as error:
        return [str(error)]
    if entry.round_digest != its_round.digest:
        return [
            f"its round_digest {entry.round_digest[:12]}... is not that of round {entry.round}, "
            f"{its_round.digest[:12]}...: it was scored on something else; submit it again"
        ]
    if entry.counter_version != VERSION:
        return [
            f"its operations were counted by version {entry.counter_version} of the convention, "
            f"and now it is version {VERSION}: submit it again"
        ]
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
    digest = hashlib.sha256(f"{population}\0{entry.text()}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "little"))
    chosen = rng.choice(result.models, size=min(n_models, result.models), replace=False)
    return sorted(map(int, chosen))
