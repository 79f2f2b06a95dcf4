"""Weight matrices of a recurrent model as plain arrays."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..zoo import DistRNN, Model, OneLayerRNN, check_model
from ..zoo.model_check import check_plain, check_weights


class Weights(NamedTuple):
    """W_hi, W_hh and W_oh; leading axes, if there are any, run over models.

    The entries may be of any number type: float64, or :class:`fractions.Fraction` in an array of
    objects, which the exact partitions use.
    """

    w_hi: NDArray[Any]  # (..., hidden_size)
    w_hh: NDArray[Any]  # (..., hidden_size, hidden_size)
    w_oh: NDArray[Any]  # (..., output_size, hidden_size)


def weights_of(model: Model) -> Weights:
    """Return the weights of a bias-free recurrent model in float64.

    Raises
    ------
    TypeError
        If ``model`` is not a recurrent model of this package.
    ValueError
        If it has biases, no weights, or a weight that is not finite, or if it computes something
        else than its weights say (:func:`~algzoo.zoo.model_check.check_plain`).
    """
    if not isinstance(model, OneLayerRNN):
        raise TypeError(f"A recurrent model is needed, got {type(model).__name__}")
    check_plain(model)
    if model.bias:
        raise ValueError("Models with biases are not positively homogeneous: bias must be False")
    check_weights(model)
    names = ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "linear.weight")
    parameters = (model.get_parameter(name) for name in names)
    w_ih, w_hh, w_oh = (p.detach().cpu().double().numpy().copy() for p in parameters)
    weights = Weights(w_ih[:, 0], w_hh, w_oh)
    for name, matrix in weights._asdict().items():
        if not np.isfinite(matrix).all():
            raise ValueError(f"The model's {name} holds a weight that is not finite")
    return weights


def model_with(weights: Weights, number_type: torch.dtype = torch.float64) -> DistRNN:
    """Return a new model with one output for each input and these weights: :func:`weights_of` back.

    The weights are float64 arrays without leading axes, and are rounded to the number type.

    Examples
    --------
    >>> from algzoo.zoo import zoo_2nd_argmax
    >>> model = zoo_2nd_argmax(2, 2)
    >>> (weights_of(model_with(weights_of(model))).w_hh == weights_of(model).w_hh).all()
    np.True_
    """
    w_hi, w_hh, w_oh = map(torch.as_tensor, weights)
    model = DistRNN(len(w_hi), len(w_oh)).to(number_type)
    model.load_state_dict(
        {"rnn.weight_ih_l0": w_hi[:, None], "rnn.weight_hh_l0": w_hh, "linear.weight": w_oh}
    )
    return model


def weights_in_range(model: Model) -> Weights:
    """Return the same for a model of a family, for methods that compute in float64 throughout.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`weights_of` and :func:`~algzoo.zoo.check_model`, or if fourth powers of
        what the model computes may leave the range of float64.
    """
    check_model(model)
    weights = weights_of(model)
    check_not_too_large(weights, model.seq_len, torch.float64, power=4)
    check_not_too_small(weights, torch.float64, power=4)
    return weights


def check_not_too_large(
    weights: Weights, seq_len: int, number_type: torch.dtype, power: int = 1
) -> None:
    """Raise a ``ValueError`` if a model's states or outputs may be too large for a number type.

    The check uses a bound on their ``power``-th powers for inputs below 8.
    """
    if may_be_too_large(weights, seq_len, number_type, power):
        raise ValueError(
            f"The model's weights are too large for {_name(number_type)}: its outputs may reach "
            f"2^{_largest_power_of_two(weights, seq_len):.0f}"
        )


def may_be_too_large(
    weights: Weights, seq_len: int, number_type: torch.dtype, power: int = 1
) -> bool:
    """Tell whether :func:`check_not_too_large` raises, which it may do for a harmless model."""
    limit = math.log2(torch.finfo(number_type).max)
    return _largest_power_of_two(weights, seq_len) * power > limit


def _largest_power_of_two(weights: Weights, seq_len: int) -> float:
    w_hi, w_hh, w_oh = _sizes(weights)
    width = math.log2(len(weights.w_hi))
    state = 3 + w_hi + math.log2(seq_len) + (seq_len - 1) * max(0.0, width + w_hh)
    return max(w_hh, w_oh, state, state + width + w_oh)


def check_not_too_small(weights: Weights, number_type: torch.dtype, power: int = 1) -> None:
    """Raise a ``ValueError`` if a model's outputs may underflow to zero in a number type.

    The check uses the ``power``-th powers of the largest weight of each matrix that is not zero,
    and of the product of those of W_hi and W_oh.
    """
    w_hi, w_hh, w_oh = _sizes(weights)
    least = min(x for x in (w_hi, w_hh, w_oh, w_hi + w_oh, 0.0) if x > -math.inf)
    if least * power < math.log2(torch.finfo(number_type).tiny):
        raise ValueError(
            f"The model's weights are too small for {_name(number_type)}: its outputs may be of "
            f"the order of 2^{least:.0f}"
        )


def _sizes(weights: Weights) -> list[float]:
    """Return the binary logarithm of each matrix's largest weight, which does not overflow."""
    largest = (float(np.abs(matrix).max()) for matrix in weights)
    return [math.log2(x) if x else -math.inf for x in largest]


def _name(number_type: torch.dtype) -> str:
    return str(number_type).removeprefix("torch.")


def outputs(weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the outputs on inputs ``x``.

    ``x`` has shape (..., n_inputs, seq_len); its leading axes and those of the weights are
    broadcast. The result has shape (..., n_inputs, output_size).
    """
    state = np.zeros((*x.shape[:-1], weights.w_hi.shape[-1]))
    for t in range(x.shape[-1]):
        drive = x[..., t, None] * weights.w_hi[..., None, :]
        state = np.maximum(state @ weights.w_hh.swapaxes(-1, -2) + drive, 0.0)
    result: NDArray[np.float64] = state @ weights.w_oh.swapaxes(-1, -2)
    return result
