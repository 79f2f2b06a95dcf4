"""Two-level response surfaces: a linear map for each class, from a designed experiment.

A class of inputs is an ordered pair of positions, of the largest and of the second-largest input.
In each class the network is run on the rows of a Hadamard matrix: the second largest is one
standard deviation above or below its mean, and every other input one above or below its mean given
the second. A least-squares fit gives a linear map from inputs to margins; its residuals are taken
to be Gaussian noise. The probability that all margins are positive is then computed over the exact
distribution of the class, which costs no more runs of the network.

The method fails, because margins are not linear within a class, and the residuals are not noise.
The two errors cancel on some models and not on others.

References
----------
R. Plackett and J. Burman, "The design of optimum multifactorial experiments", Biometrika 33, 1946,
for designs with two levels.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard
from scipy.special import log_ndtr, ndtri
from scipy.stats import qmc

from ...structure import weights_in_range
from ...zoo import Model
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..scope import Scope
from .order_classes import arranged, class_moments, classes, order_statistics
from .prefix_tree import PrefixTree, prefix_tree

Array = NDArray[np.float64]

_POINTS = 64  # Sobol points that represent the distribution of a class
_HALF_CELL = 1 / (2 * _POINTS)


class _Design(NamedTuple):
    """Experiments of all classes, and the map applied to their results.

    ``combinations``, of shape (points, runs), maps the margins in the runs to those at points of
    the class: the linear map there, plus noise.
    """

    tree: PrefixTree  # of inputs (n_classes, runs), in this order
    combinations: Array


@estimator(
    "response surfaces",
    scope=Scope("2nd_argmax", at_least=4),
    runs_network="chosen inputs",
    exact="approximate",
    constants="none",
    source="this book, chapter on M16,10; designs of Plackett and Burman, 1946",
    references=("plackettburman1946",),
    cost="O(n^3 d^2)",
    fails_when="margins are not linear within a class, as in every trained network here",
)
def response_surface(model: Model) -> Tally:
    """Accuracy of a 2nd-argmax model by a two-level response surface for each class.

    The operations are those of the runs and of the predicted margins at 64 Sobol points of the
    distribution of a class, whose combinations of the runs do not depend on the network.
    """
    weights = weights_in_range(model)
    n = model.seq_len
    design = _design(n)
    counter = OperationCounter()
    counter.counts["multiply_add"] += design.tree.operations(model.hidden_size)
    runs = design.combinations.shape[1]
    logits = counter.array(design.tree.logits(weights).reshape(n * (n - 1), runs, n))
    second = classes(n)[:, 1]
    others = np.array([[k for k in range(n) if k != answer] for answer in second])
    number = np.arange(len(second))[:, None, None]
    run = np.arange(runs)[:, None]
    margins = logits[number, run, second[:, None, None]] - logits[number, run, others[:, None]]

    value = np.mean(np.all(design.combinations @ margins > 0, axis=-1))
    return Tally(value.item(), counter)


@cache
def _design(n: int) -> _Design:
    runs = 1 << (n + 1).bit_length()  # more than the n + 1 numbers that are fitted
    matrix = hadamard(runs)
    # Columns that are products of an odd number of others come first: effects of the other inputs
    # are then not confused with products of two of them. Largest and second take the rest.
    columns = sorted(range(1, runs), key=lambda column: (column.bit_count() % 2 == 0, column))
    values = _levels(matrix[:, [*columns[n - 2 : n], *columns[: n - 2]]], n)

    # Sobol's points lie on the lower corners of cells; their middles are never 0 or 1.
    free = runs - n - 1
    u = qmc.Sobol(n + free, scramble=False).random(_POINTS) + _HALF_CELL
    inputs, noise = order_statistics(u[:, :n].T).T, ndtri(u[:, n:])
    terms = np.insert(values, 0, 1, axis=1)
    fit = np.linalg.pinv(terms)
    contrasts = _contrasts(terms, matrix[:, columns[n:]]) / np.sqrt(free)
    combinations = np.insert(inputs, 0, 1, axis=1) @ fit + noise @ contrasts
    return _Design(prefix_tree(arranged(values.T).reshape(-1, n)), combinations)


def _contrasts(terms: Array, columns: NDArray[np.int_]) -> Array:
    """Orthonormal contrasts of the runs orthogonal to a fit of ``terms``, one in each row.

    Their mean square is the residual variance in any basis, but the noise at given points that is
    made from them depends on the basis. This basis is that of Gram and Schmidt: for each column,
    the part that is orthogonal to the terms and to the columns before it, with the column's sign.
    There are as many columns as contrasts, and together with the terms they span all runs.
    """
    orthogonal, triangle = np.linalg.qr(np.concatenate([terms, columns], axis=1))
    contrasts: Array = (orthogonal * np.sign(np.diagonal(triangle)))[:, terms.shape[1] :].T
    return contrasts


def _levels(signs: NDArray[np.int_], n: int) -> Array:
    """Inputs of the runs in the order largest, second, others; (runs, n), as the signs."""
    moments = class_moments(n)
    s = moments.mean[0, 1] + np.sqrt(moments.covariance[0, 1, 1]) * signs[:, 1]
    log_density = -(s**2) / 2 - np.log(2 * np.pi) / 2
    above, below = np.exp(log_density - log_ndtr(-s)), -np.exp(log_density - log_ndtr(s))
    # A Gaussian number restricted to one side of s, with mean m, has variance 1 + s m - m^2.
    of_above, of_below = (np.sqrt(1 + s * m - m**2) for m in (above, below))
    others = below[:, None] + of_below[:, None] * signs[:, 2:]
    return np.concatenate([np.stack([above + of_above * signs[:, 0], s], axis=1), others], axis=1)
