"""Noise that each weight matrix tolerates, and the bits of the weights above it.

Digits that noise can change at little cost were not chosen by training. The other digits bound the
bits of optimisation from above. Directions and permutations of the weights that change no answer
are always subtracted, by :func:`without_gauge`.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch

from ...estimates.samplers.iid import ensemble_sampling
from ...structure import weights_of
from ...structure.attention.standard_form import gauge_directions
from ...zoo import DistTransformer, Model, OneLayerRNN, ScalarRNN, check_model
from ...zoo.model_check import check_transformer_weights
from .thresholds import least_factor

_LARGEST = 4  # octaves; noise of up to 16 times the size of a matrix is tried
_STEPS = 1024  # steps of the grid in an octave

_MATRICES = {
    "rnn.weight_ih_l0": "W_hi",
    "rnn.weight_hh_l0": "W_hh",
    "linear.weight": "W_oh",
}


@dataclass(frozen=True)
class MatrixTolerance:
    """Noise that one weight matrix tolerates.

    Attributes
    ----------
    sd
        Standard deviation of Gaussian noise on this matrix alone that costs the stated accuracy.
    size
        Root mean square of the weights.
    n_weights
        Number of weights.
    bits
        Sum over the weights of log2(abs(weight) / sd), none below 0.
    """

    sd: float
    size: float
    n_weights: int
    bits: float


@dataclass(frozen=True)
class NoiseTolerance:
    """Noise that a model's weight matrices tolerate.

    Attributes
    ----------
    matrices
        By name: W_hi, W_hh, W_oh.
    gauge_bits
        Bits of the directions and permutations that change no answer, which
        :func:`without_gauge` subtracts from the sum over the matrices.
    """

    matrices: dict[str, MatrixTolerance]
    gauge_bits: float

    @property
    def bound(self) -> float:
        """Upper bound on the bits that training can have chosen."""
        return math.fsum(m.bits for m in self.matrices.values()) - self.gauge_bits


def noise_tolerance(
    model: OneLayerRNN,
    loss: float = 0.01,
    *,
    n_noises: int = 16,
    n_inputs: int = 2**14,
    seed: int = 0,
) -> NoiseTolerance:
    """Find the noise on each matrix alone that lowers the accuracy by ``loss``.

    The fall of the accuracy is the mean over ``n_noises`` fixed draws of the noise, scaled, on the
    same ``n_inputs`` random inputs as the accuracy without noise; both are drawn from ``seed``. The
    least noise that makes it ``loss`` is searched for on a grid of multiples of a matrix's size, by
    powers of 2^(1/1024), that is, to one part in 1,500
    (:mod:`~algzoo.scoring.surprise.thresholds`).

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights.weights_of`, or if ``loss`` is not positive, or
        if noise of 16 times the size of a matrix does not cost it.
    """
    if not loss > 0:
        raise ValueError(f"loss must be positive, got {loss}")
    check_model(model)
    weights_of(model)  # raises an error if the model is not of the right kind
    matrices = {
        label: _matrix_tolerance(model, name, loss, n_noises, n_inputs, seed)
        for name, label in _MATRICES.items()
    }
    bits = math.fsum(matrix.bits for matrix in matrices.values())
    return NoiseTolerance(matrices, bits - without_gauge(model, bits))


def _matrix_tolerance(
    model: OneLayerRNN, name: str, loss: float, n_noises: int, n_inputs: int, seed: int
) -> MatrixTolerance:
    clean = copy.deepcopy(model).double()
    weight = clean.get_parameter(name).detach().clone()
    size = float(weight.square().mean().sqrt())
    draws = np.random.default_rng(seed).standard_normal((n_noises, *weight.shape))
    noisy = [copy.deepcopy(clean) for _ in draws]

    def lost(factor: float) -> bool:
        for copied, draw in zip(noisy, draws, strict=True):
            with torch.no_grad():
                noise = factor * size * torch.as_tensor(draw)
                copied.get_parameter(name).copy_(weight + noise)
        intact, *others = ensemble_sampling([clean, *noisy], n_inputs, seed)
        return intact.value - float(np.mean([e.value for e in others])) >= loss

    factor = least_factor(lost, -12, _LARGEST, _STEPS)
    if factor is None:
        raise ValueError(f"Noise of 16 times the size of {name} does not cost {loss}")
    sd = factor * size
    bits = np.log2(np.maximum(np.abs(weight.numpy()) / sd, 1.0)).sum()
    return MatrixTolerance(sd, size, weight.numel(), float(bits))


def weight_information(model: Model, sd: float) -> float:
    """Bits of the weights above noise of standard deviation ``sd``, without gauge directions.

    It is the sum over weights of log2(abs(weight) / sd), none below 0, of which
    :func:`without_gauge` subtracts what has no effect. If noise of that size costs little accuracy,
    this is an upper bound on the bits that training can have chosen, though not the least: it
    depends on how the model is written.

    Raises
    ------
    ValueError
        If ``sd`` is not positive.
    """
    if not sd > 0:
        raise ValueError(f"sd must be positive, got {sd}")
    effective_parameters(model)  # raises an error if the model is not of the right kind
    sizes = torch.cat([p.detach().cpu().double().abs().flatten() for p in model.parameters()])
    bits = np.log2(np.maximum(sizes.numpy() / sd, 1.0)).sum()
    return without_gauge(model, float(bits))


def without_gauge(model: Model, bits: float) -> float:
    """Subtract from a sum of bits over all weights what changes no answer; the rest is at least 0.

    Directions in which no answer changes have their share of the sum: it is multiplied by
    :func:`effective_parameters` over the number of parameters. The order of the d neurons of a
    recurrent model is worth log2(d!) bits. A transformer's features are determined up to a change
    of basis, and their order with it, so that there is nothing more to subtract.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`effective_parameters`.
    """
    n_effective = effective_parameters(model)
    bits *= n_effective / sum(p.numel() for p in model.parameters())
    if isinstance(model, OneLayerRNN):
        bits -= math.lgamma(model.hidden_size + 1) / math.log(2)
    return max(bits, 0.0)


def effective_parameters(model: Model) -> int:
    """Number of parameters minus the directions in which no answer changes: 32 - 9 = 23 for M4,3.

    For a recurrent model these directions are the unit of each neuron and, if it has one logit for
    each answer, the scale of the logits and a number added to all logits for each neuron. For a
    transformer they are the scale of the logits and
    :func:`~algzoo.structure.attention.standard_form.gauge_directions`.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights.weights_of`.
    """
    if isinstance(model, DistTransformer):
        check_transformer_weights(model)
        return sum(p.numel() for p in model.parameters()) - gauge_directions(model) - 1
    if not isinstance(model, OneLayerRNN):
        raise TypeError(
            f"A recurrent or a longest-cycle model is needed, got {type(model).__name__}"
        )
    weights_of(model)  # raises an error if the model is not of the right kind
    d = model.hidden_size
    of_logits = 0 if isinstance(model, ScalarRNN) else 1 + d
    return d * (1 + d + model.output_size) - d - of_logits
