r"""Exact probability that a piecewise linear function of two or three inputs exceeds a level.

The inputs are independent standard Gaussian numbers. On each of a set of convex cones the function
is linear, ``a . x``, and nowhere negative. The event ``a . x > t`` is not a cone, and its
probability depends on the length of x.

In the direction u the function exceeds t where the length of x exceeds t / (a . u). The length of n
standard Gaussian numbers is independent of their direction and has the tail

    S_2(r) = exp(-r^2 / 2),    S_3(r) = erfc(r / sqrt 2) + sqrt(2 / pi) r exp(-r^2 / 2),

so that the probability is the mean of S_n(t / (a . u)) over all directions u, those with a . u <= 0
counting as 0. No term is negative: nothing cancels, and small probabilities keep their digits. For
two inputs the integral over a cone is a difference of two values of Owen's T function. Those do
cancel, so that it is not used here.

A cone is cut into triangles (two inputs: intervals) with a corner at the direction where a . u is
largest. With x running over the plane through the unit vectors p, q and r at the corners,

    x = (1 - m) p + m ((1 - l) q + l r),
    P = det(p, q, r) / (4 pi)  integral of S_3(t abs(x) / (a . x)) / abs(x)^3  m dm dl.

The integrand may be steep near any corner: it falls like exp(-m / w) from a peak or like exp(-w /
m^2) towards a tie, where w may be of any size. Therefore l and m are logistic functions 1 / (1 +
exp(-y)), and y has equidistant nodes: the trapezoidal rule then converges exponentially, at all
scales of w alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...structure.geometry.half_spaces import cross, dot
from ...structure.geometry.solid_angle import scaled
from ..counting.counter import OperationCounter

_STEP = 0.2  # of the trapezoidal rule; its relative error is about exp(-pi^2 / (2 step))
_REACH = 34.0  # exp(-34) is the share of an interval that is left out at either end
_NEGLIGIBLE = 1e-15  # share of the result up to which triangles are left out
_HUGE = Fraction(10) ** 300  # a value of this many levels is as good as an infinite one
_FARTHEST = 1000.0  # a length that a Gaussian vector exceeds with a probability below float64's

Array = NDArray[np.float64]
Ray = Any  # two or three whole numbers, of any size


class LinearPart(NamedTuple):
    """Convex cone with a linear function on it, which is nowhere negative there.

    Attributes
    ----------
    gradient, denominator
        The function is ``gradient @ x / denominator``.
    rays
        The cone's edges, in order around it.
    """

    gradient: Sequence[int]
    denominator: int
    rays: list[Ray]

    def value(self, ray: Ray) -> int:
        """Return the function at a point, times the denominator."""
        return sum(a * x for a, x in zip(self.gradient, ray, strict=True))


def parts_by_sign(whole: LinearPart) -> Iterator[LinearPart]:
    """Cut a cone where a function changes its sign, and yield both parts with its absolute value.

    No two of the cone's rays may be opposite.
    """
    values = [whole.value(ray) for ray in whole.rays]
    for sign in (+1, -1):
        if not any(sign * value > 0 for value in values):
            continue
        rays: list[Ray] = []
        for (q, at_q), (r, at_r) in _edges(list(zip(whole.rays, values, strict=True))):
            if sign * at_q >= 0:
                rays.append(q)
            if at_q * at_r < 0:
                rays.append([x * abs(at_r) + y * abs(at_q) for x, y in zip(q, r, strict=True)])
        if len(whole.gradient) == 2 and sign * values[-1] >= 0:
            rays.append(whole.rays[-1])
        yield LinearPart([sign * a for a in whole.gradient], whole.denominator, rays)


def tail(
    parts: Iterable[LinearPart], level: float, counter: OperationCounter | None = None
) -> float:
    """Probability that the function is positive and exceeds a level of 0 or more.

    The relative error is below 1e-10 for probabilities down to 1e-300; smaller ones may be 0. The
    operations on numbers that are not exact are counted, those of angles and of the quadrature.
    """
    if level == math.inf:
        return 0.0
    exact = Fraction(float(level))
    simplices = [simplex for part in parts for simplex in _simplices(part, exact)]
    counter = counter or OperationCounter()
    counter.charge("transcendental", len(simplices))  # an angle or an area each
    if not level:
        return math.fsum(simplex.bound for simplex in simplices)  # their shares of all directions
    simplices.sort(key=lambda simplex: -simplex.bound)
    bounds = np.array([simplex.bound for simplex in simplices])
    bounds_after = np.cumsum(bounds[::-1])[::-1]
    total = 0.0
    for simplex, left in zip(simplices, bounds_after, strict=True):
        if left <= _NEGLIGIBLE * total:
            break
        total += simplex.probability(counter)
    return float(total)


def _simplices(part: LinearPart, level: Fraction) -> Iterator[_Simplex]:
    """Cut a part into intervals or triangles whose first corner is where its value is largest."""
    rays: list[Ray] = []
    edges = _edges(part.rays)
    for q, r in edges:
        rays.append(q)
        value_q, value_r, product = part.value(q), part.value(r), _dot(q, r)
        # The value per length is largest at along_q q + along_r r, the gradient's projection.
        along_q = value_q * _dot(r, r) - value_r * product
        along_r = value_r * _dot(q, q) - value_q * product
        if along_q > 0 and along_r > 0:
            rays.append([along_q * x + along_r * y for x, y in zip(q, r, strict=True)])
    if len(part.gradient) == 2:
        rays.append(part.rays[-1])
        corners = [_Corner.of(ray, part, level) for ray in rays]
        for one, other in pairwise(corners):
            yield _Simplex.of((one, other) if one.ratio >= other.ratio else (other, one))
        return
    corners = [_Corner.of(ray, part, level) for ray in rays]
    turned = [dot(part.gradient, cross(q, r)) for q, r in edges]
    if all(volume > 0 for volume in turned) or all(volume < 0 for volume in turned):
        peak = _Corner.of(part.gradient, part, level)
    else:
        peak = max(corners, key=lambda corner: corner.ratio)
    for one, other in zip(corners, corners[1:] + corners[:1], strict=True):
        simplex = _Simplex.of((peak, one, other))
        if simplex.volume > 0:
            yield simplex


def _edges(corners: list[Any]) -> list[tuple[Any, Any]]:
    """Pair neighbours around a cone: two rays have one edge, a polygon as many as corners."""
    return [*pairwise(corners), *([(corners[-1], corners[0])] if len(corners) > 2 else [])]


def _dot(x: Ray, y: Ray) -> int:
    return sum(a * b for a, b in zip(x, y, strict=True))


class _Corner(NamedTuple):
    """Corner of a simplex: an exact ray, and rounded once the unit vector and its value."""

    ray: Ray
    length: float  # of the ray in units of ``scale``
    scale: int
    unit: Array
    ratio: float  # value at the unit vector over the level

    @classmethod
    def of(cls, ray: Ray, part: LinearPart, level: Fraction) -> _Corner:
        scale = 1 << max(abs(x) for x in ray).bit_length()
        coordinates = np.array(scaled(*ray))
        length = math.sqrt(coordinates @ coordinates)
        value = Fraction(part.value(ray), part.denominator * scale) / Fraction(length)
        if level:
            value /= level
        elif value > 0:
            value = _HUGE
        ratio = float(min(value, _HUGE))
        return cls(ray, length, scale, coordinates / length, ratio)


class _Simplex(NamedTuple):
    """Interval or triangle between unit vectors."""

    corners: tuple[_Corner, ...]
    volume: float  # abs(det) of the unit vectors at the corners
    share: float  # of all directions
    bound: float  # no less than the probability

    @classmethod
    def of(cls, corners: tuple[_Corner, ...]) -> _Simplex:
        rays = [corner.ray for corner in corners]
        if len(rays) == 2:
            (a, b), (c, d) = rays
            determinant = a * d - b * c
        else:
            determinant = dot(rays[0], cross(rays[1], rays[2]))
        exact = Fraction(abs(determinant), math.prod(corner.scale for corner in corners))
        volume = float(exact) / math.prod(corner.length for corner in corners)
        highest = max(corner.ratio for corner in corners)
        beyond = _tail(np.array([1 / highest if highest > 0 else math.inf]), len(rays))[0]
        share = _share(volume, corners)
        return cls(corners, volume, share, share * float(beyond))

    def probability(self, counter: OperationCounter) -> float:
        """Mean of S_n over all directions, those outside counting as 0."""
        x = [corner.unit for corner in self.corners]
        ratios = [corner.ratio for corner in self.corners]
        near, far, weights = _nodes(_REACH)
        n = len(x)
        size = len(near) * (len(_nodes(0.6 * _REACH)[0]) if n == 3 else 1)
        # A node: n coordinates of n products, their squares, the value, quotient, tail and sum; a
        # root and an exponential function, for three inputs also erfc.
        counter.charge("multiply_add", size * (n * n + 2 * n + 5))
        counter.charge("transcendental", size * n)
        if len(x) == 2:
            square = sum((near * p + far * q) ** 2 for p, q in zip(*x, strict=True))
            value = near * ratios[0] + far * ratios[1]
            terms = weights * _tail(_quotient(np.sqrt(square), value), 2) / square
            return self.volume * math.fsum(terms) / (2 * math.pi)
        # Near the first corner the triangle is narrow: m m' dy falls as exp(2 y).
        off, m, weights_m = (column[:, None] for column in _nodes(0.6 * _REACH))
        square = sum((off * p + m * (near * q + far * r)) ** 2 for p, q, r in zip(*x, strict=True))
        value = off * ratios[0] + m * (near * ratios[1] + far * ratios[2])
        length = np.sqrt(square)
        values = _tail(_quotient(length, value), 3) / (square * length)
        total = float(np.einsum("m,ml,l->", (m * weights_m)[:, 0], values, weights))
        return self.volume * total / (4 * math.pi)


def _nodes(reach: float) -> tuple[Array, Array, Array]:
    """Return 1 - l, l and the weights of an integral over l from 0 to 1; y begins at -reach."""
    y = np.arange(-math.ceil(reach / _STEP), math.ceil(_REACH / _STEP) + 1) * _STEP
    one_less, share = special.expit(-y), special.expit(y)
    return one_less, share, one_less * share * _STEP


def _quotient(length: Array, value: Array) -> Array:
    """Return ``length / value``, at most the length beyond which there is no probability."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.minimum(length / value, _FARTHEST)


