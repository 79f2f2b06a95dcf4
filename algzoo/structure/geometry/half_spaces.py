"""Cones of three inputs cut out by half spaces, as convex polygons on the sphere.

A polygon is the list of its vertices, of any length, in order around it; no two neighbours are
opposite. The functions use only +, -, * and comparisons, besides the square roots and angles that
are passed to them, so that they work for plain numbers and for numbers that count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .solid_angle import Functions

Number = Any
Vector = Sequence[Number]  # three coordinates
Polygon = list[Vector]

# Relative rounding error up to which a plane is taken to pass through a vertex. Planes that meet in
# one line are the rule here, not the exception: every order of inputs has (1, 1, 1) on its border.
_ROUNDING = 1e-12


def order_polygon(low: int, middle: int, high: int) -> Polygon:
    """Return the inputs with ``x[low] < x[middle] < x[high]``: a lune, a sixth of the sphere."""

    def point(*raised: int) -> Vector:
        return [3 * (i in raised) - len(raised) for i in range(3)]

    return [(1, 1, 1), point(high), (-1, -1, -1), point(high, middle)]


def cut(polygon: Polygon, normal: Vector) -> Polygon:
    """Return the part of a polygon where ``normal . x >= 0``; empty if it has no interior."""
    heights = [height(vertex, normal) for vertex in polygon]
    above = [i for i, here in enumerate(heights) if here > 0]
    if not above:
        return []
    part: Polygon = []
    for i, vertex in enumerate(polygon):
        following = (i + 1) % len(polygon)
        here, there = heights[i], heights[following]
        if not here < 0:
            part.append(vertex)
            if here > 0 and there < 0:
                part.append(_crossing(polygon, heights, i, following))
            elif here == 0 and there < 0:
                # The plane may leave through a vertex as well, perhaps the opposite one, and a
                # point between them then fixes the edge. That of two opposite vertices is none.
                between = _crossing(polygon, heights, above[0], following)
                if any(x != 0 for x in between):
                    part.append(between)
        elif there > 0:
            part.append(_crossing(polygon, heights, following, i))
    return part


def fraction(polygon: Polygon, functions: Functions = math) -> Number:
    """Share of input space in a convex polygon: its solid angle divided by 4 pi.

    It is the sum over the triangles between its edges and an inner point.

    References
    ----------
    A. van Oosterom and J. Strackee, "The solid angle of a plane triangle", IEEE Transactions on
    Biomedical Engineering, 1983.
    """
    if len(polygon) < 3:
        return 0.0
    units = []
    for vertex in polygon:
        length = functions.sqrt(dot(vertex, vertex))
        units.append([x / length for x in vertex])
    inner = [sum(u[1:], start=u[0]) for u in zip(*units, strict=True)]
    size = functions.sqrt(dot(inner, inner))
    heights = [dot(unit, inner) for unit in units]
    area = 0.0
    for i, one in enumerate(units):
        other = units[i - 1]
        across = dot(inner, cross(other, one))
        along = (1 + dot(other, one)) * size + heights[i - 1] + heights[i]
        area = area + functions.atan2(across, along)
    return abs(area) / (2 * math.pi)


def dot(x: Vector, y: Vector) -> Number:
    """Scalar product."""
    return x[0] * y[0] + x[1] * y[1] + x[2] * y[2]


def cross(x: Vector, y: Vector) -> Vector:
    """Vector product."""
    return [
        x[1] * y[2] - x[2] * y[1],
        x[2] * y[0] - x[0] * y[2],
        x[0] * y[1] - x[1] * y[0],
    ]


def height(vertex: Vector, normal: Vector) -> Number:
    """Return ``normal . vertex``, or 0 if that is nothing but rounding error.

    Python's whole numbers have none.
    """
    terms = [x * n for x, n in zip(vertex, normal, strict=True)]
    total = terms[0] + terms[1] + terms[2]
    if isinstance(total, int):
        return total
    bound = abs(terms[0]) + abs(terms[1]) + abs(terms[2])
    return 0 if abs(total) <= bound * _ROUNDING else total


def _crossing(polygon: Polygon, heights: list[Number], above: int, below: int) -> Vector:
    """Return the point where the plane cuts the arc from a vertex above it to one below."""
    return [
        y * heights[above] - x * heights[below]
        for x, y in zip(polygon[above], polygon[below], strict=True)
    ]
