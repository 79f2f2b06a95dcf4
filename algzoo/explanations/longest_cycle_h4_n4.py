"""Cost of believing that a longest-cycle transformer is right, compared with brute force.

There are n^n functions, so that one check for each settles everything: brute force costs ``n^n log2
n`` bits if every answer is a guess among n. An explanation is useful only if it costs less. The
ledgers are:

* :func:`brute_force_ledger`, one entry for each conjugacy class, with odds of n to one for each
  function;
* :func:`base_rate_ledger`, the same checks priced by how often each answer is right;
* :func:`layer_ledger`, which adds what the chapter finds about the second layer: the values it
  moves are nearly one number, so that the answer is read off a scale.

They are compared with :func:`~algzoo.scoring.surprise.bounds.weight_information`. The ledgers'
measures take the model itself.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, for the comparison of an
explanation with brute force; the ledgers are this book's.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from ..scoring.surprise.ledger import Check, Ledger, Prior
from ..scoring.surprise.thresholds import least_factor
from ..structure.attention.folded import fold
from ..structure.attention.functional_graphs import (
    FunctionClass,
    Graph,
    conjugacy_classes,
    graph_of,
)
from ..structure.attention.standard_form import spectra
from ..zoo import DistTransformer, task_longest_cycle
from ..zoo.model_check import check_can_be_enumerated
from .measures import ARC_EQUALITY, measure

_SMALLEST = -23  # octaves, relative to the largest weight; float32 resolves no smaller change
_STEPS = 64  # steps of the grid in an octave
_ROUNDING = 1e-9  # rounding error of a number of lost answers

_INSTEAD = "this is for models that can be run on all inputs"


@measure
def least_margin(model: Any, members: FunctionClass) -> NDArray[np.float64]:
    """Least margin over the members of a class: the right logit minus the largest other one."""
    functions = np.array(_members(len(members.representative))[members.graph])
    logits = fold(model).evaluate(functions).logits
    answer = members.longest_cycle - 1
    others = np.delete(logits, answer, axis=1).max(axis=1)
    return np.asarray((logits[:, answer] - others).min())


@measure
def second_value(model: Any) -> NDArray[np.float64]:
    """Ratio of the first two singular values of the second layer's output, in standard form."""
    sizes = spectra(model)[1, "OV"]
    return np.asarray(sizes[1] / sizes[0])


def brute_force_ledger(model: DistTransformer) -> Ledger:
    """Ledger with one entry for each class of functions, and odds of n to one for each function.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a longest-cycle transformer that can be folded.
    """
    return _ledger(model, _class_checks(model, None))


def base_rate_ledger(model: DistTransformer) -> Ledger:
    """Ledger of the same checks, each function priced by the share of functions with its answer.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`brute_force_ledger`.
    """
    _check_functions(model)
    classes = conjugacy_classes(model.seq_len)
    sizes = Counter[int]()
    for members in classes:
        sizes[members.longest_cycle] += members.size
    return _ledger(model, _class_checks(model, {k: v / sizes.total() for k, v in sizes.items()}))


def layer_ledger(model: DistTransformer) -> Ledger:
    """Ledger of the claim that the second layer moves nearly one number, as exactly as it is found.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`brute_force_ledger`, or if hidden_size is 1.
    """
    fold(model)  # raises an error if the model is not of the right kind
    if model.hidden_size < 2:
        raise ValueError("A second singular value needs a hidden_size of at least 2, got 1")
    statement = "what the second layer writes is nearly a single number"
    check = Check(
        "second layer", "zero", statement, second_value(), "<=", None, ARC_EQUALITY, alternatives=4
    )
    return _ledger(model, [check])


