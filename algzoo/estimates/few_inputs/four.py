"""Accuracy of 2nd-argmax models of four inputs: exact at an angle, by quadrature over the angle.

Given the direction of (x0, x1) = r (cos phi, sin phi), the remaining space is half of a space of
three coordinates (a, b, c) = (r, x2, x3), which is cut into cells and answers as for models of
three inputs (:mod:`algzoo.structure.geometry.sweep`). For a standard Gaussian, r has the density r
exp(-r^2 / 2), so that

    P(C | phi) = (1 / pi) integral of n_a over the part of the unit sphere in C

for a cone C, with n_a the component along a of the normal. This is the share of the unit disc of
(x2, x3) that the region's projection covers, a sum over the edges of the set's outline. The
integral over phi remains. The probability is smooth in phi except for kinks. Those at x0 = 0, at x0
= x1 and where a neuron switches after x1 are known from the weights. The other kinks,
where the polygons change their shape later, are left to adaptive halving.

The cosine and sine of an angle are rounded to multiples of 2^-32, and at the resulting direction
every decision is made in exact arithmetic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...structure import Weights, as_fractions, direction, line_segments, weights_of
from ...structure.geometry.outline import Outline
from ...structure.geometry.projected_area import Point, twice_area_of_arc, twice_area_of_meridian
from ...structure.geometry.solid_angle import scaled
from ...structure.geometry.sweep import (
    Ray,
    Vertex,
    cells_of_half,
    half_given,
    new_ends,
    new_poles,
    signs_of,
    step_weights,
)
from ...zoo import Model
from ..counting.counter import CountedNumber, OperationCounter, plain
from ..estimate import Estimate, Tally, as_estimate, estimator
from ..scope import Scope
from .left_out import LeftOut
from .quadrature import Quadrature, adaptive_gauss
from .three import lifted

_BITS = 32  # binary digits of the cosine and the sine of an angle


@estimator(
    "{n_nodes} angles",
    scope=Scope("2nd_argmax", inputs=4),
    budgets=[{"n_nodes": 256}],
    runs_network="never",
    exact="converges",
    constants="none",
    source="this book",
    references=("schroeder1993",),
    cost="O(nodes d^2)",
    fails_when="there are fewer than two angles for each kink that is known",
)
def angle_quadrature(model: Model, n_nodes: int) -> Tally:
    """Accuracy of a 2nd-argmax model of four inputs by adaptive quadrature over an angle.

    The error is not stated; see :func:`angle_quadrature_with_doubt`.

    Parameters
    ----------
    model
        The model.
    n_nodes
        Largest number of angles; each costs about 5,000 operations for 4 neurons and 12,000 for 8.

    Raises
    ------
    ValueError
        If ``n_nodes`` is less than two for each interval between angles where a kink is known; 4
        (hidden_size + 2) is always enough.
    """
    return _integrated(model, n_nodes)[0]


def angle_quadrature_with_doubt(model: Model, n_nodes: int) -> tuple[Estimate, float]:
    """Accuracy of :func:`angle_quadrature`, with an indication of the error.

    The second number is :attr:`.quadrature.Quadrature.doubt`. It is usually several times the
    error, but neither a bound nor a standard deviation. The rounding of angles, less than 1e-8, is
    not included.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`angle_quadrature`.
    """
    declaration = angle_quadrature.declaration
    declaration.scope.check(model, f"{n_nodes} angles")
    tally, doubt = _integrated(model, n_nodes)
    return as_estimate(tally, declaration.runs_network), doubt


def _integrated(model: Model, n_nodes: int) -> tuple[Tally, float]:
    angles = Angles(model)
    quadrature = angles.quadrature(n_nodes)
    accuracy, doubt = (
        float(plain(integral / (2 * math.pi))) for integral in (quadrature.value, quadrature.doubt)
    )
    return Tally(accuracy, angles.counter), doubt


def accuracy_at_angle(model: Model, angle: float) -> float:
    """Probability of a right answer given the angle of (x0, x1), in radians.

    It is exact, up to a few units of 1e-16 for each arc, at the direction given by the cosine and
    the sine of the angle rounded to multiples of 2^-32.

    Raises
    ------
    ValueError
        If ``model`` is not a 2nd-argmax model of four inputs.
    """
    angle_quadrature.declaration.scope.check(model, "the accuracy at an angle")
    return float(plain(Angles(model).accuracy_at(angle)[0]))


class Angles:
    """Model prepared for evaluation at angles, and the function that is integrated."""

    def __init__(self, model: Model) -> None:
        self.counter = OperationCounter()
        self.weights = weights_of(model)
        self.integers = lifted(step_weights(self.weights, self.weights.w_oh, 4), self.counter)
        self.signs = signs_of(self.integers.inputs[0])

    def quadrature(self, n_nodes: int) -> Quadrature:
        """Integral of the probability over all angles."""
        return adaptive_gauss(lambda angle: self.accuracy_at(angle)[0], self.kinks(), n_nodes)

    def kinks(self) -> list[CountedNumber]:
        """Return the angles from -pi/2 to 3 pi/2 (both included) where a kink is known."""
        w_hi, w_hh, _ = (self.counter.lift(matrix) for matrix in as_fractions(self.weights))
        weights = Weights(w_hi, w_hh, w_hh[:0])  # no output is followed
        angles = [-math.pi / 2, math.pi / 4, math.pi / 2, 5 * math.pi / 4, 3 * math.pi / 2]
        for side in (+1, -1):
            for segment in line_segments(weights, side)[1:]:
                self.counter.counts["transcendental"] += 1
                angles.append(direction(side, plain(segment.lower)))
        # These are sorted already, except for x0 = x1 among the others of its side.
        self.counter.counts["compare"] += len(angles) - 5
        return [CountedNumber(angle, self.counter) for angle in sorted(set(angles))]

    def accuracy_at(self, angle: Any, least: float = 0.0) -> tuple[CountedNumber, float]:
        """Probability of a right answer given an angle, and the probability that was left out.

        Sectors of a probability less than ``least`` are left out: the first number is then
        conditional on the rest, and its error is at most the second.
        """
        self.counter.counts["transcendental"] += 2
        self.counter.counts["compare"] += 2  # for the rounding
        cosine, sine = (
            round(function(plain(angle)) * 2**_BITS) for function in (math.cos, math.sin)
        )
        half = half_given(self.integers, self.signs, (cosine, sine))
        area = _ProjectedArea(cosine, sine, self.counter)
        given = self.integers, self.signs, half, new_ends(), new_poles()
        if not least:
            return area.share(Outline(cells_of_half(*given))), 0.0
        missing = LeftOut(2, area.length * 2**_BITS, least, self.counter)
        share = area.share(Outline(cells_of_half(*given, missing)))
        return share / (1 - CountedNumber(missing.total, self.counter)), missing.total


class _ProjectedArea:
    """Area of projections onto the unit disc, where a (cosine, sine) = (x0, x1)."""

    def __init__(self, cosine: int, sine: int, counter: OperationCounter) -> None:
        self.counter = counter
        c, s = CountedNumber(cosine, counter), CountedNumber(sine, counter)
        self.length = counter.sqrt(c * c + s * s) / 2**_BITS  # 1 up to rounding
        self.points: dict[Vertex, Point] = {}

    def share(self, outline: Outline) -> CountedNumber:
        """Return the share of the disc."""
        total = CountedNumber(0.0, self.counter)
        for start, stop in (*outline.arcs, *(arc for _, arc in outline.lines.items())):
            total += twice_area_of_arc(self._place(start), self._place(stop), self.counter)
        for ray, (start, stop) in outline.meridians.items():
            assert isinstance(ray, Ray)
            foot = self._place(ray.foot)[:2]
            ends = self._place(start), self._place(stop)
            total += twice_area_of_meridian(foot, *ends, self.counter)
        return total / (2 * math.pi)

    def _place(self, vertex: Vertex) -> Point:
        """Coordinates (r, x2, x3) of a vertex, of moderate size."""
        if vertex not in self.points:
            a, b, c = (plain(x) for x in vertex.point)
            r, x2, x3 = self.counter.lift(np.array(scaled(a << _BITS, b, c)))
            self.points[vertex] = (r * self.length, x2, x3)
        return self.points[vertex]
