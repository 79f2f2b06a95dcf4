"""Exact accuracy of longest-cycle models, by running them on every function.

The model is run in float64, so that rounding does not decide between two logits.
"""

from __future__ import annotations

import copy
from fractions import Fraction

import torch

from ...zoo import TASKS, DistTransformer, Model
from ...zoo.model_check import check_can_be_enumerated, check_logits_not_too_small, check_outputs
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..scope import Scope

_BATCH = 4096


def exhaustive_accuracy(model: Model) -> Fraction:
    """Accuracy over all functions {0..n-1} -> {0..n-1}, as a fraction with denominator n^n.

    Raises
    ------
    ValueError
        If ``model`` is not a longest-cycle model or does something else than its weights say, or if
        there are more functions than :data:`~algzoo.zoo.model_check.MOST_FUNCTIONS`.
    """
    exhaustive.declaration.scope.check(model, "the accuracy over all functions")
    return _evaluate(model, OperationCounter())


@estimator(
    "all functions",
    scope=Scope("longest_cycle"),
    runs_network="chosen inputs",
    exact="exact",
    constants="none",
    source="by definition",
    cost="n^n forward passes",
    fails_when="there are nine or more inputs, and so too many functions",
)
def exhaustive(model: Model) -> Tally:
    """Exact accuracy over all functions, by running the model on each.

    The operations are the multiply-adds of the forward passes.
    """
    counter = OperationCounter()
    accuracy = _evaluate(model, counter)
    return Tally(float(accuracy), counter, std=0.0)


def _evaluate(model: Model, counter: OperationCounter) -> Fraction:
    model = copy.deepcopy(model).double()
    assert isinstance(model, DistTransformer)
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
