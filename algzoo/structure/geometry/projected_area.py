"""Area of a region of the sphere as seen along the axis a, edge by edge.

With n the outward normal, the integral of n over a region of the unit sphere is a sum over its
edges, taken counterclockwise: each adds half its length times the unit normal of its plane, on the
region's side. The component along a is the area of the region's projection along that axis onto the
unit disc, if the region lies in a >= 0.

References
----------
Lambert's formula for the light from a polygon: P. Schroeder and P. Hanrahan, "On the form factor
between two polygons", SIGGRAPH 1993, section 2.
"""

from __future__ import annotations

from .solid_angle import Functions
from .sweep import Number

Point = tuple[Number, Number, Number]


def twice_area_of_arc(p: Point, q: Point, functions: Functions) -> Number:
    """Twice the contribution of the arc from P to Q, shorter than pi; |P| and |Q| do not matter."""
    across_a = p[1] * q[2] - p[2] * q[1]
    across_b = p[2] * q[0] - p[0] * q[2]
    across_c = p[0] * q[1] - p[1] * q[0]
    sine = functions.sqrt(across_a * across_a + across_b * across_b + across_c * across_c)
    if sine == 0:
        return 0.0
    cosine = p[0] * q[0] + p[1] * q[1] + p[2] * q[2]
    return across_a * functions.atan2(sine, cosine) / sine


def twice_area_of_meridian(
    foot: tuple[Number, Number], start: Point, stop: Point, functions: Functions
) -> Number:
    """Twice the contribution of an arc on the meridian of the ray ``foot``, given as (a, b).

    Rays with a = 0 belong to the meridians that bound the disc.
    """
    a, b = foot
    turned = _latitude(stop, functions) - _latitude(start, functions)
    if a == 0:
        return turned if b > 0 else -turned
    return turned * b / functions.sqrt(a * a + b * b)


def _latitude(point: Point, functions: Functions) -> Number:
    a, b, c = point
    return functions.atan2(c, functions.sqrt(a * a + b * b))
