"""The linear piece around an input on which a 2nd-argmax model errs, in exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights, as_fractions
from ...structure.geometry.half_spaces import cut, order_polygon
from ..few_inputs.linear_tail import LinearPart
from .event import Floats

Row = Sequence[int]
Exact = NDArray[Any]


class ErrorPiece(NamedTuple):
    """Cone on which the model is linear and gives the same wrong answer to the same order.

    Attributes
    ----------
    key
        Active neurons, sign of the first input, answer and order of the inputs; no two pieces have
        the same.
    lead
        The cone, with the wrong logit minus the right one.
    operations
        Operations of finding the cone: multiply-adds of the linear functions that bound it, of
        their values at its corners and of new corners.
    """

    key: tuple[Any, ...]
    lead: LinearPart
    operations: int


def error_piece(weights: Weights, x: Floats) -> ErrorPiece | None:
    """Return the piece of one input of two or three numbers; ``None`` if the model does not err.

    A tie of the right logit with the largest is no error. Neither is a cone without an interior,
    whose probability is 0.
    """
    point = [Fraction(float(number)) for number in x]
    n, d = len(point), len(weights.w_hi)
    order = sorted(range(n), key=lambda i: point[i])
    w_hi, w_hh, w_oh = as_fractions(weights)
    side = 1 if point[0] >= 0 else -1
    bounds: list[Row] = []
    active: list[bool] = []
    state: Exact = np.full((d, n), Fraction(0), dtype=object)
    for t in range(n):
        drive = w_hh @ state
        drive[:, t] += w_hi
        on = [bool(value > 0) for value in drive @ point]
        bounds += [_row(row if is_on else -row) for row, is_on in zip(drive, on, strict=True)]
        active += on
        state = drive * np.array(on, dtype=object)[:, None]
    logits = w_oh @ state
    values = list(logits @ point)
    answer, right = values.index(max(values)), order[-2]
    if not values[answer] > values[right]:
        return None
    bounds += [_row(logits[answer] - logits[other]) for other in range(n) if other != answer]
    rays, operations = _cone(order, side, bounds)
    operations += n * d * (d * n + 1) + n * d * n
    if len(rays) < n:
        return None
    lead = logits[answer] - logits[right]
    denominator = math.lcm(*(number.denominator for number in lead))
    part = LinearPart([int(number * denominator) for number in lead], denominator, rays)
    return ErrorPiece((*active, side, answer, *order), part, operations)


def _row(row: Any) -> Row:
    """Whole numbers in the proportions of a row."""
    denominator = math.lcm(*(number.denominator for number in row))
    return _reduced([int(number * denominator) for number in row])


def _reduced(row: Row) -> Row:
    divisor = math.gcd(*row)
    return [number // divisor for number in row] if divisor > 1 else row


def _cone(order: list[int], side: int, bounds: list[Row]) -> tuple[list[Row], int]:
    """Return the edges of a cone, and the operations of finding them.

    On the cone the inputs have this order, the first input this sign, and no bound is negative.
    """
    n = len(order)
    rays: list[Row]
    if n == 2:
        rays = [[side, side], [0, 1 if order[-1] == 1 else -1]]
    else:
        rays = [list(ray) for ray in order_polygon(*order)]
        bounds = [[side, 0, 0], *bounds]
    operations = 0
    for bound in filter(any, bounds):
        operations += n * len(rays) + 2 * 2 * n  # where the rays are, and two new ones
        rays = [_reduced(ray) for ray in (_cut_sector if n == 2 else cut)(rays, bound)]
        if not rays:
            break
    return rays, operations


def _cut_sector(rays: list[Row], bound: Row) -> list[Row]:
    """Return the part of a sector where a bound is not negative; empty if it has no interior."""
    p, q = rays
    at_p, at_q = (sum(a * b for a, b in zip(ray, bound, strict=True)) for ray in rays)
    if max(at_p, at_q) <= 0:
        return []
    if min(at_p, at_q) >= 0:
        return rays
    between = [abs(at_q) * a + abs(at_p) * b for a, b in zip(p, q, strict=True)]
    return [p, between] if at_p > 0 else [between, q]
