"""Estimates of a model's accuracy, each with the operations it cost."""

from .angular import angular, first_order, wrong_sectors
from .catalog import CatalogEntry, catalog
from .counted_array import CountedArray
from .estimate import Estimate, Estimator, Tier
from .exact import exact
from .exhaustive import exhaustive_accuracy
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
    "angular",
    "catalog",
    "constant",
    "ensemble_sampling",
    "exact",
    "exhaustive_accuracy",
    "first_order",
    "prior_shrunk",
    "ray_fan",
    "sampling",
    "sector_fan",
    "spherical",
    "wrong_sectors",
]
