"""The event that a recurrent 2nd-argmax model prefers a wrong answer by more than a threshold."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights, weights_in_range
from ...structure.features.wiring import states
from ...zoo import Model
from ..samplers.iid import operations_of_a_pass
from ..scope import SECOND_ARGMAX
from .event import Floats, ModelEvent, Readout, Region


def event_of(model: Model, threshold: float) -> ModelEvent:
    """Return the event that a wrong logit exceeds the right one by more than a threshold.

    With threshold 0 it is the event that the model errs, except that a tie is no error: where all
    neurons are off, all logits are 0, and the model answers with position 0, rightly or not. The
    score is the largest wrong logit minus the right one minus the threshold. The groups of inputs
    are those with the same right position. In each of them there is a region for every wrong
    position, where it has the largest of the wrong logits (none contains ties). The operations
    are those of a forward pass, n d (d + 1) + n d multiply-adds.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights.weights_in_range`, or if the model is not a
        2nd-argmax model of at least two inputs, or the threshold is not finite.
    """
    SECOND_ARGMAX.check(model, "the event of a wrong answer")
    if not math.isfinite(threshold):
        raise ValueError(f"threshold must be a finite number, got {threshold}")
    weights = weights_in_range(model)
    margin = _Margin(weights, threshold)
    n, d = weights.w_oh.shape
    return ModelEvent(
        model=model,
        kind="wrong answer",
        threshold=threshold,
        dimension=n,
        score=margin.score,
        score_and_gradient=margin.score_and_gradient,
        operations=operations_of_a_pass(n, d, n),
        readout=Readout(
            activations=lambda x: states(weights, x)[-1],
            group=_right_position,
            regions=_regions(weights.w_oh, threshold),
        ),
    )


class _Margin:
    """Largest wrong logit minus the right one minus a threshold."""

    def __init__(self, weights: Weights, threshold: float) -> None:
        self.weights, self.threshold = weights, threshold

    def score(self, x: Floats) -> Floats:
        return self._of_final_state(states(self.weights, x)[-1], x)[0]

    def score_and_gradient(self, x: Floats) -> tuple[Floats, Floats]:
        w_hi, w_hh, w_oh = self.weights
        activations = states(self.weights, x)
        score, wrong, right = self._of_final_state(activations[-1], x)
        gradient = np.empty_like(x)
        by_state = w_oh[wrong] - w_oh[right]  # derivative by the final state
        for t in reversed(range(len(activations))):
            by_state = np.where(activations[t] > 0, by_state, 0.0)
            gradient[:, t] = by_state @ w_hi
            by_state = by_state @ w_hh
        return score, gradient

    def _of_final_state(
        self, state: Floats, x: Floats
    ) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
        """Return the scores, the best wrong positions and the right positions."""
        logits = state @ self.weights.w_oh.T
        each, right = np.arange(len(x)), _right_position(x)
        of_right = logits[each, right]
        logits[each, right] = -np.inf
        wrong = logits.argmax(axis=1)
        return logits[each, wrong] - of_right - self.threshold, wrong, right


def _right_position(x: Floats) -> NDArray[np.intp]:
    return np.asarray(x.argsort(axis=1)[:, -2])


def _regions(w_oh: Floats, threshold: float) -> tuple[Region, ...]:
    n = len(w_oh)
    regions = []
    for right in range(n):
        for wrong in range(n):
            if wrong != right:
                others = [k for k in range(n) if k not in (wrong, right)]
                matrix = w_oh[wrong] - w_oh[[right, *others]]
                offsets = np.array([threshold, *(0.0 for _ in others)])
                regions.append(Region(right, matrix, offsets))
    return tuple(regions)
