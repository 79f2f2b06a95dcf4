"""What an explanation costs, and the verdict on it: one rule for all chapters.

The total surprise of an explanation has four parts: its checks, the search for them, advice, and
the residual. A :class:`Bill` always has all four. Its total is compared with two numbers.

* **The price without an explanation** is that of the accuracy under the law of untrained networks
  (:mod:`.untrained`).
* **The bits of selection** are those by which training chose this model. If they are not known, an
  upper bound can show that a total is too large, but not that it is small enough.

The residual is priced under the law of networks for which the checks hold. Scores of other trained
networks may not enter the prediction unless they are paid for, as advice, at the price that they
have without an explanation. Otherwise "it is as good as others of its kind" would explain every
model for some 15 bits.

The verdict is ``"none"`` if the total is at least the price without an explanation, and ``"full"``
if it is at most the bits of selection. In between it is ``"partial"``, with the share of the way
from the first to the second. If the bits of selection are not known, they are taken to be 0, and
the share is a lower limit.

References
----------
ARC, "Formal verification, heuristic explanations and surprise accounting", 2024, and "AlgZoo:
uninterpreted models with fewer than 1,500 parameters", 2026, for full understanding; the lower end
of the scale is this book's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .ledger import Ledger

Outcome = Literal["full", "partial", "none"]


@dataclass(frozen=True)
class Bill:
    """The four parts of an explanation's surprise, in bits.

    Attributes
    ----------
    checks
        Surprise of the ledger's entries.
    search
        Price of having searched for some of them.
    advice
        Price of numbers that come neither from the weights nor from a stated prior. A score of
        another trained network costs what it costs without an explanation.
    residual
        Surprise of the accuracy that is left, given all this.

    Raises
    ------
    ValueError
        If a part is negative or not a number.
    """

    checks: float
    search: float
    advice: float
    residual: float

    def __post_init__(self) -> None:
        for name, bits in vars(self).items():
            if not bits >= 0:
                raise ValueError(f"The bits of {name} must be at least 0, got {bits}")

    @classmethod
    def of(cls, ledger: Ledger, *, advice: float, residual: float) -> Bill:
        """Add up the checks and the search of a ledger; the other two parts have to be stated."""
        return cls(ledger.explanation_bits, ledger.search_bits, advice, residual)

    @property
    def total(self) -> float:
        """Sum of the four parts."""
        return math.fsum((self.checks, self.search, self.advice, self.residual))


@dataclass(frozen=True)
class Verdict:
    """Verdict on a bill, with all numbers from which it follows, in bits.

    Attributes
    ----------
    bill
        What the explanation costs.
    without
        Price of the accuracy under the law of untrained networks, to within the same tolerance as
        the bill's residual.
    bound
        Upper bound on the bits of selection, less what changes no answer.
    selection
        The bits of selection, if they are known.

    Raises
    ------
    ValueError
        If a number of bits is negative or not a number.

    Examples
    --------
    >>> bill = Bill(checks=36.0, search=0.0, advice=0.0, residual=0.0)
    >>> verdict = Verdict(bill, without=75.0, bound=41.0, selection=27.0)
    >>> verdict.outcome, verdict.share
    ('partial', 0.8125)
    """

    bill: Bill
    without: float
    bound: float
    selection: float | None = None

    def __post_init__(self) -> None:
        for name in ("without", "bound", "selection"):
            bits = getattr(self, name)
            if bits is not None and not bits >= 0:
                raise ValueError(f"The bits of {name} must be at least 0, got {bits}")

    @property
    def within_selection(self) -> bool | None:
        """Whether the total is at most the bits of selection; ``None`` if that is not known."""
        if self.selection is not None:
            return self.bill.total <= self.selection
        return False if self.bill.total > self.bound else None

    @property
    def outcome(self) -> Outcome:
        """The verdict in a word."""
        if self.bill.total >= self.without:
            return "none"
        return "full" if self.within_selection else "partial"

    @property
    def share(self) -> float:
        """Share of the way from no explanation to the bits of selection; a lower limit if unknown.

        It is 0 for ``"none"`` and 1 for ``"full"``.
        """
        if self.outcome != "partial":
            return float(self.outcome == "full")
        return (self.without - self.bill.total) / (self.without - (self.selection or 0.0))

    @property
    def margin(self) -> float:
        """Relative distance of the total from the nearest number at which the verdict changes.

        It is at most 1; from a number of 0 it is the distance in bits.
        """
        other = self.bound if self.selection is None else self.selection
        distances = (abs(self.bill.total - bits) / (bits or 1.0) for bits in (self.without, other))
        return min(1.0, *distances)
