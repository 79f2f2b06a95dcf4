r"""Orthant probabilities of five Gaussian numbers, of which three are exact and two are noisy.

For x standard Gaussian in three dimensions, the three are X_i = n_i . x with unit vectors n_i, and
the two Y_j = b_j . x + noise. If b_j . x is replaced by ``s b_j . x + sqrt(1 - s^2) b_j . x'``,
with x' independent of x, the covariances between X and Y are multiplied by s, and no others change.
So Plackett's identity writes the probability that all five are positive as an integral,

    P(1) = P(X > 0) P(Y > 0) + integral over s in (0, 1) of the sum over i, j of
           b_j . n_i  p_j  P(the other three > 0, given X_i = Y_j = 0),

with ``p_j = 1 / (2 pi sqrt(t))`` and t the variance of Y_j given X_i. It is computed by
Gauss-Legendre quadrature in u, s = 1 - (1 - u)^4, because the integrand changes fast towards s = 1
if Y has little noise.

Probabilities of two and of three numbers are sums of angles between vectors whose scalar products
are the covariances. An angle is found from the scalar product and the vector product, and the
conditions are projected out of the vectors, not out of the covariances: for two nearly parallel
planes, or a Y that X nearly determines, an arcsine of correlations would lose half of the digits.

References
----------
R. L. Plackett, "A reduction formula for normal multivariate integrals", Biometrika, 1954.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

Array = Any  # a numpy array, or one that counts


def positive_probability(normals: Array, readouts: Array, noise: Array, n_nodes: int) -> Array:
    """Probability that all five numbers are positive; shape (...).

    ``normals``, of any length, have shape (..., 3, 3), ``readouts`` (..., 2, 3) and the covariance
    of the noise ``noise`` (..., 2, 2). The error falls as the number of nodes grows, more slowly if
    there is little noise. The arrays may be plain or count operations.
    """
    n = [_unit(normals[..., i, :]) for i in range(3)]
    b = [readouts[..., j, :] for j in range(2)]
    pairs = [_asin_of_correlation(n[i], n[k]) for i, k in ((0, 1), (0, 2), (1, 2))]
    three = (pairs[0] + pairs[1] + pairs[2]) / (4 * np.pi) + 0.125

    of_b = {(j, m): _dot(b[j], b[m]) for j, m in ((0, 0), (0, 1), (1, 1))}
    both = of_b[0, 1] + noise[..., 0, 1]
    variances = (of_b[0, 0] + noise[..., 0, 0]) * (of_b[1, 1] + noise[..., 1, 1])
    two = np.arctan2(both, np.sqrt(np.maximum(variances - both * both, 0))) / (2 * np.pi) + 0.25

    u, weight = np.polynomial.legendre.leggauss(n_nodes)
    u, weight = (1 + u) / 2, weight / 2
    s, weight = 1 - (1 - u) ** 4, weight * 4 * (1 - u) ** 3
    # Covariance of the part of Y that x does not determine.
    rest = {
        (j, m): of_b[j, m][..., None] * ((1 - u) ** 4 * (1 + s)) + noise[..., j, m][..., None]
        for j, m in of_b
    }
    change = 0.0
    for i, j in product(range(3), range(2)):
        k, m = (other for other in range(3) if other != i)
        along = _dot(b[j], n[i])
        in_plane = {one: n[one] - _dot(n[one], n[i])[..., None] * n[i] for one in (k, m)}
        y, other_y = (one - _dot(one, n[i])[..., None] * n[i] for one in (b[j], b[1 - j]))
        variance = _dot(y, y)[..., None] * (s * s) + rest[j, j]
        given = _Given(y, rest, j, s, variance)
        one, other = given.of_exact(in_plane[k]), given.of_exact(in_plane[m])
        noisy, own = given.of_noisy(other_y)
        angles = _asin_of_correlation(one, other)
        angles = angles + _asin_of_correlation(one, noisy, own)
        angles = angles + _asin_of_correlation(other, noisy, own)
        density = (angles / (4 * np.pi) + 0.125) / np.sqrt(variance)
        change = change + along * (density * weight).sum(-1)
    return three * two + change / (2 * np.pi)


class _Given:
    """Vectors of the other numbers, given X_i = 0 and Y_j = 0; one for each node.

    Numbers are vectors with three coordinates in the plane of X_i = 0, which x determines, and two
    more for the noise: e for that of Y_j and f for the other's own. The space is rotated so that
    Y_j becomes e, which is then left out.
    """

    def __init__(self, y: Array, rest: Any, j: int, s: Any, variance: Array) -> None:
        self.y, self.s = y, s
        self.noise = np.sqrt(rest[j, j])
        deviation = np.sqrt(variance)
        self.by_plane = s * s / (variance + self.noise * deviation)
        self.by_noise = s / deviation
        self.shared = rest[0, 1] / self.noise
        own = np.maximum(rest[1 - j, 1 - j] - self.shared * self.shared, 0)
        self.own = own

    def of_exact(self, vector: Array) -> Array:
        """Vector of one of the exact numbers, shape (..., n_nodes, 3)."""
        turned = _dot(self.y, vector)[..., None] * self.by_plane
        return vector[..., None, :] - turned[..., None] * self.y[..., None, :]

    def of_noisy(self, vector: Array) -> tuple[Array, Array]:
        """Vector of the other noisy number, and the square of its coordinate f."""
        turned = _dot(self.y, vector)[..., None] * (self.by_plane * self.s)
        turned = turned + self.shared * self.by_noise
        rows = vector[..., None, :] * self.s[:, None] - turned[..., None] * self.y[..., None, :]
        return rows, self.own


def _dot(one: Array, other: Array) -> Array:
    return (one * other).sum(-1)


def _unit(vector: Array) -> Array:
    return vector / np.sqrt(_dot(vector, vector))[..., None]


def _asin_of_correlation(one: Array, other: Array, own: Array = None) -> Array:
    """Arcsine of a correlation: pi / 2 minus the angle between two vectors.

    ``own`` is the square of a further coordinate of the other vector, which is zero in the first.
    """
    x, y, z = (one[..., i] for i in range(3))
    p, q, r = (other[..., i] for i in range(3))
    across = [y * r - z * q, z * p - x * r, x * q - y * p]
    square = across[0] * across[0] + across[1] * across[1] + across[2] * across[2]
    if own is not None:
        square = square + own * _dot(one, one)
    return np.arctan2(_dot(one, other), np.sqrt(square))
