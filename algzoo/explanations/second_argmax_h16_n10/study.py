"""The study of M16,10: every estimator of the book on the same noisy copies of six base models.

A cell is a base model and a noise level; populations are put together from cells. What is fitted
is fitted on other models than those that are scored: either on noisy copies of other training
seeds ("other seeds"), or on other noisy copies of the same base ("same base"). Seed 2 and ARC's
example are never among the other seeds, so that the constants of both are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...estimates import Estimate, Estimator, RunsNetwork, class_cubature, ensemble_sampling
from ...estimates.many_inputs.anchors import ANCHORS, CONSTANTS, OrderAnchors, fitted_order_anchors
from ...estimates.many_inputs.boundary_oracle import Closure, boundary_oracle
from ...estimates.many_inputs.gaussian import gaussian_propagation, gaussian_propagation_by_class
from ...estimates.many_inputs.lines import line_cubature
from ...estimates.many_inputs.lines_between_ties import linear_between_ties
from ...estimates.many_inputs.offsets import offset_formula
from ...estimates.many_inputs.response_surface import response_surface
from ...estimates.many_inputs.skeleton import fitted_skeleton, skeleton
from ...estimates.many_inputs.surrogate import fitted_margin_surrogate
from ...estimates.samplers.second_argmax import SAMPLERS, Drawn, chance, fitted_constant
from ...scoring.compute.ratios import Ratios, Truths, errors_of, ratios
from ...scoring.compute.truth import truth
from ...scoring.compute.work import work_off
from ...zoo import EXAMPLE, SEEDS, Model
from ...zoo.files import write_whole
from ...zoo.populations import NoisyCopies, ZooModel, base_named

Array = NDArray[np.float64]
FittedOn = Literal["nothing", "other seeds", "same base"]

TABLE = "study_16_10.json"
TRUTH = "truth"  # the row of the true accuracies
TRUTH_SAMPLES = 2**20
SAME = 5e-5  # between two machines' values: rounding may move an answer or a penalty
OPERATIONS_OF_A_SAMPLE = 10 * 16 * 17 + 10 * 16
SDS = (0.002, 0.005, 0.01)
SCRAMBLES = 16  # model number i of a cell sees number i mod 16
OTHER_SEEDS = (0, 1, 3, 4)

_DATA = Path(__file__).parent / "data"
_ORACLE_ROWS = 2048  # random inputs of each class
_LABELS = 2**15  # random inputs for the accuracy of a model that constants are fitted on
_OTHER_SDS = (0.002, 0.004, 0.007, 0.01)
_OTHER_COPIES = 100  # of each of the other seeds at each noise level
_OWN_COPIES = 2000  # of the same base at the same noise level; of clean models at the least

# What is run on model number i of a cell.
Scored = Callable[[Model, int], Estimate]


@dataclass(frozen=True)
class Entry:
    """A row of the study: an estimator at one budget, and what it was fitted on.

    An oracle is told what an estimate would have to find out; its cost says nothing, and it is run
    on one in sixteen of the models.
    """

    name: str
    runs_network: RunsNetwork
    fitted_on: FittedOn = "nothing"
    oracle: bool = False

    def of(self, n_models: int) -> int:
        """How many models of a cell of that many it is run on, from the first."""
        return -(-n_models // 16) if self.oracle else n_models


@dataclass(frozen=True)
class Cell:
    """Noisy copies of one base model, or the model itself where ``sd`` is 0."""

    base: str  # "example" or "seed s"
    sd: float

    @property
    def name(self) -> str:
        """As in the table."""
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
        n_models = SCRAMBLES
    elif cell.base not in ("example", "seed 2"):
        n_models = max(n_models // len(OTHER_SEEDS), 1)
    return NoisyCopies(_base(cell.base), cell.sd, n_models)


def entries() -> list[Entry]:
    """All rows, in the order of the table."""
    return [entry for entry, _ in _makers()]


def _makers() -> list[tuple[Entry, Callable[[Cell], Scored]]]:
    """Every row, and what makes its estimator for a cell; constants are fitted there."""
    rows: list[tuple[Entry, Callable[[Cell], Scored]]] = [
        (Entry("chance", "never"), _plain(chance)),
        (Entry("Gaussian closure", "never"), _plain(gaussian_propagation)),
        (Entry("Gaussian closure by class", "never"), _plain(gaussian_propagation_by_class)),
        (Entry("skeleton", "chosen inputs"), _plain(skeleton)),
        (Entry("offset formula", "chosen inputs"), _plain(offset_formula)),
        (Entry("response surfaces", "chosen inputs"), _plain(response_surface)),
    ]
    for lines in (64, 128):
        cubature = partial(line_cubature, rows=lines)
        rows.append((Entry(f"lines, {lines} points", "chosen inputs"), _scrambled(cubature)))
    for nodes in (2, 3, 4):
        between = partial(linear_between_ties, nodes=nodes, rounds=1)
        rows.append(
            (Entry(f"lines between ties, {nodes} nodes", "chosen inputs"), _scrambled(between))
        )
    for points in (8, 16, 64, 256):
        cubature = partial(class_cubature, rows=points)
        rows.append(
            (Entry(f"order classes, {points} points", "chosen inputs"), _scrambled(cubature))
        )
    for n_samples in (90, 360, 1440, 5760, 23040):
        name = f"stratified Sobol, {n_samples} inputs"
        drawn = Drawn("stratified Sobol", SAMPLERS["stratified Sobol"], n_samples)
        rows.append((Entry(name, "random inputs"), _plain(drawn)))
    rows.append(
        (Entry("random, 360 inputs", "random inputs"), _plain(Drawn("iid", SAMPLERS["iid"], 360)))
    )
    closures: tuple[Closure, ...] = ("linear", "ordinary", "boundary", "self-consistent")
    for closure in closures:
        given = partial(boundary_oracle, rows=_ORACLE_ROWS, seed=0, closure=closure)
        rows.append((Entry(f"oracle, {closure}", "random inputs", oracle=True), _plain(given)))
    sources: list[tuple[FittedOn, Callable[[Cell], tuple[list[Model], list[float]]]]] = [
        ("other seeds", _labelled_others),
        ("same base", _labelled_copies),
    ]
    for fitted_on, labelled in sources:
        fits: dict[str, tuple[RunsNetwork, Callable[..., Estimator]]] = {
            "constant": ("never", fitted_constant),
            "skeleton, calibrated": ("chosen inputs", fitted_skeleton),
        }
        for name in ANCHORS:
            anchors = partial(fitted_order_anchors, anchors=name)
            fits[f"anchors, {name}"] = ("chosen inputs", anchors)
        if fitted_on == "same base":
            for n in (10, 30, 90, 300, 800):
                surrogate = partial(fitted_margin_surrogate, n_inputs=n)
                fits[f"surrogate, {n} inputs"] = ("chosen inputs", surrogate)
        for name, (runs_network, fit) in fits.items():
            rows.append(
                (
                    Entry(f"{name}; {fitted_on}", runs_network, fitted_on),
                    partial(_fitted, fit, labelled),
                )
            )
    return rows


def _plain(estimator: Estimator) -> Callable[[Cell], Scored]:
    return lambda cell: lambda model, index: estimator(model)


def _scrambled(estimator: Callable[..., Estimate]) -> Callable[[Cell], Scored]:
    return lambda cell: lambda model, index: estimator(model, scramble=index % SCRAMBLES)


def _fitted(
    fit: Callable[..., Estimator],
    labelled: Callable[[Cell], tuple[list[Model], list[float]]],
    cell: Cell,
) -> Scored:
    estimator = fit(*labelled(cell))
    return lambda model, index: estimator(model)


def _labelled_others(cell: Cell) -> tuple[list[Model], list[float]]:
    """Noisy copies of the other seeds with their accuracies."""
    seeds = [seed for seed in OTHER_SEEDS if cell.base != f"seed {seed}"]
    return _labelled(tuple(f"seed {seed}" for seed in seeds), _OTHER_SDS, _OTHER_COPIES)


def _labelled_copies(cell: Cell) -> tuple[list[Model], list[float]]:
    """Other noisy copies of the same base with their accuracies."""
    return _labelled((cell.base,), (cell.sd or SDS[0],), _OWN_COPIES)


@lru_cache(maxsize=2)  # those of one cell
def _labelled(
    bases: tuple[str, ...], sds: tuple[float, ...], copies: int
) -> tuple[list[Model], list[float]]:
    sources = [
        NoisyCopies(_base(base), sd, copies, stream="tuning") for base in bases for sd in sds
    ]
    models = [source.model(i) for source in sources for i in range(copies)]
    return models, [estimate.value for estimate in ensemble_sampling(models, _LABELS, 0)]


def _base(name: str) -> ZooModel | Model:
    if name == "example":
        return base_named(EXAMPLE)
    return ZooModel("2nd_argmax", 16, 10, None, int(name.removeprefix("seed ")))


@dataclass(frozen=True)
class Study:
    """Values of all estimators on all models.

    Attributes
    ----------
    operations
        Multiply-adds of one estimate, by the name of the entry.
    truth, values
        By the name of a cell: the sampled accuracy of each of its models, and by entry what was
        estimated.
    """

    operations: Mapping[str, int]
    truth: Mapping[str, Array]
    values: Mapping[str, Mapping[str, Array]]


def run_study(
    n_models: int,
    bases: Iterable[str],
    workers: int | None = None,
    indices: Sequence[int] | None = None,
    rows: Collection[str] | None = None,
) -> Study:
    """The study of some bases, as :func:`study_of`, in processes of this machine.

    Raises
    ------
    OfficialFileMissing
        Where ARC's example is among the bases and cannot be had.
    """
    found: dict[str, Study] = {}
    tasks = {base: partial(study_of, base, n_models, indices, rows) for base in bases}
    for base in tasks:
        _base(base)  # absent files are found before the work begins

    def finished(base: str, study: Study) -> tuple[()]:
        found[base] = study
        return ()

    work_off(tasks, finished, workers=workers)
    return merged([found[base] for base in tasks])


def study_of(
    base: str,
    n_models: int,
    indices: Sequence[int] | None = None,
    rows: Collection[str] | None = None,
) -> Study:
    """The study of one base; of its models those with these numbers, all where absent.

    ``rows`` are the names of the entries that are run, :data:`TRUTH` among them; all where absent.
    """
    own = (cell for cell in cells() if cell.base == base)
    return merged([study_of_cell(cell, n_models, indices, rows) for cell in own])


def study_of_cell(
    cell: Cell,
    n_models: int,
    indices: Sequence[int] | None = None,
    rows: Collection[str] | None = None,
) -> Study:
    """The study of one cell, as :func:`study_of`."""
    population = models_of(cell, n_models)
    numbers = range(n_models) if indices is None else indices
    models = {i: population.model(i) for i in numbers if i < len(population)}
    true: dict[str, Array] = {}
    if rows is None or TRUTH in rows:
        found = [truth(model, TRUTH_SAMPLES).value for model in models.values()]
        true[cell.name] = np.array(found)
    operations: dict[str, int] = {}
    values: dict[str, Array] = {}
    for entry, make in _makers():
        if rows is not None and entry.name not in rows:
            continue
        estimator = make(cell)
        last = entry.of(len(population))
        estimates = [estimator(model, i) for i, model in models.items() if i < last]
        values[entry.name] = np.array([estimate.value for estimate in estimates])
        if estimates:
            operations[entry.name] = estimates[0].operations
    return Study(operations, true, {cell.name: values})


def merged(studies: Sequence[Study]) -> Study:
    """One study of several bases."""
    return Study(
        {name: n for study in studies for name, n in study.operations.items()},
        {name: truth for study in studies for name, truth in study.truth.items()},
        {name: values for study in studies for name, values in study.values.items()},
    )


def with_rows(study: Study, now: Study) -> Study:
    """A study in which the rows of another take the place of those of the same names."""
    return Study(
        {**study.operations, **now.operations},
        {**study.truth, **now.truth},
        {
            cell: {name: now.values.get(cell, {}).get(name, row) for name, row in rows.items()}
            for cell, rows in study.values.items()
        },
    )


def with_rows_recomputed(parts: Sequence[str], workers: int | None = None) -> Study:
    """The bundled study, on as many models, with those rows anew of whose names these are parts.

    Errors as of :func:`run_study`.

    Raises
    ------
    ValueError
        Where one is a part of no name; says what names there are.
    """
    names = [TRUTH, *(entry.name for entry in entries())]
    for part in parts:
        if not any(part in name for name in names):
            raise ValueError(f"no row is called {part!r}; there are: {'; '.join(names)}")
    rows = [name for name in names if any(part in name for part in parts)]
    committed = bundled_study()
    bases = dict.fromkeys(cell.base for cell in cells())
    now = run_study(n_models_of(committed), bases, workers, rows=rows)
    return with_rows(committed, now)


def n_models_of(study: Study) -> int:
    """Models of a population."""
    return max(len(of_cell) for of_cell in study.truth.values())


@dataclass(frozen=True)
class Scores:
    """What one entry reached on a population.

    ``samples`` is what it costs in random inputs, ``bias`` the mean error; ``ratios.iid`` its R.
    """

    samples: float
    rms: float
    bias: float
    ratios: Ratios


def scores(study: Study, group: Sequence[Cell], names: Sequence[str]) -> dict[str, Scores]:
    """Scores of entries on the models of some cells, with intervals by resampling models."""
    return {name: _score(study, group, name) for name in names}


def _score(study: Study, group: Sequence[Cell], name: str) -> Scores:
    values = [study.values[cell.name][name] for cell in group]
    pairs = list(zip(group, values, strict=True))
    true = np.concatenate([study.truth[cell.name][: len(value)] for cell, value in pairs])
    variance = true * (1 - true)
    # Noisy copies are resampled whatever their base, for the bases are the same next time; of clean
    # models there is but one each, whatever the scramble.
    units = [
        np.full(len(value), number if cell.sd == 0 else 0)
        for number, (cell, value) in enumerate(pairs)
    ]
    truths = Truths(
        true,
        variance / TRUTH_SAMPLES,
        variance,
        np.concatenate(units).astype(np.int64),
        OPERATIONS_OF_A_SAMPLE,
    )
    estimated = np.concatenate(values)
    errors = errors_of(estimated, np.full(len(true), float(study.operations[name])), truths)
    [ratio] = ratios([(errors, None)], truths, 0)
    return Scores(
        study.operations[name] / OPERATIONS_OF_A_SAMPLE,
        float(np.sqrt(max(errors.squared.mean(), 0))),
        float((estimated - true).mean()),
        ratio,
    )


def written(study: Study) -> str:
    """The study as JSON, a line for each entry and cell, six decimals."""
    lines = [f'{{"operations": {json.dumps(dict(study.operations))}']
    for cell, truth_of_cell in study.truth.items():
        rows = {TRUTH: truth_of_cell, **study.values[cell]}
        body = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps([round(float(v), 6) for v in row])}"
            for name, row in rows.items()
        )
        lines.append(f"{json.dumps(cell)}: {{\n{body}}}")
    return ",\n".join(lines) + "}\n"


def read_study(text: str) -> Study:
    """What :func:`written` wrote."""
    content = json.loads(text)
    operations = content.pop("operations")
    rows = {
        cell: {name: np.array(row) for name, row in of_cell.items()}
        for cell, of_cell in content.items()
    }
    truths = {cell: of_cell.pop(TRUTH) for cell, of_cell in rows.items()}
    return Study(operations, truths, rows)


def bundled_study() -> Study:
    """The study that this package brings along: 256 models of a population.

    ``algzoo study`` makes it anew.
    """
    return read_study((_DATA / TABLE).read_text("utf-8"))


def write_study(study: Study) -> Path:
    """Replace what :func:`bundled_study` reads; returns its path."""
    write_whole(_DATA / TABLE, written(study).encode())
    return _DATA / TABLE


def calibrated() -> dict[str, tuple[float, ...]]:
    """Constants of the order anchors for models of other seeds, by name; see :func:`write_study`.

    Fitted on the noisy copies of seeds 0, 1, 3 and 4, as in the rows "other seeds" of seed 2.
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
        f"labelled on {_LABELS} random inputs"
    )
    table = {"fitted_on": fitted_on, "coefficients": dict(coefficients)}
    write_whole(CONSTANTS, (json.dumps(table, indent=1) + "\n").encode())
    return CONSTANTS


@dataclass(frozen=True)
class Moved:
    """A value of the table that is not what it was."""

    cell: str
    name: str
    index: int
    committed: float
    now: float


def moved(study: Study, now: Study, indices: Sequence[int]) -> list[Moved]:
    """Where the values of some models, recomputed as ``now``, differ from those of a study.

    ``indices`` are the numbers of the models in their cells, as given to :func:`study_of`.
    """
    found = []
    for cell, values in now.values.items():
        for name, new in {TRUTH: now.truth[cell], **values}.items():
            old = study.truth[cell] if name == TRUTH else study.values[cell][name]
            there = np.array([i for i in indices if i < len(old)], dtype=int)
            old = old[there]
            for i in np.flatnonzero(np.abs(new - old) > SAME):
                found.append(Moved(cell, name, int(there[i]), float(old[i]), float(new[i])))
    return found
