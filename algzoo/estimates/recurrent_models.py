"""Which recurrent models an estimator is for: others refused in one wording, and the weights."""

from __future__ import annotations

from typing import TypeGuard

from ..structure import Weights, weights_in_range
from ..zoo import Model, OneLayerRNN, check_model

Size = tuple[int, int]  # hidden_size and seq_len

_WORDS = {2: "two", 3: "three", 4: "four"}


def is_recurrent(model: Model, task_name: str, least: int) -> TypeGuard[OneLayerRNN]:
    """Whether it is a recurrent model of that task, of at least so many inputs.

    Raises
    ------
    TypeError, ValueError
        As :func:`~algzoo.zoo.check_model`: where it is no model of a family, or does something else
        than its weights say.
    """
    check_model(model)
    return (
        isinstance(model, OneLayerRNN) and model.task_name == task_name and model.seq_len >= least
    )


def second_argmax_weights(model: Model, what: str, least: int = 2) -> Weights:
    """Weights of a recurrent 2nd-argmax model of at least ``least`` inputs, two to four.

    ``what`` says, with its verb, what is for such models alone: "the offset formula is".

    Raises
    ------
    TypeError, ValueError
        Where it is another model, and as :func:`~algzoo.structure.weights_in_range`.
    """
    if not is_recurrent(model, "2nd_argmax", least):
        raise ValueError(
            f"{what} for recurrent 2nd-argmax models of at least {_WORDS[least]} inputs, "
            f"not for {type(model).__name__} of {model.task_name} with seq_len {model.seq_len}"
        )
    return weights_in_range(model)


def size_of(model: Model) -> Size:
    """Its hidden_size and seq_len."""
    return model.hidden_size, model.seq_len


def fitted_weights(model: Model, what: str, size: Size | None, fit: str) -> Weights:
    """Weights of a recurrent 2nd-argmax model, for an estimator with fitted constants.

    ``what``, in the plural, has the constants, which were fitted on models of ``size`` (``None``:
    they are for any) by the function of the name ``fit``.

    Raises
    ------
    TypeError, ValueError
        Where it is a model of another size, and as :func:`second_argmax_weights`.
    """
    weights = second_argmax_weights(model, f"{what} are")
    if size not in (None, size_of(model)):
        hidden_size, seq_len = size
        raise ValueError(
            f"these {what} were fitted on models with hidden_size {hidden_size} and seq_len "
            f"{seq_len}, this one has hidden_size {model.hidden_size} and seq_len {model.seq_len}: "
            f"{fit} makes them for other sizes"
        )
    return weights
