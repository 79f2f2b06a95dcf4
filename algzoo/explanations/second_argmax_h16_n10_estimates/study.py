"""The study of M16,10: the challenge on noisy copies of six base models.

A cell is a base model and a noise level; a population is put together from cells. Estimators have
the names of the catalogue, and are run, and scored, as :mod:`algzoo.scoring.compute.challenge` does
it. What each of them said of each model is kept in a table, which also says which estimators are in
the study.

The study has of its own: a few budgets, the oracles, and the models that constants are fitted on.
Those of the split "seed-agnostic" are noisy copies of other training seeds at several noise levels,
never of seed 2 and ARC's example, so that the constants of both are the same; those of the split
"model-specific" are many other noisy copies of the same base.

It has every row of the catalogue that takes these models, except those of :data:`NOT_SCORED`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...estimates import (
    CatalogEntry,
    Estimate,
    RunsNetwork,
    boundary_oracle,
    catalog,
    class_cubature,
    ensemble_sampling,
    sampling,
)
from ...estimates._catalog import row_at
from ...estimates.counting.counter import PRICES
from ...estimates.estimate import Constants, Exactness, Fit
from ...estimates.many_inputs.anchors import ANCHORS, CONSTANTS, OrderAnchors, fitted_order_anchors
from ...estimates.samplers.second_argmax import stratified_sobol
from ...scoring.compute.challenge import Workers, evaluate, true_scores
from ...scoring.compute.leaderboard import Split
from ...scoring.compute.ratios import (
    SCRAMBLES,
    Errors,
    Ratios,
    Truths,
    errors_of,
    ratios,
    scrambles_of,
)
from ...scoring.compute.sandbox import packed
from ...scoring.compute.truth import TruthCache
from ...zoo import EXAMPLE, SEEDS, Model, load_model
from ...zoo.files import write_whole
from ...zoo.populations import NoisyCopies, ZooModel, base_named
from ...zoo.truth_folder import truth_folder

Array = NDArray[np.float64]

TABLE = "study_16_10.json"
TRUTH = "truth"  # the row of the true accuracies
_OPERATIONS = "operations"
TRUTH_SAMPLES = 2**20
SAME = 5e-5  # between two machines' values: rounding may move an answer or a penalty
OPERATIONS_OF_A_SAMPLE = 10 * 16 * 17 + 10 * 16
SDS = (0.002, 0.005, 0.01)
OTHER_SEEDS = (0, 1, 3, 4)
NOT_SCORED = {
    "order anchors": "its constants come from seeds that are scored here; the study fits others",
}
"""Rows of the catalogue that are not in the study, by the beginnings of their names, with why."""

_DATA = Path(__file__).parent / "data"
_TIME_LIMIT = 600.0  # seconds for one estimate: a slow one takes some on an idle core
_SLOW = ("planes, 64 directions",)  # and all oracles
_SLOW_SHARE = 16  # slow estimators see one in so many models
_SIMILAR = 3.0  # a sampler is compared with what costs at most this factor more or less
LABELS = 2**15  # random inputs for the accuracy of a model that constants are fitted on
_OTHER_SDS = (0.002, 0.004, 0.007, 0.01)
_OTHER_COPIES = 100  # of each of the other seeds at each noise level
OWN_COPIES = 2000  # of the same base at the same noise level; of clean models at the least


@dataclass(frozen=True)
class Entry:
    """A row of the study: an estimator at one budget, and what it was fitted on.

    Attributes
    ----------
    name
        As in the catalogue; with a split, that follows after a semicolon.
    runs_network, exact, constants
        The answers of the catalogue to its three questions; ``constants`` as they are in this row.
    split
        Where the constants were fitted.
    advice_bits
        Bits of the constants and of what was chosen by looking at models.
    scrambles
        Whether model i meets scramble i mod 16.
    oracle
        Whether it is told what an estimate would have to find out; its cost then says nothing.
    slow
        Whether it takes seconds; it is then run on one in sixteen of the models, the first ones.
    estimator, fit
        The function, or the one that makes it from models and their accuracies.
    """

    name: str
    runs_network: RunsNetwork
    exact: Exactness = "approximate"
    constants: Constants = "none"
    split: Split = "zero-shot"
    advice_bits: float = 0.0
    scrambles: bool = False
    oracle: bool = False
    slow: bool = False
    estimator: Callable[..., Estimate] | None = None
    fit: Fit | None = None


@dataclass(frozen=True)
class Cell:
    """Noisy copies of one base model, or the model itself where ``sd`` is 0."""

    base: str  # "example" or "seed s"
    sd: float

    @property
    def name(self) -> str:
        """Name in the table."""
        return f"{self.base}, sd {self.sd:g}"


def cells() -> list[Cell]:
    """All cells of the study."""
    main = [Cell(base, sd) for base in ("example", "seed 2") for sd in SDS]
    other = [Cell(f"seed {seed}", sd) for seed in OTHER_SEEDS for sd in SDS[1:]]
    clean = [Cell(base, 0.0) for base in ("example", *(f"seed {seed}" for seed in SEEDS))]
    return [*main, *other, *clean]


def populations() -> dict[str, list[Cell]]:
    """Populations by their names: cells that are scored together."""
    groups = {
        cell.name: [cell] for cell in cells() if cell.base in ("example", "seed 2") and cell.sd
    }
    for sd in SDS[1:]:
        groups[f"seeds 0, 1, 3, 4, sd {sd:g}"] = [
            cell for cell in cells() if cell.sd == sd and cell.base not in ("example", "seed 2")
        ]
    groups["six clean models"] = [cell for cell in cells() if cell.sd == 0]
    return groups


def models_of(cell: Cell, n_models: int) -> NoisyCopies:
    """The models of a cell; a quarter as many where four bases share a population.

    A clean model is there once for every scramble.
    """
    if cell.sd == 0:
        n_models = min(n_models, SCRAMBLES)
    elif cell.base not in ("example", "seed 2"):
        n_models = max(n_models // len(OTHER_SEEDS), 1)
    return NoisyCopies(_base(cell.base), cell.sd, n_models)


def entries() -> list[Entry]:
    """The rows of the bundled table, in their order."""
    return [available()[name] for name in bundled_study().names]


@cache
def available() -> Mapping[str, Entry]:
    """Every row that a study can have, by its name: of the catalogue, and of its own budgets."""
    model = load_model("2nd_argmax", 16, 10)
    rows = [row for row in [*catalog(), *_own_rows()] if row.scope.takes(model)]
    return {
        entry.name: entry
        for row in rows
        for entry in _entries_of(row)
        if entry.fit or not entry.name.startswith(tuple(NOT_SCORED))
    }


def _entries_of(row: CatalogEntry) -> Iterator[Entry]:
    if row.estimator is not None:
        oracle = row.name.startswith(boundary_oracle.declaration.name)
        yield Entry(
            row.name,
            row.runs_network,
            row.exact,
            row.constants,
            advice_bits=row.advice_bits,
            scrambles=row.scrambles,
            oracle=oracle,
            slow=oracle or row.name in _SLOW,
            estimator=row.estimator,
        )
    if row.fit is not None:
        fitted: dict[Split, Constants] = {
            "seed-agnostic": "from other networks",
            "model-specific": "from this one",
        }
        for split, constants in fitted.items():
            name, bits = f"{row.name}; {split}", row.fit_advice_bits
            yield Entry(name, row.runs_network, row.exact, constants, split, bits, fit=row.fit)


def _own_rows() -> Iterator[CatalogEntry]:
    """Estimators of the catalogue at budgets that it does not list."""
    yield row_at(class_cubature, {"rows": 256})
    for n_samples in (90, 360, 1440, 5760, 23040):
        yield row_at(stratified_sobol, {"n_samples": n_samples})
    yield row_at(sampling, {"n_samples": 360})
    for closure in ("linear", "ordinary", "boundary"):
        row = row_at(boundary_oracle, {"rows": 2048, "seed": 0, "closure": closure})
        yield replace(row, name=f"{row.name}, {closure}")


def _labelled_others(cell: Cell) -> tuple[list[Model], list[float]]:
    """Noisy copies of the other seeds with their accuracies."""
    seeds = [seed for seed in OTHER_SEEDS if cell.base != f"seed {seed}"]
    return _labelled(tuple(f"seed {seed}" for seed in seeds), _OTHER_SDS, _OTHER_COPIES)


def _labelled_copies(cell: Cell) -> tuple[list[Model], list[float]]:
    """Other noisy copies of the same base with their accuracies."""
    return _labelled((cell.base,), (cell.sd or SDS[0],), OWN_COPIES)


@lru_cache(maxsize=2)  # those of one cell
def _labelled(
    bases: tuple[str, ...], sds: tuple[float, ...], copies: int
) -> tuple[list[Model], list[float]]:
    sources = [
        NoisyCopies(_base(base), sd, copies, stream="tuning") for base in bases for sd in sds
    ]
    models = [source.model(i) for source in sources for i in range(copies)]
    return models, [estimate.value for estimate in ensemble_sampling(models, LABELS, 0)]


def _base(name: str) -> ZooModel | Model:
    if name == "example":
        return base_named(EXAMPLE)
    return ZooModel("2nd_argmax", 16, 10, None, int(name.removeprefix("seed ")))


@dataclass(frozen=True)
class Study:
    """Values of all estimators on all models.

    Attributes
    ----------
    truth
        By the name of a cell: the sampled accuracy of each of its models.
    values, operations
        By the name of a cell and of an entry: what was estimated of each model, and the multiply-
        adds of that estimate.
    """

    truth: Mapping[str, Array]
    values: Mapping[str, Mapping[str, Array]]
    operations: Mapping[str, Mapping[str, Array]]

    @property
    def names(self) -> list[str]:
        """Names of the entries, in the order of the table."""
        return list(next(iter(self.values.values())))


def run_study(
    n_models: int,
    bases: Iterable[str],
    workers: int | None = None,
    rows: Collection[str] | None = None,
) -> Study:
    """The study of some bases, in processes of this machine.

    ``rows`` are the names of the entries that are run, :data:`TRUTH` among them; those of the
    bundled table where absent.

    Raises
    ------
    OfficialFileMissing
        Where ARC's example is among the bases and cannot be had.
    ValueError
        Where an estimator fails; says which and why.
    """
    if rows is None:
        rows = [TRUTH, *bundled_study().names]
    chosen = [available()[name] for name in rows if name != TRUTH]
    fitted = [entry.name for entry in chosen if entry.fit]
    pool = Workers(workers=workers, time_limit=_TIME_LIMIT)
    populations = {cell: models_of(cell, n_models) for cell in cells() if cell.base in bases}
    scored = populations if TRUTH in rows else {}
    truths = true_scores(pool, scored, TRUTH_SAMPLES, TruthCache(truth_folder()))
    fits = pool.do({cell: partial(_fits, cell, fitted) for cell in populations})
    values: dict[str, dict[str, Array]] = {}
    operations: dict[str, dict[str, Array]] = {}
    for cell, population in populations.items():
        jobs = {one.name: packed((one.estimator, None, one.scrambles)) for one in chosen}
        jobs |= fits[cell]
        found: dict[str, Array] = {}
        cost: dict[str, Array] = {}
        for slow in (False, True):
            group = [entry for entry in chosen if entry.slow == slow]
            n_scored = -(-len(population) // _SLOW_SHARE) if slow else len(population)
            models = replace(population, n_models=n_scored)
            evaluations = evaluate(pool, models, [(jobs[entry.name],) for entry in group])
            for entry, evaluation in zip(group, evaluations, strict=True):
                if evaluation.failure:
                    raise ValueError(f"{entry.name}, {cell.name}, {evaluation.failure}")
                found[entry.name] = evaluation.values
                cost[entry.name] = evaluation.operations(PRICES["transcendental"])
        values[cell.name] = {entry.name: found[entry.name] for entry in chosen}
        operations[cell.name] = {entry.name: cost[entry.name] for entry in chosen}
    true = {cell.name: np.array([one.value for one in of]) for cell, of in truths.items()}
    return Study(true, values, operations)


def _fits(cell: Cell, names: Sequence[str]) -> dict[str, bytes]:
    """Entries with the constants of a cell, packed for the sandbox."""
    labelled = {"seed-agnostic": _labelled_others, "model-specific": _labelled_copies}
    found = {}
    for name in names:
        entry = available()[name]
        assert entry.fit is not None
        estimator = entry.fit(*labelled[entry.split](cell))
        found[name] = packed((estimator, None, False))
    return found


def with_rows(study: Study, now: Study) -> Study:
    """Return a study in which the rows of another replace those of the same names."""
    return Study(
        {**study.truth, **now.truth},
        {cell: {**rows, **now.values.get(cell, {})} for cell, rows in study.values.items()},
        {cell: {**rows, **now.operations.get(cell, {})} for cell, rows in study.operations.items()},
    )


def with_rows_recomputed(parts: Sequence[str], workers: int | None = None) -> Study:
    """The bundled study, on as many models, with some rows anew.

    Each of ``parts`` is a part of the names of rows of the table, or the whole name of another row,
    which is then added. Errors as of :func:`run_study`.

    Raises
    ------
    ValueError
        Where a part is neither; says what names there are.
    """
    committed = bundled_study()
    rows: dict[str, None] = {}
    for part in parts:
        found = [name for name in (TRUTH, *committed.names) if part in name]
        if not found and part not in available():
            raise ValueError(
                f"no row is called {part!r}; there are: {'; '.join([TRUTH, *available()])}"
            )
        rows.update(dict.fromkeys(found or [part]))
    bases = dict.fromkeys(cell.base for cell in cells())
    now = run_study(n_models_of(committed), bases, workers, list(rows))
    return with_rows(committed, now)


def n_models_of(study: Study) -> int:
    """Models of a population."""
    return max(len(of_cell) for of_cell in study.truth.values())


@dataclass(frozen=True)
class Scores:
    """What one entry reached on a population.

    Attributes
    ----------
    samples
        What one estimate costs in random inputs.
    rms, bias
        Root mean square and mean of the errors.
    ratios
        R against random sampling, against random sampling shrunk to the population's mean, and
        against a sampler of the study.
    sampler
        The name of that sampler: of those whose cost is within a factor of three, the one of least
        R. ``None`` where there is none.
    """

    samples: float
    rms: float
    bias: float
    ratios: Ratios
    sampler: str | None


def scores(study: Study, group: Sequence[Cell], chosen: Sequence[Entry]) -> dict[str, Scores]:
    """Scores of entries, by name, on the models of some cells.

    Intervals resample models, and scrambles where there are any. Samplers are those among the
    entries that run the network on random inputs, have no constants and are no oracles.
    """
    scored = {entry.name: _Scored.of(study, group, entry) for entry in chosen}
    samplers = [
        entry
        for entry in chosen
        if (entry.runs_network, entry.constants) == ("random inputs", "none") and not entry.oracle
    ]
    best: dict[str, Entry | None] = {}
    for name, one in scored.items():
        near = [
            entry
            for entry in samplers
            if 1 / _SIMILAR <= scored[entry.name].samples / one.samples <= _SIMILAR
        ]
        best[name] = min(near, key=lambda entry: scored[entry.name].plain_ratio, default=None)
    # Entries that see the same models are resampled together.
    batches: dict[tuple[int, ...], list[Entry]] = {}
    for entry in chosen:
        batches.setdefault(scored[entry.name].n_models, []).append(entry)
    found: dict[str, Scores] = {}
    for n_models, batch in batches.items():
        rows: list[tuple[Errors, Errors | None]] = []
        for entry in batch:
            sampler = best[entry.name]
            against = _Scored.of(study, group, sampler, n_models).errors if sampler else None
            rows.append((scored[entry.name].errors, against))
        of_batch = ratios(rows, scored[batch[0].name].truths, 0)
        for entry, ratio in zip(batch, of_batch, strict=True):
            one, sampler = scored[entry.name], best[entry.name]
            found[entry.name] = Scores(
                one.samples,
                float(np.sqrt(max(one.errors.squared.mean(), 0))),
                one.bias,
                ratio,
                sampler.name if sampler else None,
            )
    return {entry.name: found[entry.name] for entry in chosen}


@dataclass(frozen=True)
class _Scored:
    """Errors of an entry on the first models of each cell."""

    n_models: tuple[int, ...]
    truths: Truths
    errors: Errors
    bias: float

    @classmethod
    def of(
        cls,
        study: Study,
        group: Sequence[Cell],
        entry: Entry,
        n_models: tuple[int, ...] | None = None,
    ) -> _Scored:
        name = entry.name
        n_models = n_models or tuple(len(study.values[cell.name][name]) for cell in group)
        first = list(zip(group, n_models, strict=True))
        true, values, operations = (
            np.concatenate([row[:n] for row, n in rows])
            for rows in (
                [(study.truth[cell.name], n) for cell, n in first],
                [(study.values[cell.name][name], n) for cell, n in first],
                [(study.operations[cell.name][name], n) for cell, n in first],
            )
        )
        # Noisy copies are resampled whatever their base, for the bases are the same next time; of
        # clean models there is but one each, whatever the scramble.
        units = [i if cell.sd == 0 else 0 for i, cell in enumerate(group)]
        truths = Truths(
            true,
            true * (1 - true) / TRUTH_SAMPLES,
            true * (1 - true),
            np.repeat(np.array(units), n_models),
            OPERATIONS_OF_A_SAMPLE,
            np.concatenate([scrambles_of(n) for n in n_models]),
        )
        errors = errors_of(values, operations, truths, scrambled=entry.scrambles)
        return cls(n_models, truths, errors, float((values - true).mean()))

    @property
    def samples(self) -> float:
        """Cost of one estimate in random inputs."""
        return float(self.errors.operations.mean()) / OPERATIONS_OF_A_SAMPLE

    @property
    def plain_ratio(self) -> float:
        """R against random sampling."""
        return float(self.errors.squared.mean() * self.samples / self.truths.mean_sample_variance)


def written(study: Study) -> str:
    """The study as JSON, a line for each entry and cell, six decimals.

    The operations of an entry are one number where all models of the cell cost the same.
    """
    cells = []
    for cell, truth_of_cell in study.truth.items():
        cost = {
            name: int(row[0]) if (row == row[0]).all() else [int(v) for v in row]
            for name, row in study.operations[cell].items()
        }
        rows = {TRUTH: truth_of_cell, **study.values[cell]}
        lines = [f"  {json.dumps(_OPERATIONS)}: {json.dumps(cost)}"]
        lines += [
            f"  {json.dumps(name)}: {json.dumps([round(float(v), 6) for v in row])}"
            for name, row in rows.items()
        ]
        cells.append(f"{json.dumps(cell)}: {{\n" + ",\n".join(lines) + "}")
    return "{" + ",\n".join(cells) + "}\n"


def read_study(text: str) -> Study:
    """Read the text that :func:`written` returns."""
    content = json.loads(text)
    cost = {cell: of_cell.pop(_OPERATIONS) for cell, of_cell in content.items()}
    values = {
        cell: {name: np.array(row) for name, row in of_cell.items()}
        for cell, of_cell in content.items()
    }
    truths = {cell: of_cell.pop(TRUTH) for cell, of_cell in values.items()}
    operations = {
        cell: {
            name: np.broadcast_to(np.array(cost[cell][name], dtype=float), row.shape)
            for name, row in of_cell.items()
        }
        for cell, of_cell in values.items()
    }
    return Study(truths, values, operations)


def bundled_study() -> Study:
    """The study that is part of this package, of 256 models a population.

    ``algzoo study`` makes it anew.
    """
    return read_study((_DATA / TABLE).read_text("utf-8"))


def write_study(study: Study) -> Path:
    """Replace the file that :func:`bundled_study` reads, and return its path."""
    write_whole(_DATA / TABLE, written(study).encode())
    return _DATA / TABLE


def calibrated() -> dict[str, tuple[float, ...]]:
    """Constants of the order anchors for models of other seeds, by name.

    Fitted on the noisy copies of seeds 0, 1, 3 and 4, as the seed-agnostic rows of seed 2.
    """
    models, accuracies = _labelled_others(Cell("seed 2", SDS[0]))
    found = {}
    for name in ANCHORS:
        rule = fitted_order_anchors(models, accuracies, anchors=name).rule
        assert isinstance(rule, OrderAnchors)
        found[name] = rule.coefficients
    return found


def write_calibrated(coefficients: Mapping[str, Sequence[float]]) -> Path:
    """Replace the constants of :func:`algzoo.estimates.many_inputs.anchors.order_anchors`."""
    fitted_on = (
        f"{_OTHER_COPIES} noisy copies of each of seeds {', '.join(map(str, OTHER_SEEDS))} of "
        f"2nd_argmax_16_10 at each noise level {', '.join(map(str, _OTHER_SDS))}, "
        f"labelled on {LABELS} random inputs"
    )
    table = {"fitted_on": fitted_on, "coefficients": dict(coefficients)}
    write_whole(CONSTANTS, (json.dumps(table, indent=1) + "\n").encode())
    return CONSTANTS


@dataclass(frozen=True)
class Moved:
    """A value of the table, or what it cost, that is not what it was."""

    cell: str
    name: str
    index: int
    committed: float
    now: float


def moved(study: Study, now: Study) -> list[Moved]:
    """Values and costs of a study that differ from ``now``, its first models computed once more."""
    found = []
    for cell, values in now.values.items():
        compared = [(TRUTH, study.truth[cell], now.truth[cell], SAME)]
        for name, new in values.items():
            compared.append((name, study.values[cell][name], new, SAME))
            cost = f"operations of {name}"
            compared.append((cost, study.operations[cell][name], now.operations[cell][name], 0.0))
        for name, old, new, same in compared:
            for i in np.flatnonzero(np.abs(new - old[: len(new)]) > same):
                found.append(Moved(cell, name, int(i), float(old[i]), float(new[i])))
    return found
