"""One name for the exact accuracy, whichever method gives it."""

from __future__ import annotations

from ..zoo import Model, OneLayerRNN
from .angular import angular
from .estimate import Estimate


def exact(model: Model) -> Estimate:
    """Exact accuracy on standard Gaussian inputs: 2nd-argmax models of two inputs so far.

    Raises
    ------
    ValueError
        Where no exact method is known for the model.
    """
    if isinstance(model, OneLayerRNN) and model.task_name == "2nd_argmax" and model.seq_len == 2:
        return angular(model)
    described = f"{type(model).__name__} with seq_len {getattr(model, 'seq_len', 'unknown')}"
    raise ValueError(
        "Exact accuracies are available for 2nd-argmax models with seq_len 2, "
        f"not for this {described}"
    )
