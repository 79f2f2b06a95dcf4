"""What a model does on each of many inputs: active neurons, its answer, and the right answer.

The same facts are found for inputs and for the cones on which they are constant, so that a class of
inputs can be written as one condition on facts. It then labels inputs, and its exact probability is
the sum over the cones that meet it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimates.scope import SECOND_ARGMAX
from ..structure import DecisionCone, Weights, weights_in_range
from ..zoo import Model

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts about inputs, or about cones.

    Attributes
    ----------
    active
        Whether each neuron is active after each input, shape (n, seq_len, hidden_size).
    answer
        The model's answer, the first of the largest logits, shape (n,).
    right
        Position of the second-largest input, shape (n,).
    """

    active: Booleans
    answer: NDArray[np.intp]
    right: NDArray[np.intp]

    @property
    def is_right(self) -> Booleans:
        """Whether the answer is right, shape (n,)."""
        found: Booleans = self.answer == self.right
        return found


Condition = Callable[[Facts], Booleans]  # a class of inputs, as a condition on facts


def facts_of_inputs(model: Model, x: Floats) -> Facts:
    """Find the facts about inputs ``x``, shape (n, seq_len), of a 2nd-argmax model.

    They are computed in float64 with a bound of the rounding error. The few inputs on which that
    leaves a doubt are computed again in exact arithmetic.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model, or ``x`` has another shape.
    """
    SECOND_ARGMAX.check(model, "a task of telling mechanisms apart")
    weights = weights_in_range(model)
    n = len(weights.w_oh)
    if x.ndim != 2 or x.shape[1] != n:
        raise ValueError(f"x must have the shape (n, {n}), got {x.shape}")
    active, answer, doubtful = _in_floats(weights, x)
    if doubtful.any():
        exact = Weights(*(_fractions(matrix) for matrix in weights))
        for i in np.flatnonzero(doubtful):
            active[i], answer[i] = _exactly(exact, x[i])
    return Facts(active, answer, x.argsort(axis=1, kind="stable")[:, -2])


def facts_of_cones(cones: Iterable[DecisionCone]) -> Facts:
    """Collect the facts about the cones of :func:`~algzoo.structure.decision_cones`."""
    rows = [(cone.pattern, cone.answer, cone.right_answer) for cone in cones]
    active, answer, right = zip(*rows, strict=True)
    return Facts(np.array(active), np.array(answer), np.array(right))


def _in_floats(weights: Weights, x: Floats) -> tuple[Booleans, NDArray[np.intp], Booleans]:
    """Return patterns, answers, and which inputs rounding leaves in doubt."""
    w_hi, w_hh, w_oh = weights
    unit = float(np.finfo(np.float64).eps) * (len(w_hi) + 3)
    state = np.zeros((len(x), len(w_hi)))
    error = np.zeros_like(state)
    active = np.empty((len(x), x.shape[1], len(w_hi)), dtype=np.bool_)
    doubtful = np.zeros(len(x), dtype=np.bool_)
    for t in range(x.shape[1]):
        drive = state @ w_hh.T + x[:, t, None] * w_hi
        size = state @ np.abs(w_hh).T + np.abs(x[:, t, None] * w_hi)
        error = error @ np.abs(w_hh).T + unit * size
        if t == 0:
            error[:] = 0.0  # one product has the sign of the exact one
        doubtful |= ((np.abs(drive) <= error) & (error > 0)).any(axis=1)
        active[:, t] = drive > 0
        state = np.maximum(drive, 0.0)
        error = np.where(active[:, t], error + unit * size, 0.0)
    logits = state @ w_oh.T
    error = error @ np.abs(w_oh).T + unit * (state @ np.abs(w_oh).T)
    answer = logits.argmax(axis=1)
    best = np.take_along_axis(logits, answer[:, None], axis=1)
    near = best - logits <= error + np.take_along_axis(error, answer[:, None], axis=1)
    doubtful |= (near.sum(axis=1) > 1) & (near & (error > 0)).any(axis=1)
    return active, answer, doubtful


def _exactly(weights: Weights, x: Floats) -> tuple[Booleans, int]:
    """Return the pattern and the answer for one input; the weights are fractions."""
    state = np.array([Fraction(0)] * len(weights.w_hi), dtype=object)
    active = []
    for number in x:
        drive = weights.w_hh @ state + weights.w_hi * Fraction(float(number))
        active.append([bool(z > 0) for z in drive])
        state = np.array([max(z, Fraction(0)) for z in drive], dtype=object)
    logits = list(weights.w_oh @ state)
    return np.array(active), logits.index(max(logits))


def _fractions(matrix: Floats) -> NDArray[Any]:
    flat = [Fraction(number) for number in matrix.ravel().tolist()]
    return np.array(flat, dtype=object).reshape(matrix.shape)
