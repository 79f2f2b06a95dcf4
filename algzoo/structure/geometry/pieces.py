"""Cones of a model of two or three inputs: linear pieces, and decisions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ...zoo import OneLayerRNN, check_model
from ..weights import weights_of
from .answers import answers, where_right
from .cone import Cone, DecisionCone
from .plane import as_floats, as_fractions, cones_of_plane, decision_cones_of_plane
from .solid_angle import scaled, solid_angle
from .sweep import Cell, Polygon, StepWeights, cells, same_direction, step_weights


def cones(model: OneLayerRNN) -> list[Cone]:
    """Find the cones on which a model of two or three inputs is linear.

    They are found in exact arithmetic, and the numbers returned are rounded once. Cones on which a
    neuron without effect changes its state are not merged, and for three inputs the plane x0 = x1
    cuts cones as well.

    Parameters
    ----------
    model
        A recurrent model without biases.

    Returns
    -------
    list of Cone
        For two inputs counterclockwise from the ray (0, -1), for three those with x0 > 0 first.

    Raises
    ------
    ValueError
        If the model reads sequences of another length, or if its outputs overflow float64.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> pieces = cones(zoo_2nd_argmax(2, 2))
    >>> len(pieces), round(sum(piece.fraction for piece in pieces), 12)
    (6, 1.0)
    >>> pieces[0].outputs.shape
    (2, 2)
    """
    check_model(model)
    if model.seq_len == 2:
        return cones_of_plane(model)
    if model.seq_len != 3:
        raise ValueError(f"Cones are computed for seq_len 2 and 3, got {model.seq_len}")
    weights = weights_of(model)
    integers = step_weights(weights, weights.w_oh)
    return [cone_of(cell, cell.polygon, integers) for cell in cells(integers)]


def decision_cones(model: OneLayerRNN) -> list[DecisionCone]:
    """Find the cones on which a 2nd-argmax model's answer and the right answer are constant too.

    Their order is that of :func:`cones`, which they refine. Argmedian models of three inputs have
    the same task and are accepted.

    Raises
    ------
    ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs, or if its outputs overflow
        float64.
    """
    check_model(model)
    task = (model.task_name, model.seq_len)
    if task == ("2nd_argmax", 2):
        return decision_cones_of_plane(model)
    if task not in (("2nd_argmax", 3), ("argmedian", 3)):
        raise ValueError(
            "Decisions are found for 2nd-argmax models with seq_len 2 and 3, got task "
            f"{model.task_name!r} with seq_len {model.seq_len}"
        )
    weights = weights_of(model)
    w_oh = as_fractions(weights).w_oh
    integers = step_weights(weights, np.stack([w_oh[1] - w_oh[0], w_oh[2] - w_oh[0], w_oh[0]]))
    logits = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1]], dtype=object)  # from the rows above
    return [
        DecisionCone(
            **vars(cone_of(cell, part, integers, logits)), answer=answer, right_answer=right
        )
        for cell in cells(integers)
        for answer, polygon in answers(cell)
        for right in range(3)
        if (part := where_right(cell, polygon, right))
    ]


def cone_of(
    cell: Cell, polygon: Polygon, weights: StepWeights, combine: NDArray[np.object_] | None = None
) -> Cone:
    """Make the cone of a polygon within a cell; ``combine`` makes the outputs from the readout."""
    points = [vertex.point for vertex, _ in polygon]
    distinct = [p for i, p in enumerate(points) if not same_direction(p, points[i - 1])]
    rays = np.array([scaled(*point) for point in distinct])
    (side,) = cell.half.earlier
    rays *= [side, 1, 1] / np.linalg.norm(rays, axis=1, keepdims=True)
    planes = np.array(cell.planes, dtype=object) * np.array([side, 1, 1], dtype=object)
    outputs = planes if combine is None else combine @ planes
    return Cone(
        rays if side > 0 else rays[::-1],  # counterclockwise also in the mirror image
        np.array(cell.active),
        as_floats(outputs * Fraction(1, weights.denominator)),
        max(solid_angle(polygon), 0.0) / (4 * np.pi),
    )
