r"""Mean and covariance of rectified Gaussian numbers.

For Z with means mu, deviations sigma and correlations r, with a = mu / sigma, phi and Phi the
density and distribution function of one standard Gaussian number:

    E[ReLU(Z)]   = mu Phi(a) + sigma phi(a)
    E[ReLU(Z)^2] = (mu^2 + sigma^2) Phi(a) + mu sigma phi(a)
    Cov(ReLU(Z), X) = Phi(a) Cov(Z, X)  for X jointly Gaussian with Z (Stein)

and for two such numbers, from Price's theorem (the derivative of E[f(Z1) g(Z2)] by the covariance
is E[f'(Z1) g'(Z2)]) used twice and integrated by parts, with s = sin(theta),

    Cov(ReLU(Z1), ReLU(Z2)) / (sigma1 sigma2) = r Phi(a1) Phi(a2)
        + 1 / (2 pi) integral over theta from 0 to asin(r) of (r - s) exp(-q(theta)),
    q(theta) = (a1^2 + a2^2 - 2 a1 a2 s) / (2 (1 - s^2)).

For means of zero the integral is elementary and gives the arc-cosine kernel of Y. Cho and L. Saul,
"Kernel methods for deep learning", 2009. Otherwise it is computed by Gauss-Legendre quadrature; the
factor r - s keeps it exact to many digits up to |r| = 1.

References
----------
R. Price, "A useful theorem for nonlinear devices having Gaussian inputs", 1958.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtr

Array = Any  # a numpy array, or one that counts

_SMALLEST = 1e-150  # stands for a deviation of zero: the ReLU of a constant is a constant


def rectified_moments(mean: Array, covariance: Array, n_nodes: int) -> tuple[Array, Array, Array]:
    """Mean and covariance of ReLU(Z) for Gaussian Z, and the probabilities that Z is positive.

    Parameters
    ----------
    mean, covariance
        Mean and covariance of Z, shapes (..., d) and (..., d, d), as plain arrays or arrays that
        count operations. Variances may be zero; a variance that is negative because of rounding is
        taken to be zero.
    n_nodes
        Number of quadrature nodes for each pair of numbers.

    Returns
    -------
    mean, covariance, probabilities
        Shapes (..., d), (..., d, d) and (..., d).
    """
    d = mean.shape[-1]
    diagonal = np.arange(d)
    variance = np.maximum(covariance[..., diagonal, diagonal], 0)
    deviation = np.maximum(np.sqrt(variance), _SMALLEST)
    # The bound is so large that all probabilities beyond are 0 or 1, yet its square is finite.
    a = np.clip(mean / deviation, -1e6, 1e6)
    gate = ndtr(a)
    density = np.exp(a * a * -0.5) * (1 / math.sqrt(2 * math.pi))
    rectified = mean * gate + deviation * density
    second_moment = (mean * mean + variance) * gate + mean * deviation * density

    i, j = np.triu_indices(d, 1)
    scale = deviation[..., i] * deviation[..., j]
    r = np.clip(covariance[..., i, j] / scale, -1, 1)
    off_diagonal = scale * (
        r * (gate[..., i] * gate[..., j]) + _covariance_integral(r, a[..., i], a[..., j], n_nodes)
    )
    result = np.zeros_like(covariance, dtype=float)
    result[..., diagonal, diagonal] = np.maximum(second_moment - rectified * rectified, 0)
    result[..., i, j] = off_diagonal
    result[..., j, i] = off_diagonal
    return rectified, result, gate


def _covariance_integral(r: Array, a: Array, b: Array, n_nodes: int) -> Array:
    """Integral of the last formula in the module's docstring, divided by 2 pi."""
    u, weight = np.polynomial.legendre.leggauss(n_nodes)
    u, weight = (1 + u) / 2, weight / (4 * math.pi)
    angle = np.arcsin(r)
    s = np.sin(angle[..., None] * u)
    squares, product = (a * a + b * b) * 0.5, a * b
    q = (squares[..., None] - product[..., None] * s) / (1 - s * s)
    return angle * ((r[..., None] - s) * np.exp(-q) @ weight)
