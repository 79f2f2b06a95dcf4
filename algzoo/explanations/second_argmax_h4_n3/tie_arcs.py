"""Arcs on which the answer of a model of three inputs changes, within its linear pieces.

Whether there is an arc, and where it begins and ends, is decided in exact arithmetic, as for the
pieces (:mod:`algzoo.structure.geometry.sweep`). Only its length is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...structure.geometry.half_spaces import cross, dot
from ...structure.geometry.plane import as_fractions
from ...structure.geometry.solid_angle import scaled
from ...structure.geometry.sweep import Number, Vector, cells, same_direction, step_weights
from ...structure.weights import weights_of
from ...zoo import OneLayerRNN, check_model

Integers = Sequence[Number]


@dataclass(frozen=True, eq=False)
class TieArc:
    """Arc within a linear piece on which two logits are equal and larger than the third.

    Attributes
    ----------
    pattern
        Which neurons are active there after each input, shape (3, hidden_size).
    answers
        Positions of the two logits, the lower one first.
    length
        Length in radians, above 0.
    """

    pattern: NDArray[np.bool_]
    answers: tuple[int, int]
    length: float


def tie_arcs(model: OneLayerRNN) -> list[TieArc]:
    """List the arcs of a model of three inputs with a logit for each, in the order of its pieces.

    An arc ends where its piece does. Edges of pieces on which two logits are equal are not arcs.

    Raises
    ------
    ValueError
        If ``model`` does not have three inputs and three logits.
    """
    check_model(model)
    if (model.seq_len, model.output_size) != (3, 3):
        raise ValueError(
            "Decision arcs are those of models with three inputs and three logits, got seq_len "
            f"{model.seq_len} and {model.output_size} outputs"
        )
    weights = weights_of(model)
    w_oh = as_fractions(weights).w_oh
    found = []
    for cell in cells(step_weights(weights, w_oh[1:] - w_oh[:1])):
        vertices = [vertex for vertex, _ in cell.polygon]
        vertices = [
            vertex
            for vertex, before in zip(vertices, [vertices[-1], *vertices], strict=False)
            if not same_direction(vertex.point, before.point)
        ]
        points = [vertex.point for vertex in vertices]
        logits = [(0, *cell.values(vertex)) for vertex in vertices]
        for one, other in combinations(range(3), 2):
            (third,) = {0, 1, 2} - {one, other}
            tie = [of_point[one] - of_point[other] for of_point in logits]
            winning = [of_point[one] - of_point[third] for of_point in logits]
            ends = arc_of_zeros(points, tie, winning)
            if ends is not None:
                found.append(TieArc(np.array(cell.active), (one, other), arc_length(*ends)))
    return found


def arc_of_zeros(
    points: Sequence[Vector], tie: Integers, winning: Integers
) -> tuple[Vector, Vector] | None:
    """Ends of the arc in a convex polygon on which a function is zero and another is positive.

    Neighbouring vertices of the polygon, the ``points``, are different. Both functions are linear,
    and given at the vertices. All numbers are integers, so that the answer is exact; a positive
    factor of a vertex and its values does not matter. The result is ``None`` if there is no arc, or
    if it is an edge of the polygon.
    """
    if not min(tie) < 0 < max(tie):
        return None
    ends = []
    for i, height in enumerate(tie):
        j = (i + 1) % len(tie)
        if height == 0:
            ends.append((points[i], winning[i]))
        elif (height < 0 < tie[j]) or (tie[j] < 0 < height):
            ends.append(_between((points[i], winning[i]), (points[j], winning[j]), tie[j], height))
    start, stop = ends
    if start[1] <= 0 and stop[1] <= 0:
        return None
    # If the other function is positive at one end only, the arc is cut where it vanishes.
    if start[1] < 0:
        start = _between(start, stop, stop[1], start[1])
    elif stop[1] < 0:
        stop = _between(start, stop, stop[1], start[1])
    return start[0], stop[0]


def _between(
    one: tuple[Vector, Number], other: tuple[Vector, Number], of_other: Number, of_one: Number
) -> tuple[Vector, Number]:
    """Point on the arc between two where a function vanishes, and the value of another there.

    ``of_one`` and ``of_other`` are the values of the function that vanishes, of opposite signs.
    """
    (p, value), (q, other_value) = one, other
    a, b = abs(of_other), abs(of_one)
    point = (p[0] * a + q[0] * b, p[1] * a + q[1] * b, p[2] * a + q[2] * b)
    return point, value * a + other_value * b


def arc_length(start: Vector, stop: Vector) -> float:
    """Angle between two points in integers, in radians, to full relative precision."""
    *across, along = scaled(*cross(start, stop), dot(start, stop))
    return math.atan2(math.hypot(*across), along)
