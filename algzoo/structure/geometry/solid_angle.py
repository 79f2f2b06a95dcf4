"""Solid angles of polygons on the sphere, edge by edge.

The area between an arc from P to Q and the north pole N = (0, 0, 1), positive where the arc runs
eastward, is that of a spherical triangle:

    tan(area / 2) = det(N, P, Q) / (|P| |Q| + P.N |Q| + Q.N |P| + P.Q)
                  = (p x q) / (g(P) g(Q) + p.q),   g(P) = |P| + P.N,

with p and q the projections along N. The area of a polygon is the sum over its edges, taken
counterclockwise. An edge along a meridian adds nothing, and a corner at the south pole twice its
angle. The sum is continuous in the vertices, so slivers need no special treatment.

References
----------
A. van Oosterom and J. Strackee, "The solid angle of a plane triangle", IEEE Transactions on
Biomedical Engineering, 1983, with N for one corner.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from .sweep import Edge, Number, Polygon, Ray, Vertex

_NEAR = 9  # points whose depth is 2^9 times their projection are near the south pole
_LARGEST_POWER = 1000  # power of two from which one more or less makes no difference


class Functions(Protocol):
    """Square roots and angles: the module :mod:`math`, or an object that counts them."""

    def sqrt(self, x: Number, /) -> Number:
        """Square root."""

    def atan2(self, y: Number, x: Number, /) -> float:
        """Angle of the point (x, y), in radians."""


class Position(NamedTuple):
    """Point P of the sphere: its projection along the axis, and g(P).

    All three numbers are given up to a positive factor, which cancels; g is multiplied by two to
    the ``power``.
    """

    a: Number
    b: Number
    g: Number
    power: int = 0


def position(
    point: tuple[int, int, int], functions: Functions, lift: Callable[[float], Number] = float
) -> Position:
    """Return the position of a point in integers of any size; ``lift`` makes their number type.

    Near the axis the projection is scaled separately, and below the sphere's centre g is computed
    as (a^2 + b^2) / (|P| - c), because the sum would lose the digits that determine a sliver's
    area.
    """
    power = _powers_above_projection(point)
    # Far from the axis, or near the north pole, where nothing is lost, all have the same scale.
    if power <= (_NEAR if point[2] < 0 else _LARGEST_POWER // 2):
        a, b, c = (lift(x) for x in scaled(*point))
        return Position(a, b, functions.sqrt(a * a + b * b + c * c) + c)
    a, b, _ = (lift(x) for x in scaled(*point[:2], 0))
    height = lift(abs(scaled(*point)[2]))
    square = a * a + b * b
    size = functions.sqrt(square * 2.0 ** (-2 * min(power, _LARGEST_POWER // 2)) + height * height)
    if point[2] > 0:
        return Position(a, b, size + height, power)
    return Position(a, b, square / (size + height), -power)


def _powers_above_projection(point: tuple[int, int, int]) -> int:
    """Return by how many powers of two a point's height exceeds its projection."""
    a, b, c = (abs(x) for x in point)
    return c.bit_length() - max(a, b).bit_length()


def half_area_to_pole(p: Position, q: Position, functions: Functions) -> float:
    """Half the area between the arc from P to Q and the north pole, positive eastward."""
    product = p.g * q.g
    if power := p.power + q.power:
        product *= 2.0 ** max(min(power, _LARGEST_POWER), -_LARGEST_POWER)
    return functions.atan2(p.a * q.b - p.b * q.a, product + p.a * q.a + p.b * q.b)


def corner_at_south(
    p: tuple[Number, Number], q: tuple[Number, Number], functions: Functions
) -> float:
    """Angle at the south pole from p eastward to q, which is half the area that it adds."""
    return functions.atan2(p[0] * q[1] - p[1] * q[0], p[0] * q[0] + p[1] * q[1])


def corners_at_south(polygon: Polygon) -> Iterator[tuple[Vertex, Vertex]]:
    """Yield vertices on the edges to and from the south pole, if the polygon has a corner there."""
    for i, (vertex, edge) in enumerate(polygon):
        if vertex.pole < 0:
            before, edge_before = polygon[i - 1]
            after = polygon[(i + 1) % len(polygon)][0]
            yield (
                edge_before.foot if isinstance(edge_before, Ray) else before,
                edge.foot if isinstance(edge, Ray) else after,
            )


def arcs(polygon: Polygon) -> Iterator[tuple[Vertex, Vertex, Edge]]:
    """Yield the edges that are not part of meridians, as (from, to, what they lie on)."""
    for i, (vertex, edge) in enumerate(polygon):
        following = polygon[(i + 1) % len(polygon)][0]
        if isinstance(edge, Edge) and not vertex.pole and not following.pole:
            yield vertex, following, edge


def solid_angle(polygon: Polygon) -> float:
    """Area of a polygon on the unit sphere in steradians, with a rounding error of a few 1e-16."""

    def place(vertex: Vertex) -> Position:
        return position(vertex.point, math)

    halves = [half_area_to_pole(place(v), place(w), math) for v, w, _ in arcs(polygon)]
    for v, w in corners_at_south(polygon):
        halves.append(corner_at_south(place(v)[:2], place(w)[:2], math))
    return 2 * math.fsum(halves)


def scaled(*coordinates: int) -> tuple[float, ...]:
    """Return coordinates proportional to integers of any size, the largest between 1/2 and 1."""
    unit = 1 << max(map(abs, coordinates)).bit_length()
    return tuple(coordinate / unit for coordinate in coordinates)
