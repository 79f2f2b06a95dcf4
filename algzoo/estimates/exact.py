"""One name for the exact accuracy or mean squared error, whichever method gives it."""

from __future__ import annotations

from ..zoo import DistTransformer, Model, OneLayerRNN, check_model
from .angular import angular
from .argmedian_exact import argmedian_of_three
from .estimate import Estimate
from .exhaustive import exhaustive
from .spherical import spherical
from .squared_error import squared_error


def exact(model: Model) -> Estimate:
    """Exact accuracy, for median models mean squared error, where a method is known.

    On standard Gaussian inputs for 2nd-argmax and median models of two and three inputs and for
    argmedian models of three, over all functions for longest cycle.

    Raises
    ------
    TypeError
        Where ``model`` is no model of this package.
    ValueError
        Where no exact method is known for the model, it does something else than its weights say
        (:func:`~algzoo.zoo.model_check.check_plain`), or a longest-cycle model has more inputs than
        are enumerated (:data:`~algzoo.zoo.model_check.MOST_FUNCTIONS`).
    """
    check_model(model)
    if isinstance(model, OneLayerRNN) and model.task_name == "2nd_argmax":
        if model.seq_len == 2:
            return angular(model)
        if model.seq_len == 3:
            return spherical(model)
    if isinstance(model, OneLayerRNN) and model.task_name == "argmedian" and model.seq_len == 3:
        return argmedian_of_three(model)
    if isinstance(model, OneLayerRNN) and model.task_name == "median" and model.seq_len in (2, 3):
        return squared_error(model)
    if isinstance(model, DistTransformer) and model.input_range == model.seq_len:
        return exhaustive(model)
    raise ValueError(
        "Exact values are available for 2nd-argmax and median models with seq_len 2 and 3, for "
        "argmedian models with seq_len 3 and for longest cycle, not for this "
        f"{type(model).__name__} with seq_len {model.seq_len}"
    )