def _tail(r: Array, n_inputs: int) -> Array:
    """Probability that a standard Gaussian vector of two or three inputs is longer than r."""
    r = np.minimum(r, _FARTHEST)
    density = np.exp(-0.5 * r * r)
    if n_inputs == 2:
        return density
    tail: Array = special.erfc(r / math.sqrt(2)) + math.sqrt(2 / math.pi) * r * density
    return tail


def share(rays: Sequence[Ray]) -> float:
    """Share of all directions in the cone with these edges, in order around it."""
    zero = LinearPart([0] * len(rays[0]), 1, list(rays))
    corners = [_Corner.of(ray, zero, Fraction(0)) for ray in rays]
    if len(rays[0]) == 2:
        return _Simplex.of((corners[0], corners[1])).share
    fan = ((corners[0], q, r) for q, r in pairwise(corners[1:]))
    return math.fsum(_Simplex.of(triangle).share for triangle in fan)


def _share(volume: float, corners: tuple[_Corner, ...]) -> float:
    """Share of all directions."""
    p, q = corners[0].unit, corners[1].unit
    if len(corners) == 2:
        return math.atan2(volume, p @ q) / (2 * math.pi)
    r = corners[2].unit
    return math.atan2(volume, 1 + p @ q + q @ r + r @ p) / (2 * math.pi)
