"""Solid angles of polygons on the sphere, edge by edge.

The area between an arc from P to Q and the north pole N = (0, 0, 1), positive where the arc runs
eastward, is that of a spherical triangle:

    tan(area / 2) = det(N, P, Q) / (|P| |Q| + P.N |Q| + Q.N |P| + P.Q)
                  = (p x q) / (g(P) g(Q) + p.q),   g(P) = |P| + P.N,

with p and q the projections along N. A polygon's area is the sum over its edges counterclockwise,
where an edge along a meridian adds nothing, and a corner at the south pole twice its angle. The
sum is continuous in the vertices, so that slivers need no care.

Source: A. van Oosterom and J. Strackee, "The solid angle of a plane triangle", IEEE Transactions on
Biomedical Engineering, 1983, with N for one corner.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from .sphere import Edge, Number, Polygon, Ray, Vertex


class Functions(Protocol):
    """Where square roots and angles are taken: :mod:`math`, or something that counts."""

    def sqrt(self, x: Number, /) -> Number:
        """Square root."""

    def atan2(self, y: Number, x: Number, /) -> float:
        """Angle of the point (x, y), radians."""


class Position(NamedTuple):
    """A point P of the sphere: its projection along the axis, and g(P)."""

    a: Number
    b: Number
    g: Number


def position(point: tuple[Number, Number, Number], functions: Functions) -> Position:
    """Position of a point given in coordinates of moderate size."""
    a, b, c = point
    return Position(a, b, functions.sqrt(a * a + b * b + c * c) + c)


def half_area_to_pole(p: Position, q: Position, functions: Functions) -> float:
    """Half the area between the arc from P to Q and the north pole, positive eastward."""
    return functions.atan2(p.a * q.b - p.b * q.a, p.g * q.g + p.a * q.a + p.b * q.b)


def corner_at_south(
    p: tuple[Number, Number], q: tuple[Number, Number], functions: Functions
) -> float:
    """Angle at the south pole from p eastward to q, which is half the area that it adds."""
    return functions.atan2(p[0] * q[1] - p[1] * q[0], p[0] * q[0] + p[1] * q[1])


def corners_at_south(polygon: Polygon) -> Iterator[tuple[Vertex, Vertex]]:
    """A vertex on the edge to the south pole and one on that from it, where it is a corner."""
    for i, (vertex, edge) in enumerate(polygon):
        if vertex.pole < 0:
            before, edge_before = polygon[i - 1]
            after = polygon[(i + 1) % len(polygon)][0]
            yield (
                edge_before.foot if isinstance(edge_before, Ray) else before,
                edge.foot if isinstance(edge, Ray) else after,
            )


def arcs(polygon: Polygon) -> Iterator[tuple[Vertex, Vertex, Edge]]:
    """The edges that are no parts of meridians: from, to, what they lie on."""
    for i, (vertex, edge) in enumerate(polygon):
        following = polygon[(i + 1) % len(polygon)][0]
        if isinstance(edge, Edge) and not vertex.pole and not following.pole:
            yield vertex, following, edge


def solid_angle(polygon: Polygon) -> float:
    """Area of a polygon on the unit sphere, steradians; rounded, an error of a few 1e-16."""

    def place(vertex: Vertex) -> Position:
        return position(scaled(*vertex.point), math)

    halves = [half_area_to_pole(place(v), place(w), math) for v, w, _ in arcs(polygon)]
    for v, w in corners_at_south(polygon):
        halves.append(corner_at_south(place(v)[:2], place(w)[:2], math))
    return 2 * math.fsum(halves)


def scaled(a: int, b: int, c: int) -> tuple[float, float, float]:
    """Coordinates proportional to integers of any size, the largest between 1/2 and 1."""
    unit = 1 << max(abs(a), abs(b), abs(c)).bit_length()
    return a / unit, b / unit, c / unit
