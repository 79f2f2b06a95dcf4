"""The estimators that the book ships."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..zoo import Model
from .angle_quadrature import angle_quadrature
from .angular import first_order
from .arc_original import arc_original
from .arc_symmetric import arc_symmetric
from .argmedian_classes import argmedian_class_cubature
from .boundary import boundary_oracle
from .boundary_from_weights import linear_between_ties
from .class_cubature import class_cubature
from .cycle_classes import (
    class_margins,
    class_representatives,
    folded_exhaustive,
    symmetrised,
)
from .estimate import Estimator, Tier
from .exact import exact
from .gaussian_propagation import gaussian_propagation, gaussian_propagation_by_class
from .lambda_family import lambda_estimate
from .line_cubature import line_cubature
from .margin_surrogate import fitted_margin_surrogate
from .mean_of_two import second_order
from .offset_formula import offset_formula
from .order_anchors import ANCHORS, calibrated_order_anchors, fitted_order_anchors
from .ray_fan import ray_fan, sector_fan
from .response_surface import response_surface
from .samplers import SAMPLERS, Drawn, chance, fitted_constant, fitted_prior_shrunk
from .samplers_argmedian import ARGMEDIAN_SAMPLERS
from .samplers_argmedian import iid as argmedian_iid
from .skeleton import fitted_skeleton, skeleton

_INPUTS = 1024  # of the samplers: a budget at which they differ


@dataclass(frozen=True)
class CatalogEntry:
    """An estimator, its tier and, in words, the models it applies to.

    Attributes
    ----------
    estimator
        ``None`` where it is nothing without fitted constants.
    fit
        Makes the estimator from models and their accuracies, where it has fitted constants.
    """

    name: str
    estimator: Estimator | None
    tier: Tier
    applies_to: str
    fit: Callable[[Sequence[Model], Sequence[float]], Estimator] | None = None


def catalog() -> list[CatalogEntry]:
    """Every estimator of the book, from exact to approximate."""
    two_inputs = "2nd-argmax models of two inputs"
    three = "2nd-argmax models of three inputs"
    four = "2nd-argmax models of four inputs"
    up_to_three = "2nd-argmax and median models of two and three inputs; argmedian of three"
    m43 = "2nd-argmax models of three inputs and four neurons"
    second_argmax = "2nd-argmax models"
    ten = "2nd-argmax models of ten inputs"
    cycles = "longest-cycle models of two layers"
    argmedian = "argmedian models of an odd number of inputs"
    # In the table iid is plain sampling, by which the challenge knows it; that takes any model.
    argmedian_samplers = ARGMEDIAN_SAMPLERS | {"iid": argmedian_iid}
    return [
        CatalogEntry("exact", exact, "A", f"{up_to_three}; longest cycle"),
        CatalogEntry("first order in the gaps", first_order, "A", two_inputs),
        CatalogEntry("folded, all functions", folded_exhaustive, "A", cycles),
        CatalogEntry("representatives of classes", class_representatives, "C", cycles),
        CatalogEntry(
            "representatives of pointed classes",
            partial(class_representatives, pointed=True),
            "C",
            cycles,
        ),
        CatalogEntry("margins of classes", class_margins, "B", cycles),
        CatalogEntry("averaged over renamings", symmetrised, "B", cycles),
        CatalogEntry(
            "second order in the deviations",
            second_order,
            "A",
            "median models of two inputs and two neurons",
        ),
        CatalogEntry("8 to 8 rays a sector", partial(sector_fan, narrow=8, wide=8), "C", three),
        CatalogEntry("4 to 4 rays a sector", partial(sector_fan, narrow=4, wide=4), "C", three),
        CatalogEntry("2 to 3 rays a sector", partial(sector_fan, narrow=2, wide=3), "C", three),
        CatalogEntry("1 to 2 rays a sector", partial(sector_fan, narrow=1, wide=2), "C", three),
        CatalogEntry("4 rays", partial(ray_fan, n_rays=4), "C", three),
        CatalogEntry("256 angles", partial(angle_quadrature, n_nodes=256), "C", four),
        CatalogEntry("ARC's first", arc_original, "B", f"{m43} that pass its checks"),
        CatalogEntry("ARC's second", arc_symmetric, "B", m43),
        CatalogEntry("lambda family", lambda_estimate, "B", f"{m43} that belong to it"),
        *(
            CatalogEntry(
                f"order classes, {rows} points each",
                partial(class_cubature, rows=rows, scramble=0),
                "C",
                ten,
            )
            for rows in (8, 16, 64)
        ),
        *(
            CatalogEntry(
                f"lines, {rows} points", partial(line_cubature, rows=rows, scramble=0), "C", ten
            )
            for rows in (64, 128)
        ),
        *(
            CatalogEntry(
                f"lines between ties, {nodes} nodes",
                partial(linear_between_ties, nodes=nodes, rounds=1, scramble=0),
                "C",
                ten,
            )
            for nodes in (2, 3, 4)
        ),
        CatalogEntry("skeleton", skeleton, "B", ten, fitted_skeleton),
        *(
            CatalogEntry(
                f"order anchors, {name}",
                calibrated_order_anchors(name),
                "B",
                f"{ten} and sixteen neurons",
                partial(fitted_order_anchors, anchors=anchors),
            )
            for name, anchors in ANCHORS.items()
        ),
        *(
            CatalogEntry(
                f"margin surrogate, {n} inputs",
                None,
                "C",
                ten,
                partial(fitted_margin_surrogate, n_inputs=n),
            )
            for n in (10, 30, 90, 300, 800)
        ),
        CatalogEntry("offset formula", offset_formula, "B", ten),
        CatalogEntry("Gaussian closure", gaussian_propagation, "B", ten),
        CatalogEntry("Gaussian closure by class", gaussian_propagation_by_class, "B", ten),
        CatalogEntry("response surfaces", response_surface, "C", ten),
        CatalogEntry("boundary oracle", partial(boundary_oracle, rows=2048, seed=0), "D", ten),
        CatalogEntry("chance", chance, "A", second_argmax),
        *(
            CatalogEntry(
                f"argmedian order classes, {rows} points each",
                partial(argmedian_class_cubature, rows=rows, scramble=0),
                "C",
                argmedian,
            )
            for rows in (1, 4, 16)
        ),
        *(
            CatalogEntry(
                f"argmedian {name}, {_INPUTS} inputs", Drawn(name, sampler, _INPUTS), "D", argmedian
            )
            for name, sampler in argmedian_samplers.items()
        ),
        *(
            CatalogEntry(
                f"{name}, {_INPUTS} inputs", Drawn(name, sampler, _INPUTS), "D", second_argmax
            )
            for name, sampler in SAMPLERS.items()
        ),
        CatalogEntry(
            f"prior-shrunk, {_INPUTS} inputs",
            None,
            "D",
            second_argmax,
            partial(fitted_prior_shrunk, n_samples=_INPUTS),
        ),
        CatalogEntry("constant", None, "B", second_argmax, fitted_constant),
    ]
