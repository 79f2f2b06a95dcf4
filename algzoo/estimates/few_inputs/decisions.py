"""Convex cones on which a 2nd-argmax model is linear and neither answer changes.

Together they cover the space of two or three inputs. They are found in exact arithmetic on the
stored weights. If logits are equal on a whole cone, the model's answer is the first of them, as
with ``argmax``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...structure import Weights, as_fractions, line_segments, weights_of
from ...structure.geometry.answers import answers, where_right
from ...structure.geometry.sweep import cells, step_weights
from ...zoo import OneLayerRNN
from .linear_tail import LinearPart, Ray


class Decision(NamedTuple):
    """Convex cone with the model's answer on it, and with the right one.

    Attributes
    ----------
    answer, right
        Position that the model names, and that of the second-largest input.
    active
        Whether each neuron is active after the last input, shape (hidden_size,).
    lead
        The cone with the linear function that is the logit of ``answer`` minus the logit of
        ``right``. It is 0 if the answer is right, or if the two logits tie on the whole cone. For
        three inputs the coordinates are abs(x0), x1 and x2.
    """

    answer: int
    right: int
    active: Sequence[bool]
    lead: LinearPart


def decisions(model: OneLayerRNN) -> Iterator[Decision]:
    """Yield the cones of a 2nd-argmax model of two or three inputs.

    Raises
    ------
    ValueError
        If the number of inputs is neither two nor three.
    """
    if model.seq_len not in (2, 3):
        raise ValueError(f"A model of two or three inputs is needed, got seq_len {model.seq_len}")
    yield from _of_plane(model) if model.seq_len == 2 else _of_space(model)


def _of_plane(model: OneLayerRNN) -> Iterator[Decision]:
    w_hi, w_hh, w_oh = as_fractions(weights_of(model))
    difference = Weights(w_hi, w_hh, w_oh[1:] - w_oh[:1])
    for side in (+1, -1):
        for segment in line_segments(difference, side):
            constant, slope = Fraction(segment.constant[0]), Fraction(segment.slope[0])
            cuts = {side, -constant / slope} if slope else {side}  # x1 / abs(x0) at both ties
            inner = sorted(t for t in cuts if segment.lower < t < segment.upper)
            for lower, upper in pairwise([segment.lower, *inner, segment.upper]):
                right = 1 if upper <= side else 0
                answer = 1 if _is_positive_between(constant, slope, lower, upper) else 0
                sign = answer - right  # the difference is of logit 1 minus logit 0
                row = (sign * side * constant, sign * slope)
                denominator = math.lcm(*(number.denominator for number in row))
                gradient = [int(number * denominator) for number in row]
                lead = LinearPart(
                    gradient, denominator, [plane_ray(side, lower), plane_ray(side, upper)]
                )
                yield Decision(answer, right, segment.active[1].tolist(), lead)


def _is_positive_between(
    constant: Fraction, slope: Fraction, lower: Fraction | float, upper: Fraction | float
) -> bool:
    """Tell whether constant + slope t is positive between two points with no zero in between."""
    if slope == 0:
        return constant > 0
    zero = -constant / slope
    return lower >= zero if slope > 0 else upper <= zero


def plane_ray(side: int, t: Fraction | float) -> Ray:
    """Return the ray through (side, t); t may be infinite."""
    if isinstance(t, float) and math.isinf(t):
        return (0, 1 if t > 0 else -1)
    t = Fraction(t)
    return (side * t.denominator, t.numerator)


def _of_space(model: OneLayerRNN) -> Iterator[Decision]:
    weights = weights_of(model)
    w_oh = as_fractions(weights).w_oh
    integers = step_weights(weights, np.stack([w_oh[1] - w_oh[0], w_oh[2] - w_oh[0]]))
    for cell in cells(integers):
        logits = [(0, 0, 0), *cell.planes]  # all less the first
        for answer, polygon in answers(cell):
            for right in range(3):
                rays = [vertex.point for vertex, _ in where_right(cell, polygon, right)]
                if rays:
                    gradient = [a - b for a, b in zip(logits[answer], logits[right], strict=True)]
                    lead = LinearPart(gradient, integers.denominator, rays)
                    yield Decision(answer, right, cell.active[-1], lead)
