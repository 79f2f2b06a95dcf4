"""Soft count of right answers on one or a few inputs in each class, for ten inputs.

Ten inputs have 90 classes, by the positions of the largest and the second largest. In each class T
inputs are taken from a design (:mod:`.soft_count_designs`) and mapped by the exact distribution of
order statistics. An input counts as right with the probability Phi(m / (h rms m)), where m is the
margin, the right logit minus the largest of the others, and its root mean square is over all
inputs. So an input close to a decision boundary represents what lies on both sides.

The network is evaluated on chosen inputs. Only the width h is fitted; it must shrink as the number
of inputs grows, because its bias does not average out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...structure import weights_in_range
from ...zoo import Model
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..samplers.forward import operations_of_samples, readouts
from ..scope import Scope
from .soft_count_designs import SEQ_LEN, classes, design

WIDTHS = {1: 0.1, 2: 0.05, 4: 0.05}  # h, by the number of points in a class

Array = NDArray[np.float64]


@estimator(
    "soft count, {per_class} a class",
    scope=Scope("2nd_argmax", inputs=SEQ_LEN),
    budgets=[{"per_class": per_class} for per_class in (1, 4)],
    scrambles=True,
    runs_network="chosen inputs",
    exact="approximate",
    constants="none",
    source="this book",
    tuned_on="noisy copies of ARC's example and of (16, 10), seed 2 and further seeds",
    advice_bits=6,  # a width of one digit, for each number of inputs
    cost="90 forward passes for each input of a class",
    fails_when="margins do not spread as the width assumes, as is always so by a little",
)
def soft_count(model: Model, per_class: int, scramble: int) -> Tally:
    """Accuracy of a 2nd-argmax model of ten inputs from 90 times ``per_class`` inputs.

    Parameters
    ----------
    model
        The model.
    per_class
        Number of inputs in each class: 1, 2 or 4.
    scramble
        Number of the design. With one design all models see the same inputs, so that their errors
        are correlated.

    Raises
    ------
    ValueError
        If there is no such design.
    """
    weights = weights_in_range(model)
    x, answers = _inputs(per_class, scramble)
    counter = OperationCounter()
    counter.counts["multiply_add"] += operations_of_samples(weights, x.shape[1])
    logits = counter.array(readouts(weights, x))
    value = softened_share(logits, answers, WIDTHS[per_class])
    return Tally(float(value.item()), counter)


def softened_share(logits: Any, answers: NDArray[np.int64], width: float) -> Any:
    """Share of right answers from logits (n, n_inputs), softened by ``width`` of the rms margin."""
    n, n_inputs = logits.shape
    columns = np.arange(n_inputs)
    others = (np.arange(n - 1)[:, None] >= answers) + np.arange(n - 1)[:, None]
    margin = logits[answers, columns] - np.max(logits[others, columns], axis=0)
    scale = np.sqrt(np.mean(margin * margin)) * width
    # If all margins are 0, every answer is the first position.
    if float(getattr(scale, "values", scale)) == 0:
        return np.mean(margin * 0 + (answers == 0))
    return np.mean(special.ndtr(margin / scale))


@lru_cache(maxsize=32)
def _inputs(per_class: int, scramble: int) -> tuple[Array, NDArray[np.int64]]:
    """Inputs, shape (n, n_points), and the right answers."""
    u = design(per_class, scramble).T
    n, points = SEQ_LEN, np.arange(u.shape[1])
    largest, second = np.repeat(classes(n), per_class, axis=0).T
    level = special.betaincinv(n - 1, 2, u[n])
    quantiles = level * u[:n]
    quantiles[second, points] = level
    quantiles[largest, points] = level + (1 - level) * u[n + 1]
    return np.asarray(special.ndtri(quantiles)), second
