"""Exact accuracy of longest-cycle models: every function is put in.

The model is run in float64, so that rounding does not decide between two logits.
"""

from __future__ import annotations

import copy
from fractions import Fraction

import torch

from ..zoo import TASKS, DistTransformer, Model, check_model
from ..zoo.model_check import (
    check_can_be_enumerated,
    check_logits_not_too_small,
    check_outputs,
)
from .estimate import Estimate, counted
from .operations import OperationCounter

_BATCH = 4096


def exhaustive_accuracy(model: Model) -> Fraction:
    """Accuracy over all functions {0..n-1} -> {0..n-1}, as a fraction with denominator n^n.

    Raises
    ------
    ValueError
        Where ``model`` is not a longest-cycle model, does something else than its weights say, or
        there are more functions than :data:`~algzoo.zoo.model_check.MOST_FUNCTIONS`.
    """
    return _evaluate(model, OperationCounter())


def exhaustive(model: Model) -> Estimate:
    """The same as an estimate; operations are the multiply-adds of the forward passes."""
    counter = OperationCounter()
    accuracy = _evaluate(model, counter)
    return counted(float(accuracy), counter, "A", std=0.0)


def _evaluate(model: Model, counter: OperationCounter) -> Fraction:
    check_model(model)
    if not isinstance(model, DistTransformer) or model.input_range != model.seq_len:
        raise ValueError(
            "Only longest-cycle models can be evaluated on all inputs, got "
            f"{type(model).__name__} with seq_len {model.seq_len}"
        )
    model = copy.deepcopy(model).double()
    check_logits_not_too_small(model)
    n = model.seq_len
    check_can_be_enumerated(n, n)
    place_values = n ** torch.arange(n - 1, -1, -1, device=model.device)
    right = 0
    with torch.no_grad():
        for start in range(0, n**n, _BATCH):
            numbers = torch.arange(start, min(start + _BATCH, n**n), device=model.device)
            x = numbers[:, None] // place_values % n
            with counter.tensors():
                logits = model(x)
            check_outputs(logits)
            right += int((logits.argmax(-1) == TASKS[model.task_name](x)).sum())
    return Fraction(right, n**n)
