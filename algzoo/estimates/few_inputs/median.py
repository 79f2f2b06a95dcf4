r"""Exact mean squared error of median models of two and three inputs.

The network is positively homogeneous and piecewise linear, and so is the median. On each cone C of
:mod:`algzoo.structure.geometry.median_cones` the error, output minus median, is a linear function v
. x, so that the mean squared error is a sum of v^T M v with the Gaussian second moments M = E[x
x^T; C].

These are closed forms. The density of a standard Gaussian satisfies x p(x) = -grad p(x), so by
Gauss's theorem, for any cone with plane faces F and their inward unit normals n,

    E[x x^T; C] = P(C) I + sum over F of n m^T,    m = integral of x p(x) over F.

The faces of a cone of two inputs are rays along unit vectors u, where m = u / (2 pi); those of a
cone of three are sectors between unit vectors q and r, counterclockwise seen from outside, where
m = tan(theta / 2) (q + r) / (4 pi) and n = (q x r) / sin(theta). With d the angle of the cone, A
its solid angle and e(u) = v . u,

    two inputs:    2 pi E[e^2; C] = d |v|^2 + sum of (v . n) e(u)
    three inputs:  4 pi E[e^2; C] = A |v|^2 + sum of v . (q x r) (e(q) + e(r)) / (1 + q . r).

Where the cone is narrow, as between two neurons that switch almost together, or where the error is
small on all of it although v is large, the terms nearly cancel. They are therefore computed as
decimal numbers, with enough digits to give the digits of the sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Context, Decimal, getcontext, localcontext
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from mpmath import libmp

from ...structure import Segment, Weights, as_fractions, line_segments, weights_of
from ...structure.geometry.half_spaces import cross, dot
from ...structure.geometry.median_cones import (
    MedianCone,
    MedianPart,
    check_is_median_model,
    median_cones,
    median_parts,
)
from ...structure.geometry.sweep import StepWeights, Vertex, step_weights
from ...zoo import Model, OneLayerRNN
from ..counting.counter import CountedNumber, OperationCounter, plain
from ..estimate import EXACT, Tally, estimator
from ..scope import Scope
from .two import angle_between

Number = Any  # counted fractions, integers, decimals or floats

_DIGITS = 50  # at first; enough for nearly all cones
_KEPT = 20  # least digits of a sum: those of float64, and some for the errors of the terms


@estimator("exact squared error", scope=Scope("median", inputs=(2, 3)), budgets=(), **EXACT)
def squared_error(model: Model) -> Tally:
    """Exact mean squared error of a median model of two or three standard Gaussian inputs.

    Every decision is made in exact arithmetic, and the contribution of a cone is rounded once, so
    that the relative error is a few units of 1e-16.

    Raises
    ------
    ValueError
        If the outputs are too large for float64.
    """
    counter = OperationCounter()
    total = CountedNumber(0.0, counter)
    for square in _squares(model, counter):
        total += square
    return Tally(max(float(plain(total)), 0.0), counter, std=0.0)


def squared_error_by_cone(model: OneLayerRNN) -> list[tuple[MedianCone, float]]:
    """Return the cones of a median model with the contribution of each to the mean squared error.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`squared_error`.
    """
    squares = [float(plain(square)) for square in _squares(model, OperationCounter())]
    return list(zip(median_cones(model), squares, strict=True))


def _squares(model: Model, counter: OperationCounter) -> Iterator[Number]:
    """Yield E[(output - median)^2; C] for all cones, in the order of :func:`median_cones`."""
    check_is_median_model(model)
    assert isinstance(model, OneLayerRNN)
    of_length = _squares_in_plane if model.seq_len == 2 else _squares_on_sphere
    try:
        yield from of_length(weights_of(model), counter)
    except OverflowError as error:
        raise ValueError("The model's outputs overflow float64") from error


def _squares_in_plane(weights: Weights, counter: OperationCounter) -> Iterator[Number]:
    fractions = Weights(*(counter.lift(matrix) for matrix in as_fractions(weights)))
    for segment in line_segments(fractions, +1) + line_segments(fractions, -1)[::-1]:
        # In the coordinates abs(x0) and x1.
        v = (segment.constant[0] - Fraction(segment.side, 2), segment.slope[0] - Fraction(1, 2))
        size = v[0] * v[0] + v[1] * v[1]
        of_rays = _term_of_ray(v, segment.lower) - _term_of_ray(v, segment.upper)
        yield _summed(partial(_terms_in_plane, segment, size, of_rays, counter)) / (2 * math.pi)


def _terms_in_plane(
    segment: Segment, size: Number, of_rays: Number, counter: OperationCounter
) -> tuple[Number, Number]:
    """2 pi E[e^2; C] and abs(v)^2, in the context's digits."""

    def atan2(y: Number, x: Number) -> Number:
        return _angle(_decimal(y, counter), _decimal(x, counter))

    angle = angle_between(segment.lower, segment.upper, atan2)
    rounded = _decimal(size, counter)
    return rounded * angle + _decimal(of_rays, counter), rounded


def _term_of_ray(v: tuple[Number, Number], t: Number) -> Number:
    """(v . n) e(u) on the ray through (1, t), where n points to larger t."""
    if abs(t) == math.inf:
        return -(v[0] * v[1])
    return (v[1] - v[0] * t) * (v[0] + v[1] * t) / (t * t + 1)


