"""Cubature over the order classes: which input is largest, which second, which third."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from ...structure import weights_in_range
from ...zoo import Model
from ..estimate import Tally, estimator
from ..samplers.forward import answers_right
from ..scope import Scope

Array = NDArray[np.float64]


@estimator(
    "order classes, {rows} points each",
    scope=Scope("2nd_argmax", at_least=3),
    budgets=[{"rows": rows} for rows in (8, 16, 64)],
    scrambles=True,
    runs_network="chosen inputs",
    exact="converges",
    constants="none",
    source="this book, chapter on M16,10",
    references=("owen1998",),
    cost="O(points n^3 d^2)",
    fails_when="errors are rare, so that few points of a class hit them",
)
def class_cubature(model: Model, rows: int, scramble: int) -> Tally:
    """Accuracy of a 2nd-argmax model by cubature within each class of inputs.

    A class is a pair of positions, that of the largest and that of the second-largest input; all
    classes are equally likely. Each gets ``rows`` points of its own scrambled Sobol sequence, which
    are mapped to inputs by the exact distribution of order statistics; the third-largest input
    visits all other positions in turn. Every input is evaluated a second time with another last
    input, half of the last input's conditional distribution away. The second evaluation shares the
    state before the last step and costs one product with the input weights and one readout.

    Parameters
    ----------
    model
        The model.
    rows
        Points in each class; a multiple of seq_len - 2, because the third positions are visited
        equally often. Powers of two are best.
    scramble
        Seed of the scrambling. With one scrambling all models see the same inputs, so that their
        errors are correlated.

    Raises
    ------
    ValueError
        If ``rows`` is not such a number.
    """
    n = model.seq_len
    if rows < 1 or rows % (n - 2):
        raise ValueError(f"rows must be a positive multiple of {n - 2}, got {rows}")
    weights = weights_in_range(model)
    right = sum(int(answers_right(weights, x, 1).sum()) for x in _inputs(n, rows, scramble))
    d = model.hidden_size
    first_leaf = n * d * (d + 1) + d * n
    second_leaf = d + d * n
    points = n * (n - 1) * rows
    return Tally(right / (2 * points), points * (first_leaf + second_leaf))


@cache
def _inputs(n: int, rows: int, scramble: int) -> tuple[Array, Array]:
    """All first and all second inputs, each of shape (n, points)."""
    generator = np.random.default_rng(scramble)
    classes = list(permutations(range(n), 2))
    points = len(classes) * rows
    u = qmc.Sobol(n, rng=generator).random_base2((points - 1).bit_length())[:points]
    # A scrambled point may be 0, whose quantile is infinite.
    u = np.clip(u, 2.0**-53, 1 - 2.0**-53).reshape(len(classes), rows, n)
    u = u[generator.permutation(len(classes))]
    # Within a block the number of a point determines its place, which must not fix the position.
    first = np.concatenate(
        [_class_inputs(generator.permutation(of), *c) for c, of in zip(classes, u, strict=True)],
        axis=1,
    )
    largest, second = (np.repeat(positions, rows) for positions in np.transpose(classes))
    other = first.copy()
    other[-1] = _other_last_input(first, largest, second)
    return first, other


def _class_inputs(u: Array, largest: int, second: int) -> Array:
    """Inputs of one class, shape (n, rows), from uniform numbers of shape (rows, n)."""
    rows, n = u.shape
    # The largest of m uniform numbers below c is c u^(1/m).
    levels = np.cumprod(u[:, :3] ** (1 / np.array([n, n - 1, n - 2])), axis=1)
    others = [position for position in range(n) if position not in (largest, second)]
    quantiles = np.empty((rows, n))
    quantiles[:, largest], quantiles[:, second] = levels[:, 0], levels[:, 1]
    for k, third in enumerate(others):
        stratum = slice(k, None, n - 2)
        rest = [position for position in others if position != third]
        quantiles[stratum, third] = levels[stratum, 2]
        quantiles[stratum, rest] = levels[stratum, 2:3] * u[stratum, 3:]
    return np.asarray(ndtri(quantiles).T)


def _other_last_input(x: Array, largest: NDArray[np.intp], second: NDArray[np.intp]) -> Array:
    """Last inputs half of their conditional distribution away; every input stays in its class."""
    n, points = x.shape
    columns = np.arange(points)
    quantiles = ndtr(x)
    at_largest, at_second = quantiles[largest, columns], quantiles[second, columns]
    below = quantiles.copy()
    below[largest, columns] = below[second, columns] = 0
    third = below.max(axis=0)
    low = np.where(largest == n - 1, at_second, np.where(second == n - 1, third, 0.0))
    high = np.where(largest == n - 1, 1.0, np.where(second == n - 1, at_largest, at_second))
    share = (quantiles[-1] - low) / (high - low)
    return np.asarray(ndtri(low + (high - low) * ((share + 0.5) % 1)))
