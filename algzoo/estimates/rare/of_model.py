"""Rare events of a recurrent model: errors by a margin, wrong answers of one kind, large errors.

Each event is a :class:`~.event.ModelEvent`. The score is piecewise differentiable, and its gradient
is that of the linear piece that the input is on.

There is none for longest-cycle models. Their inputs are functions from n points to themselves, not
Gaussian numbers; there are n^n of them, so that an event is counted on all
(:func:`~algzoo.estimates.exhaustive_accuracy` does so for errors), or on uniformly drawn ones.
Methods that shift a Gaussian or step along a gradient of the input have nothing to work with.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights, weights_in_range
from ...structure.features.wiring import states
from ...zoo import Model
from ..samplers.iid import operations_of_a_pass
from ..scope import SECOND_ARGMAX, Scope
from .event import Floats, Kind, ModelEvent, Readout, Region

Positions = NDArray[np.intp]

_MEDIAN = Scope("median")
_THREE_INPUTS = Scope("2nd_argmax", at_least=3)


def event_of(model: Model, threshold: float) -> ModelEvent:
    """Return the event that a wrong logit exceeds the right one by more than a threshold.

    With threshold 0 it is the event that the model errs, except that a tie is no error: where all
    neurons are off, all logits are 0, and the model answers with position 0, rightly or not. The
    score is the largest wrong logit minus the right one minus the threshold. The groups of inputs
    are those with the same right position. In each of them there is a region for every wrong
    position, where it has the largest of the wrong logits, or the first of the largest. The
    operations are those of a forward pass, n d (d + 1) + n d multiply-adds.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights.weights_in_range`, or if the model is not a
        2nd-argmax model of at least two inputs, or the threshold is not finite.
    """
    weights = _checked(model, threshold, SECOND_ARGMAX, "the event of a wrong answer")
    score = _WrongAnswer(weights, threshold)
    n = len(weights.w_oh)
    regions = []
    for right in range(n):
        for wrong in range(n):
            if wrong != right:
                others = [k for k in range(n) if k not in (wrong, right)]
                matrix = weights.w_oh[wrong] - weights.w_oh[[right, *others]]
                offsets = np.array([threshold, *(0.0 for _ in others)])
                closed = tuple(face for face, k in enumerate(others, 1) if k > wrong)
                regions.append(Region(right, matrix, offsets, closed))
    readout = Readout(score.activations, lambda x: _position(x, -2), tuple(regions))
    return _event(model, "wrong answer", threshold, score, readout)


def names_smallest(model: Model, threshold: float) -> ModelEvent:
    """Return the event that a 2nd-argmax model answers with the position of the smallest input.

    The score is the logit of that position minus the largest other one minus the threshold. A tie
    of these two is no answer, as in :func:`event_of`. The groups of inputs are those with the same
    smallest input; the region of each is where the logit of its position is the largest by more
    than the threshold.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights.weights_in_range`, or if the model is not a
        2nd-argmax model of at least three inputs (the smaller of two is the right answer), or the
        threshold is not finite.
    """
    weights = _checked(model, threshold, _THREE_INPUTS, "the event that the smallest is named")
    score = _Named(weights, 0, threshold, None)
    regions = _regions_named(weights, threshold)
    readout = Readout(score.activations, lambda x: _position(x, 0), regions)
    return _event(model, "smallest named", threshold, score, readout)


def names_largest(model: Model, gap: float) -> ModelEvent:
    """Return the event that a 2nd-argmax model answers with the largest input, far above all.

    The largest input exceeds the second largest, the right answer, by more than a gap. The score is
    the less of two numbers, one in units of the logits, the other of the inputs: the logit of the
    largest input minus the largest other logit, and the gap between the two largest inputs minus
    ``gap``. The groups of inputs are those with the same largest input; the region of each is where
    the logit of its position is the largest. Inputs with a smaller gap are a group without regions.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights.weights_in_range`, or if the model is not a
        2nd-argmax model of at least two inputs, or the gap is negative or not finite.
    """
    weights = _checked(model, gap, SECOND_ARGMAX, "the event that the largest input is named")
    if gap < 0:
        raise ValueError(f"gap, a difference of two inputs, must be at least 0, got {gap}")
    score = _Named(weights, -1, 0.0, gap)

    def group(x: Floats) -> Positions:
        return np.where(_gap(x) > gap, _position(x, -1), -1)

    readout = Readout(score.activations, group, _regions_named(weights, 0.0))
    return _event(model, "largest named", gap, score, readout)


def squared_error_above(model: Model, threshold: float) -> ModelEvent:
    """Return the event that the squared error of a median model is above a threshold.

    The score is abs(output - median) - sqrt(threshold); it is 0 or more everywhere if the threshold
    is 0. The activations are the neurons' with the median of the inputs beside them: the event is a
    pair of half-spaces of these, one for outputs that are too large, one for those too small.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights.weights_in_range`, or if the model is not a
        median model, or the threshold is negative or not finite.
    """
    weights = _checked(model, threshold, _MEDIAN, "the event of a large squared error")
    if threshold < 0:
        raise ValueError(f"threshold, a squared error, must be at least 0, got {threshold}")
    score = _Error(weights, math.sqrt(threshold))
    normal = np.append(weights.w_oh[0], -1.0)
    offset = np.array([math.sqrt(threshold)])
    regions = (Region(0, normal[None], offset), Region(0, -normal[None], offset))
    readout = Readout(score.activations, lambda x: np.zeros(len(x), np.intp), regions)
    return _event(model, "squared error", threshold, score, readout)


def _checked(model: Model, threshold: float, scope: Scope, name: str) -> Weights:
    scope.check(model, name)
    if not math.isfinite(threshold):
        raise ValueError(f"threshold must be a finite number, got {threshold}")
    return weights_in_range(model)


def _event(
    model: Model, kind: Kind, threshold: float, score: _Score, readout: Readout
) -> ModelEvent:
    outputs, d = score.weights.w_oh.shape
    return ModelEvent(
        model=model,
        kind=kind,
        threshold=float(threshold),
        dimension=model.seq_len,
        score=score.score,
        score_and_gradient=score.score_and_gradient,
        operations=operations_of_a_pass(model.seq_len, d, outputs),
        readout=readout,
    )


class _Scored(NamedTuple):
    """Scores, and how they change with the final state and, directly, with the inputs."""

    score: Floats
    by_state: Floats
    by_inputs: Floats


class _Score(ABC):
    """A score of the final state and of the inputs, of one model."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights

    @abstractmethod
    def scored(self, state: Floats, x: Floats) -> _Scored:
        """Score inputs after which the model is in these states."""

    def activations(self, x: Floats) -> Floats:
        """Return the final states."""
        return np.asarray(states(self.weights, x)[-1])

    def score(self, x: Floats) -> Floats:
        """Return the scores of inputs."""
        return self.scored(states(self.weights, x)[-1], x).score

    def score_and_gradient(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the scores and their gradients, by backpropagation."""
        activations = states(self.weights, x)
        score, by_state, by_inputs = self.scored(activations[-1], x)
        gradient = np.empty_like(x)
        for t in reversed(range(len(activations))):
            by_state = np.where(activations[t] > 0, by_state, 0.0)
            gradient[:, t] = by_state @ self.weights.w_hi
            by_state = by_state @ self.weights.w_hh
        return score, gradient + by_inputs

    def _lead(self, state: Floats, of: Positions) -> tuple[Floats, Positions]:
        """By how much the logit of each position exceeds the largest other one, and which it is."""
        logits = state @ self.weights.w_oh.T
        each = np.arange(len(logits))
        own = logits[each, of]
        logits[each, of] = -np.inf
        other = logits.argmax(axis=1)
        return own - logits[each, other], other


class _WrongAnswer(_Score):
    """Largest wrong logit minus the right one minus a threshold."""

    def __init__(self, weights: Weights, threshold: float) -> None:
        super().__init__(weights)
        self.threshold = threshold

    def scored(self, state: Floats, x: Floats) -> _Scored:
        right = _position(x, -2)
        lead, wrong = self._lead(state, right)
        w_oh = self.weights.w_oh
        return _Scored(-lead - self.threshold, w_oh[wrong] - w_oh[right], np.zeros_like(x))


class _Named(_Score):
    """Logit of the input of a rank minus the largest other minus a threshold.

    If there is a least gap, the score is at most the gap between the two largest inputs minus this.
    """

    def __init__(self, weights: Weights, rank: int, threshold: float, gap: float | None) -> None:
        super().__init__(weights)
        self.rank, self.threshold, self.gap = rank, threshold, gap

    def scored(self, state: Floats, x: Floats) -> _Scored:
        named = _position(x, self.rank)
        lead, other = self._lead(state, named)
        w_oh = self.weights.w_oh
        score = lead - self.threshold
        by_state, by_inputs = w_oh[named] - w_oh[other], np.zeros_like(x)
        if self.gap is not None:
            excess = _gap(x) - self.gap
            (limited,) = np.nonzero(excess < score)
            score = np.minimum(score, excess)
            by_state[limited] = 0.0
            by_inputs[limited, named[limited]] = 1.0
            by_inputs[limited, _position(x[limited], -2)] = -1.0
        return _Scored(score, by_state, by_inputs)


class _Error(_Score):
    """Size of the error of an estimated median minus a bound."""

    def __init__(self, weights: Weights, bound: float) -> None:
        super().__init__(weights)
        self.bound = bound

    def scored(self, state: Floats, x: Floats) -> _Scored:
        error = state @ self.weights.w_oh[0] - np.median(x, axis=1)
        sign = np.sign(error)
        by_inputs = np.zeros_like(x)
        each, n = np.arange(len(x)), x.shape[1]
        for rank in ((n - 1) // 2, n // 2):
            by_inputs[each, _position(x, rank)] -= sign / 2
        return _Scored(np.abs(error) - self.bound, np.outer(sign, self.weights.w_oh[0]), by_inputs)

    def activations(self, x: Floats) -> Floats:
        return np.column_stack([super().activations(x), np.median(x, axis=1)])


def _position(x: Floats, rank: int) -> Positions:
    """Position of the input of a rank; 0 is the smallest, -1 the largest."""
    return np.asarray(x.argsort(axis=1)[:, rank])


def _gap(x: Floats) -> Floats:
    """Difference of the two largest inputs."""
    largest = np.sort(x, axis=1)[:, -2:]
    return np.asarray(largest[:, 1] - largest[:, 0])


def _regions_named(weights: Weights, threshold: float) -> tuple[Region, ...]:
    """Where each logit is the largest by more than a threshold."""
    n = len(weights.w_oh)
    return tuple(
        Region(k, weights.w_oh[k] - np.delete(weights.w_oh, k, axis=0), np.full(n - 1, threshold))
        for k in range(n)
    )
