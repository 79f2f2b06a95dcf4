"""The estimators that the book ships."""

from __future__ import annotations

from dataclasses import dataclass

from .angular import first_order
from .estimate import Estimator, Tier
from .exact import exact


@dataclass(frozen=True)
class CatalogEntry:
    """An estimator, its tier and, in words, the models it applies to."""

    name: str
    estimator: Estimator
    tier: Tier
    applies_to: str


def catalog() -> list[CatalogEntry]:
    """Every estimator of the book, from exact to approximate."""
    two_inputs = "2nd-argmax models of two inputs"
    up_to_three = "2nd-argmax models of two and three inputs"
    return [
        CatalogEntry("exact", exact, "A", f"{up_to_three}; longest cycle"),
        CatalogEntry("first order in the gaps", first_order, "A", two_inputs),
    ]
