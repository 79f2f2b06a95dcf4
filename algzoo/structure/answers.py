"""The cells of a model of three inputs cut by its answers and by the right answers, exactly.

The values followed are the two differences d1 = logits[1] - logits[0] and d2 = logits[2] -
logits[0]. The answer is 0 where neither is positive, 1 where d1 > 0 and d1 >= d2, and 2 elsewhere:
where logits tie it is the first of them, as ``argmax`` has it.

Of three inputs the second-largest is the last where it lies between the first two; else it is the
smaller or the larger of these.
"""

from __future__ import annotations

from typing import Literal

from .sphere import Cell, Edge, Number, Polygon, Ray, Vector, Vertex

# What vanishes on the great circles that cut: d1, d2, d1 - d2, x2 - x0, x2 - x1.
Function = Literal["d1", "d2", "d1-d2", "x2-x0", "x2-x1"]
Condition = tuple[Function, Literal[1, -1], bool]  # function, its sign, whether zero will do

_ANSWERS: list[tuple[Condition, Condition]] = [
    (("d1", -1, True), ("d2", -1, True)),
    (("d1", +1, False), ("d1-d2", +1, True)),
    (("d2", +1, False), ("d1-d2", -1, False)),
]


def answers(cell: Cell) -> list[tuple[int, Polygon]]:
    """The parts of a cell on which the model's answer is the same.

    An edge on which the winner has an equal is a cut, for the answer may change there; across the
    other edges on which a neuron switches it does not, because logits are continuous.
    """
    for vertex, _ in cell.polygon:
        cell.values(vertex)
    parts = []
    for answer, conditions in enumerate(_ANSWERS):
        # Both are looked at before the first cut, which would be in vain where nothing is left.
        if not all(_holds_somewhere(cell.polygon, *wanted, cell.side) for wanted in conditions):
            continue
        polygon = cell.polygon
        for condition in conditions:
            polygon = clip(polygon, *condition, cell.side)
        if polygon:
            parts.append((answer, _with_contested_edges_cut(polygon, answer, cell.side)))
        if polygon is cell.polygon:
            break
    return parts


def where_right(cell: Cell, polygon: Polygon, answer: int) -> Polygon:
    """The part of a polygon within a cell on which ``answer`` is right, empty if there is none."""
    smaller: Function
    larger: Function
    smaller, larger = ("x2-x0", "x2-x1") if cell.beyond_diagonal else ("x2-x1", "x2-x0")
    if answer == 2:
        polygon = clip(polygon, smaller, +1, True, cell.side)
        return clip(polygon, larger, -1, True, cell.side)
    if (answer == 0) == cell.beyond_diagonal:
        return clip(polygon, smaller, -1, True, cell.side)
    return clip(polygon, larger, +1, True, cell.side)


def clip(
    polygon: Polygon, function: Function, wanted: Literal[1, -1], zero_will_do: bool, side: int
) -> Polygon:
    """The part of a convex polygon on which a function has the wanted sign.

    The polygon itself where that is the whole; empty where it has no interior.
    """
    signs = [wanted * sign(vertex, function, side) for vertex, _ in polygon]
    if max(signs, default=0) <= 0 and not (zero_will_do and polygon and min(signs) == 0):
        return []
    if min(signs) >= 0:
        return polygon
    part: Polygon = []
    for i, (vertex, edge) in enumerate(polygon):
        here, there = signs[i], signs[(i + 1) % len(polygon)]
        if here < 0 < there or there < 0 < here:
            crossing = _cut(vertex, polygon[(i + 1) % len(polygon)][0], edge, function, side)
        if here > 0 or (here == 0 and there >= 0):
            part.append((vertex, edge))
            if there < 0:
                part.append((crossing, Edge.CUT))
        elif here == 0:
            part.append((vertex, Edge.CUT))
        elif there > 0:
            part.append((crossing, edge))
    return part


def sign(vertex: Vertex, function: Function, side: int) -> int:
    """Sign of a function at a vertex, computed once."""
    if function not in vertex.signs:
        if function == "d1-d2":
            first, second = sign(vertex, "d1", side), sign(vertex, "d2", side)
            if first != second or first == 0:
                vertex.signs[function] = (first > second) - (first < second)
                return vertex.signs[function]
        value = _value(vertex, function, side)
        vertex.signs[function] = 1 if value > 0 else -1 if value < 0 else 0
    return vertex.signs[function]


