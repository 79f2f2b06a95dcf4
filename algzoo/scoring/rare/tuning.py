"""The temperature of a method, chosen on the tuning tasks alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...estimates.rare import Method
from .metric import fitted, itakura_saito
from .tasks import RareTask, true_probability

TEMPERATURES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""The temperatures that are tried, in units of the score."""

_NEARLY = 1.01
_NOTHING = 1e-6  # a loss as small as this is what the search for the fit has left


@dataclass(frozen=True)
class Tuned:
    """A temperature with what it was chosen by.

    Attributes
    ----------
    method, budget, n_seeds
        The method, its budget in forward passes, and the number of seeds per task.
    temperature
        The highest of those whose loss is at most 1% above the smallest. Losses are nearly the same
        if a method has few hits at any temperature, and rounding must not choose.
    losses
        For each temperature the mean loss on the tuning tasks after a fit to them. Without the fit
        one estimate of 0 would make it infinite.
    tuned_on
        Names of these tasks.
    """

    method: str
    budget: int
    n_seeds: int
    temperature: float
    losses: Mapping[float, float]
    tuned_on: tuple[str, ...]


def tuned_temperature(
    method: Method,
    budget: int,
    on: Sequence[RareTask],
    *,
    n_seeds: int = 4,
    temperatures: Sequence[float] = TEMPERATURES,
) -> Tuned:
    """Choose the temperature of a method by its loss on some tasks.

    Parameters
    ----------
    method
        A method that needs a temperature.
    budget
        Forward passes of an estimate.
    on
        The tasks.
    n_seeds
        Seeds of each task, from 0.
    temperatures
        Those that are tried.

    Raises
    ------
    ValueError
        If there are no tasks or no temperatures, or the method needs no temperature.
    """
    if not method.needs_temperature:
        raise ValueError(f"{method.name} has no temperature")
    if not on or not temperatures:
        raise ValueError("a temperature is chosen from at least one, on at least one task")
    truth = np.array([true_probability(task).value for task in on])[:, None]
    events = [task.event() for task in on]
    losses = {}
    for temperature in temperatures:
        estimates = np.array(
            [
                [
                    method(event, budget, seed, temperature=temperature).value
                    for seed in range(n_seeds)
                ]
                for event in events
            ]
        )
        corrected = fitted(truth, estimates)(estimates)
        losses[float(temperature)] = float(itakura_saito(truth, corrected).mean())
    least = min(losses.values())
    best = max(
        temperature for temperature, loss in losses.items() if loss <= _NEARLY * least + _NOTHING
    )
    return Tuned(method.name, budget, n_seeds, best, losses, tuple(task.name for task in on))
