"""Cones on which a median model's output and the median itself are both linear.

The median of two inputs is their mean, linear everywhere. The median of three is the last input if
it lies between the other two, otherwise the smaller or the larger of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...zoo import OneLayerRNN, check_model
from ..weights import weights_of
from .answers import where_right
from .cone import Cone
from .pieces import cone_of
from .plane import cones_of_plane
from .sweep import Cell, Polygon, StepWeights, cells, step_weights


@dataclass(frozen=True, eq=False)
class MedianCone(Cone):
    """Cone on which the median is linear as well.

    Attributes
    ----------
    median
        Coefficients of the median, shape (seq_len,): it is ``median @ x`` on the cone.
    """

    median: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """Coefficients of output minus median, shape (seq_len,)."""
        error: NDArray[np.float64] = self.outputs[0] - self.median
        return error


@dataclass(frozen=True, eq=False)
class MedianPart:
    """Part of a cell on which the input at ``position`` is the median of three."""

    cell: Cell
    polygon: Polygon
    position: int


def median_parts(weights: StepWeights) -> Iterator[MedianPart]:
    """Yield the parts of all cells of three inputs; together they cover the sphere."""
    for cell in cells(weights):
        for position in range(3):
            if polygon := where_right(cell, cell.polygon, position):
                yield MedianPart(cell, polygon, position)


def median_cones(model: OneLayerRNN) -> list[MedianCone]:
    """Find the cones of a median model of two or three inputs on which the median is linear too.

    Their order is that of :func:`algzoo.structure.cones`, which they refine.

    Raises
    ------
    ValueError
        If ``model`` is not a median model of two or three inputs, or if its outputs overflow
        float64.
    """
    check_is_median_model(model)
    if model.seq_len == 2:
        mean = np.array([0.5, 0.5])
        return [MedianCone(**vars(cone), median=mean) for cone in cones_of_plane(model)]
    weights = weights_of(model)
    integers = step_weights(weights, weights.w_oh)
    return [
        MedianCone(
            **vars(cone_of(part.cell, part.polygon, integers)), median=np.eye(3)[part.position]
        )
        for part in median_parts(integers)
    ]


def check_is_median_model(model: object) -> None:
    """Raise a ``ValueError`` unless ``model`` is a median model of two or three inputs."""
    check_model(model)
    if (
        not isinstance(model, OneLayerRNN)
        or model.task_name != "median"
        or model.seq_len not in (2, 3)
    ):
        raise ValueError(
            "A median model with seq_len 2 or 3 is needed, got "
            f"{type(model).__name__} for task {getattr(model, 'task_name', 'unknown')!r} "
            f"with seq_len {getattr(model, 'seq_len', 'unknown')}"
        )
