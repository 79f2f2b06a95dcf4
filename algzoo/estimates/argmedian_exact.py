"""Exact accuracy of argmedian models of three inputs, whose task is 2nd argmax by another name."""

from __future__ import annotations

import copy

from ..zoo import Model, OneLayerRNN, check_model
from .estimate import Estimate
from .spherical import spherical


def argmedian_of_three(model: Model) -> Estimate:
    """Exact accuracy on standard Gaussian inputs: :func:`~algzoo.estimates.spherical.spherical`.

    Raises
    ------
    ValueError
        Where ``model`` is not an argmedian model of three inputs.
    """
    check_model(model)
    if not isinstance(model, OneLayerRNN) or model.task_name != "argmedian" or model.seq_len != 3:
        raise ValueError(
            "This is for argmedian models of three inputs, got "
            f"{type(model).__name__} of {model.task_name} with seq_len {model.seq_len}"
        )
    same = copy.copy(model)  # the weights are shared
    same.task_name = "2nd_argmax"
    return spherical(same)
