"""Outline of the set where a model is right: the arcs that bound it.

The set consists of convex polygons (:mod:`algzoo.structure.geometry.answers`). Its area, under any
measure, is a sum over their edges, in which an edge between two polygons of the set cancels. What
remains are the arcs on which the model's answer changes and those on which the right answer does.
Arcs on one great half circle that continue each other are merged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator

from .answers import answers, last_input, where_right
from .solid_angle import corners_at_south
from .sweep import Cell, Edge, Polygon, Ray, Vertex

Arc = tuple[Vertex, Vertex]  # the set lies on the left


class HalfCircles:
    """Arcs on great half circles, of which only the ends that do not cancel are kept.

    On one half circle it does not matter which start is paired with which end.
    """

    def __init__(self) -> None:
        self._ends: defaultdict[Hashable, Counter[Vertex]] = defaultdict(Counter)

    def add(self, half_circle: Hashable, start: Vertex, stop: Vertex) -> None:
        """Add an arc."""
        self._ends[half_circle].subtract([start])
        self._ends[half_circle].update([stop])

    def items(self) -> Iterator[tuple[Hashable, Arc]]:
        """Yield half circles and arcs that add up to those added."""
        for half_circle, ends in self._ends.items():
            for arc in zip((-ends).elements(), (+ends).elements(), strict=True):
                yield half_circle, arc


class Outline:
    """Outline of the set where the model is right, within the cells.

    Attributes
    ----------
    arcs
        Arcs on which the answer changes and that are not part of a ray's meridian. An arc that ends
        at a pole is part of another meridian.
    lines
        Arcs on which the last input equals another one.
    meridians
        Arcs on rays' meridians, by ray.
    corners
        Corners at the south pole, each as directions (of a and b) on the way to it and from it.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.arcs: list[Arc] = []
        self.lines = HalfCircles()
        self.meridians = HalfCircles()
        self.corners = HalfCircles()
        for cell in cells:
            for answer, polygon in answers(cell):
                self._add(cell, where_right(cell, polygon, answer))

    def _add(self, cell: Cell, right: Polygon) -> None:
        functions = [last_input(position) for position in cell.order[-2:]]
        for i, (start, edge) in enumerate(right):
            stop = right[(i + 1) % len(right)][0]
            if isinstance(edge, Ray):
                self.meridians.add(edge, start, stop)
                continue
            for line in functions:
                if start.signs.get(line) == 0 and stop.signs.get(line) == 0:
                    self.lines.add((cell.half, cell.order, line), start, stop)
                    break
            else:
                if edge is Edge.CUT:
                    self.arcs.append((start, stop))
        for before, after in corners_at_south(right):
            self.corners.add((cell.half, cell.order), before, after)
