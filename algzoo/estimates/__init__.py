"""Estimates of a model's accuracy, each with the operations it cost."""

from .angular import angular, first_order, wrong_sectors
from .catalog import CatalogEntry, catalog
from .estimate import Estimate, Estimator, Tier
from .exact import exact
from .exhaustive import exhaustive_accuracy
from .operations import PRICES, CountedNumber, OperationCounter
from .sampling import ensemble_sampling, sampling

__all__ = [
    "PRICES",
    "CatalogEntry",
    "CountedNumber",
    "Estimate",
    "Estimator",
    "OperationCounter",
    "Tier",
    "angular",
    "catalog",
    "ensemble_sampling",
    "exact",
    "exhaustive_accuracy",
    "first_order",
    "sampling",
    "wrong_sectors",
]
