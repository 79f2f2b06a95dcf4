r"""Statistical linearisation at the boundary, with moments measured on inputs: an oracle.

In a class of inputs, with the largest at i and the second largest at j, the margins of a
2nd-argmax network (the logit of j minus that of k, for all other k) are taken to be linear in the
inputs up to a Gaussian residual,

    P(right | class) = E over x of P(lambda(x) + N(0, C) > 0).

Four ways of choosing the linear maps lambda and the covariance C are compared.

* "linear": least-squares fits, no residual.
* "ordinary": least-squares fits, and the covariance of their residuals. But residuals are curved,
  not noise, and they do not matter where a margin is far from 0.
* "boundary": inputs are weighted for margin k by w_k = exp(-lambda_k(x)^2 / (2 sigma_k^2)), with
  lambda_k the previous fit and sigma_k the standard deviation of the ordinary residual; three such
  fits are done one after another. C_kl = sum sqrt(w_k w_l) r_k r_l / sum sqrt(w_k w_l), r the
  residuals.
* "self-consistent": the same, but sigma_k^2 is C_kk of the previous fit: the boundary is as wide as
  the residual there. It is narrower, most of all for networks that make few mistakes.

The moments come from running the network on random inputs of every class, more inputs than counting
right answers to the same precision would take. So the method tests whether such a description is
true of a network; it does not save work.

References
----------
This book, chapter on M16,10.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...structure import weights_in_range
from ...zoo import Model
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..samplers.forward import operations_of_samples, readouts
from ..scope import SECOND_ARGMAX
from .order_classes import classes, order_statistics

Array = Any  # a numpy array, or one that counts

Closure = Literal["linear", "ordinary", "boundary", "self-consistent"]

_REFITS: dict[Closure, int] = {"linear": 0, "ordinary": 0, "boundary": 3, "self-consistent": 12}

_NOISE_DRAWS = 4  # for every input; the scatter of the inputs themselves is then larger

# Least weight of an input, as a share of the largest in a fit. If no input of a class is near
# the boundary of a margin, its fit would rest on the few that are nearest.
_LEAST_WEIGHT = 1e-3


@estimator(
    "boundary oracle",
    scope=SECOND_ARGMAX,
    budgets=[{"rows": 2048, "seed": 0}],
    runs_network="random inputs",
    exact="approximate",
    constants="none",
    source="this book, chapter on M16,10",
    cost="more than counting right answers on the same inputs",
    fails_when="margins are not linear near the boundary between two answers",
)
def boundary_oracle(
    model: Model, rows: int, seed: int, closure: Closure = "self-consistent"
) -> Tally:
    """Accuracy of a 2nd-argmax model if its margins were linear with Gaussian residuals.

    All operations are counted, including those of the fits.

    Parameters
    ----------
    model
        The model.
    rows
        Random inputs in each of the seq_len (seq_len - 1) classes; about 2,000 for ten inputs.
    seed
        Seed of the inputs and of the residuals.
    closure
        Which linear maps and which covariance; see the module's docstring.

    Raises
    ------
    ValueError
        If ``rows`` is not more than two inputs for each coefficient of a fit, ``seed`` is negative,
        there is no such closure, or two logits always tie.
    """
    weights = weights_in_range(model)
    n = model.seq_len
    if closure not in _REFITS:
        raise ValueError(f"closure must be one of {', '.join(_REFITS)}, got {closure!r}")
    if rows <= 2 * (n + 1):
        raise ValueError(
            f"rows must be more than {2 * (n + 1)}, twice the {n + 1} coefficients of a fit, "
            f"got {rows}"
        )
    generator = np.random.default_rng(seed)
    counter = OperationCounter()
    right = 0.0
    for largest, second in classes(n):
        order = [largest, second, *(k for k in range(n) if k not in (largest, second))]
        x = np.empty((n, rows))
        x[order] = order_statistics(generator.random((n, rows)))
        logits = counter.array(readouts(weights, x).T)
        margins = logits[:, second, None] - logits[:, order[:1] + order[2:]]
        if not margins.values.any(axis=0).all():
            raise ValueError("The boundary oracle needs margins that vary: two logits always tie")
        predicted, covariance = linearised(counter.array(x.T), margins, closure)
        noise = generator.standard_normal((_NOISE_DRAWS, rows, n - 1))
        right += _share_positive(predicted, covariance, noise).item()
    counter.counts["multiply_add"] += operations_of_samples(weights, n * (n - 1) * rows)
    return Tally(right / (n * (n - 1)), counter)


def linearised(x: Array, margins: Array, closure: Closure) -> tuple[Array, Array]:
    """Linear predictions of margins, shape (rows, m), and covariance of the residuals, (m, m).

    ``x`` has shape (rows, n), ``margins`` (rows, m). A covariance at the boundary may have small
    negative eigenvalues, because its entries are weighted differently.
    """
    terms = np.concatenate([np.ones_like(x[:, :1]), x], axis=1)
    products = (terms[:, :, None] * terms[:, None, :]).reshape(len(x), -1)
    weight = np.ones_like(margins)
    predicted = _weighted_fit(terms, products, margins, weight)
    covariance = _covariance(margins - predicted, weight)
    width = np.diagonal(covariance)
    for _ in range(_REFITS[closure]):
        weight = _boundary_weight(predicted, width)
        predicted = _weighted_fit(terms, products, margins, weight)
        covariance = _covariance(margins - predicted, weight)
        if closure == "self-consistent":
            width = np.diagonal(covariance)
    return predicted, np.zeros_like(covariance) if closure == "linear" else covariance


def _weighted_fit(terms: Array, products: Array, margins: Array, weight: Array) -> Array:
    """Predictions of the weighted least-squares fits of all margins, shape (rows, m)."""
    normal = (weight.T @ products).reshape(margins.shape[1], terms.shape[1], terms.shape[1])
    right_side = (weight * margins).T @ terms
    return terms @ np.linalg.solve(normal, right_side[:, :, None])[:, :, 0].T


def _boundary_weight(predicted: Array, variance: Array) -> Array:
    """Weights of the inputs, shape (rows, m), of which the largest is 1 for every margin."""
    square = predicted * predicted
    # A margin that is linear has no residual; its fit is the same with any weights.
    width = np.maximum(variance, 1e-12 * square.mean(axis=0))
    weight = np.exp((square.min(axis=0) - square) / (2 * width))
    return np.maximum(weight, _LEAST_WEIGHT)


def _covariance(residual: Array, weight: Array) -> Array:
    root = np.sqrt(weight)
    weighted = root * residual
    return (weighted.T @ weighted) / (root.T @ root)


def _share_positive(predicted: Array, covariance: Array, noise: NDArray[np.float64]) -> Array:
    """Share of draws in which all predictions with residuals are positive."""
    # The symmetric root is used because the signs of eigenvectors are arbitrary.
    eigenvalues, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(eigenvalues, 0.0))) @ vectors.T
    margins = predicted + noise @ root
    return (margins.min(axis=-1) > 0).mean()
