"""Exact accuracy of 2nd-argmax models of three inputs, from solid angles.

A standard Gaussian is rotation invariant and the model is positively homogeneous, so the accuracy
is the solid angle of the set where the model is right, divided by 4 pi. It is computed along the
outline of the set (:mod:`algzoo.structure.geometry.outline`).
"""

from __future__ import annotations

import copy
import math

import numpy as np

from ...structure import weights_of
from ...structure.geometry.outline import Outline
from ...structure.geometry.solid_angle import (
    Position,
    corner_at_south,
    half_area_to_pole,
    position,
    scaled,
)
from ...structure.geometry.sweep import StepWeights, Vertex, cells, step_weights
from ...zoo import Model
from ..counting.counter import CountedNumber, OperationCounter, plain
from ..estimate import EXACT, Estimate, Tally, estimator
from ..scope import Scope


@estimator("exact solid angles", scope=Scope("2nd_argmax", inputs=3), budgets=(), **EXACT)
def spherical(model: Model) -> Tally:
    """Exact accuracy of a 2nd-argmax model of three inputs on standard Gaussian inputs.

    Every decision is made in exact arithmetic. Only angles are rounded, so the absolute error is a
    few units of 1e-16 times the number of arcs, whatever the weights. It was below 1e-13 on all
    models of up to four neurons that were compared with another method in 50 digits. If logits
    tie, the answer is the first of them, as with ``argmax``.
    """
    counter = OperationCounter()
    weights = weights_of(model)
    outline = Outline(cells(lifted(step_weights(weights, weights.w_oh), counter)))
    return Tally(_Area(outline, counter).fraction(), counter, std=0.0)


@estimator("exact argmedian", scope=Scope("argmedian", inputs=3), budgets=(), **EXACT)
def argmedian_of_three(model: Model) -> Estimate:
    """Exact accuracy of an argmedian model of three inputs, whose task equals 2nd argmax.

    The method is :func:`spherical`.
    """
    same = copy.copy(model)  # the weights are shared
    same.task_name = "2nd_argmax"
    return spherical(same)


def lifted(weights: StepWeights, counter: OperationCounter) -> StepWeights:
    """Return the same weights, counting, with a readout of the later logits minus logit 0."""
    inputs, w_hh, logits = (
        counter.lift(np.array(matrix, dtype=object))
        for matrix in (weights.inputs, weights.w_hh, weights.readout)
    )
    differences = logits[1:] - logits[:1]
    return StepWeights(inputs.tolist(), w_hh.tolist(), differences.tolist(), weights.denominator)


class _Area:
    """Area inside an outline."""

    def __init__(self, outline: Outline, counter: OperationCounter) -> None:
        self.outline = outline
        self.counter = counter
        self.positions: dict[Vertex, Position] = {}

    def fraction(self) -> float:
        """Return the share of the sphere."""
        half_area = CountedNumber(0.0, self.counter)
        for start, stop in (*self.outline.arcs, *(arc for _, arc in self.outline.lines.items())):
            if not start.pole and not stop.pole:  # otherwise a meridian, which adds nothing
                half_area += half_area_to_pole(self._place(start), self._place(stop), self.counter)
        for _, arc in self.outline.corners.items():
            p, q = (self._direction(vertex) for vertex in arc)
            half_area += corner_at_south(p, q, self.counter)
        return float(plain(half_area)) / (2 * math.pi)

    def _place(self, vertex: Vertex) -> Position:
        if vertex not in self.positions:
            self.positions[vertex] = position(self._integers(vertex), self.counter, self._lift)
        return self.positions[vertex]

    def _direction(self, vertex: Vertex) -> tuple[CountedNumber, CountedNumber]:
        a, b, _ = scaled(*self._integers(vertex)[:2], 0)
        return self._lift(a), self._lift(b)

    def _integers(self, vertex: Vertex) -> tuple[int, int, int]:
        a, b, c = (plain(x) for x in vertex.point)
        return a, b, c

    def _lift(self, number: float) -> CountedNumber:
        return CountedNumber(number, self.counter)
