"""A method for rare events with the facts that tell when it can be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..estimate import RunsNetwork
from .event import EventScope, RareEvent
from .record import RareEstimate


@dataclass(frozen=True)
class Method:
    """A method ``method(event, budget, seed, **settings)`` with declared facts.

    Attributes
    ----------
    name
        Name of the method.
    function
        The function that estimates.
    runs_network
        Whether it asks the event about inputs: never, about chosen ones or about random ones.
    needs_temperature
        Whether it has a setting ``temperature`` without a default.
    needs_readout
        Whether it needs the final activations.
    scope
        The events that it takes; ``None`` for all.
    """

    name: str
    function: Callable[..., RareEstimate]
    runs_network: RunsNetwork = "random inputs"
    needs_temperature: bool = False
    needs_readout: bool = False
    scope: EventScope | None = None

    def takes(self, event: RareEvent) -> bool:
        """Tell whether the method is for an event."""
        if self.needs_readout and event.readout is None:
            return False
        return self.scope is None or self.scope.takes(event)

    def __call__(self, event: RareEvent, budget: int, seed: int, **settings: Any) -> RareEstimate:
        """Estimate the probability of an event.

        Parameters
        ----------
        event
            The event.
        budget
            Number of forward passes.
        seed
            Seed of random numbers, at least 0.
        settings
            Further settings of the method.

        Raises
        ------
        TypeError
            If the method needs a model and the event has none, or a temperature and none is given.
        ValueError
            If the method is not for this event, the budget is too small for it, the seed is
            negative, or a setting is out of range.
        """
        return self.function(event, budget, seed, **settings)