def _value(vertex: Vertex, function: Function, side: int) -> Number:
    if function not in vertex.known:
        vertex.known[function] = _value_anew(vertex, function, side)
    return vertex.known[function]


def _value_anew(vertex: Vertex, function: Function, side: int) -> Number:
    if function in ("x2-x0", "x2-x1"):
        if vertex.pole:
            return vertex.pole
        a, b, c = vertex.point
        return c - b if function == "x2-x1" else c - a if side > 0 else c + a
    assert vertex.values is not None  # answers() reads them at all vertices of a cell
    d1, d2 = vertex.values[:2]
    return d1 if function == "d1" else d2 if function == "d2" else d1 - d2


def _holds_somewhere(
    polygon: Polygon, function: Function, wanted: Literal[1, -1], zero_will_do: bool, side: int
) -> bool:
    """Whether a function has the wanted sign somewhere within the polygon."""
    if any(sign(vertex, function, side) == wanted for vertex, _ in polygon):
        return True
    return zero_will_do and all(sign(vertex, function, side) == 0 for vertex, _ in polygon)


def _with_contested_edges_cut(polygon: Polygon, answer: int, side: int) -> Polygon:
    """The polygon with those edges marked as cuts on which the answer has an equal throughout."""
    marked: Polygon = []
    for i, (vertex, edge) in enumerate(polygon):
        following = polygon[(i + 1) % len(polygon)][0]
        if edge is Edge.SWITCH and not all(
            sign(vertex, function, side) == wanted or sign(following, function, side) == wanted
            for function, wanted, _ in _ANSWERS[answer]
        ):
            edge = Edge.CUT
        marked.append((vertex, edge))
    return marked


def _cut(v: Vertex, w: Vertex, edge: Edge | Ray, function: Function, side: int) -> Vertex:
    """The point between two vertices where a function vanishes, computed once."""
    if function in ("x2-x0", "x2-x1"):
        return _cut_by_order(v, w, edge, function, side)
    if (w, function) not in v.cuts:
        crossing = Vertex(_point_between(v, w, function, side))
        other = 1 if function == "d1" else 0
        assert v.values is not None
        assert w.values is not None
        value = _weighted(v.values[other], w.values[other], v, w, function, side)
        crossing.values = [0 if function == "d1" else value, 0 if function == "d2" else value]
        crossing.signs[function] = 0
        v.cuts[w, function] = w.cuts[v, function] = crossing
    return v.cuts[w, function]


def _cut_by_order(v: Vertex, w: Vertex, edge: Edge | Ray, function: Function, side: int) -> Vertex:
    """The same where x2 = x0 or x2 = x1, which gives the last coordinate."""
    known = edge.cuts.get(function) if isinstance(edge, Ray) else v.cuts.get((w, function))
    if known is not None:
        return known
    if isinstance(edge, Ray):
        a, b = edge.a, edge.b
    else:
        a, b = (_weighted(v.point[i], w.point[i], v, w, function, side) for i in (0, 1))
    crossing = Vertex((a, b, b if function == "x2-x1" else a if side > 0 else -a))
    crossing.signs[function] = 0
    if isinstance(edge, Ray):
        edge.cuts[function] = crossing
    else:
        v.cuts[w, function] = w.cuts[v, function] = crossing
    return crossing


def _weighted(
    from_v: Number, from_w: Number, v: Vertex, w: Vertex, function: Function, side: int
) -> Number:
    """Linear interpolation of a number to where the function vanishes, times a positive factor."""
    return from_v * abs(_value(w, function, side)) + from_w * abs(_value(v, function, side))


def _point_between(v: Vertex, w: Vertex, function: Function, side: int) -> Vector:
    """Coordinates of the point between two vertices where the function vanishes."""
    if v.pole:
        v, w = w, v
    if w.pole:  # of which two coordinates are zero
        a, b, c = (x * abs(_value(w, function, side)) for x in v.point)
        height = abs(_value(v, function, side))
        return a, b, c + height if w.pole > 0 else c - height
    a, b, c = (_weighted(x, y, v, w, function, side) for x, y in zip(v.point, w.point, strict=True))
    return a, b, c
