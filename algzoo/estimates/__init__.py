"""Estimates of a model's accuracy, each with the operations it cost."""

from .angle_quadrature import angle_quadrature, angle_quadrature_with_doubt
from .angular import angular, first_order, wrong_sectors
from .arc_original import arc_original
from .arc_symmetric import arc_symmetric
from .boundary import boundary_oracle
from .boundary_from_weights import linear_between_ties
from .catalog import CatalogEntry, catalog
from .class_cubature import class_cubature
from .counted_array import CountedArray
from .estimate import (
    Constants,
    Estimate,
    Estimator,
    Exactness,
    RunsNetwork,
    Tally,
    estimator,
    fit_of,
    fitted_estimator,
    sampler,
)
from .exact import exact
from .exhaustive import exhaustive_accuracy
from .folded_classes import folded_classes, sampled_folded_classes
from .gaussian_propagation import gaussian_propagation, gaussian_propagation_by_class
from .lambda_family import (
    lambda_error,
    lambda_error_small_angle,
    lambda_estimate,
    lambda_fits,
    lambda_of,
)
from .line_cubature import line_cubature
from .margin_surrogate import MarginSurrogate, fitted_margin_surrogate
from .offset_formula import offset_formula
from .operations import PRICES, CountedNumber, OperationCounter
from .order_anchors import ANCHORS, OrderAnchors, fitted_order_anchors, order_anchors
from .pair_leaves import pair_leaves, sampled_pair_leaves
from .plane_quadrature import plane_quadrature
from .prefix_tree import PrefixTree, prefix_tree
from .ray_fan import ray_fan, sector_fan
from .response_surface import response_surface
from .samplers import SAMPLERS, Sampler, constant, prior_shrunk
from .samplers_walk import last_input_walk
from .sampling import ensemble_sampling, sampling
from .scope import Scope
from .skeleton import CalibratedSkeleton, fitted_skeleton, skeleton
from .soft_count import soft_count
from .spherical import spherical
from .tie_quadrature import tie_quadrature, tie_quadrature_with_bound
from .tolerance import Accuracy, accuracy

__all__ = [
    "ANCHORS",
    "PRICES",
    "SAMPLERS",
    "Accuracy",
    "CalibratedSkeleton",
    "CatalogEntry",
    "Constants",
    "CountedArray",
    "CountedNumber",
    "Estimate",
    "Estimator",
    "Exactness",
    "MarginSurrogate",
    "OperationCounter",
    "OrderAnchors",
    "PrefixTree",
    "RunsNetwork",
    "Sampler",
    "Scope",
    "Tally",
    "accuracy",
    "angle_quadrature",
    "angle_quadrature_with_doubt",
    "angular",
    "arc_original",
    "arc_symmetric",
    "boundary_oracle",
    "catalog",
    "class_cubature",
    "constant",
    "ensemble_sampling",
    "estimator",
    "exact",
    "exhaustive_accuracy",
    "first_order",
    "fit_of",
    "fitted_estimator",
    "fitted_margin_surrogate",
    "fitted_order_anchors",
    "fitted_skeleton",
    "folded_classes",
    "gaussian_propagation",
    "gaussian_propagation_by_class",
    "lambda_error",
    "lambda_error_small_angle",
    "lambda_estimate",
    "lambda_fits",
    "lambda_of",
    "last_input_walk",
    "line_cubature",
    "linear_between_ties",
    "offset_formula",
    "order_anchors",
    "pair_leaves",
    "plane_quadrature",
    "prefix_tree",
    "prior_shrunk",
    "ray_fan",
    "response_surface",
    "sampled_folded_classes",
    "sampled_pair_leaves",
    "sampler",
    "sampling",
    "sector_fan",
    "skeleton",
    "soft_count",
    "spherical",
    "tie_quadrature",
    "tie_quadrature_with_bound",
    "wrong_sectors",
]
