"""Estimates of a model's accuracy, each with the operations it cost."""

from .angle_quadrature import angle_quadrature, angle_quadrature_with_doubt
from .angular import angular, first_order, wrong_sectors
from .arc_original import arc_original
from .arc_symmetric import arc_symmetric
from .catalog import CatalogEntry, catalog
from .class_cubature import class_cubature
from .counted_array import CountedArray
from .estimate import Estimate, Estimator, Tier
from .exact import exact
from .exhaustive import exhaustive_accuracy
from .lambda_family import (
    lambda_error,
    lambda_error_small_angle,
    lambda_estimate,
    lambda_fits,
    lambda_of,
)
from .operations import PRICES, CountedNumber, OperationCounter
from .ray_fan import ray_fan, sector_fan
from .samplers import SAMPLERS, Sampler, constant, prior_shrunk
from .sampling import ensemble_sampling, sampling
from .spherical import spherical

__all__ = [
    "PRICES",
    "SAMPLERS",
    "CatalogEntry",
    "CountedArray",
    "CountedNumber",
    "Estimate",
    "Estimator",
    "OperationCounter",
    "Sampler",
    "Tier",
    "angle_quadrature",
    "angle_quadrature_with_doubt",
    "angular",
    "arc_original",
    "arc_symmetric",
    "catalog",
    "class_cubature",
    "constant",
    "ensemble_sampling",
    "exact",
    "exhaustive_accuracy",
    "first_order",
    "lambda_error",
    "lambda_error_small_angle",
    "lambda_estimate",
    "lambda_fits",
    "lambda_of",
    "prior_shrunk",
    "ray_fan",
    "sampling",
    "sector_fan",
    "spherical",
    "wrong_sectors",
]
