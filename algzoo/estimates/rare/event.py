"""The description of a rare event that every method works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...zoo import Model
from ..scope import Scope

Floats = NDArray[np.float64]

Kind = Literal["wrong answer", "smallest named", "largest named", "squared error"]
"""What the event of a model is; see :mod:`.of_model`."""


class Region(NamedTuple):
    """Convex set of activations, {a : matrix @ a > offsets}, of the inputs of one group.

    Some faces may belong to it, so that activations on a face are in one of two neighbours.

    Attributes
    ----------
    group
        Number of the group.
    matrix
        Shape (n_faces, n_activations).
    offsets
        Shape (n_faces,).
    closed
        Positions of the faces that belong to the region, where a >= stands for the >.
    """

    group: int
    matrix: Floats
    offsets: Floats
    closed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Readout:
    """The final activations, and what values of them make the event.

    Inputs may be split into groups, such as those with the same right answer. The event happens if
    the activations are in one of the regions of the input's group; these regions are disjoint.

    Attributes
    ----------
    activations
        Function from inputs, shape (n, dimension), to activations, shape (n, n_activations).
    group
        Function from inputs to the numbers of their groups, shape (n,).
    regions
        All regions of all groups.
    """

    activations: Callable[[Floats], Floats]
    group: Callable[[Floats], NDArray[np.intp]]
    regions: tuple[Region, ...]


@dataclass(frozen=True)
class RareEvent:
    """The event that the score of a standard Gaussian input is above 0.

    Attributes
    ----------
    dimension
        Number of coordinates of an input.
    score
        Function from inputs, shape (n, dimension), to scores, shape (n,).
    score_and_gradient
        Function from inputs to scores and their gradients, shape (n, dimension).
    operations
        Operations of one evaluation of the score, or of the activations. The gradient costs twice
        as much in addition.
    readout
        The final activations, for methods that extrapolate from them; ``None`` if there are none.

    Raises
    ------
    ValueError
        If ``dimension`` is less than 1 or ``operations`` is negative.

    Examples
    --------
    >>> from algzoo.estimates.rare import half_space, naive
    >>> event = half_space([3.0, 4.0], 5.0)  # one standard deviation from the mean
    >>> round(naive(event, 1_000_000, seed=0).value, 2)  # Phi(-1) = 0.1587
    0.16
    """

    dimension: int
    score: Callable[[Floats], Floats]
    score_and_gradient: Callable[[Floats], tuple[Floats, Floats]]
    operations: int
    readout: Readout | None = None

    def __post_init__(self) -> None:
        if self.dimension < 1:
            raise ValueError(f"The dimension of an event is at least 1, not {self.dimension}")
        if self.operations < 0:
            raise ValueError(f"The operations of an event are at least 0, not {self.operations}")


@dataclass(frozen=True, kw_only=True)
class ModelEvent(RareEvent):
    """An event that is about the output of a model.

    Attributes
    ----------
    model
        The model.
    kind
        What the event is.
    threshold
        By how much it has to be so: a margin of the logits, a gap between two inputs, or a squared
        error.
    """

    model: Model
    kind: Kind
    threshold: float


@dataclass(frozen=True)
class EventScope:
    """Set of events of models that a method takes, for methods that need the model.

    Attributes
    ----------
    kinds
        What the event may be.
    models
        The models.
    zero_only
        Whether the threshold must be 0.
    """

    kinds: tuple[Kind, ...]
    models: Scope
    zero_only: bool = False

    def __str__(self) -> str:
        at_zero = ", with threshold 0" if self.zero_only else ""
        return f"the events {', '.join(map(repr, self.kinds))} of {self.models}{at_zero}"

    def takes(self, event: RareEvent) -> bool:
        """Tell whether an event is in this scope."""
        return (
            isinstance(event, ModelEvent)
            and event.kind in self.kinds
            and self.models.takes(event.model)
            and (event.threshold == 0 or not self.zero_only)
        )

    def check(self, event: RareEvent, name: str) -> ModelEvent:
        """Return the event if the method with that name takes it.

        Raises
        ------
        TypeError
            If the event is not one of a model.
        ValueError
            If it is another event, or one of another model, or with another threshold.
        """
        if not isinstance(event, ModelEvent):
            raise TypeError(
                f"{name} needs a model, and this event has none: only the events that are made of "
                "a model, such as those of event_of, have one"
            )
        if not self.takes(event):
            found = f"the event {event.kind!r} with threshold {event.threshold}"
            self.models.check(event.model, name)
            raise ValueError(f"{name} is for {self}, not for {found}")
        return event


def half_space(normal: Any, threshold: float) -> RareEvent:
    """Return the event normal @ x > threshold, whose probability is known in closed form.

    It is Phi(-threshold / norm) with the length of the normal as the norm. The activations are the
    input itself.

    Raises
    ------
    ValueError
        If ``normal`` is not a vector of finite numbers other than 0, or ``threshold`` not finite.
    """
    a = np.asarray(normal, float)
    if a.ndim != 1 or not np.isfinite(a).all() or not a.any():
        raise ValueError(f"The normal of a half-space is a finite vector other than 0, not {a}")
    if not np.isfinite(threshold):
        raise ValueError(f"The threshold of a half-space is a finite number, not {threshold}")

    def score(x: Floats) -> Floats:
        return np.asarray(x @ a - threshold)

    return RareEvent(
        dimension=len(a),
        score=score,
        score_and_gradient=lambda x: (score(x), np.broadcast_to(a, x.shape)),
        operations=len(a),
        readout=Readout(
            activations=lambda x: x,
            group=lambda x: np.zeros(len(x), np.intp),
            regions=(Region(0, a[None], np.array([threshold])),),
        ),
    )
