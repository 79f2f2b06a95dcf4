"""What every estimator returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..zoo import Model
from .operations import OperationCounter

Tier = Literal["A", "B", "C", "D"]


@dataclass(frozen=True)
class Estimate:
    """An estimated accuracy (or mean squared error) and what it cost.

    Attributes
    ----------
    value
        The accuracy, in [0, 1]; for median models the mean squared error.
    operations
        Arithmetic operations, a multiply-add being one: see :mod:`algzoo.estimates.operations`.
    tier
        ``"A"`` exact or deductive on the weights, ``"B"`` mean-field or structured evaluation,
        ``"C"`` deterministic cubature, ``"D"`` sampling.
    std
        Standard deviation of the error that the estimator states; 0 for an exact value, ``None``
        where it states none.
    transcendental
        How many of the operations are square roots or transcendental functions, each of which
        ``operations`` counts with its price of 10.
    """

    value: float
    operations: int
    tier: Tier
    std: float | None = None
    transcendental: int = 0


def counted(
    value: float, counter: OperationCounter, tier: Tier, std: float | None = None
) -> Estimate:
    """Estimate whose operations a counter has counted."""
    return Estimate(value, counter.total, tier, std, counter.counts["transcendental"])


Estimator = Callable[[Model], Estimate]
