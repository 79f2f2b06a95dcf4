r"""Orthant probabilities of five Gaussian numbers, three of which are exact and two noisy.

With R(s) the correlations of (X, Y), X three numbers, Y two, in which those between X and Y are
multiplied by s, Plackett's identity makes the probability that all are positive an integral,

    P(1) = P3 P2 + integral over s in (0, 1) of the sum over i, j of
           r_ij  phi2(0, 0; s r_ij)  P3(the other three, given X_i = Y_j = 0),

where P2 = 1/4 + asin(r) / (2 pi), P3 = 1/8 + (sum of three asin(r)) / (4 pi) and phi2(0, 0; r) =
1 / (2 pi sqrt(1 - r^2)). It is done by Gauss-Legendre quadrature in u, s = 1 - (1 - u)^4: where Y
has little noise the integrand changes fast towards s = 1.

Source: R. L. Plackett, "A reduction formula for normal multivariate integrals", Biometrika, 1954.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

Array = Any  # a numpy array, or one that counts

# What rounding may leave of a variance, relative to it, where none should be left.
_ROUNDING = 1e-15


def positive_probability(covariance: Array, n_nodes: int) -> Array:
    """Probability that five Gaussian numbers of mean 0 are all positive; shape (...).

    ``covariance`` has shape (..., 5, 5): of three numbers, then two. It must be positive definite.
    The error falls with the nodes, the slower the more nearly the two are functions of the three.
    Plain arrays and such as count operations will do.
    """
    deviation = [np.sqrt(covariance[..., i, i]) for i in range(5)]
    r = {
        (i, j): covariance[..., i, j] / (deviation[i] * deviation[j])
        for i in range(5)
        for j in range(i + 1, 5)
    }
    three = _three_positive(r[0, 1], r[0, 2], r[1, 2])
    two = np.arcsin(r[3, 4]) / (2 * np.pi) + 0.25
    u, weight = np.polynomial.legendre.leggauss(n_nodes)
    u, weight = (1 + u) / 2, weight / 2
    s = 1 - (1 - u) ** 4
    weight = weight * 4 * (1 - u) ** 3

    def at_nodes(i: int, j: int) -> Array:
        """Correlation of i and j, one value a node: shape (..., n_nodes) or (..., 1)."""
        one = r[min(i, j), max(i, j)][..., None]
        return one * s if min(i, j) < 3 <= max(i, j) else one

    change = 0.0
    for i, j in product(range(3), range(3, 5)):
        others = [k for k in range(5) if k not in (i, j)]
        given = at_nodes(i, j)
        left = np.maximum(1 - given * given, _ROUNDING)
        # Regressions of the others on the two, and what is left of their covariances, times left.
        to_i = {k: at_nodes(k, i) - given * at_nodes(k, j) for k in others}
        to_j = {k: at_nodes(k, j) - given * at_nodes(k, i) for k in others}
        inverse = {
            k: 1
            / np.sqrt(
                np.maximum(left - to_i[k] * at_nodes(k, i) - to_j[k] * at_nodes(k, j), _ROUNDING)
            )
            for k in others
        }
        partial = [
            (left * at_nodes(k, m) - to_i[k] * at_nodes(m, i) - to_j[k] * at_nodes(m, j))
            * (inverse[k] * inverse[m])
            for k, m in ((others[0], others[1]), (others[0], others[2]), (others[1], others[2]))
        ]
        density = _three_positive(*partial) / np.sqrt(left)
        change = change + r[i, j] * (density * weight).sum(-1)
    return three * two + change / (2 * np.pi)


def _three_positive(*correlations: Array) -> Array:
    """Probability that three Gaussian numbers of these correlations are all positive."""
    angles = [np.arcsin(np.clip(r, -1 + _ROUNDING, 1 - _ROUNDING)) for r in correlations]
    return (angles[0] + angles[1] + angles[2]) / (4 * np.pi) + 0.125
