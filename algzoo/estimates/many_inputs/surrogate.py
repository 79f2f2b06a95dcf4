"""Surrogate fitted on noisy copies: squashed margins at fixed inputs, weighted by ridge regression.

Everything that the surrogate knows about accuracies comes from other noisy copies of the same base
model. So it explains nothing, but it shows how much such advice is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ...structure import weights_in_range
from ...zoo import Model
from ...zoo.streams import named_stream
from ..counting.counter import PRICES
from ..estimate import Tally, fitted_estimator
from ..samplers.forward import operations_of_samples
from ..scope import SECOND_ARGMAX
from .margins import margins, margins_of_models
from .prefix_tree import PrefixTree, prefix_tree

Array = NDArray[np.float64]

# Widths of the squashing, in mean absolute margins of the labelled copies: the best of eight sets
# by leave-one-out error on labelled copies of seed 2 and ARC's example.
_WIDTHS = (2.0, 0.5)
_SETS_OF_WIDTHS_TRIED = 8
_PENALTIES = 10.0 ** np.arange(-2, 6.5, 0.5)


@dataclass(frozen=True)
class MarginSurrogate:
    """Rule ``mean + sum_r coefficients . tanh(margin_r / width)`` over fixed inputs r.

    Its constants, 2 n_inputs + 1 numbers and two widths, are fitted by
    :func:`fitted_margin_surrogate`.
    """

    n_inputs: int
    scale: float
    intercept: float
    coefficients: tuple[float, ...]

    def __call__(self, model: Model) -> Tally:
        """Estimate the accuracy of a model."""
        weights = weights_in_range(model)
        margin = margins(weights, *_inputs(model.seq_len, self.n_inputs))
        features = _squashed(margin, self.scale)
        value = self.intercept + float(features @ self.coefficients)
        operations = operations_of_samples(weights, self.n_inputs) + 2 * features.size
        operations += features.size * PRICES["transcendental"]
        return Tally(min(max(value, 0.0), 1.0), operations, None, features.size)


@fitted_estimator(
    "margin surrogate, {n_inputs} inputs",
    scope=SECOND_ARGMAX,
    budgets=[{"n_inputs": n} for n in (10, 30, 90, 300, 800)],
    runs_network="chosen inputs",
    exact="approximate",
    constants="from other networks",
    source="this book, chapter on M16,10",
    tuned_on="labelled noisy copies of (16, 10), seed 2, and of ARC's example",
    advice_bits=lambda n_inputs: 64 * (2 * n_inputs + 2) + math.log2(_SETS_OF_WIDTHS_TRIED),
    cost="forward passes",
    fails_when="the model is not a noisy copy of the models of the fit",
)
def fitted_margin_surrogate(
    models: Sequence[Model], accuracies: Sequence[float], *, n_inputs: int
) -> MarginSurrogate:
    """Weighted sum of squashed margins at fixed inputs, by ridge regression on labelled models.

    The penalty is the one with the least leave-one-out error on these models.

    Raises
    ------
    ValueError
        If there are fewer than three models, or if all margins are zero.
    """
    if len(models) < 3:
        raise ValueError(f"a margin surrogate is fitted on three models or more, got {len(models)}")
    margin = margins_of_models(models, *_inputs(models[0].seq_len, n_inputs))
    scale = float(np.abs(margin).mean())
    if scale == 0:
        raise ValueError("all margins of these models are zero: nothing can be learned from them")
    intercept, coefficients = _ridge(_squashed(margin, scale), np.asarray(accuracies, dtype=float))
    return MarginSurrogate(n_inputs, scale, intercept, tuple(map(float, coefficients)))


@cache
def _inputs(seq_len: int, n_inputs: int) -> tuple[PrefixTree, NDArray[np.intp]]:
    """Gaussian inputs, always the same, and their answers."""
    stream = named_stream("margin surrogate", seq_len, n_inputs)
    x = np.random.default_rng(stream).standard_normal((n_inputs, seq_len))
    return prefix_tree(x), x.argsort(axis=1)[:, -2]


def _squashed(margin: Array, scale: float) -> Array:
    """Features (..., 2 n_inputs)."""
    return np.concatenate([np.tanh(margin / (scale * width)) for width in _WIDTHS], axis=-1)


def _ridge(features: Array, target: Array) -> tuple[float, Array]:
    """Intercept and coefficients, with leave-one-out errors in closed form."""
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    standard = (features - centre) / spread
    # With far more copies than features, the small matrix of the features is faster.
    eigenvalues, vectors = np.linalg.eigh(standard.T @ standard)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    rotated = standard @ vectors
    centred = target - target.mean()
    projected = rotated.T @ centred

    def left_out(penalty: float) -> float:
        weight = 1 / (eigenvalues + penalty)
        leverage = rotated**2 @ weight + 1 / len(target)
        residual = centred - rotated @ (weight * projected)
        return float(((residual / (1 - leverage)) ** 2).mean())

    penalty = min(_PENALTIES, key=left_out)
    solution = vectors @ (projected / (eigenvalues + penalty)) / spread
    return float(target.mean() - centre @ solution), solution
