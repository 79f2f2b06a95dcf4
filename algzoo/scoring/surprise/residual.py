"""Residual surprise: how surprising the true accuracy is, given a prediction.

The prediction of an explanation needs an uncertainty, because otherwise no result could be more
surprising than another. Here it is a normal distribution on the scale of logit(accuracy) =
log(accuracy / (1 - accuracy)).

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026 (surprise that remains
given the explanation).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

ADVICE_BITS = 6  # price of a number that is not derived from the weights: one part in 2^6


@dataclass(frozen=True)
class Residual:
    """Surprise of an accuracy, given a prediction.

    Attributes
    ----------
    predicted, sd
        Median of the predicted accuracy, and standard deviation of its logit.
    bits
        -log2 of the predicted probability that the accuracy is within the tolerance of its true
        value. It falls as the tolerance grows; someone who knows the accuracy pays nothing.
    tail_bits
        -log2 of the predicted probability of an accuracy at least as high, for the question "why is
        it so good?".
    """

    predicted: float
    sd: float
    bits: float
    tail_bits: float


def residual(accuracy: float, predicted: float, sd: float, tolerance: float) -> Residual:
    """Compute the surprise of ``accuracy`` to within ``tolerance``, given the prediction.

    Raises
    ------
    ValueError
        If the prediction is not between 0 and 1, or if ``sd`` or ``tolerance`` is not positive.
    """
    if not 0 < predicted < 1:
        raise ValueError(f"A predicted accuracy is between 0 and 1, got {predicted}")
    if not (sd > 0 and tolerance > 0):
        raise ValueError(f"sd and tolerance must be positive, got {sd} and {tolerance}")
    centre = special.logit(predicted)
    edges = np.clip([accuracy - tolerance, accuracy + tolerance], 0, 1)
    low, high = (special.logit(edges) - centre) / sd
    return Residual(
        predicted=predicted,
        sd=sd,
        bits=-log_probability(low, high) / math.log(2),
        tail_bits=-float(stats.norm.logsf((special.logit(accuracy) - centre) / sd)) / math.log(2),
    )


def predicted_by_others(accuracies: Sequence[float]) -> tuple[float, float]:
    """Predict an accuracy from those of other models: their median, and the sd of their logits.

    Raises
    ------
    ValueError
        If there are fewer than two, or if one is 0 or 1.
    """
    logits = special.logit(np.asarray(accuracies, float))
    if len(logits) < 2 or not np.isfinite(logits).all():
        raise ValueError(f"Two accuracies between 0 and 1 are needed, got {list(accuracies)}")
    return float(special.expit(logits.mean())), float(logits.std(ddof=1))


def log_probability(low: float, high: float, law: Any = stats.norm) -> float:
    """Log of the probability between two numbers, exact in the tails; the law is symmetric.

    It is minus infinity where both tails underflow.
    """
    if low > 0:
        low, high = -high, -low
    log_high, log_low = law.logcdf(high), law.logcdf(low)
    if log_high == -math.inf:
        return -math.inf
    return float(log_high + np.log1p(-np.exp(log_low - log_high)))
