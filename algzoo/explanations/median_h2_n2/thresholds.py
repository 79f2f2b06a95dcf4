"""Thresholds at which a recurrent model's output bends as the last input grows.

Given all inputs but the last, the output is a piecewise linear function of the last one. It bends
by W_oh[j] abs(W_hi[j]) at the threshold of neuron j, where W_hh h + W_hi x = 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...structure.weights import Weights


def last_thresholds(weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Threshold of each neuron for the last input, shape (n_inputs, hidden_size).

    ``x``, shape (n_inputs, seq_len - 1), holds the inputs before. A neuron without input has no
    threshold: its entry is infinity with the sign of minus its drive, or NaN if that is 0.
    """
    state = np.zeros((len(x), len(weights.w_hi)))
    for newest in x.T:
        state = np.maximum(state @ weights.w_hh.T + newest[:, None] * weights.w_hi, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        thresholds: NDArray[np.float64] = -(state @ weights.w_hh.T) / weights.w_hi
    return thresholds


def bends(weights: Weights) -> NDArray[np.float64]:
    """Increase of the outputs' slopes at the thresholds, shape (output_size, hidden_size)."""
    change: NDArray[np.float64] = weights.w_oh * np.abs(weights.w_hi)
    return change
