"""The linear pieces of a model of two inputs, found exactly.

A bias-free ReLU network is positively homogeneous, so it is determined by its values on the two
lines x0 = +1 and x0 = -1; on each, everything is a piecewise linear function of the one number
t = x1 / abs(x0). With side s = sign(x0):

    after x0:  h1[i] = ReLU(s W_hi[i])                          (constant on the line)
    after x1:  z[j] = A[j] + W_hi[j] t,   A = W_hh h1           (one root: t = -A[j] / W_hi[j])
    readout:   W_oh ReLU(z) = constant + slope t                between two consecutive roots

The functions here use only +, -, *, / and comparisons. Called with fractions they make no rounding
error at all, so that coinciding rays coincide and dead pieces are exactly zero.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from math import atan, inf, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..zoo import OneLayerRNN
from .weights import Weights, weights_of

Number = Any  # float, Fraction or anything else with ordered-field arithmetic


@dataclass(frozen=True)
class Segment:
    """A maximal interval of the line x0 = side on which every neuron keeps its state.

    There, ``readout = constant + slope * t`` with ``t = x1 / abs(x0)`` between ``lower`` and
    ``upper`` (``-inf`` and ``inf`` at the ends of the line).
    """

    side: int
    lower: Number
    upper: Number
    active: tuple[NDArray[np.bool_], NDArray[np.bool_]]  # after x0, after x1; each (hidden_size,)
    constant: NDArray[Any]  # (output_size,)
    slope: NDArray[Any]  # (output_size,)


def line_segments(weights: Weights, side: int) -> list[Segment]:
    """Segments of the line x0 = side (+1 or -1), by increasing t."""
    w_hi, w_hh, w_oh = weights
    first_active = np.array([w > 0 if side > 0 else w < 0 for w in w_hi], dtype=bool)
    first_state = abs(w_hi[first_active])
    offset = _matvec(w_hh[:, first_active], first_state)

    roots = [(-a / w, j) for j, (a, w) in enumerate(zip(offset, w_hi, strict=True)) if w != 0]
    roots.sort(key=lambda root_and_neuron: root_and_neuron[0])
    # Far down the line, z[j] has the sign of -W_hi[j]; without input, always that of A[j].
    active = np.array(
        [w < 0 or (w == 0 and a > 0) for a, w in zip(offset, w_hi, strict=True)], dtype=bool
    )
    constant = _matvec(w_oh[:, active], offset[active])
    slope = _matvec(w_oh[:, active], w_hi[active])

    segments = []
    lower: Number = -inf
    for t, neuron in [*roots, (inf, None)]:
        if t != lower:  # equal where two neurons switch together
            pattern = (first_active, active.copy())
            segments.append(Segment(side, lower, t, pattern, constant.copy(), slope.copy()))
            lower = t
        if neuron is not None:
            step = operator.sub if active[neuron] else operator.add
            active[neuron] = not active[neuron]
            constant = step(constant, w_oh[:, neuron] * offset[neuron])
            slope = step(slope, w_oh[:, neuron] * w_hi[neuron])
    return segments


def _matvec(matrix: NDArray[Any], vector: NDArray[Any]) -> NDArray[Any]:
    """Matrix times vector for any number type, in objects; 0 where there is no column."""
    products = [[m * v for m, v in zip(row, vector, strict=True)] for row in matrix]
    return np.array([sum(row[1:], start=row[0]) if row else 0 for row in products], dtype=object)


def as_fractions(weights: Weights) -> Weights:
    """The same weights as exact fractions (every float is one)."""
    lift = np.frompyfunc(lambda value: Fraction(float(value)), 1, 1)
    return Weights(*(np.asarray(lift(matrix), dtype=object) for matrix in weights))


@dataclass(frozen=True, eq=False)
class Cone:
    """A cone of input space on which the outputs are linear.

    Attributes
    ----------
    rays
        Its bounding rays as unit vectors, shape (2, 2), the cone lying counterclockwise from the
        first to the second.
    pattern
        Which neurons are active after each input, shape (seq_len, hidden_size).
    outputs
        The matrix L of the linear map, shape (output_size, seq_len): outputs = L x on the cone.
    angles
        Directions of the two rays, radians; the first in [-pi/2, 3 pi/2), the second not smaller.
    """

    rays: NDArray[np.float64]
    pattern: NDArray[np.bool_]
    outputs: NDArray[np.float64]
    angles: tuple[float, float]

    @property
    def a0(self) -> float:
        """Coefficient a0 of ``logits[1] - logits[0] = a0 x0 - a1 x1``."""
        return float(self.outputs[1, 0] - self.outputs[0, 0])

    @property
    def a1(self) -> float:
        """Coefficient a1 of ``logits[1] - logits[0] = a0 x0 - a1 x1``."""
        return float(self.outputs[0, 1] - self.outputs[1, 1])

    @property
    def fraction(self) -> float:
        """Share of the plane, which is the probability of the cone under a standard Gaussian."""
        first, second = self.angles
        return (second - first) / (2 * np.pi)


def cones(model: OneLayerRNN) -> list[Cone]:
    """The cones on which a model of two inputs is linear, counterclockwise from the ray (0, -1).

    Found in exact arithmetic; the numbers returned are rounded once. Cones on which a neuron
    without effect changes its state are not merged.

    Raises
    ------
    ValueError
        Where the model does not read sequences of length 2.
    """
    if model.seq_len != 2:
        raise ValueError(f"Cones are computed for seq_len 2 so far, got {model.seq_len}")
    weights = as_fractions(weights_of(model))
    right = [_cone(segment) for segment in line_segments(weights, +1)]
    left = [_cone(segment) for segment in line_segments(weights, -1)]
    return right + left[::-1]


def _cone(segment: Segment) -> Cone:
    ends = [segment.lower, segment.upper]
    if segment.side < 0:
        ends.reverse()  # on the left, counterclockwise is downward
    first, second = (direction(segment.side, t) for t in ends)
    rays = np.array([(np.cos(angle), np.sin(angle)) for angle in (first, second)])
    outputs = np.stack([segment.side * segment.constant, segment.slope], axis=1)
    try:
        linear_map = outputs.astype(np.float64)
    except OverflowError as error:
        raise ValueError("The model's outputs overflow float64") from error
    return Cone(rays, np.stack(segment.active), linear_map, (first, second))


def direction(side: int, t: Number) -> float:
    """Direction, in [-pi/2, 3 pi/2], of the ray from the origin through (side, t)."""
    if abs(t) <= 1:
        from_right = atan(t)
    else:  # t itself may be infinite or too large for a float
        from_right = (pi / 2 if t > 0 else -pi / 2) - (0.0 if abs(t) == inf else atan(1 / t))
    return from_right if side > 0 else pi - from_right
