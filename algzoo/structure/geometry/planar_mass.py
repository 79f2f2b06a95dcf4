"""Probability of a region of the plane under Student's distribution, edge by edge.

Two independent standard Gaussian numbers divided by the length of p further ones are a point (s, t)
of the plane; it is closer to the origin than rho with the probability G = 1 - (1 + rho^2)^(-p/2).
By Gauss's theorem the probability of a region is a sum over its edges, taken counterclockwise. An
edge on a line at the distance delta from the origin adds

    delta / (2 pi)  integral of G(rho) / rho^2 dx,  rho^2 = x^2 + delta^2,

with x along the line. With w^2 = 1 + delta^2 and J_q the integral of (x^2 + w^2)^(-q/2), 2 pi times
that is delta (J_2 + J_4 + ... + J_p) for even p, and for odd p

    atan(x / delta) - atan(x / (delta sqrt(x^2 + w^2))) + delta (J_3 + J_5 + ... + J_p).

Points are given in homogeneous coordinates (a, b, c), a >= 0: s = b / a and t = c / a; points with
a = 0 are at infinity.
"""

from __future__ import annotations

import math

from .solid_angle import Functions
from .sweep import Number

Point = tuple[Number, Number, Number]


def mass_of_edge(p: Point, q: Point, n_given: int, functions: Functions) -> Number:
    """Contribution of the edge from P to Q, which are not both at infinity; ``n_given`` is p above.

    A whole line must be cut in two.
    """
    across_a = p[1] * q[2] - p[2] * q[1]
    across_b = p[2] * q[0] - p[0] * q[2]
    across_c = p[0] * q[1] - p[1] * q[0]
    length = functions.sqrt(across_b * across_b + across_c * across_c)
    if length == 0 or across_a == 0:
        return 0.0
    delta = across_a / length
    w = functions.sqrt(1 + delta * delta)
    total: Number = 0.0
    for point, sign in ((q, 1), (p, -1)):
        along = (across_c * point[1] - across_b * point[2]) / length
        total = total + _integral(along, point[0], delta, w, n_given, functions) * sign
    return total / (2 * math.pi)


def mass_at_infinity(rising: bool, p: Point, q: Point, functions: Functions) -> Number:
    """Contribution of an arc at infinity from P to Q, on the side where b > 0 or where b < 0.

    ``rising`` says that it is the first of these sides, on which c rises counterclockwise.
    """
    turned = functions.atan2(q[2], abs(q[1])) - functions.atan2(p[2], abs(p[1]))
    return (turned if rising else -turned) / (2 * math.pi)


def _integral(
    along: Number, a: Number, delta: Number, w: Number, n_given: int, functions: Functions
) -> Number:
    """2 pi times the integral up to x = ``along / a``, which is infinite where a is 0."""
    # (x, root) / length are sine and cosine of an angle: x over the root of x^2 + w^2.
    height = w * a
    root = functions.sqrt(along * along + height * height)
    sine = along / root
    shrink = a / root  # 1 / sqrt(x^2 + w^2)
    w_2 = w * w
    if n_given % 2 == 0:
        term = functions.atan2(along, height) / w  # J_2
        total, q = term, 2
    else:
        term = sine / w_2  # J_3
        total, q = term, 3
    # J_(q + 2) = (x (x^2 + w^2)^(-q/2) + (q - 1) J_q) / (q w^2)
    power = sine * (shrink if q == 2 else shrink * shrink)
    while q < n_given:
        term = (power + term * (q - 1)) / (w_2 * q)
        total = total + term
        power = power * (shrink * shrink)
        q += 2
    total = total * delta
    if n_given % 2:
        total = total + functions.atan2(along, a * abs(delta)) * _sign(delta)
        total = total - functions.atan2(sine, abs(delta)) * _sign(delta)
    return total


def _sign(number: Number) -> int:
    return 1 if number > 0 else -1
