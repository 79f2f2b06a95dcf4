"""Exact probability that a median model of two or three inputs errs by more than a threshold.

On each cone of :mod:`algzoo.structure.geometry.median_cones` the error, output minus median, is a
linear function. Its zeros cut the cone into one on which the error is positive and one on which it
is negative. So the event *squared error > t* is a union of cones of which the half-space ``abs(a .
x) > sqrt(t)`` is kept, and its probability is computed in
:mod:`~algzoo.estimates.few_inputs.linear_tail`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from ...structure import as_fractions, line_segments, weights_of
from ...structure.geometry.median_cones import check_is_median_model, median_parts
from ...structure.geometry.sweep import step_weights
from ...zoo import Model, OneLayerRNN
from .decisions import plane_ray
from .linear_tail import LinearPart, parts_by_sign, tail


def squared_error_tail(model: Model, threshold: float) -> float:
    """Probability that a median model's squared error exceeds a threshold.

    Inputs are two or three independent standard Gaussian numbers. Every decision is made in exact
    arithmetic on the stored weights. The relative error is below 1e-10 for probabilities down to
    1e-300; smaller ones may be 0.

    Parameters
    ----------
    model
        The model.
    threshold
        The squared error t; 0 or more. It may be infinite. At 0 the result is the probability of
        any error.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a median model of two or three inputs, or if ``threshold`` is negative
        or no number.

    Examples
    --------
    >>> from algzoo import zoo_median
    >>> model = zoo_median(4, 3)
    >>> [float(f"{squared_error_tail(model, t):.6g}") for t in (0.01, 0.1, 1)]
    [0.290841, 0.0363448, 0.000168431]
    """
    check_is_median_model(model)
    assert isinstance(model, OneLayerRNN)
    if not threshold >= 0:
        raise ValueError(f"threshold, a squared error, must be 0 or more, got {threshold}")
    parts = _parts_of_plane if model.seq_len == 2 else _parts_of_space
    return tail(parts(model), math.sqrt(threshold))


def _parts_of_plane(model: OneLayerRNN) -> Iterator[LinearPart]:
    weights = as_fractions(weights_of(model))
    half = Fraction(1, 2)
    for side in (+1, -1):
        for segment in line_segments(weights, side):
            row = (side * Fraction(segment.constant[0]) - half, Fraction(segment.slope[0]) - half)
            denominator = math.lcm(*(number.denominator for number in row))
            gradient = [int(number * denominator) for number in row]
            # Cut at x1 = 0 as well, so that the two rays are never opposite.
            cuts = [0] if segment.lower < 0 < segment.upper else []
            for ends in pairwise([segment.lower, *cuts, segment.upper]):
                rays = [plane_ray(side, end) for end in ends]
                yield from parts_by_sign(LinearPart(gradient, denominator, rays))


def _parts_of_space(model: OneLayerRNN) -> Iterator[LinearPart]:
    """Yield the parts for three inputs, in the coordinates abs(x0), x1 and x2."""
    weights = weights_of(model)
    integers = step_weights(weights, weights.w_oh)
    for part in median_parts(integers):
        gradient = list(part.cell.planes[0])
        side = part.cell.half.earlier[0] if part.position == 0 else 1
        gradient[part.position] -= integers.denominator * side
        rays = [vertex.point for vertex, _ in part.polygon]
        yield from parts_by_sign(LinearPart(gradient, integers.denominator, rays))
