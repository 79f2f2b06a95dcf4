"""Order-class anchors: one input for every order of the largest inputs, and a calibrated map.

A class says which position holds the largest input, which the second (and which the third). The
network runs on one input of each class. These inputs have the same levels in every class, so that
classes share their beginnings. A map from margins to the error accounts for what happens within a
class; its few constants are fitted on other networks. The map has no intercept: if all margins are
large, the error is zero.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import ndtr

from ...structure import weights_in_range
from ...zoo import Model
from ..counting.counter import PRICES
from ..estimate import Tally, estimator, fitted_estimator
from ..scope import SECOND_ARGMAX, Scope
from .margins import levels_tree, margins, margins_of_models

Array = NDArray[np.float64]

CONSTANTS = Path(__file__).parents[1] / "data" / "order_anchors.json"

_WIDTHS = (0.2, 0.8)  # widths of the soft steps, in mean absolute margins
_SOFTENING = 0.001  # softens the square root of the share of wrong classes
_BINS = 20  # bins of accuracies, which have equal weight in a fit
_LEAST_VARIANCE = 0.01  # least variance of one answer in the weights of a fit


class Anchor(NamedTuple):
    """Levels of the largest inputs, and the two that the other positions hold alternately."""

    levels: tuple[float, ...]
    bulk: tuple[float, float]


_PAIRS_TRIED, _TRIPLES_TRIED = 280, 70

# These were chosen among 280 random pairs of levels and bulk and 70 triples, for the least ratio to
# sampling on the worst of seeds 0, 1, 3 and 4 of (16, 10) when the constants come from the others.
ANCHORS: dict[str, tuple[Anchor, ...]] = {
    "one": (Anchor((1.0, 0.86), (-0.27, 0.48)),),
    "two": (Anchor((1.0, 0.81), (-0.51, -0.74)), Anchor((1.0, 0.53), (-0.89, 0.30))),
    "triples": (
        Anchor((1.0, 0.84, 0.64), (-0.16, -0.26)),
        Anchor((1.0, 0.81), (-0.51, -0.74)),
        Anchor((1.0, 0.53), (-0.89, 0.30)),
    ),
}
"""The sets of anchors that :func:`order_anchors` can use, by name."""


@dataclass(frozen=True)
class OrderAnchors:
    """Rule of the order anchors: one minus a combination of features of the anchors' margins.

    Attributes
    ----------
    anchors
        Inputs on which the network is run.
    coefficients
        Three for each anchor, one for each of its features; see :func:`fitted_order_anchors`.
    """

    anchors: tuple[Anchor, ...]
    coefficients: tuple[float, ...]

    def __call__(self, model: Model) -> Tally:
        """Estimate the accuracy of a model."""
        weights = weights_in_range(model)
        operations, transcendental, found = 1, 0, []
        for anchor in self.anchors:
            tree, answers = levels_tree(model.seq_len, *anchor)
            found.append(_features(margins(weights, tree, answers)))
            steps = len(_WIDTHS) * len(answers)
            operations += tree.operations(len(weights.w_hi)) + 2 * len(answers) + 2 * steps + 5
            transcendental += steps + 1
        error = float(np.concatenate(found) @ self.coefficients)
        operations += transcendental * PRICES["transcendental"]
        return Tally(min(max(1 - error, 0.0), 1.0), operations, None, transcendental)


def _advice_bits(anchors: str) -> float:
    """Three fitted numbers for each anchor, and the choice of the anchors."""
    chosen = {
        "one": _PAIRS_TRIED,
        "two": math.comb(_PAIRS_TRIED, 2),
        "triples": math.comb(_PAIRS_TRIED, 2) * _TRIPLES_TRIED,
    }
    return 3 * 64 * len(ANCHORS[anchors]) + math.log2(chosen[anchors])


_FACTS: dict[str, Any] = {
    "runs_network": "chosen inputs",
    "exact": "approximate",
    "constants": "from other networks",
    "source": "this book, chapter on M16,10",
    "tuned_on": "noisy copies of (16, 10), seeds 0, 1, 3 and 4; its form on those that are scored",
    "advice_bits": _advice_bits,
    "cost": "O(n^3 d^2), for triples O(n^4 d^2)",
    "fails_when": "the network differs in kind from those of the fit",
}


@fitted_estimator("order anchors, {anchors}", scope=SECOND_ARGMAX, budgets=(), **_FACTS)
def fitted_order_anchors(
    models: Sequence[Model], accuracies: Sequence[float], *, anchors: str
) -> OrderAnchors:
    """Fit the constants of :class:`OrderAnchors` on these models.

    Each anchor has three features: two smooth shares of classes in which the network errs, Phi(-m)
    with the margin m in units of 0.2 and 0.8 of its mean size, and the square root of the plain
    share. The coefficients are not negative and minimise the squared error in units of that of
    sampling, where every twentieth of the accuracies has equal weight.

    ``anchors`` is a name in :data:`ANCHORS`.
    """
    accuracy = np.asarray(accuracies, dtype=float)
    features = np.concatenate(
        [
            _features(margins_of_models(models, *levels_tree(models[0].seq_len, *anchor)))
            for anchor in ANCHORS[anchors]
        ],
        axis=1,
    )
    interval = np.minimum((accuracy * _BINS).astype(int), _BINS - 1)
    variance = np.maximum(accuracy * (1 - accuracy), _LEAST_VARIANCE)
    weight = np.sqrt(1 / (variance * np.bincount(interval, minlength=_BINS)[interval]))
    coefficients, _ = nnls(features * weight[:, None], (1 - accuracy) * weight)
    return OrderAnchors(ANCHORS[anchors], tuple(map(float, coefficients)))


@estimator(
    "order anchors, {anchors}",
    scope=Scope("2nd_argmax", inputs=10, neurons=16),
    budgets=[{"anchors": name} for name in ANCHORS],
    fit=fitted_order_anchors,
    **_FACTS,
)
def order_anchors(model: Model, anchors: str) -> Tally:
    """Accuracy by order anchors with the constants that come with this package.

    ``anchors`` is a name in :data:`ANCHORS`. The constants were fitted on noisy copies of the
    bundled models (16, 10) of seeds 0, 1, 3 and 4; the data file says which. For bundled models of
    other sizes the estimate would be too low by .05 to .13. ``algzoo study --constants`` recomputes
    the constants.
    """
    return OrderAnchors(ANCHORS[anchors], _constants()[anchors])(model)


@cache
def _constants() -> dict[str, tuple[float, ...]]:
    table = json.loads(CONSTANTS.read_text("utf-8"))
    return {name: tuple(found) for name, found in table["coefficients"].items()}


def _features(margin: Array) -> Array:
    """Features of margins (..., n_classes), shape (..., 3)."""
    scale = np.abs(margin).mean(axis=-1, keepdims=True)
    # A network whose margins are all zero decides nothing; its soft steps are one half.
    relative = margin / np.where(scale > 0, scale, 1.0)
    soft = [ndtr(-relative / width).mean(axis=-1) for width in _WIDTHS]
    wrong = (margin <= 0).mean(axis=-1)
    root = np.sqrt(wrong + _SOFTENING) - np.sqrt(_SOFTENING)
    return np.stack([*soft, root], axis=-1)
