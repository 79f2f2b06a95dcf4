r"""Exact mean and covariance of a model's last state on three Gaussian inputs.

On each cone the state is linear, h = H x, so that E[h; C] = H E[x; C] and E[h h^T; C] = H E[x x^T;
C] H^T. For a standard Gaussian x, E[f'(x)] = E[x f(x)] (Stein). With f the indicator of C, and with
it times x,

    E[x; C] = sum over faces of  n phi(0) P(face),
    E[x x^T; C] = P(C) I + sum over faces of  n phi(0) E[x; face]^T,

where n is the inward normal of a face, and P and E in a face are those of a standard Gaussian in
its plane. These are given by the same formulas with one dimension less.

Where a state changes fast across a thin cone, the terms cancel. Therefore the cones' corners are
kept as the integers that they are found as, and the sums are computed with 60 digits.

References
----------
C. Stein, "Estimation of the mean of a multivariate normal distribution", Annals of Statistics,
1981, for the identity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import mpmath
import numpy as np

from ..estimates.scope import Scope
from ..structure import Weights, as_fractions, weights_of
from ..structure.geometry.half_spaces import cross, dot, fraction
from ..structure.geometry.sweep import Cell, cells, same_direction, step_weights
from ..zoo import Model
from .facts import Booleans, Floats

_SCOPE = Scope("2nd_argmax", inputs=3)
_DIGITS = 60

Matrix = Any  # a numpy array of fractions, or of mpmath's numbers


class Moments(NamedTuple):
    """Mean and covariance of the last state: shapes (hidden_size,) and (hidden_size,) * 2."""

    mean: Floats
    covariance: Floats


def state_moments(model: Model) -> Moments:
    """Mean and covariance of the last state on three standard Gaussian inputs, without rounding.

    Each entry is rounded once. A model of a dozen neurons takes about two seconds.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of three inputs.
    """
    _SCOPE.check(model, "the moments of the last state")
    weights = weights_of(model)
    exact = as_fractions(weights)
    d = len(weights.w_hi)
    with mpmath.workdps(_DIGITS):
        first, second = np.full(d, mpmath.mpf(0)), np.full((d, d), mpmath.mpf(0))
        for cell in cells(step_weights(weights, weights.w_oh[:1])):
            state = _in_digits(state_map(exact, cell.active))
            of_x, of_products = polygon_moments(_corners(cell))
            first = first + state @ of_x
            second = second + state @ of_products @ state.T
        covariance = second - np.outer(first, first)
        return Moments(first.astype(np.float64), covariance.astype(np.float64))


def state_map(weights: Weights, pattern: Sequence[Any] | Booleans) -> Matrix:
    """Return H, shape (hidden_size, seq_len): the last state is H x where neurons have a pattern.

    It has the number type of the weights. ``pattern`` says of each neuron after each input whether
    it is active.
    """
    d = len(weights.w_hi)
    state = np.zeros((d, len(pattern)), dtype=weights.w_hi.dtype)
    for step, active in enumerate(pattern):
        state = weights.w_hh @ state if step else state
        state[:, step] = state[:, step] + weights.w_hi
        state[~np.asarray(active)] = 0
    return state


def polygon_moments(corners: Sequence[Sequence[Any]]) -> tuple[Matrix, Matrix]:
    """Return E[x; C] and E[x x^T; C] for three standard Gaussian inputs.

    C is the convex cone with these unit vectors as its rays, counterclockwise. The numbers are
    mpmath's.
    """
    of_two_pi = mpmath.mpf(2 * math.pi) / (2 * mpmath.pi)  # the share uses a rounded 2 pi
    share = fraction([list(corner) for corner in corners], mpmath.mp) * of_two_pi
    density = 1 / mpmath.sqrt(2 * mpmath.pi)  # of a standard Gaussian number at 0
    first = np.full(3, mpmath.mpf(0))
    second = share * np.eye(3, dtype=int)
    for p, q in zip(corners, [*corners[1:], corners[0]], strict=True):
        across = cross(p, q)
        sine = mpmath.sqrt(dot(across, across))
        if not sine:
            continue
        normal: Matrix = np.array(across) / sine
        angle = mpmath.atan2(sine, dot(p, q))
        # In the face, the inward normals of its two rays are n x p and q x n.
        of_face = np.array(cross(normal, [a - b for a, b in zip(p, q, strict=True)])) * density / 2
        first = first + normal * (density * angle / (2 * mpmath.pi))
        second = second + np.outer(normal, of_face) * density
    return first, (second + second.T) / 2


def _corners(cell: Cell) -> list[list[Any]]:
    """Unit vectors at the corners of a cell, in the coordinates of the inputs."""
    points = [vertex.point for vertex, _ in cell.polygon]
    distinct = [p for i, p in enumerate(points) if not same_direction(p, points[i - 1])]
    (side,) = cell.half.earlier
    corners = []
    for a, b, c in distinct:
        length = mpmath.sqrt(a * a + b * b + c * c)
        corners.append([mpmath.mpf(x) / length for x in (side * a, b, c)])
    return corners if side > 0 else corners[::-1]  # counterclockwise also in the mirror image


def _in_digits(matrix: Matrix) -> Matrix:
    numbers = [mpmath.mpf(x.numerator) / x.denominator for x in matrix.ravel().tolist()]
    return np.array(numbers, dtype=object).reshape(matrix.shape)
