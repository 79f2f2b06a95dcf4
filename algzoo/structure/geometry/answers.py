"""Cells of a model, cut exactly by its answers and by the right answers.

There are as many answers as inputs. The first values that the cells follow must be the logits 1, 2,
... minus logit 0. An answer is given if its logit exceeds all those before it and is not exceeded
by one after it: if logits tie, the answer is the first of them, as with ``argmax``.

The second-largest input is the last one if it lies between the two largest of the others; otherwise
it is the smaller or the larger of these two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from .sweep import Cell, Edge, Half, Number, Polygon, Ray, Vector, Vertex


@dataclass(frozen=True, eq=False)
class Function:
    """Function whose zeros are a great circle: a logit, or the last input, minus another one.

    There is one object for each (see :func:`logits` and :func:`last_input`), compared by identity.
    """

    of: Literal["logit", "last input"]
    less: int  # position of what is subtracted
    first: int = 0  # the logit's position, greater than that of the other


class Condition(NamedTuple):
    """Condition that a function has a given sign."""

    function: Function
    wanted: Literal[1, -1]
    zero_will_do: bool


@cache
def logits(first: int, less: int) -> Function:
    """Logit ``first`` minus one before it."""
    return Function("logit", less, first)


@cache
def last_input(less: int) -> Function:
    """Last input minus that at position ``less``."""
    return Function("last input", less)


@cache
def _conditions(answer: int, n_answers: int) -> list[Condition]:
    """List the conditions under which an answer is given."""
    return [
        *(Condition(logits(answer, other), +1, False) for other in range(answer)),
        *(Condition(logits(other, answer), -1, True) for other in range(answer + 1, n_answers)),
    ]


def answers(cell: Cell) -> list[tuple[int, Polygon]]:
    """Cut a cell into the parts on which the model's answer is the same.

    An edge on which the winning logit has an equal is a cut, because the answer may change there.
    Across the other edges on which a neuron switches it does not change, because logits are
    continuous.
    """
    for vertex, _ in cell.polygon:
        cell.values(vertex)
    parts = []
    n_answers = len(cell.order) + 1
    for answer in range(n_answers):
        conditions = _conditions(answer, n_answers)
        # All conditions are checked before the first cut, which is useless if nothing is left.
        if not all(_holds_somewhere(cell.polygon, wanted, cell.half) for wanted in conditions):
            continue
        polygon = cell.polygon
        for condition in conditions:
            polygon = clip(polygon, condition, cell.half)
        if polygon:
            parts.append((answer, _with_contested_edges_cut(polygon, conditions, cell.half)))
        if polygon is cell.polygon:
            break
    return parts


def where_right(cell: Cell, polygon: Polygon, answer: int) -> Polygon:
    """Return the part of a polygon within a cell on which ``answer`` is right; empty if none is."""
    smaller, larger = cell.order[-2:]
    not_below_smaller = Condition(last_input(smaller), +1, True)
    not_above_larger = Condition(last_input(larger), -1, True)
    if answer == len(cell.order):
        return clip(clip(polygon, not_below_smaller, cell.half), not_above_larger, cell.half)
    if answer == smaller:
        return clip(polygon, not_below_smaller._replace(wanted=-1), cell.half)
    if answer == larger:
        return clip(polygon, not_above_larger._replace(wanted=+1), cell.half)
    return []


def clip(polygon: Polygon, condition: Condition, half: Half) -> Polygon:
    """Return the part of a convex polygon within a half on which a function has the wanted sign.

    This is the polygon itself if that is the whole, and empty if it has no interior.
    """
    function, wanted, zero_will_do = condition
    signs = [wanted * sign(vertex, function, half) for vertex, _ in polygon]
    if max(signs, default=0) <= 0 and not (zero_will_do and polygon and min(signs) == 0):
        return []
    if min(signs) >= 0:
        return polygon
    part: Polygon = []
    for i, (vertex, edge) in enumerate(polygon):
        here, there = signs[i], signs[(i + 1) % len(polygon)]
        if here < 0 < there or there < 0 < here:
            crossing = _cut(vertex, polygon[(i + 1) % len(polygon)][0], edge, function, half)
        if here > 0 or (here == 0 and there >= 0):
            part.append((vertex, edge))
            if there < 0:
                part.append((crossing, Edge.CUT))
        elif here == 0:
            part.append((vertex, Edge.CUT))
        elif there > 0:
            part.append((crossing, edge))
    return part


def sign(vertex: Vertex, function: Function, half: Half) -> int:
    """Sign of a function at a vertex, computed once."""
    if function not in vertex.signs:
        if function.of == "logit" and function.less:
            first = sign(vertex, logits(function.first, 0), half)
            second = sign(vertex, logits(function.less, 0), half)
            if first != second or first == 0:
                vertex.signs[function] = (first > second) - (first < second)
                return vertex.signs[function]
        value = _value(vertex, function, half)
        vertex.signs[function] = 1 if value > 0 else -1 if value < 0 else 0
    return vertex.signs[function]


def _value(vertex: Vertex, function: Function, half: Half) -> Number:
    if function not in vertex.known:
        vertex.known[function] = _value_anew(vertex, function, half)
    return vertex.known[function]


def _value_anew(vertex: Vertex, function: Function, half: Half) -> Number:
    if function.of == "last input":
        if vertex.pole:
            return vertex.pole
        a, b, c = vertex.point
        return c - half.input_at(function.less, a, b)
    assert vertex.values is not None  # answers() reads them at all vertices of a cell
    value = vertex.values[function.first - 1]
    return value - vertex.values[function.less - 1] if function.less else value


def _holds_somewhere(polygon: Polygon, condition: Condition, half: Half) -> bool:
    """Tell whether a function has the wanted sign somewhere within the polygon."""
    function, wanted, zero_will_do = condition
    if any(sign(vertex, function, half) == wanted for vertex, _ in polygon):
        return True
    return zero_will_do and all(sign(vertex, function, half) == 0 for vertex, _ in polygon)


def _with_contested_edges_cut(polygon: Polygon, conditions: list[Condition], half: Half) -> Polygon:
    """Return the polygon with those edges marked as cuts on which the answer has an equal."""
    marked: Polygon = []
    for i, (vertex, edge) in enumerate(polygon):
        following = polygon[(i + 1) % len(polygon)][0]
        if edge is Edge.SWITCH and not all(
            sign(vertex, function, half) == wanted or sign(following, function, half) == wanted
            for function, wanted, _ in conditions
        ):
            edge = Edge.CUT
        marked.append((vertex, edge))
    return marked


def _cut(v: Vertex, w: Vertex, edge: Edge | Ray, function: Function, half: Half) -> Vertex:
    """Return the point between two vertices where a function vanishes, computed once."""
    if function.of == "last input":
        return _cut_by_order(v, w, edge, function, half)
    if (w, function) not in v.cuts:
        crossing = Vertex(_point_between(v, w, function, half))
        assert v.values is not None
        assert w.values is not None
        crossing.values = [
            0 if i == function.first else _weighted(p, q, v, w, function, half)
            for i, (p, q) in enumerate(zip(v.values, w.values, strict=True), start=1)
        ]
        if function.less:
            crossing.values[function.first - 1] = crossing.values[function.less - 1]
        crossing.signs[function] = 0
        v.cuts[w, function] = w.cuts[v, function] = crossing
    return v.cuts[w, function]


def _cut_by_order(v: Vertex, w: Vertex, edge: Edge | Ray, function: Function, half: Half) -> Vertex:
    """Return the same point if the last input equals another, which gives the last coordinate."""
    known = edge.cuts.get(function) if isinstance(edge, Ray) else v.cuts.get((w, function))
    if known is not None:
        return known
    if isinstance(edge, Ray):
        a, b = edge.a, edge.b
    else:
        a, b = (_weighted(v.point[i], w.point[i], v, w, function, half) for i in (0, 1))
    crossing = Vertex((a, b, half.input_at(function.less, a, b)))
    crossing.signs[function] = 0
    if isinstance(edge, Ray):
        edge.cuts[function] = crossing
    else:
        v.cuts[w, function] = w.cuts[v, function] = crossing
    return crossing


def _weighted(
    from_v: Number, from_w: Number, v: Vertex, w: Vertex, function: Function, half: Half
) -> Number:
    """Linear interpolation of a number to where the function vanishes, times a positive factor."""
    return from_v * abs(_value(w, function, half)) + from_w * abs(_value(v, function, half))


def _point_between(v: Vertex, w: Vertex, function: Function, half: Half) -> Vector:
    """Coordinates of the point between two vertices where the function vanishes."""
    if v.pole:
        v, w = w, v
    if w.pole:  # of which two coordinates are zero
        a, b, c = (x * abs(_value(w, function, half)) for x in v.point)
        height = abs(_value(v, function, half))
        return a, b, c + height if w.pole > 0 else c - height
    a, b, c = (_weighted(x, y, v, w, function, half) for x, y in zip(v.point, w.point, strict=True))
    return a, b, c
