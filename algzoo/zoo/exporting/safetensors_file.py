"""Weights under ARC's keys in the safetensors format."""

from __future__ import annotations

import safetensors.torch

from ..architectures import Model
from .portable import check_portable


def as_safetensors(model: Model) -> bytes:
    """Return the content of a safetensors file with the model's weights under ARC's keys.

    The architectures name the keys, for example ``rnn.weight_hh_l0``. The numbers are not rounded.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`.check_portable`.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> import safetensors.torch
    >>> sorted(safetensors.torch.load(as_safetensors(zoo_2nd_argmax(2, 2))))
    ['linear.weight', 'rnn.weight_hh_l0', 'rnn.weight_ih_l0']
    """
    check_portable(model)
    state = {key: weight.cpu().contiguous() for key, weight in model.state_dict().items()}
    content: bytes = safetensors.torch.save(state, {"format": "pt"})
    return content
