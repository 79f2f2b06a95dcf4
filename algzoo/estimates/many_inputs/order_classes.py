"""Classes of inputs by which position is largest and which second, and their distribution.

There are n (n - 1) classes, all equally likely. Given the second-largest number S, the largest is a
standard Gaussian number above S and the others are independent Gaussian numbers below it.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_REACH, _NODES = 9.0, 128  # quadrature over S, exact up to rounding


class ClassMoments(NamedTuple):
    """Means and covariances of the inputs of every class, in the order of :func:`classes`."""

    mean: Array  # (n_classes, n)
    covariance: Array  # (n_classes, n, n)


def classes(n: int) -> Indices:
    """All ordered pairs of the positions of the largest and second-largest; (n (n - 1), 2)."""
    return np.array(list(permutations(range(n), 2)), dtype=np.intp)


@cache
def class_moments(n: int) -> ClassMoments:
    """Moments of n standard Gaussian inputs given which is largest and which second.

    They are computed by quadrature over the second largest, whose density is n (n - 1) phi Phi^(n -
    2) (1 - Phi); given it, the moments are those of truncated Gaussian numbers.
    """
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    s = _REACH * node
    log_density = -(s**2) / 2 - np.log(2 * np.pi) / 2
    above, below = log_ndtr(-s), log_ndtr(s)
    mass = _REACH * weight * n * (n - 1) * np.exp(log_density + (n - 2) * below + above)
    largest, other = np.exp(log_density - above), -np.exp(log_density - below)

    # In the order largest, second, others; given s, all are independent.
    given = np.stack([largest, s, *([other] * (n - 2))])
    own = np.stack([1 + s * largest - largest**2, 0 * s, *([1 + s * other - other**2] * (n - 2))])
    mean = given @ mass
    centred = given - mean[:, None]
    covariance = (centred * mass) @ centred.T + np.diag(own @ mass)
    place = _places(n)
    return ClassMoments(mean[place], covariance[place[:, :, None], place[:, None, :]])


def order_statistics(uniform: Array) -> Array:
    """Largest, second and the others in any order, as quantiles of uniform numbers; (n, points).

    ``uniform`` has shape (n, points), strictly between 0 and 1. The largest of m uniform numbers
    below c is c u^(1/m).
    """
    n = len(uniform)
    largest = uniform[0] ** (1 / n)
    second = largest * uniform[1] ** (1 / (n - 1))
    return np.asarray(ndtri(np.stack([largest, second, *(second * uniform[2:])])))


def arranged(values: Array) -> Array:
    """Put the values of largest, second and others at their positions in every class.

    ``values`` has shape (n, points); the result has shape (n_classes, points, n).
    """
    return np.ascontiguousarray(values[_places(len(values))].swapaxes(1, 2))


def _places(n: int) -> Indices:
    """For every class and position: 0 for the largest, 1 for the second, 2, ... for the others."""
    place = np.empty((n * (n - 1), n), dtype=np.intp)
    for row, (largest, second) in zip(place, classes(n), strict=True):
        row[[largest, second]] = 0, 1
        row[[k for k in range(n) if k not in (largest, second)]] = np.arange(2, n)
    return place
