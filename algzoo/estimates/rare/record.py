"""What a method for rare events returns, and the account of what it has asked of the event.

The *budget* of a method is a number of forward passes. An evaluation of the score, or of the
activations, is one pass; an evaluation with the gradient is three. No method exceeds its budget.
The *operations* are those of the passes and of the method's own arithmetic, by the convention of
:mod:`algzoo.estimates.counting.counter`: drawing random numbers is free.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...zoo.streams import named_stream
from ..counting.counter import PRICES, OperationCounter
from ..estimate import Estimate, RunsNetwork
from .event import Floats, RareEvent, Readout

PASSES_WITH_GRADIENT = 3
"""Forward passes that an evaluation with the gradient is charged."""


@dataclass(frozen=True)
class RareEstimate(Estimate):
    """Estimated probability of a rare event, with its cost.

    Attributes
    ----------
    value
        The probability, in [0, 1].
    hits
        Number of inputs on which the event happened, among those that the estimate is made of; for
        red teaming, number of linear pieces. ``None`` if the method extrapolates or deduces.
    effective_sample_size
        (sum w)^2 / sum w^2 over the weights of the hits; ``None`` if the hits have no weights.
    """

    hits: int | None = None
    effective_sample_size: float | None = None


class Account:
    """A method's access to an event; it counts the passes and refuses more than the budget.

    Parameters
    ----------
    event
        The event.
    budget
        Number of forward passes.
    least
        Least budget that the method can do anything with.

    Raises
    ------
    ValueError
        If the budget is less than ``least``.
    """

    def __init__(self, event: RareEvent, budget: int, least: int = 1) -> None:
        if budget < least:
            raise ValueError(f"budget must be at least {least} forward passes, got {budget}")
        self.event = event
        self.left = budget
        self.counter = OperationCounter()

    def score(self, x: Floats) -> Floats:
        """Scores of inputs, shape (n, dimension)."""
        self._spend(len(x))
        return self.event.score(x)

    def score_and_gradient(self, x: Floats) -> tuple[Floats, Floats]:
        """Scores and gradients of inputs."""
        self._spend(PASSES_WITH_GRADIENT * len(x))
        return self.event.score_and_gradient(x)

    def activations(self, readout: Readout, x: Floats) -> Floats:
        """Final activations of inputs."""
        self._spend(len(x))
        return readout.activations(x)

    def charge(self, plain: int, transcendental: int = 0) -> None:
        """Count a method's own arithmetic: operations at price 1, and transcendental functions."""
        self.counter.charge("multiply_add", plain)
        self.counter.charge("transcendental", transcendental)

    def charge_all(self, cost: Estimate) -> None:
        """Count the operations of another estimate."""
        plain = cost.operations - PRICES["transcendental"] * cost.transcendental
        self.charge(plain, cost.transcendental)

    def estimate(
        self,
        value: float,
        *,
        std: float | None = None,
        hits: int | None = None,
        effective_sample_size: float | None = None,
        runs_network: RunsNetwork = "random inputs",
    ) -> RareEstimate:
        """Return the record; a value that chance has put above 1 becomes 1."""
        return RareEstimate(
            min(float(value), 1.0),
            self.counter.total,
            runs_network,
            std,
            self.counter.counts["transcendental"],
            hits,
            effective_sample_size,
        )

    def _spend(self, passes: int) -> None:
        assert passes <= self.left, "a method must not exceed its budget"
        self.left -= passes
        self.charge(passes * self.event.operations)


def generator(method: str, seed: int) -> np.random.Generator:
    """Return a method's own generator for a seed.

    Raises
    ------
    ValueError
        If the seed is negative.
    """
    check_seed(seed)
    return np.random.default_rng(named_stream(f"rare events, {method}", seed))


def check_seed(seed: int) -> None:
    """Raise a ``ValueError`` if a seed is negative."""
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")


def check_temperature(temperature: float) -> None:
    """Raise a ``ValueError`` unless a temperature is a finite number above 0."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be a finite number above 0, got {temperature}")


def check_not_negative(threshold: float, method: str) -> None:
    """Raise a ``ValueError`` if the threshold of an event is negative."""
    if threshold < 0:
        raise ValueError(f"{method} needs an event with a threshold of 0 or more, got {threshold}")


def check_share(name: str, share: float) -> None:
    """Raise a ``ValueError`` unless a number is between 0 and 1, both excluded."""
    if not 0 < share < 1:
        raise ValueError(f"{name} must be between 0 and 1, got {share}")


def weighted_hits(account: Account, log_weights: Floats, n: int) -> RareEstimate:
    """Mean of importance weights over ``n`` inputs, of which the hits have these log weights."""
    if not len(log_weights):
        return account.estimate(0.0, hits=0, effective_sample_size=0.0)
    largest = float(log_weights.max())
    weights = np.exp(log_weights - largest)
    total, squares = float(weights.sum()), float((weights**2).sum())
    value = math.exp(min(largest + math.log(total / n), 700.0))  # so that it does not overflow
    # The variance of a mean, relative to the square of the mean.
    spread = max(squares / total**2 - 1 / n, 0.0)
    std = value * math.sqrt(spread * n / (n - 1)) if n > 1 else 0.0
    return account.estimate(
        value, std=std or None, hits=len(weights), effective_sample_size=total**2 / squares
    )
