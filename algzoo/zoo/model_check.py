"""Refusing what is no model of a family, in one wording for everything that takes a model."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .architectures import AttentionOnlyTransformer, OneLayerRNN
from .families import FAMILIES, check_choice

_LEAST = 1e-30  # of a matrix of a transformer, so that products of eight are in float64


def check_model(model: object) -> None:
    """Raise unless ``model`` is one of a family, whole: its sizes fit each other, its weights too.

    Whether its weights are finite is not asked.

    Raises
    ------
    TypeError
        Where it is no model of this package.
    ValueError
        Where it has no task or no length, its readout does not have the shape that these ask for,
        or its weights lie on no device or are of several number types.
    """
    if not isinstance(model, OneLayerRNN | AttentionOnlyTransformer):
        raise TypeError(f"A model of this package is needed, got {type(model).__name__}")
    kind = type(model).__name__
    for name in ("task_name", "seq_len"):
        if not hasattr(model, name):
            raise ValueError(f"This {kind} has no {name}: a model of one of the families has")
    check_choice("task_name", model.task_name, FAMILIES, what="model")
    readout = model.linear if isinstance(model, OneLayerRNN) else model.unembed
    n_outputs = 1 if FAMILIES[model.task_name].measures_error else model.seq_len
    wanted = (n_outputs, model.hidden_size)
    if tuple(readout.weight.shape) != wanted:
        raise ValueError(
            f"A model for {model.task_name} with seq_len {model.seq_len} and hidden_size "
            f"{model.hidden_size} has output weights of shape {wanted}, this {kind} of shape "
            f"{tuple(readout.weight.shape)}"
        )
    check_weights_are_there(model)
    number_types = {parameter.dtype for parameter in model.parameters()}
    if len(number_types) != 1:
        listed = ", ".join(sorted(map(str, number_types)))
        raise ValueError(f"The weights of a model have one number type, of this {kind}: {listed}")


def check_task_has_answers(model: OneLayerRNN | AttentionOnlyTransformer) -> None:
    """Raise a ``ValueError`` where the model's inputs have no right answer."""
    if model.task_name == "2nd_argmax" and model.seq_len < 2:
        raise ValueError(f"Of seq_len {model.seq_len} numbers none is the second largest")
    if isinstance(model, AttentionOnlyTransformer) and model.input_range > model.seq_len:
        raise ValueError(
            f"A function of seq_len {model.seq_len} positions has values below that, this model "
            f"has input_range {model.input_range}"
        )


def check_weights_are_there(model: nn.Module) -> None:
    """Raise a ``ValueError`` where weights lie on PyTorch's meta device, which keeps no numbers."""
    if any(parameter.is_meta for parameter in model.parameters()):
        raise ValueError("The model has no weights: they are on PyTorch's meta device")


def check_outputs(outputs: Tensor) -> None:
    """Raise a ``ValueError`` where a model's outputs, as it was run, are not finite numbers."""
    if not torch.isfinite(outputs).all():
        raise ValueError(
            f"The model's outputs are not finite in {_name(outputs.dtype)}: a weight is not "
            "finite or too large"
        )


def check_transformer_weights(model: AttentionOnlyTransformer) -> None:
    """Raise a ``ValueError`` where a weight is not finite, or products of eight leave float64.

    Two layers multiply up to eight matrices; a matrix of zeros is no obstacle.
    """
    check_weights_are_there(model)
    for name, weight in model.named_parameters():
        largest = _largest(weight)
        if not math.isfinite(largest):
            raise ValueError(f"The model's {name} holds a weight that is not finite")
        if largest and not _LEAST < largest < 1 / _LEAST:
            size = "large" if largest > 1 else "small"
            raise ValueError(f"The model's {name} is too {size} for float64, up to {largest:.3g}")


def check_logits_not_too_small(model: AttentionOnlyTransformer) -> None:
    """Raise a ``ValueError`` where logits may vanish in the model's own number type."""
    embedding = max(_largest(model.embed.weight), _largest(model.pos_embed.weight))
    logit = embedding * _largest(model.unembed.weight)
    if 0 < logit < torch.finfo(model.dtype).tiny or (
        logit == 0 and embedding and _largest(model.unembed.weight)
    ):
        raise ValueError(
            f"The model's weights are too small for {_name(model.dtype)}: its logits may be of "
            f"the order of {logit:.0e}"
        )


def _largest(weight: Tensor) -> float:
    return float(weight.detach().abs().max())


def _name(number_type: torch.dtype) -> str:
    return str(number_type).removeprefix("torch.")
