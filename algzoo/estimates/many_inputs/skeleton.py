"""Conditional-mean skeleton: the network evaluated on the mean input of every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ...structure import weights_in_range
from ...zoo import Model
from ..counting.counter import PRICES
from ..estimate import Tally, estimator, fit_of
from ..scope import SECOND_ARGMAX
from .margins import margins, margins_of_models
from .order_classes import class_moments, classes
from .prefix_tree import PrefixTree, prefix_tree

_WIDTHS = 2.0 ** (np.arange(-48, 49) / 8)  # in units of the mean absolute margin
_NO_SPREAD = 1e-18  # a smaller variance of a mean step than this is rounding


@estimator(
    "skeleton",
    scope=SECOND_ARGMAX,
    runs_network="chosen inputs",
    exact="approximate",
    constants="none",
    source="this book, chapter on M16,10",
    cost="O(n^3 d^2)",
    fails_when="errors lie within classes, which makes the estimate too high without a fit",
)
def skeleton(model: Model) -> Tally:
    """Accuracy as the share of classes whose mean input the network gets right.

    A class is an ordered pair of positions, of the largest and of the second-largest input. Its
    mean input holds the expected values of these two order statistics, and the expected value of
    the others elsewhere. The method is a mean field within a class and exact between classes.
    """
    weights = weights_in_range(model)
    tree, answers = _tree(model.seq_len)
    right = margins(weights, tree, answers) > 0
    return Tally(float(right.mean()), tree.operations(len(weights.w_hi)) + right.size)


@dataclass(frozen=True)
class CalibratedSkeleton:
    """Rule ``offset + slope * mean Phi(margin / width)`` over the classes of a skeleton.

    The three constants are fitted by :func:`fitted_skeleton`.
    """

    width: float
    offset: float
    slope: float

    def __call__(self, model: Model) -> Tally:
        """Estimate the accuracy of a model."""
        weights = weights_in_range(model)
        tree, answers = _tree(model.seq_len)
        soft = ndtr(margins(weights, tree, answers) / self.width)
        operations = tree.operations(len(weights.w_hi)) + 2 * soft.size + 2
        operations += soft.size * PRICES["transcendental"]
        value = min(max(self.offset + self.slope * float(soft.mean()), 0.0), 1.0)
        return Tally(value, operations, None, soft.size)


@fit_of(skeleton, advice_bits=3 * 64)
def fitted_skeleton(models: Sequence[Model], accuracies: Sequence[float]) -> CalibratedSkeleton:
    """Fit the constants of :class:`CalibratedSkeleton` to these models by least squares.

    The width is the best on a grid of multiples of the mean absolute margin, by powers of 2^(1/8).
    Near its minimum the error hardly depends on the width, so rounding would determine the result
    of a search without a grid.
    """
    margin = margins_of_models(models, *_tree(models[0].seq_len))
    accuracy = np.asarray(accuracies, dtype=float)
    # Margins of zero width would be steps.
    typical = float(np.abs(margin).mean() + np.finfo(float).tiny)
    fits = [_line(margin, accuracy, typical * width) for width in _WIDTHS]
    _, constants = min(fits, key=lambda fit: fit[0])
    return CalibratedSkeleton(*constants)


def _line(
    margin: NDArray[np.float64], accuracy: NDArray[np.float64], width: float
) -> tuple[float, tuple[float, float, float]]:
    """Squared error of the best line at this width, and the constants."""
    soft = ndtr(margin / width).mean(axis=1)
    centred = soft - soft.mean()
    spread = centred @ centred
    slope = centred @ accuracy / spread if spread > _NO_SPREAD * len(soft) else 0.0
    error = accuracy - accuracy.mean() - slope * centred
    offset = accuracy.mean() - slope * soft.mean()
    return float(error @ error), (float(width), float(offset), float(slope))


@cache
def _tree(seq_len: int) -> tuple[PrefixTree, NDArray[np.intp]]:
    return prefix_tree(class_moments(seq_len).mean), classes(seq_len)[:, 1]
