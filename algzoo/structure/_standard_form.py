"""Standard form: the same function with input weights -1, 0 and +1, and neurons in a fixed order.

ReLU(c z) = c ReLU(z) for c > 0, so a neuron's activation may be measured in any unit. Dividing
neuron i by c_i = abs(W_hi[i]) changes no output:

    W_hi[i] -> W_hi[i] / c_i,   W_hh[i, j] -> W_hh[i, j] c_j / c_i,   W_oh[k, j] -> W_oh[k, j] c_j.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, section on M2,2.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from ..zoo import OneLayerRNN, check_model
from .weights import Weights, weights_of

Model = TypeVar("Model", bound=OneLayerRNN)


class StandardForm(OneLayerRNN):
    """Recurrent model in standard form, with weights in float64, usable like any other model.

    Attributes
    ----------
    scale
        c_i, shape (hidden_size,): the factor by which each activation was divided; 1 for a neuron
        without input.
    zero_inputs
        The neurons whose input weight is zero. They have no natural unit and keep their scale.
    """

    def __init__(
        self,
        weights: Weights,
        scale: NDArray[np.float64],
        zero_inputs: tuple[int, ...],
        like: OneLayerRNN,
    ) -> None:
        super().__init__(like.hidden_size, like.output_size)
        self.seq_len = like.seq_len
        self.task_name = like.task_name
        self.scale = scale
        self.zero_inputs = zero_inputs
        self.double()
        _set_weights(self, weights)

    @property
    def weights(self) -> Weights:
        """Weights in standard form: W_hi (in {-1, 0, +1}), W_hh and W_oh."""
        return weights_of(self)


def standard_form(model: OneLayerRNN) -> StandardForm:
    """Return an equivalent model with input weights in {-1, 0, +1}.

    The neurons keep their order (see :func:`canonical_order`). The two models are exactly
    equivalent in real numbers; the float64 weights are rounded once.

    Parameters
    ----------
    model
        A recurrent model without biases.

    Returns
    -------
    StandardForm
        The model, with the factor of each neuron.

    Raises
    ------
    ValueError
        If the ratio of two input weights is too large for float64.

    References
    ----------
    ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, section on M2,2.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> standard = standard_form(zoo_2nd_argmax(2, 2))
    >>> print(standard.weights.w_hi)
    [ 1. -1.]
    >>> print(standard.weights.w_hh.round(2))
    [[-0.36  2.04]
     [ 1.15 -0.76]]
    """
    check_model(model)
    w_hi, w_hh, w_oh = weights_of(model)
    zero_inputs = tuple(int(i) for i in np.flatnonzero(w_hi == 0))
    scale = np.where(w_hi == 0, 1.0, np.abs(w_hi))
    with np.errstate(over="ignore", invalid="ignore"):
        standard = Weights(np.sign(w_hi), w_hh * (scale / scale[:, None]), w_oh * scale)
    if not all(np.isfinite(matrix).all() for matrix in standard):
        raise ValueError(
            "The standard form overflows float64: input weights range from "
            f"{scale.min():.3g} to {scale.max():.3g}"
        )
    return StandardForm(standard, scale, zero_inputs, like=model)


def canonical_order(model: OneLayerRNN) -> NDArray[np.intp]:
    """Return an order of the neurons that does not depend on how they happened to be numbered.

    Neurons with positive input weight come first, then negative, then zero; within each group the
    order is, in standard form, by decreasing norm of the output weights. Ties are broken by the
    neuron's output weights, its self-connection and its sorted incoming and outgoing weights, in
    that order. Neurons that agree in all of these (exact duplicates, for example) keep their
    relative order.

    Returns
    -------
    numpy.ndarray
        The permutation p, shape (hidden_size,): neuron p[i] comes to place i.
    """
    w_hi, w_hh, w_oh = standard_form(model).weights

    def rank(neuron: int) -> tuple[float, ...]:
        group = {1.0: 0.0, -1.0: 1.0, 0.0: 2.0}[float(w_hi[neuron])]
        return (
            group,
            -math.hypot(*w_oh[:, neuron]),
            *w_oh[:, neuron],
            w_hh[neuron, neuron],
            *np.sort(w_hh[neuron]),
            *np.sort(w_hh[:, neuron]),
        )

    return np.array(sorted(range(model.hidden_size), key=rank), dtype=np.intp)


def reorder_neurons(model: Model, order: Sequence[int] | NDArray[np.intp]) -> Model:
    """Return a copy of ``model`` with the same outputs, in which neuron ``order[i]`` is at place i.

    Raises
    ------
    ValueError
        If ``order`` is not a permutation of the model's neurons.
    """
    check_model(model)
    p = np.asarray(order)
    whole = np.issubdtype(p.dtype, np.integer)
    if not (whole and np.array_equal(np.sort(p), np.arange(model.hidden_size))):
        raise ValueError(
            f"order must hold each neuron 0 to {model.hidden_size - 1} once, got {p.tolist()}"
        )
    reordered = copy.deepcopy(model)
    w_hi, w_hh, w_oh = weights_of(model)
    _set_weights(reordered, Weights(w_hi[p], w_hh[np.ix_(p, p)], w_oh[:, p]))
    if isinstance(reordered, StandardForm):
        reordered.scale = reordered.scale[p]
        reordered.zero_inputs = tuple(int(i) for i in np.flatnonzero(w_hi[p] == 0))
    return reordered


def _set_weights(model: OneLayerRNN, weights: Weights) -> None:
    w_hi, w_hh, w_oh = (
        torch.tensor(matrix, dtype=model.dtype, device=model.device) for matrix in weights
    )
    # New parameters are assigned because the old ones may share memory; buffers stay.
    model.load_state_dict(
        {"rnn.weight_ih_l0": w_hi[:, None], "rnn.weight_hh_l0": w_hh, "linear.weight": w_oh},
        strict=False,
        assign=True,
    )
