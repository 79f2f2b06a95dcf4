"""Table of the cliff: every value of every rule, by scramble and model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...estimates import sampling
from ...scoring.compute.scrambles import (
    ErrorsByScramble,
    ScrambleScore,
    Truth,
    estimates_by_scramble,
    exponent,
    truths_by_rule,
)
from ...scoring.compute.work import work_off
from ...zoo.files import write_whole
from .cells import Cell, cells, chosen_sd
from .rules import Setting, settings_of, truth_setting

Array = NDArray[np.float64]

TABLE = Path(__file__).parent / "data" / "the_cliff.json"
UNIT = 1e-9  # of the values in the file
SAME = 1.5e-9  # two values that differ by rounding, in the file and of a processor

_TRUTH_SCRAMBLES = 1000  # from here on; those of the scores begin at 0


@dataclass(frozen=True)
class Scored:
    """A rule at a budget on the first models of a cell.

    Attributes
    ----------
    setting
        The rule, its budget, and the numbers of models and scrambles.
    values
        Shape (n_scrambles, n_models).
    operations
        Operations of an estimate for each model, mean over scrambles.
    """

    setting: Setting
    values: Array
    operations: NDArray[np.int64]


@dataclass(frozen=True)
class CellScores:
    """All that was measured in a cell.

    Attributes
    ----------
    sd
        Standard deviation of the noise.
    sample
        Operations of a random input.
    truths
        Accuracies of the models with their standard errors.
    scored
        Rules at their budgets.
    """

    sd: float
    sample: int
    truths: tuple[Truth, ...]
    scored: tuple[Scored, ...]

    def at(self, rule: str, samples: float) -> ScrambleScore:
        """R of a rule with its interval, at the budget that costs nearest to ``samples``.

        Raises
        ------
        ValueError
            If the rule was not scored here.
        """
        scores = self.scores(rule)
        if not scores:
            raise ValueError(f"{rule!r} was not scored here")
        return min(scores, key=lambda score: abs(np.log(score.samples / samples)))

    def scores(self, rule: str) -> list[ScrambleScore]:
        """R of a rule with its intervals, at rising budgets."""
        if rule not in self._known:
            self._known[rule] = [self._errors(one).score() for one in self._scored_by(rule)]
        return self._known[rule]

    def exponent(self, rule: str) -> tuple[float, float, float]:
        """Exponent of a rule's mean squared error in its cost, and the ends of its interval."""
        return exponent([self._errors(one) for one in self._scored_by(rule)])

    @cached_property
    def _known(self) -> dict[str, list[ScrambleScore]]:
        """Scores that were computed before: an interval takes thousands of sums."""
        return {}

    def _scored_by(self, rule: str) -> list[Scored]:
        own = [one for one in self.scored if one.setting.rule == rule]
        return sorted(own, key=lambda one: one.setting.budget)

    def _errors(self, scored: Scored) -> ErrorsByScramble:
        n_models = len(scored.operations)
        samples = scored.operations / self.sample
        return ErrorsByScramble(scored.values, samples, self.truths[:n_models])

    @property
    def accuracy(self) -> float:
        """Mean over the models."""
        return float(np.mean([value for value, _ in self.truths]))


Table = Mapping[str, CellScores]


def measured(cell: Cell) -> CellScores:
    """Measure all scores of a cell, in seconds for a few neurons and in minutes for 32."""
    sd = chosen_sd(cell)
    models = cell.models(sd)
    setting = truth_setting(cell)
    truths = truths_by_rule(
        setting.estimate,
        models,
        range(_TRUTH_SCRAMBLES, _TRUTH_SCRAMBLES + setting.scrambles),
    )
    scored = []
    for one in settings_of(cell):
        values, operations = estimates_by_scramble(
            one.estimate, models[: one.models], range(one.scrambles)
        )
        mean_operations = np.rint(operations.mean(axis=0)).astype(np.int64)
        scored.append(Scored(one, values, mean_operations))
    return CellScores(sd, sampling(models[0], 1, 0).operations, tuple(truths), tuple(scored))


