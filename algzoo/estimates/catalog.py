"""The estimators that the book ships."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .angular import first_order
from .estimate import Estimator, Tier
from .exact import exact
from .ray_fan import ray_fan, sector_fan


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
    three = "2nd-argmax models of three inputs"
    up_to_three = "2nd-argmax models of two and three inputs"
    return [
        CatalogEntry("exact", exact, "A", f"{up_to_three}; longest cycle"),
        CatalogEntry("first order in the gaps", first_order, "A", two_inputs),
        CatalogEntry("8 to 8 rays a sector", partial(sector_fan, narrow=8, wide=8), "C", three),
        CatalogEntry("4 to 4 rays a sector", partial(sector_fan, narrow=4, wide=4), "C", three),
        CatalogEntry("2 to 3 rays a sector", partial(sector_fan, narrow=2, wide=3), "C", three),
        CatalogEntry("1 to 2 rays a sector", partial(sector_fan, narrow=1, wide=2), "C", three),
        CatalogEntry("4 rays", partial(ray_fan, n_rays=4), "C", three),
    ]
