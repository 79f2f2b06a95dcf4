"""Tables of a challenge in a chapter: scores, opponents and declared facts, a few columns each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..estimates import CatalogEntry
from ..scoring import Row
from ..scoring.compute.entries import Result
from .numbers import Column, table

Score = Row | Result

_ROUNDING = 1e-12  # an estimate with smaller errors is exact


def by_name(rows: Sequence[Row]) -> dict[str, Row]:
    """Rows of a challenge by their names, with the models of the fit if they are fitted there."""
    return {
        row.name if row.split == "zero-shot" else f"{row.name}; {row.split}": row for row in rows
    }


def scores_table(
    name: str, scores: Mapping[str, Score], *, heading: str = "estimator", rtol: float = 0.02
) -> None:
    """Show cost, R against random sampling and its 95% confidence interval.

    ``heading`` says what the keys of ``scores`` are. An exact estimate has a dash in place of R.
    ``rtol`` is the tolerance of R, which a machine's rounding moves if an answer close to a tie
    changes.
    """
    columns = [Column(heading), Column("random inputs", ",.0f")]
    columns += [Column(of_ratio, "~2", rtol=rtol) for of_ratio in ("R", "from", "to")]
    cells = []
    for label, score in scores.items():
        ratio = None if _is_exact(score) else score.ratio
        ends = (None, None, None) if ratio is None else (ratio.value, ratio.low, ratio.high)
        cells.append([label, score.samples, *ends])
    table(name, columns, cells)


def opponents_table(name: str, scores: Mapping[str, Score], *, rtol: float = 0.02) -> None:
    """Show the bias, and R against prior-shrunk sampling and against the best sampler."""
    columns = [Column("estimator"), Column("bias", "+.4f", atol=1e-4)]
    columns += [Column("R to shrunk", "~2", rtol=rtol), Column("R to best", "~2", rtol=rtol)]
    columns += [Column("best sampler")]
    cells: list[list[float | str | None]] = []
    for label, score in scores.items():
        if _is_exact(score):
            cells.append([label, None, None, None, None])
            continue
        shrunk, best = score.shrunk_ratio, score.sampler_ratio
        values = (shrunk.value if shrunk else None, best.value if best else None)
        cells.append([label, score.bias, *values, score.best_sampler])
    table(name, columns, cells)


def facts_table(name: str, entries: Sequence[CatalogEntry]) -> None:
    """Show what estimators declare: the three answers, and the bits of advice."""
    columns = [Column("estimator"), Column("runs the network"), Column("result")]
    columns += [Column("constants"), Column("bits of advice", ".0f", atol=1e-9)]
    cells = [[e.name, e.runs_network, e.exact, e.constants, e.advice_bits] for e in entries]
    table(name, columns, cells)


def tuned_table(name: str, entries: Sequence[CatalogEntry]) -> None:
    """Show the models on which estimators were tuned."""
    columns = [Column("estimator"), Column("tuned on")]
    table(name, columns, [[entry.name, entry.tuned_on] for entry in entries])


def _is_exact(score: Score) -> bool:
    return score.rms is not None and score.rms < _ROUNDING