def noise_tolerance(
    model: DistTransformer, loss: float = 0.01, *, n_models: int = 16, seed: int = 0
) -> float:
    """Standard deviation of Gaussian noise on all weights that costs ``loss`` of the accuracy.

    The loss is the mean over ``n_models`` copies that share their noise up to its size; their
    accuracies are exact. The least noise that costs more than ``loss`` is searched for on a grid of
    multiples of the largest weight, by powers of 2^(1/64), that is, to one part in a hundred
    (:mod:`algzoo.scoring.surprise.thresholds`).

    Raises
    ------
    ValueError
        If ``loss`` is not positive, or not reached with noise of the size of the weights.
    """
    if not loss > 0:
        raise ValueError(f"loss must be positive, got {loss}")
    _check_functions(model)
    n = model.seq_len
    check_can_be_enumerated(n, n, n * n, instead=_INSTEAD)  # attention weights
    generator = torch.Generator().manual_seed(seed)
    weights = [p.detach().cpu().double() for p in model.parameters()]
    noise = [
        [torch.randn(w.shape, generator=generator, dtype=torch.float64) for w in weights]
        for _ in range(n_models)
    ]
    changed = copy.deepcopy(model).cpu().double()
    functions = np.array(list(itertools.product(range(model.input_range), repeat=model.seq_len)))
    answers = task_longest_cycle(torch.as_tensor(functions)).numpy()

    def n_right() -> int:
        # Tables are used because torch's threads wait for each other on such small batches.
        return int((fold(changed).evaluate(functions).logits.argmax(-1) == answers).sum())

    intact = n_right()
    # Whole numbers are compared with it, and rounding must not decide where it is whole.
    allowed = loss * len(functions) * n_models + _ROUNDING

    def lost(sd: float) -> bool:
        n_lost = 0
        for of_copy in noise:
            with torch.no_grad():
                for parameter, weight, step in zip(
                    changed.parameters(), weights, of_copy, strict=True
                ):
                    parameter.copy_(weight + sd * step)
            n_lost += intact - n_right()
        return n_lost > allowed

    largest = max(float(w.abs().max()) for w in weights)
    factor = least_factor(lambda factor: lost(factor * largest), _SMALLEST, 0, _STEPS)
    if factor is None:
        raise ValueError(f"Noise of the size of the weights costs less than {loss} of accuracy")
    return factor * largest


def _ledger(model: DistTransformer, checks: list[Check]) -> Ledger:
    fold(model)  # raises an error if the model is not of the right kind
    subject: Any = model  # the measures take it in place of a recurrent model's weights
    return Ledger(checks, subject)


def _check_functions(model: DistTransformer) -> None:
    """Raise an error unless it is a longest-cycle model that can be run on all functions."""
    fold(model)  # raises an error if the model is not of the right kind
    n = model.seq_len
    if model.input_range != n or n < 2:
        raise ValueError(
            "A longest-cycle model has as many tokens as positions, two or more, got "
            f"{model.input_range} and {n}"
        )
    check_can_be_enumerated(n, n, 16, instead=_INSTEAD)  # each is a tuple of about 16 words


def _class_checks(model: DistTransformer, rates: dict[int, float] | None) -> list[Check]:
    _check_functions(model)
    n = model.seq_len
    checks = []
    for members in conjugacy_classes(n):
        rate = 1 / n if rates is None else rates[members.longest_cycle]
        p = rate**members.size
        name = " ".join(map(str, members.representative))
        checks.append(
            Check(
                f"class of {name}",
                "class",
                f"all {members.size} functions like f = ({name}) have a longest cycle of "
                f"{members.longest_cycle} and are answered so",
                least_margin(members),
                ">",
                0.0,
                # Any distribution that is above 0 with probability p would do.
                Prior(
                    stats.norm(-stats.norm.isf(p)), "each member a guess, independent of the others"
                ),
            )
        )
    return checks


@cache
def _members(n: int) -> dict[Graph, list[tuple[int, ...]]]:
    found: dict[Graph, list[tuple[int, ...]]] = {}
    for function in itertools.product(range(n), repeat=n):
        found.setdefault(graph_of(function), []).append(function)
    return found
