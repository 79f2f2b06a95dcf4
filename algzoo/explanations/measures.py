"""Measures: functions of a model's weights that the checks of ledgers evaluate.

A measure is written as a function of weights and of arguments that select it, such as the number of
a neuron. :func:`measure` turns it into a measure of a check once these arguments are given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..scoring.surprise.ledger import Check, Prior
from ..structure import Weights, outputs

Array = NDArray[np.float64]
P = ParamSpec("P")
MatrixName = Literal["w_hi", "w_hh", "w_oh"]

FAIR_SIGN = Prior(stats.cauchy(), "even odds: symmetric about 0")
FAIR_SIZE = Prior(stats.halfcauchy(), "even odds: symmetric about 1")
ARC_EQUALITY = Prior(
    stats.uniform(0, 1), "ARC's k bits for 1 part in 2^k: the gap uniform on (0, 1)"
)


@dataclass(frozen=True)
class BoundMeasure:
    """Measure with all arguments but the weights given; equal if function and arguments are."""

    name: str
    arguments: tuple[Any, ...]
    measured: Callable[..., Array]

    def __call__(self, weights: Any) -> Array:
        """Evaluate the measure; the result has the shape of the weights' leading axes."""
        return self.measured(weights, *self.arguments)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.arguments))})"


def measure(
    function: Callable[Concatenate[Any, P], Array],
) -> Callable[P, BoundMeasure]:
    """Turn a function of weights and other arguments into a maker of measures.

    Parameters
    ----------
    function
        Function of weights, whose leading axes run over models, or of a model, and of any other
        arguments.

    Returns
    -------
    callable
        Function that takes the other arguments, by position, and returns a measure for
        :class:`~algzoo.scoring.surprise.ledger.Check`.

    Examples
    --------
    >>> @measure
    ... def input_weight(weights, neuron):
    ...     return weights.w_hi[..., neuron]
    >>> input_weight(3)
    input_weight(3)
    """

    @wraps(function)
    def bound(*arguments: P.args, **named: P.kwargs) -> BoundMeasure:
        assert not named, "arguments of a measure are given by position"
        return BoundMeasure(function.__name__, arguments, function)

    return bound


@measure
def weight_entry(weights: Weights, matrix: MatrixName, index: tuple[int, ...]) -> Array:
    """One weight, of ``"w_hi"``, ``"w_hh"`` or ``"w_oh"``."""
    entry: Array = getattr(weights, matrix)[(..., *index)]
    return entry


@measure
def weight_size(weights: Weights, matrix: MatrixName, index: tuple[int, ...]) -> Array:
    """Absolute value of one weight."""
    entry: Array = getattr(weights, matrix)[(..., *index)]
    return np.abs(entry)


@measure
def product_of_inputs(weights: Weights) -> Array:
    """W_hi[0] W_hi[1], negative if the input weights have opposite signs."""
    product: Array = weights.w_hi[..., 0] * weights.w_hi[..., 1]
    return product


@measure
def rescaling_error(weights: Weights) -> Array:
    """Largest change of an output on fixed inputs if the neurons are measured in other units."""
    c = np.array([0.5, 4.0])
    w_hi, w_hh, w_oh = weights
    rescaled = Weights(w_hi / c, w_hh * c / c[:, None], w_oh * c)
    change = outputs(rescaled, probe(weights)) - outputs(weights, probe(weights))
    worst: Array = np.abs(change).max(axis=(-1, -2))
    return worst


STANDARDISE = Check(
    "standardise",
    "algebra",
    "Measuring the neurons in other units changes no output",
    rescaling_error(),
    "<=",
    0.0,
    None,
)


OPPOSITE_INPUTS = Check(
    "opposite W_hi",
    "sign",
    "the input weights have opposite signs",
    product_of_inputs(),
    "<",
    0.0,
    FAIR_SIGN,
)


def probe(weights: Weights) -> Array:
    """Inputs on a circle, one in each of 24 directions, for every model."""
    angle = 2 * np.pi * (np.arange(24) + 0.3) / 24
    x = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return np.broadcast_to(x, (*weights.w_hi.shape[:-1], *x.shape))


def log_ratio(one: Array, other: Array) -> Array:
    """``abs(log(one / other))``, infinite if the ratio is not positive."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return infinite_if_none(np.abs(np.log(one / other)))


def infinite_if_none(gap: Array) -> Array:
    """The gap, or infinity if it is not a number."""
    return np.where(np.isnan(gap), np.inf, gap)
