"""Functions that the samplers share: forward passes, tests of answers, and their cost."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights
from . import kernel
from .iid import operations_of_a_pass


def readouts(weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outputs, shape (output_size, n_inputs), on inputs of shape (seq_len, n_inputs)."""
    seq_len, n = x.shape
    whole_tiles = np.zeros((seq_len, -(-n // kernel.TILE) * kernel.TILE))
    whole_tiles[:, :n] = x
    outputs = np.empty((len(weights.w_oh), whole_tiles.shape[1]))
    kernel.run(whole_tiles, *kernel.padded(weights), outputs)
    return outputs[:, :n]


def answers_right(weights: Weights, x: NDArray[np.float64], n_larger: int) -> NDArray[np.bool_]:
    """Tell whether the model answers with the position of the (n_larger + 1)-th largest number.

    The inputs have shape (seq_len, n_inputs); two numbers are equal with probability zero.
    """
    return has_larger(x, readouts(weights, x).argmax(axis=0), n_larger)


def has_larger(
    x: NDArray[np.float64], answer: NDArray[np.intp], n_larger: int
) -> NDArray[np.bool_]:
    """Tell whether ``n_larger`` numbers of a column are larger than that at position ``answer``."""
    larger = (x > np.take_along_axis(x, answer[None], axis=0)).sum(axis=0)
    result: NDArray[np.bool_] = larger == n_larger
    return result


def standard_error(values: NDArray[np.float64]) -> float | None:
    """Standard error of a mean; ``None`` if there are fewer than two values or all are the same."""
    if len(values) < 2:
        return None
    return float(values.std(ddof=1)) / math.sqrt(len(values)) or None


def operations_of_samples(weights: Weights, n_samples: int) -> int:
    """Multiply-adds of the forward passes of a model that answers with a position."""
    n, d = weights.w_oh.shape
    return n_samples * operations_of_a_pass(n, d, n)
