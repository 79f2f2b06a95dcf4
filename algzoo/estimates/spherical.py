"""Exact accuracy of 2nd-argmax models of three inputs, from solid angles.

A standard Gaussian is rotation invariant and the model positively homogeneous, so the accuracy is
the solid angle of the set where the model is right, over 4 pi. That set consists of convex polygons
(:mod:`algzoo.structure.answers`), and its area is a sum over their edges, in which an edge between
two polygons that are both in the set cancels. So only its outline is measured: the arcs on which
the model's answer changes, and those of the planes x2 = x0 and x2 = x1 on which the right answer
does. On these planes, arcs that go on into each other are measured in one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

import numpy as np

from ..structure import weights_of
from ..structure.answers import answers, where_right
from ..structure.solid_angle import (
    Position,
    arcs,
    corner_at_south,
    corners_at_south,
    half_area_to_pole,
    position,
    scaled,
)
from ..structure.sphere import Edge, StepWeights, Vertex, cells, step_weights
from ..zoo import Model, OneLayerRNN
from .estimate import Estimate, counted
from .operations import CountedNumber, OperationCounter, plain


def spherical(model: Model) -> Estimate:
    """Exact accuracy of a 2nd-argmax model of three inputs on standard Gaussian inputs.

    Every decision is made in exact arithmetic; only angles are rounded, so that the absolute error
    is a few units of 1e-16 times the number of arcs. Where logits tie, the answer is the first of
    them, as ``argmax`` has it.

    Raises
    ------
    ValueError
        Where ``model`` is not a 2nd-argmax model of three inputs.
    """
    if not isinstance(model, OneLayerRNN) or model.task_name != "2nd_argmax" or model.seq_len != 3:
        raise ValueError(
            "Exact solid angles need a 2nd-argmax model of three inputs, got task "
            f"{model.task_name!r} with seq_len {model.seq_len}"
        )
    counter = OperationCounter()
    weights = weights_of(model)
    outline = _Outline(counter)
    for cell in cells(_lifted(step_weights(weights, weights.w_oh), counter)):
        for answer, polygon in answers(cell):
            right = where_right(cell, polygon, answer)
            half = (cell.side, cell.beyond_diagonal)
            for start, stop, edge in arcs(right):
                for line in ("x2-x0", "x2-x1"):
                    if start.signs.get(line) == 0 and stop.signs.get(line) == 0:
                        outline.add_to_line((*half, line), start, stop)
                        break
                else:
                    if edge is Edge.CUT:
                        outline.add(start, stop)
            for before, after in corners_at_south(right):
                outline.add_corner(half, before, after)
    return counted(outline.accuracy(), counter, "A", std=0.0)


def _lifted(weights: StepWeights, counter: OperationCounter) -> StepWeights:
    """The same weights, counting, with logits 1 and 2 less logit 0 for the readout."""
    inputs, w_hh, logits = (
        counter.lift(np.array(matrix, dtype=object))
        for matrix in (weights.inputs, weights.w_hh, weights.readout)
    )
    differences = logits[1:] - logits[:1]
    return StepWeights(inputs.tolist(), w_hh.tolist(), differences.tolist(), weights.denominator)


class _Outline:
    """The outline of the set where the model is right, and the area it encloses."""

    def __init__(self, counter: OperationCounter) -> None:
        self.counter = counter
        self.half_area = CountedNumber(0.0, counter)
        self.positions: dict[Vertex, Position] = {}
        # Great half circles by name, with the number of arcs that end less those that start at
        # each vertex: where one goes on into the next, nothing.
        self.lines: defaultdict[object, Counter[Vertex]] = defaultdict(Counter)
        self.corners: defaultdict[object, Counter[Vertex]] = defaultdict(Counter)

    def add(self, start: Vertex, stop: Vertex) -> None:
        """Add an arc, along which the set is on the left."""
        self.half_area += half_area_to_pole(self._place(start), self._place(stop), self.counter)

    def add_to_line(self, line: object, start: Vertex, stop: Vertex) -> None:
        """Add an arc of a great half circle."""
        self.lines[line].subtract([start])
        self.lines[line].update([stop])

    def add_corner(self, half: object, start: Vertex, stop: Vertex) -> None:
        """Add a corner at the south pole, from one direction to another in a half of the plane."""
        self.corners[half].subtract([start])
        self.corners[half].update([stop])

    def accuracy(self) -> float:
        """Share of the sphere that is enclosed."""
        # Which start is paired with which end does not matter on one circle.
        for ends in self.lines.values():
            for start, stop in zip((-ends).elements(), (+ends).elements(), strict=True):
                self.add(start, stop)
        for ends in self.corners.values():
            for start, stop in zip((-ends).elements(), (+ends).elements(), strict=True):
                p, q = (self._floats(vertex)[:2] for vertex in (start, stop))
                self.half_area += corner_at_south(p, q, self.counter)
        return float(plain(self.half_area)) / (2 * math.pi)

    def _place(self, vertex: Vertex) -> Position:
        if vertex not in self.positions:
            self.positions[vertex] = position(self._floats(vertex), self.counter)
        return self.positions[vertex]

    def _floats(self, vertex: Vertex) -> Any:
        return self.counter.lift(np.array(scaled(*(plain(x) for x in vertex.point))))
