"""Estimates of a model's accuracy, each with the number of operations that it cost.

An estimator is a function from a model to an :class:`Estimate`. :func:`exact` computes the accuracy
exactly where a method is known, :func:`accuracy` gives it to a stated standard error for any model,
and :func:`sampling` runs the model on independent random inputs, the method that all others have to
beat. :func:`catalog` lists every estimator.

The subpackages are ``few_inputs`` (two to four inputs, mostly exact), ``many_inputs``,
``functions`` (longest cycle), ``samplers`` (methods that run the network on random inputs),
``rare`` (probabilities of rare events) and ``counting`` (arithmetic that counts its operations).
:func:`estimator` and ``scope`` declare what an estimator is.
"""

from ._catalog import CatalogEntry, catalog
from ._exact import exact
from .baselines import SAMPLERS
from .counting.array import CountedArray
from .counting.counter import PRICES, CountedNumber, OperationCounter
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
from .few_inputs.error_rate import ErrorRate, error_rate
from .few_inputs.four import angle_quadrature, angle_quadrature_with_doubt
from .few_inputs.margin_tail import margin_tail
from .few_inputs.planted import Planted, plant_cone
from .few_inputs.rays import ray_fan, sector_fan
from .few_inputs.squared_error_tail import squared_error_tail
from .few_inputs.three import spherical
from .few_inputs.ties import tie_quadrature, tie_quadrature_with_bound
from .few_inputs.two import angular, first_order, wrong_sectors
from .functions.exhaustive import exhaustive_accuracy
from .many_inputs.anchors import ANCHORS, OrderAnchors, fitted_order_anchors, order_anchors
from .many_inputs.boundary_oracle import boundary_oracle
from .many_inputs.cubature import class_cubature
from .many_inputs.folded_classes import folded_classes, sampled_folded_classes
from .many_inputs.gaussian import gaussian_propagation, gaussian_propagation_by_class
from .many_inputs.lines import line_cubature
from .many_inputs.lines_between_ties import linear_between_ties
from .many_inputs.offsets import offset_formula
from .many_inputs.pair_leaves import pair_leaves, sampled_pair_leaves
from .many_inputs.planes import plane_quadrature
from .many_inputs.prefix_tree import PrefixTree, prefix_tree
from .many_inputs.response_surface import response_surface
from .many_inputs.skeleton import CalibratedSkeleton, fitted_skeleton, skeleton
from .many_inputs.soft_count import soft_count
from .many_inputs.surrogate import MarginSurrogate, fitted_margin_surrogate
from .samplers.iid import ensemble_sampling, sampling
from .samplers.second_argmax import Sampler, constant, prior_shrunk
from .samplers.walk import last_input_walk
from .scope import Scope
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
    "ErrorRate",
    "Estimate",
    "Estimator",
    "Exactness",
    "MarginSurrogate",
    "OperationCounter",
    "OrderAnchors",
    "Planted",
    "PrefixTree",
    "RunsNetwork",
    "Sampler",
    "Scope",
    "Tally",
    "accuracy",
    "angle_quadrature",
    "angle_quadrature_with_doubt",
    "angular",
    "boundary_oracle",
    "catalog",
    "class_cubature",
    "constant",
    "ensemble_sampling",
    "error_rate",
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
    "last_input_walk",
    "line_cubature",
    "linear_between_ties",
    "margin_tail",
    "offset_formula",
    "order_anchors",
    "pair_leaves",
    "plane_quadrature",
    "plant_cone",
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
    "squared_error_tail",
    "tie_quadrature",
    "tie_quadrature_with_bound",
    "wrong_sectors",
]