def measured_cells(names: Iterable[str], workers: int | None = None) -> Table:
    """Measure the scores of cells by their names, in processes of this machine."""
    known = cells()
    found: dict[str, CellScores] = {}

    def finished(name: str, scores: CellScores) -> tuple[()]:
        found[name] = scores
        return ()

    tasks = {name: partial(measured, known[name]) for name in names}
    work_off(tasks, finished, workers=workers)
    return found


@dataclass(frozen=True)
class Again:
    """A value of the table that was computed once more."""

    setting: Setting
    scramble: int
    model: int
    committed: float
    now: float

    @property
    def held(self) -> bool:
        """Whether both values are the same up to rounding."""
        return abs(self.now - self.committed) <= SAME

    def __str__(self) -> str:
        where = f"{self.setting.rule}, budget {self.setting.budget}, scramble {self.scramble}"
        return f"{where}, model {self.model}: {self.committed:.9f} was, {self.now:.9f} is"


def recomputed(name: str, scores: CellScores, n_values: int) -> Iterator[Again]:
    """Recompute ``n_values`` values of every rule and budget of a cell, evenly spread."""
    models = cells()[name].models(scores.sd)
    for one in scores.scored:
        n_scrambles, n_models = one.values.shape
        # Spread over scrambles and models alike.
        for number in range(min(n_values, n_scrambles)):
            scramble = number * n_scrambles // min(n_values, n_scrambles)
            model = number % n_models
            now = one.setting.estimate(models[model], scramble).value
            yield Again(one.setting, scramble, model, float(one.values[scramble, model]), now)


def written(table: Table) -> str:
    """Return the table as JSON, with a line for each scramble and values in billionths."""
    parts = []
    for name in (known for known in cells() if known in table):
        scores = table[name]
        lines = [f'"sd": {scores.sd}, "sample": {scores.sample}']
        for number, key in enumerate(("truths", "stds")):
            column = [float(truth[number]) for truth in scores.truths]
            lines.append(f'"{key}": {_in_units(column)}')
        rows = []
        for one in scores.scored:
            head = f'"rule": "{one.setting.rule}", "budget": {one.setting.budget}'
            head += f', "operations": {json.dumps(one.operations.tolist())}'
            values = ",\n   ".join(_in_units(row) for row in one.values)
            rows.append(f'  {{{head},\n   "values": [\n   {values}]}}')
        lines.append('"scored": [\n' + ",\n".join(rows) + "]")
        parts.append(f'"{name}": {{' + ",\n ".join(lines) + "}")
    return "{" + ",\n".join(parts) + "}\n"


def _in_units(values: Sequence[float] | Array) -> str:
    return json.dumps([round(float(value) / UNIT) for value in values], separators=(",", ":"))


def read(text: str) -> dict[str, CellScores]:
    """Read the text that :func:`written` returns."""
    found = {}
    for name, content in json.loads(text).items():
        truths = zip(np.multiply(content["truths"], UNIT), content["stds"], strict=True)
        scored = []
        for row in content["scored"]:
            values = np.array(row["values"]) * UNIT
            n_scrambles, n_models = values.shape
            setting = Setting(row["rule"], row["budget"], n_models, n_scrambles)
            scored.append(Scored(setting, values, np.array(row["operations"])))
        found[name] = CellScores(
            content["sd"],
            content["sample"],
            tuple((float(value), float(std) * UNIT) for value, std in truths),
            tuple(scored),
        )
    return found


def bundled() -> dict[str, CellScores]:
    """The table that this package brings along; ``algzoo cliff`` makes it anew."""
    return read(TABLE.read_text("utf-8"))


def write(table: Table) -> Path:
    """Replace the file that :func:`bundled` reads, and return its path."""
    write_whole(TABLE, written(table).encode())
    return TABLE
