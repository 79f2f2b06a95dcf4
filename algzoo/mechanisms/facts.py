"""What a model does on each of many inputs: active neurons, its answer, and the right answer.

The same facts are found for inputs and for the cones on which they are constant, so that a class of
inputs can be written as one condition on facts. It then labels inputs, and its exact probability is
the sum over the cones that meet it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..estimates.scope import SECOND_ARGMAX
from ..structure import DecisionCone, weights_in_range
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

    They are computed in float64 with a bound of the rounding error. What is 0 up to this bound is
    taken to be 0, because where terms nearly cancel in tampered models, they cancel exactly. A
    random input for which this is wrong has a probability of about the bound, 1e-13 where the
    weights are of ordinary size.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model, or ``x`` has another shape.
    """
    run = _run(model, x)
    w_oh = weights_in_range(model).w_oh
    state, error = run.states[-1], run.error
    logits = state @ w_oh.T
    error = error @ np.abs(w_oh).T + run.unit * (state @ np.abs(w_oh).T)
    best = np.argmax(logits, axis=1)[:, None]
    reach = error + np.take_along_axis(error, best, axis=1)
    ties = logits >= np.take_along_axis(logits, best, axis=1) - reach
    right = x.argsort(axis=1, kind="stable")[:, -2]
    return Facts(run.states.transpose(1, 0, 2) > 0, ties.argmax(axis=1), right)


def states_of_inputs(model: Model, x: Floats) -> Floats:
    """Activations after every input, shape (seq_len, n, hidden_size), without rounding's residue.

    What is 0 up to the bound of the rounding error is 0, as in :func:`facts_of_inputs`. Where terms
    cancel, a plain run leaves about 1e-10 of them, another number on every machine.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model, or ``x`` has another shape.
    """
    return _run(model, x).states


class _Run(NamedTuple):
    """States (seq_len, n, hidden_size), the error of the last ones, and that of an operation."""

    states: Floats
    error: Floats
    unit: float


def _run(model: Model, x: Floats) -> _Run:
    SECOND_ARGMAX.check(model, "a task of telling mechanisms apart")
    w_hi, w_hh, w_oh = weights_in_range(model)
    n = len(w_oh)
    if x.ndim != 2 or x.shape[1] != n:
        raise ValueError(f"x must have the shape (n, {n}), got {x.shape}")
    unit = float(np.finfo(np.float64).eps) * (len(w_hi) + 3)
    states = np.zeros((n, len(x), len(w_hi)))
    state, error = states[0], np.zeros_like(states[0])
    for t in range(n):
        driven = x[:, t, None] * w_hi
        drive = state @ w_hh.T + driven
        error = error @ np.abs(w_hh).T + unit * (state @ np.abs(w_hh).T + np.abs(driven))
        state = states[t] = np.where(drive > error, drive, 0.0)
        error = np.where(drive > error, error, 0.0)
    return _Run(states, error, unit)


def facts_of_cones(cones: Iterable[DecisionCone]) -> Facts:
    """Collect the facts about the cones of :func:`~algzoo.structure.decision_cones`."""
    rows = [(cone.pattern, cone.answer, cone.right_answer) for cone in cones]
    active, answer, right = zip(*rows, strict=True)
    return Facts(np.array(active), np.array(answer), np.array(right))
