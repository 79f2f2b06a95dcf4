"""Linear pieces of a model of two inputs, found exactly.

A bias-free ReLU network is positively homogeneous, so it is determined by its values on the two
lines x0 = +1 and x0 = -1. On each line, everything is a piecewise linear function of the one number
t = x1 / abs(x0). With side s = sign(x0):

    after x0:  h1[i] = ReLU(s W_hi[i])                          (constant on the line)
    after x1:  z[j] = A[j] + W_hi[j] t,   A = W_hh h1           (one root: t = -A[j] / W_hi[j])
    readout:   W_oh ReLU(z) = constant + slope t                between two consecutive roots

The functions here use only +, -, *, / and comparisons. Called with fractions they make no rounding
error at all, so that coinciding rays coincide exactly and dead pieces are exactly zero.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import atan, inf, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...zoo import OneLayerRNN, check_model
from ..sorting import in_order
from ..weights import Weights, weights_of
from .cone import Cone, DecisionCone

Number = Any  # float, Fraction or anything else with ordered-field arithmetic


@dataclass(frozen=True)
class Segment:
    """Maximal interval of the line x0 = side on which every neuron keeps its state.

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
    """Return the segments of the line x0 = side (+1 or -1), by increasing t."""
    w_hi, w_hh, w_oh = weights
    first_active = np.array([w > 0 if side > 0 else w < 0 for w in w_hi], dtype=bool)
    first_state = abs(w_hi[first_active])
    offset = _matvec(w_hh[:, first_active], first_state)

    roots = [(-a / w, j) for j, (a, w) in enumerate(zip(offset, w_hi, strict=True)) if w != 0]
    roots = in_order(roots, key=operator.itemgetter(0))
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
    """Multiply a matrix by a vector of any number type; the result is 0 if there is no column."""
    products = [[m * v for m, v in zip(row, vector, strict=True)] for row in matrix]
    return np.array([sum(row[1:], start=row[0]) if row else 0 for row in products], dtype=object)


def as_fractions(weights: Weights) -> Weights:
    """Return the same weights as exact fractions (every float is one)."""
    lift = np.frompyfunc(lambda value: Fraction(float(value)), 1, 1)
    return Weights(*(np.asarray(lift(matrix), dtype=object) for matrix in weights))


def cones_of_plane(model: OneLayerRNN) -> list[Cone]:
    """Return the cones of a model of two inputs, counterclockwise from the ray (0, -1).

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.zoo.check_model` and :func:`~algzoo.structure.weights.weights_of`,
        or if the number of inputs is not two.
    """
    return [_cone(segment, segment.lower, segment.upper) for segment in _around(model)]


def decision_cones_of_plane(model: OneLayerRNN) -> list[DecisionCone]:
    """Return the cones, cut where the two logits are equal and where the two inputs are.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`cones_of_plane`, or if the number of logits is not two.
    """
    if weights_of(model).w_oh.shape[0] != 2:
        raise ValueError(f"Decisions in the plane are between two logits, got {model.output_size}")
    cones = []
    for segment in _around(model):
        constant, slope = (v[1] - v[0] for v in (segment.constant, segment.slope))
        cuts = {segment.side, -constant / slope} if slope != 0 else {segment.side}
        within = sorted(t for t in cuts if segment.lower < t < segment.upper)
        pieces = list(pairwise([segment.lower, *within, segment.upper]))
        for lower, upper in pieces if segment.side > 0 else pieces[::-1]:
            t = _between(lower, upper)
            answer, right_answer = constant + slope * t > 0, t < segment.side
            cone = vars(_cone(segment, lower, upper))
            cones.append(DecisionCone(**cone, answer=int(answer), right_answer=int(right_answer)))
    return cones


def _around(model: OneLayerRNN) -> list[Segment]:
    """Segments of both half planes, counterclockwise from the ray (0, -1)."""
    check_model(model)
    weights = as_fractions(weights_of(model))
    if model.seq_len != 2:
        raise ValueError(
            f"Pieces in the plane are those of two inputs, got seq_len {model.seq_len}"
        )
    return line_segments(weights, +1) + line_segments(weights, -1)[::-1]


def _between(lower: Number, upper: Number) -> Number:
    """A number between two that may be infinite."""
    if lower == -inf:
        return Fraction(0) if upper == inf else upper - 1
    return lower + 1 if upper == inf else (lower + upper) / 2


def _cone(segment: Segment, lower: Number, upper: Number) -> Cone:
    ends = (lower, upper) if segment.side > 0 else (upper, lower)  # left, that is downward
    first, second = (direction(segment.side, t) for t in ends)
    rays = np.array([(np.cos(angle), np.sin(angle)) for angle in (first, second)])
    outputs = np.stack([segment.side * segment.constant, segment.slope], axis=1)
    return Cone(rays, np.stack(segment.active), as_floats(outputs), (second - first) / (2 * pi))


def as_floats(outputs: NDArray[Any]) -> NDArray[np.float64]:
    """Round coefficients of outputs; raise a ``ValueError`` if they are too large for float64."""
    try:
        return outputs.astype(np.float64)
    except OverflowError as error:
        raise ValueError("The model's outputs overflow float64") from error


def direction(side: int, t: Number) -> float:
    """Return the direction, in [-pi/2, 3 pi/2], of the ray from the origin through (side, t)."""
    if abs(t) <= 1:
        from_right = atan(t)
    else:  # t itself may be infinite or too large for a float
        from_right = (pi / 2 if t > 0 else -pi / 2) - (0.0 if abs(t) == inf else atan(1 / t))
    return from_right if side > 0 else pi - from_right
