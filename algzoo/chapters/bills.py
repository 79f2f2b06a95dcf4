"""Tables of what explanations cost, the same in every chapter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..scoring.surprise.untrained import UntrainedLaw
from ..scoring.surprise.verdict import Verdict
from .numbers import Column, table

_SPREAD_RTOL = 1e-3  # accuracies of untrained networks may change by some inputs

_NOTHING = 1e-9  # bits; tolerance of a part that is not charged

_ANSWERS = {True: "yes", False: "no", None: "not known"}


def untrained_table(law: UntrainedLaw, score: float, tolerance: float) -> None:
    """Show the law of untrained networks, and what it charges for a score.

    Parameters
    ----------
    law
        Law of the score of untrained networks.
    score
        The model's accuracy, or its mean squared error.
    tolerance
        Tolerance to which the score is to be predicted.
    """
    unit = "mean squared error" if law.measures_error else "accuracy"
    scale = "log" if law.measures_error else "logit"
    columns = [
        Column("score"),
        Column("of this model", ".6g", rtol=_SPREAD_RTOL),
        Column("of chance", ".4g", rtol=_SPREAD_RTOL),
        Column(f"spread of the {scale}", ".3f", rtol=_SPREAD_RTOL),
        Column(f"bits, to within {tolerance:.2g}", ".1f", rtol=10 * _SPREAD_RTOL),
    ]
    bits = law.bits(score, tolerance)
    table("untrained networks", columns, [[unit, score, law.chance, law.spread, bits]])


def bill_table(verdicts: Mapping[str, Verdict], *, rtol: float = 1e-2) -> None:
    """Show the bills of one model's explanations and their verdicts, a column for each.

    Parameters
    ----------
    verdicts
        By the name of the explanation.
    rtol
        Relative tolerance of the numbers on later runs.
    """
    columns = [Column("bits")]
    columns += [
        Column(name, ".1f", rtol, _NOTHING, margin=of.margin) for name, of in verdicts.items()
    ]
    judged = list(verdicts.values())
    bills = [of.bill for of in judged]
    known = all(of.selection is not None for of in judged)
    rows: dict[str, Sequence[float | str | None]] = {
        "checks": [bill.checks for bill in bills],
        "search": [bill.search for bill in bills],
        "advice": [bill.advice for bill in bills],
        "residual": [bill.residual for bill in bills],
        "**total**": [bill.total for bill in bills],
        "**without an explanation**": [of.without for of in judged],
        "bits of selection": [of.selection for of in judged],
        "bound on the bits of selection": [of.bound for of in judged],
        "within the bits of selection": [_ANSWERS[of.within_selection] for of in judged],
        f"share of the way, %{'' if known else ', at least'}": [100 * of.share for of in judged],
        "**verdict**": [of.outcome for of in judged],
    }
    table("bills", columns, [[name, *map(_shown, cells)] for name, cells in rows.items()])


def _shown(cell: float | str | None) -> float | str | None:
    """Return the cell, or a text for a number of bits that no probability in float64 reaches."""
    return "∞" if cell == math.inf else cell
