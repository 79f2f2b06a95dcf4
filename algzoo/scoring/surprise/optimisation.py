"""Upper bounds on the bits of optimisation that went into a model.

An explanation is complete if its surprise is at most the number of bits by which training selected
the model. That number is not known; the functions here bound it from above.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026 (the weights' bits as a
bound).
"""

from __future__ import annotations

import copy
import math

import torch

from ...estimates import Estimator
from ...zoo import Model, check_model
from .bounds import without_gauge
from .thresholds import least_factor

_FLOAT32 = -24  # 2^-24: float32 resolves no smaller relative change
_STEPS = 2**16  # steps of the grid in an octave; a tolerance is found to 1e-5 of itself


def storage_bits(model: Model) -> int:
    """Number of bits in which the weights are stored, 32 each for float32.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.zoo.check_model`.
    """
    check_model(model)
    return sum(p.numel() * p.element_size() * 8 for p in model.parameters())


def weight_bits(model: Model, estimator: Estimator, loss: float) -> float:
    """Bits of the weights that matter: the sum over weights of log2(abs(weight) / tolerance).

    A weight's tolerance is the smallest change of it alone, up or down, that lowers the estimated
    accuracy by ``loss``, on a grid of 2^-16 of an octave
    (:mod:`~algzoo.scoring.surprise.thresholds`). A weight whose tolerance exceeds its size counts
    nothing. What changes no answer is subtracted by
    :func:`~algzoo.scoring.surprise.bounds.without_gauge`. The number is an upper bound because
    every weight is changed by itself: errors of several weights can cancel.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.zoo.check_model`, by the estimator, or by
        :func:`~algzoo.scoring.surprise.bounds.effective_parameters`.
    """
    check_model(model)
    floor = estimator(model).value - loss
    bits = 0.0
    for name, parameter in model.named_parameters():
        for index in range(parameter.numel()):
            size = abs(parameter.flatten()[index].item())
            if size:
                tolerance = min(
                    _tolerance(model, estimator, floor, name, index, sign * size)
                    for sign in (-1, +1)
                )
                bits += max(math.log2(1 / tolerance), 0.0)
    return without_gauge(model, bits)


def _tolerance(
    model: Model, estimator: Estimator, floor: float, name: str, index: int, weight: float
) -> float:
    """Least change, in units of ``weight``, at which the accuracy falls to ``floor``; at most 1."""
    changed = copy.deepcopy(model).double()
    original = changed.get_parameter(name).detach().clone()

    def lost(change: float) -> bool:
        with torch.no_grad():
            parameter = changed.get_parameter(name)
            parameter.copy_(original)
            parameter.view(-1)[index] += change * weight
        return estimator(changed).value <= floor

    return least_factor(lost, _FLOAT32, 0, _STEPS) or 1.0
