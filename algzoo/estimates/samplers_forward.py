"""What the samplers share: which models they are for, forward passes, and what these cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..structure import Weights, weights_in_range
from ..zoo import Model
from . import recurrent_kernel as kernel
from .recurrent_models import is_recurrent
from .sampling import check_draws, operations_of_a_pass


def checked_weights(model: Model, n_samples: int, seed: int) -> Weights:
    """Weights of a recurrent 2nd-argmax model.

    Raises
    ------
    ValueError
        Where it is another model, ``n_samples`` is not positive or ``seed`` is negative.
    """
    if not is_recurrent(model, "2nd_argmax", 2):
        raise ValueError(
            "This sampler is for recurrent 2nd-argmax models (at least two inputs), got "
            f"{type(model).__name__} with task {model.task_name!r}; sampling() takes any model"
        )
    check_draws(n_samples, seed)
    return weights_in_range(model)


def readouts(weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outputs, shape (output_size, n_inputs), on inputs of shape (seq_len, n_inputs)."""
    seq_len, n = x.shape
    whole_tiles = np.zeros((seq_len, -(-n // kernel.TILE) * kernel.TILE))
    whole_tiles[:, :n] = x
    outputs = np.empty((len(weights.w_oh), whole_tiles.shape[1]))
    kernel.run(whole_tiles, *kernel.padded(weights), outputs)
    return outputs[:, :n]


def answers_right(weights: Weights, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the model says the position of the second largest number.

    Inputs of shape (seq_len, n_inputs); two of which are equal with probability zero.
    """
    return is_second(x, readouts(weights, x).argmax(axis=0))


def is_second(x: NDArray[np.float64], answer: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether one number of its column is larger than that at the position ``answer``."""
    result: NDArray[np.bool_] = (x > np.take_along_axis(x, answer[None], axis=0)).sum(axis=0) == 1
    return result


def operations_of_samples(weights: Weights, n_samples: int) -> int:
    """Multiply-adds of the forward passes of a model that answers with a position."""
    n, d = weights.w_oh.shape
    return n_samples * operations_of_a_pass(n, d, n)
