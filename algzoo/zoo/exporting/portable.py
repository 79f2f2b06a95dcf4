"""The check that all formats share."""

from __future__ import annotations

import torch

from ..architectures import Model
from ..model_check import check_model


def check_portable(model: Model) -> None:
    """Raise an error unless ``model`` is one that every format can hold.

    Raises
    ------
    TypeError
        If it is not a model of this package.
    ValueError
        Raised by :func:`~algzoo.zoo.check_model`, or if the model has biases, a weight that is not
        finite, or weights of another type than float32 or float64.
    """
    check_model(model)
    if model.bias:
        raise ValueError("A model with biases cannot be exported: no model of AlgZoo has any")
    if model.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            "The weights of an exported model are float32 or float64, not "
            f"{str(model.dtype).removeprefix('torch.')}: convert the model with .float()"
        )
    for name, weight in model.named_parameters():
        if not torch.isfinite(weight).all():
            raise ValueError(f"The model's {name} holds a weight that is not finite")
