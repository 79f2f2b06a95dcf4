"""Cone of input space on which a model is linear, for any number of inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Cone:
    """Convex cone of input space on which the outputs are linear.

    Attributes
    ----------
    rays
        Its bounding rays as unit vectors, shape (n_rays, seq_len). For two inputs, the cone lies
        counterclockwise from the first to the second. For three, they are the vertices of a convex
        polygon on the sphere, counterclockwise seen from outside, each edge an arc shorter than pi;
        a third ray on an edge is possible where a neighbouring cone has a corner.
    pattern
        Which neurons are active after each input, shape (seq_len, hidden_size).
    outputs
        The matrix L of the linear map, shape (output_size, seq_len): outputs = L x on the cone.
    fraction
        Share of input space, which is the probability of the cone under a standard Gaussian.
    """

    rays: NDArray[np.float64]
    pattern: NDArray[np.bool_]
    outputs: NDArray[np.float64]
    fraction: float

    @property
    def solid_angle(self) -> float:
        """Area on the unit sphere: steradians for three inputs, radians for two."""
        return self.fraction * (2 * np.pi if self.rays.shape[1] == 2 else 4 * np.pi)

    @property
    def normals(self) -> NDArray[np.float64]:
        """Inward unit normals of the bounding planes: ``normals @ x >= 0`` in the cone.

        Row i belongs to the edge from ray i to the following ray for three inputs, and to ray i for
        two. Edges shorter than about 1e-15 have no well-defined direction and are left out.
        """
        if self.rays.shape[1] == 2:
            turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
            return np.stack([self.rays[0] @ turn, -self.rays[1] @ turn])
        across = np.cross(self.rays, np.roll(self.rays, -1, axis=0))
        length = np.linalg.norm(across, axis=1, keepdims=True)
        long_enough = length[:, 0] > 1e-15
        normals: NDArray[np.float64] = across[long_enough] / length[long_enough]
        return normals

    @property
    def angles(self) -> tuple[float, float]:
        """Directions of the two rays of a cone of two inputs, in radians.

        The first is in [-pi/2, 3 pi/2), and the second is not smaller.
        """
        x0, x1 = self._of_two_inputs(self.rays[0])
        first = float(np.arctan2(x1, x0))
        if first < -np.pi / 2:
            first += 2 * np.pi
        return first, first + self.solid_angle

    @property
    def a0(self) -> float:
        """Coefficient a0 of ``logits[1] - logits[0] = a0 x0 - a1 x1``, for two inputs."""
        return float(np.subtract(*self._of_two_inputs(self.outputs[1::-1, 0])))

    @property
    def a1(self) -> float:
        """Coefficient a1 of ``logits[1] - logits[0] = a0 x0 - a1 x1``, for two inputs."""
        return float(np.subtract(*self._of_two_inputs(self.outputs[:2, 1])))

    def _of_two_inputs(self, pair: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.rays.shape[1] != 2:
            raise ValueError(
                "angles, a0 and a1 belong to cones of two inputs, "
                f"this one is of {self.rays.shape[1]}"
            )
        return pair


@dataclass(frozen=True, eq=False)
class DecisionCone(Cone):
    """Cone on which the model's answer and the right answer are constant as well.

    Attributes
    ----------
    answer
        The model's answer; if logits tie, the first of them, as with ``argmax``.
    right_answer
        Position of the second-largest input.
    """

    answer: int
    right_answer: int

    @property
    def is_right(self) -> bool:
        """True if the model's answer is the right one."""
        return self.answer == self.right_answer
