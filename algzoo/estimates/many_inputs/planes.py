"""Accuracy of 2nd-argmax models of many inputs, exact given the direction of all inputs but two.

Given the direction of the first n - 2 inputs, the last two divided by their length are a point of a
plane, which the network cuts into polygons as for four inputs
(:mod:`algzoo.estimates.few_inputs.four`). The probability of being right is a sum over the edges on
which the model's answer or the right answer changes (:mod:`algzoo.structure.geometry.planar_mass`).
The directions are those of :mod:`.folded_classes`: scrambled Sobol points over the positions of the
three largest inputs, their levels and the others, with tie clustering.

The network is not run to its end on any input, but its state after n - 2 steps is computed for
every direction.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...structure import weights_of
from ...structure.geometry.outline import Outline
from ...structure.geometry.planar_mass import Point, mass_at_infinity, mass_of_edge
from ...structure.geometry.solid_angle import scaled
from ...structure.geometry.sweep import (
    Ray,
    Vertex,
    cells_of_half,
    half_given,
    new_ends,
    new_poles,
    signs_of,
    step_weights,
)
from ...zoo import Model
from ..counting.counter import CountedNumber, OperationCounter, plain
from ..estimate import Tally, estimator
from ..few_inputs.left_out import LeftOut, least_for
from ..few_inputs.three import lifted
from ..scope import Scope
from .folded_classes import LARGE, prefixes_of

_FOUR_OR_MORE = Scope("2nd_argmax", at_least=4)

_BITS = 32  # binary digits of the coordinates of a direction


@estimator(
    "planes, {directions} directions",
    scope=Scope("2nd_argmax", at_least=5),
    budgets=[{"directions": 64}],
    scrambles=True,
    runs_network="never",
    exact="converges",
    constants="none",
    source="this book",
    cost="O(directions d^2)",
    fails_when="there are many inputs, so that few directions matter",
)
def plane_quadrature(
    model: Model, directions: int, scramble: int, least: float | None = None
) -> Tally:
    """Accuracy of a 2nd-argmax model of at least five inputs on standard Gaussian inputs.

    The error is not stated; over scrambles the errors have heavy tails.

    Parameters
    ----------
    model
        The model.
    directions
        Number of directions; a power of two is best. Each costs as much as 15 to 90 random inputs.
    scramble
        Seed of the scrambling. With one scrambling all models see the same directions.
    least
        Sectors of less than this probability are left out; 0 leaves out none, and ``None`` stands
        for the choice of :func:`.left_out.least_for`. Given a direction, the error is at most the
        probability of all sectors that are left out.

    Raises
    ------
    ValueError
        If ``directions`` is not positive or ``least`` is out of range.
    """
    planes = _Planes(model)
    least = least_for(model, least, "directions", directions)
    clustering = 1.75 if model.hidden_size >= LARGE else 1.0
    inputs, weight = prefixes_of("2nd_argmax", model.seq_len - 2, directions, scramble, clustering)
    wrong = CountedNumber(0.0, planes.counter)
    for x, of_direction in zip(inputs.T, weight, strict=True):
        wrong = wrong + (1 - planes.accuracy_at(x, least)) * float(of_direction)
    value = float(plain(1 - wrong / directions))
    return Tally(min(max(value, 0.0), 1.0), planes.counter)


def accuracy_at_direction(model: Model, x: Any) -> float:
    """Probability of a right answer given the direction of the first n - 2 inputs.

    It is exact, up to rounding, at the direction of ``x`` after its coordinates, divided by their
    length, are rounded to multiples of 2^-32. The model may also have four inputs.

    Raises
    ------
    ValueError
        If the model has another task or fewer inputs, or if ``x`` has another shape or is zero.
    """
    _FOUR_OR_MORE.check(model, "the accuracy at a direction")
    planes = _Planes(model)
    x = np.asarray(x, float)
    if x.shape != (planes.n_given,) or not x.any():
        raise ValueError(
            f"a direction must have shape ({planes.n_given},) and not be zero, got {x}"
        )
    return float(plain(planes.accuracy_at(x, 0.0)))


class _Planes:
    """Model prepared for evaluation at directions."""

    def __init__(self, model: Model) -> None:
        self.counter = OperationCounter()
        weights = weights_of(model)
        self.n_given = model.seq_len - 2
        self.integers = lifted(step_weights(weights, weights.w_oh, model.seq_len), self.counter)
        self.signs = signs_of(self.integers.inputs[0])

    def accuracy_at(self, x: Any, least: float) -> CountedNumber:
        """Probability of a right answer, given that no sector that is left out was met."""
        # The direction does not depend on the model, so that its computation is free.
        earlier = tuple(round(float(u) * 2**_BITS) for u in x / np.sqrt(np.sum(x * x)))
        length = CountedNumber(math.sqrt(sum(u * u for u in earlier)), self.counter)
        half = half_given(self.integers, self.signs, earlier)
        given = self.integers, self.signs, half, new_ends(), new_poles()
        mass = _Mass(self.n_given, length, self.counter)
        if not least:
            return mass.within(Outline(cells_of_half(*given)))
        missing = LeftOut(self.n_given, length, least, self.counter)
        share = mass.within(Outline(cells_of_half(*given, missing)))
        return share / (1 - CountedNumber(missing.total, self.counter))


class _Mass:
    def __init__(self, n_given: int, length: CountedNumber, counter: OperationCounter) -> None:
        self.n_given = n_given
        self.length = length / 2**_BITS  # 1 up to rounding
        self.counter = counter
        self.points: dict[Vertex, Point] = {}

    def within(self, outline: Outline) -> CountedNumber:
        """Probability of the region with this outline."""
        total = CountedNumber(0.0, self.counter)
        for start, stop in (*outline.arcs, *(arc for _, arc in outline.lines.items())):
            total += self._edge(start, stop)
        for ray, (start, stop) in outline.meridians.items():
            assert isinstance(ray, Ray)
            if plain(ray.a) == 0:
                ends = self._place(start), self._place(stop)
                total += mass_at_infinity(plain(ray.b) > 0, *ends, self.counter)
            elif start.pole and stop.pole:  # the two ends of a whole line do not determine it
                total += self._edge(start, ray.foot)
                total += self._edge(ray.foot, stop)
            else:
                total += self._edge(start, stop)
        return total

    def _edge(self, start: Vertex, stop: Vertex) -> Any:
        return mass_of_edge(self._place(start), self._place(stop), self.n_given, self.counter)

    def _place(self, vertex: Vertex) -> Point:
        """Coordinates (a, b, c) of a vertex, of moderate size, with a the length."""
        if vertex not in self.points:
            a, b, c = (plain(x) for x in vertex.point)
            r, x2, x3 = self.counter.lift(np.array(scaled(a << _BITS, b, c)))
            self.points[vertex] = (r * self.length, x2, x3)
        return self.points[vertex]
