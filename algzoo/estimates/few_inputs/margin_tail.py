r"""Exact probability that a 2nd-argmax model of two or three inputs errs by more than a margin.

The margin of an error is the largest wrong logit minus the right logit. Wherever it is positive it
is linear on each of the cones on which the model is linear and neither its answer nor the right
answer changes. So the event *margin > t* is a union of cones of which a half-space is kept, ``a . x
> t``. It is not a cone, and its probability depends on the length of x.

In the direction u the margin exceeds t where the length of x exceeds t / (a . u). The length of n
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
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...structure import as_fractions, line_segments, weights_of
from ...structure.geometry.answers import answers, where_right
from ...structure.geometry.half_spaces import cross, dot
from ...structure.geometry.solid_angle import scaled
from ...structure.geometry.sweep import cells, step_weights
from ...structure.weights import Weights
from ...zoo import Model
from ..scope import Scope

_SCOPE = Scope("2nd_argmax", inputs=(2, 3))

_STEP = 0.2  # of the trapezoidal rule; its relative error is about exp(-pi^2 / (2 step))
_REACH = 34.0  # exp(-34) is the share of an interval that is left out at either end
_NEGLIGIBLE = 1e-15  # share of the result up to which triangles are left out
_HUGE = Fraction(10) ** 300  # a margin of this many thresholds is as good as an infinite one
_FARTHEST = 1000.0  # a length that a Gaussian vector exceeds with a probability below float64's

Array = NDArray[np.float64]
Ray = Any  # two or three whole numbers, of any size


def margin_tail(
    model: Model, threshold: float, *, neuron: int | None = None, answer: int | None = None
) -> float:
    """Probability that a 2nd-argmax model of two or three Gaussian inputs errs by a margin.

    Inputs are independent standard Gaussian numbers. The margin is the largest of the wrong logits
    minus the logit of the right answer; the answer is wrong where it is positive. The event is
    *margin > threshold*. At 0 its probability is the error rate, except that logits which are equal
    on a whole cone are no error here, although ``argmax`` may name the wrong one.

    Every decision is made in exact arithmetic on the stored weights. The relative error is below
    1e-10 for probabilities down to 1e-300; smaller ones may be 0.

    Parameters
    ----------
    model
        The model.
    threshold
        The margin t, in units of the logits; 0 or more. It may be infinite.
    neuron
        If it is given, only errors while this neuron is active after the last input are counted.
    answer
        If it is given, only errors in which the model gives this answer are counted.

    Returns
    -------
    float
        The probability: exactly 0 if the margin is nowhere positive.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs, or if ``threshold`` is
        negative or no number, or if there is no such neuron or
        answer.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> model = zoo_2nd_argmax(2, 2)
    >>> [float(f"{margin_tail(model, t):.6g}") for t in (0, 0.1, 1)]
    [7.73535e-05, 3.02878e-05, 3.55092e-12]
    """
    _SCOPE.check(model, "the tail of the margin")
    if not threshold >= 0:
        raise ValueError(f"threshold, a margin of the logits, must be 0 or more, got {threshold}")
    for name, position, size in (
        ("neuron", neuron, model.hidden_size),
        ("answer", answer, model.seq_len),
    ):
        if position is not None and position not in range(size):
            raise ValueError(f"{name} must be from 0 to {size - 1}, got {position}")
    if threshold == math.inf:
        return 0.0
    parts = _parts_of_plane if model.seq_len == 2 else _parts_of_space
    found = parts(model, neuron, answer)
    level = Fraction(float(threshold))
    simplices = [simplex for part in found for simplex in _simplices(part, level)]
    simplices.sort(key=lambda simplex: -simplex.bound)
    bounds = np.array([simplex.bound for simplex in simplices])
    bounds_after = np.cumsum(bounds[::-1])[::-1]
    total = 0.0
    for simplex, left in zip(simplices, bounds_after, strict=True):
        if left <= _NEGLIGIBLE * total:
            break
        total += simplex.probability()
    return float(total)


class _Part(NamedTuple):
    """Convex cone with the linear margin on it, which is nowhere negative there."""

    gradient: Sequence[int]  # the margin is gradient . x / denominator
    denominator: int
    rays: list[Ray]  # in order around the cone

    def margin(self, ray: Ray) -> int:
        return sum(a * x for a, x in zip(self.gradient, ray, strict=True))


def _parts_of_plane(model: Model, neuron: int | None, wanted: int | None) -> Iterator[_Part]:
    w_hi, w_hh, w_oh = as_fractions(weights_of(model))
    difference = Weights(w_hi, w_hh, w_oh[1:] - w_oh[:1])
    for side in (+1, -1):
        for segment in line_segments(difference, side):
            if neuron is not None and not segment.active[1][neuron]:
                continue
            # x0 > x1, and 1 is right, where t = x1 / abs(x0) is below the side.
            for lower, upper, sign in (
                (segment.lower, min(segment.upper, side), -1),
                (max(segment.lower, side), segment.upper, +1),
            ):
                if not lower < upper or wanted == (sign < 0):
                    continue
                constant, slope = sign * segment.constant[0], sign * segment.slope[0]
                if slope > 0:
                    lower = max(lower, -constant / slope)
                elif slope < 0:
                    upper = min(upper, -constant / slope)
                if lower < upper and (slope != 0 or constant > 0):
                    row = (Fraction(side * constant), Fraction(slope))
                    denominator = math.lcm(*(number.denominator for number in row))
                    gradient = [int(number * denominator) for number in row]
                    yield _Part(gradient, denominator, [_ray(side, lower), _ray(side, upper)])


def _ray(side: int, t: Fraction | float) -> Ray:
    """Return the ray through (side, t); t may be infinite."""
    if isinstance(t, float) and math.isinf(t):
        return (0, 1 if t > 0 else -1)
    t = Fraction(t)
    return (side * t.denominator, t.numerator)


def _parts_of_space(model: Model, neuron: int | None, wanted: int | None) -> Iterator[_Part]:
    """Yield the parts for three inputs, in the coordinates abs(x0), x1 and x2."""
    weights = weights_of(model)
    w_oh = as_fractions(weights).w_oh
    integers = step_weights(weights, np.stack([w_oh[1] - w_oh[0], w_oh[2] - w_oh[0]]))
    for cell in cells(integers):
        if neuron is not None and not cell.active[-1][neuron]:
            continue
        logits = [(0, 0, 0), *cell.planes]  # all less the first
        for answer, polygon in answers(cell):
            if wanted not in (None, answer):
                continue
            for right in {0, 1, 2} - {answer}:
                gradient = [a - b for a, b in zip(logits[answer], logits[right], strict=True)]
                if any(gradient):
                    rays = [vertex.point for vertex, _ in where_right(cell, polygon, right)]
                    if rays:
                        yield _Part(gradient, integers.denominator, rays)


def _simplices(part: _Part, level: Fraction) -> Iterator[_Simplex]:
    """Cut a part into intervals or triangles whose first corner is where the margin is largest."""
    rays: list[Ray] = []
    edges = list(pairwise(part.rays))
    if len(part.gradient) == 3:
        edges.append((part.rays[-1], part.rays[0]))
    for q, r in edges:
        rays.append(q)
        margin_q, margin_r, product = part.margin(q), part.margin(r), _dot(q, r)
        # The margin per length is largest at along_q q + along_r r, the gradient's projection.
        along_q = margin_q * _dot(r, r) - margin_r * product
        along_r = margin_r * _dot(q, q) - margin_q * product
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


def _dot(x: Ray, y: Ray) -> int:
    return sum(a * b for a, b in zip(x, y, strict=True))


class _Corner(NamedTuple):
    """Corner of a simplex: an exact ray, and rounded once the unit vector and its margin."""

    ray: Ray
    length: float  # of the ray in units of ``scale``
    scale: int
    unit: Array
    ratio: float  # margin of the unit vector over the threshold

    @classmethod
    def of(cls, ray: Ray, part: _Part, level: Fraction) -> _Corner:
        scale = 1 << max(abs(x) for x in ray).bit_length()
        coordinates = np.array(scaled(*ray))
        length = math.sqrt(coordinates @ coordinates)
        margin = Fraction(part.margin(ray), part.denominator * scale) / Fraction(length)
        if level:
            margin /= level
        elif margin > 0:
            margin = _HUGE
        ratio = float(min(margin, _HUGE))
        return cls(ray, length, scale, coordinates / length, ratio)


class _Simplex(NamedTuple):
    """Interval or triangle between unit vectors."""

    corners: tuple[_Corner, ...]
    volume: float  # abs(det) of the unit vectors at the corners
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
        tail = _tail(np.array([1 / highest if highest > 0 else math.inf]), len(rays))[0]
        return cls(corners, volume, _share(volume, corners) * float(tail))

    def probability(self) -> float:
        """Mean of S_n over all directions, those outside counting as 0."""
        x = [corner.unit for corner in self.corners]
        ratios = [corner.ratio for corner in self.corners]
        near, far, weights = _nodes(_REACH)
        if len(x) == 2:
            square = sum((near * p + far * q) ** 2 for p, q in zip(*x, strict=True))
            margin = near * ratios[0] + far * ratios[1]
            terms = weights * _tail(_quotient(np.sqrt(square), margin), 2) / square
            return self.volume * math.fsum(terms) / (2 * math.pi)
        # Near the first corner the triangle is narrow: m m' dy falls as exp(2 y).
        off, m, weights_m = (column[:, None] for column in _nodes(0.6 * _REACH))
        square = sum((off * p + m * (near * q + far * r)) ** 2 for p, q, r in zip(*x, strict=True))
        margin = off * ratios[0] + m * (near * ratios[1] + far * ratios[2])
        length = np.sqrt(square)
        values = _tail(_quotient(length, margin), 3) / (square * length)
        total = float(np.einsum("m,ml,l->", (m * weights_m)[:, 0], values, weights))
        return self.volume * total / (4 * math.pi)


def _nodes(reach: float) -> tuple[Array, Array, Array]:
    """Return 1 - l, l and the weights of an integral over l from 0 to 1; y begins at -reach."""
    y = np.arange(-math.ceil(reach / _STEP), math.ceil(_REACH / _STEP) + 1) * _STEP
    one_less, share = special.expit(-y), special.expit(y)
    return one_less, share, one_less * share * _STEP


def _quotient(length: Array, margin: Array) -> Array:
    """Return ``length / margin``, at most the length beyond which there is no probability."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.minimum(length / margin, _FARTHEST)


def _tail(r: Array, n_inputs: int) -> Array:
    """Probability that a standard Gaussian vector of two or three inputs is longer than r."""
    r = np.minimum(r, _FARTHEST)
    density = np.exp(-0.5 * r * r)
    if n_inputs == 2:
        return density
    tail: Array = special.erfc(r / math.sqrt(2)) + math.sqrt(2 / math.pi) * r * density
    return tail


def _share(volume: float, corners: tuple[_Corner, ...]) -> float:
    """Share of all directions."""
    p, q = corners[0].unit, corners[1].unit
    if len(corners) == 2:
        return math.atan2(volume, p @ q) / (2 * math.pi)
    r = corners[2].unit
    return math.atan2(volume, 1 + p @ q + q @ r + r @ p) / (2 * math.pi)