def _summed(terms: Callable[[], tuple[Number, Number]]) -> Number:
    """Sum ``terms`` over a cone, with enough digits for the cancellation, rounded to float64.

    ``terms`` returns the sum and abs(v)^2, the size of what is added. Raises ``OverflowError`` if
    the sum is too large for float64.
    """
    digits = _DIGITS
    while True:
        with localcontext(Context(prec=digits)):
            total, size = terms()
        # Exponents only determine the number of digits; this is bookkeeping and not counted.
        value, largest = plain(total), plain(size)
        if largest == 0 or (value > 0 and value.adjusted() >= largest.adjusted() + _KEPT - digits):
            break
        digits *= 2
    rounded = float(value)
    if math.isinf(rounded):
        raise OverflowError
    return CountedNumber(rounded, total.counter)


def _decimal(number: Number, counter: OperationCounter) -> CountedNumber:
    """Convert a number to the context's digits; this is bookkeeping and not counted."""
    exact = plain(number)
    return CountedNumber(Decimal(exact.numerator) / exact.denominator, counter)


def _angle(y: CountedNumber, x: CountedNumber) -> CountedNumber:
    """Angle of the point (x, y) in the context's digits; one transcendental operation."""
    y.counter.counts["transcendental"] += 1
    digits = getcontext().prec
    bits = libmp.dps_to_prec(digits)
    place = (libmp.from_str(str(coordinate.value), bits) for coordinate in (y, x))
    return CountedNumber(Decimal(libmp.to_str(libmp.mpf_atan2(*place, bits), digits)), y.counter)


def _squares_on_sphere(weights: Weights, counter: OperationCounter) -> Iterator[Number]:
    integers = step_weights(weights, weights.w_oh)
    inputs, w_hh, readout = (
        counter.lift(np.array(matrix, dtype=object)).tolist()
        for matrix in (integers.inputs, integers.w_hh, integers.readout)
    )
    squares = _SquaresOnSphere(integers.denominator, counter)
    for part in median_parts(StepWeights(inputs, w_hh, readout, integers.denominator)):
        yield squares.of(part)


class _Place(NamedTuple):
    """A vertex as a unit vector, the length of its integer coordinates, and the error there."""

    unit: tuple[Number, Number, Number]
    length: Number
    error: Number
    digits: int


class _SquaresOnSphere:
    """E[e^2; C] for cones of three inputs, in the coordinates abs(x0), x1 and x2.

    A cone lies in one order of the inputs on one side of x0 = 0, so that no two of its rays are
    nearly opposite.
    """

    def __init__(self, denominator: int, counter: OperationCounter) -> None:
        self.denominator = denominator
        self.counter = counter
        self.places: dict[Vertex, _Place] = {}

    def of(self, part: MedianPart) -> Number:
        """Return E[e^2; C] of one part; raise ``OverflowError`` if it is too large for float64."""
        first, *others = (vertex.point for vertex, _ in part.polygon)
        volumes = [dot(first, cross(q, r)) for q, r in pairwise(others)]
        return _summed(partial(self._terms, part, volumes)) / (4 * math.pi)

    def _terms(self, part: MedianPart, volumes: list[Number]) -> tuple[Number, Number]:
        """4 pi E[e^2; C] and abs(v)^2, in the context's digits."""
        places = [self._place(vertex, part) for vertex, _ in part.polygon]
        v = self._gradient(part)
        size = dot(v, v)
        total = size * self._area(places, volumes)
        for q, r in zip(places, places[1:] + places[:1], strict=True):
            across = dot(v, cross(q.unit, r.unit))
            total += across * (q.error + r.error) / (dot(q.unit, r.unit) + 1)
        return total, size

    def _gradient(self, part: MedianPart) -> list[Number]:
        """Coefficients of output minus median."""
        scaled_error = list(part.cell.planes[0])
        side = part.cell.half.earlier[0] if part.position == 0 else 1
        scaled_error[part.position] -= self.denominator * side
        return [self._quotient(x) for x in scaled_error]

    def _place(self, vertex: Vertex, part: MedianPart) -> _Place:
        """Return a vertex with at least the context's digits."""
        digits = getcontext().prec
        if vertex not in self.places or self.places[vertex].digits < digits:
            a, b, c = vertex.point
            median = c if part.position == 2 else part.cell.half.input_at(part.position, a, b)
            error = part.cell.values(vertex)[0] - median * self.denominator
            x = [_decimal(coordinate, self.counter) for coordinate in vertex.point]
            length = self._square_root(dot(x, x))
            unit = (x[0] / length, x[1] / length, x[2] / length)
            self.places[vertex] = _Place(unit, length, self._quotient(error) / length, digits)
        return self.places[vertex]

    def _area(self, places: list[_Place], volumes: list[Number]) -> Number:
        """Return the solid angle, as a fan of triangles whose volumes are given.

        Source: A. van Oosterom and J. Strackee, "The solid angle of a plane triangle", IEEE
        Transactions on Biomedical Engineering, 1983.
        """
        half_area = CountedNumber(Decimal(0), self.counter)
        p, *others = places
        for (q, r), volume in zip(pairwise(others), volumes, strict=True):
            below = dot(p.unit, q.unit) + dot(q.unit, r.unit) + dot(r.unit, p.unit) + 1
            lengths = p.length * q.length * r.length
            half_area += _angle(_decimal(volume, self.counter) / lengths, below)
        return half_area * 2

    def _quotient(self, scaled: Number) -> CountedNumber:
        """Divide an integer by the weights' denominator; this is bookkeeping and not counted."""
        return _decimal(Fraction(plain(scaled), self.denominator), self.counter)

    def _square_root(self, number: CountedNumber) -> CountedNumber:
        self.counter.counts["transcendental"] += 1
        return CountedNumber(plain(number).sqrt(), self.counter)
