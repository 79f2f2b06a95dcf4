"""The three weight matrices of a recurrent model as plain arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..zoo import OneLayerRNN


class Weights(NamedTuple):
    """W_hi, W_hh and W_oh; leading axes, where there are any, run over models.

    The entries may be of any number type: float64, or :class:`fractions.Fraction` in an array of
    objects, which is how the exact partitions are computed.
    """

    w_hi: NDArray[Any]  # (..., hidden_size)
    w_hh: NDArray[Any]  # (..., hidden_size, hidden_size)
    w_oh: NDArray[Any]  # (..., output_size, hidden_size)


def weights_of(model: OneLayerRNN) -> Weights:
    """Weights of a bias-free recurrent model, float64.

    Raises
    ------
    TypeError
        Where ``model`` is not a recurrent model of this package.
    ValueError
        Where it has biases, or a weight that is not finite.
    """
    if not isinstance(model, OneLayerRNN):
        raise TypeError(f"A recurrent model is needed, got {type(model).__name__}")
    if model.bias:
        raise ValueError("Models with biases are not positively homogeneous: bias must be False")
    names = ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "linear.weight")
    parameters = (model.get_parameter(name) for name in names)
    w_ih, w_hh, w_oh = (p.detach().cpu().double().numpy().copy() for p in parameters)
    weights = Weights(w_ih[:, 0], w_hh, w_oh)
    for name, matrix in weights._asdict().items():
        if not np.isfinite(matrix).all():
            raise ValueError(f"The model's {name} holds a weight that is not finite")
    return weights


def outputs(weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outputs on inputs x.

    ``x`` has shape (..., n_inputs, seq_len); its leading axes and those of the weights are
    broadcast. Returns shape (..., n_inputs, output_size).
    """
    state = np.zeros((*x.shape[:-1], weights.w_hi.shape[-1]))
    for t in range(x.shape[-1]):
        drive = x[..., t, None] * weights.w_hi[..., None, :]
        state = np.maximum(state @ weights.w_hh.swapaxes(-1, -2) + drive, 0.0)
    result: NDArray[np.float64] = state @ weights.w_oh.swapaxes(-1, -2)
    return result
