"""Estimates for longest-cycle transformers of two layers from fewer than n^n forward passes.

The right answer depends only on a function's class up to renaming of points
(:mod:`algzoo.structure.attention.functional_graphs`). If a model treated the members of a class
alike, one of each would be enough. Trained models do not, so these are approximations; their errors
show how far a model respects the symmetry of its task:

* :func:`class_representatives` and :func:`pointed_representatives` run the model on one member of
  each class;
* :func:`class_margins` takes the margins of a few members as a sample of the class's margins, which
  are assumed to be Gaussian;
* :func:`symmetrised` averages the model's tables over all renamings that leave the last position
  alone, and runs the resulting symmetric model on one member of each pointed class.

In addition, :func:`folded_exhaustive` enumerates all functions, exactly, but shares everything that
two functions have in common. All of them compute in float64, whatever the model's number type.
"""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr

from ...structure.attention.folded import Folded, fold, softmax
from ...structure.attention.functional_graphs import (
    FunctionClass,
    Graph,
    conjugacy_classes,
    graph_of,
    pointed_classes,
)
from ...zoo import DistTransformer, Model, task_longest_cycle
from ...zoo.model_check import (
    check_can_be_enumerated,
    check_logits_not_too_small,
    check_outputs,
    check_transformer_weights,
)
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..scope import Scope

Array = NDArray[np.float64]

_WIDEST = 1300.0  # widest spread of scores; float64 holds exponentials of half of it, and sums


_TWO_LAYERS = Scope("longest_cycle", layers=2)
_CYCLES = Scope("longest_cycle", at_least=2)  # a margin is between two answers
_SOURCE = "this book, chapter on longest cycle (4, 4)"
# What the estimates from members of classes declare alike.
_BY_CLASS: dict[str, Any] = {
    "scope": _CYCLES,
    "scrambles": True,
    "runs_network": "chosen inputs",
    "exact": "approximate",
    "constants": "none",
    "source": _SOURCE,
}


@estimator(
    "folded, all functions",
    scope=_TWO_LAYERS,
    runs_network="chosen inputs",
    exact="exact",
    constants="none",
    source=_SOURCE,
    references=("elhage2021",),
    cost="O(n^n n d)",
    fails_when="the states on all functions do not fit into memory",
)
def folded_exhaustive(model: Model) -> Tally:
    """Exact accuracy over all functions, with fewer operations than running the model on each.

    In the first layer, the numerator and the denominator of what a position reads are sums over
    keys of terms that depend on the query's cell and the key's cell: n^4 terms are computed, and
    added up in a tree whose branches functions share. In the second layer only the last position is
    a query, and values are mixed before they are multiplied.

    Raises
    ------
    ValueError
        If the states on all functions are more numbers than
        :data:`~algzoo.zoo.model_check.MOST_NUMBERS`.
    """
    transformer = _two_layers(model)
    n, d = transformer.seq_len, transformer.hidden_size
    check_can_be_enumerated(n, n, n * d)
    counter = OperationCounter()
    tokens, positions, unembed = (
        counter.array(_array(weights))
        for weights in (
            transformer.embed.weight,
            transformer.pos_embed.weight,
            transformer.unembed.weight,
        )
    )
    (first_qk, first_ov), (second_qk, second_ov) = (
        _products(transformer, layer, counter) for layer in (0, 1)
    )
    cells: Any = (positions[:, None] + tokens[None]).reshape(n * n, d)
    weights = _exponentials(((cells @ first_qk) @ cells.T).reshape(n, n, n, n))[..., None]
    values = (cells @ first_ov.T).reshape(n, n, d)
    terms = np.concatenate([weights * values, weights], axis=-1)  # query j, t; key k, u; d + 1
    embedded: Any = cells.reshape(n, n, d)
    after_first = []
    for j in range(n):
        sums = terms[j, range(n), j, range(n)]  # its own term, for each of its tokens
        others = [k for k in range(n) if k != j]
        for depth, k in enumerate(others):
            shape = (n, *([1] * depth), n, d + 1)
            sums = sums[..., None, :] + terms[j, :, k].reshape(shape)
        read = sums[..., :-1] / sums[..., -1:]
        read = read + embedded[j].reshape(n, *([1] * (n - 1)), d)
        order = [1 + others.index(k) if k != j else 0 for k in range(n)]
        after_first.append(np.transpose(read, (*order, n)).reshape(n**n, 1, d))
    states: Any = np.concatenate(after_first, axis=1)
    last = states[:, -1]
    asked = (last @ second_qk)[:, None]
    attention: Any = softmax(np.sum(states * asked, axis=-1))
    mixed = np.sum(attention[..., None] * states, axis=1)
    logits = last @ unembed.T + mixed @ (unembed @ second_ov).T
    answers = np.argmax(logits, axis=-1)
    right = task_longest_cycle(torch.tensor(list(itertools.product(range(n), repeat=n))))
    accuracy = np.mean(_values(answers) == right.numpy())
    return Tally(float(accuracy), counter, std=0.0)


@estimator(
    "representatives of classes",
    **_BY_CLASS,
    cost="a forward pass for each class",
    fails_when="the model answers the members of a class differently",
)
def class_representatives(model: Model, *, scramble: int = 0) -> Tally:
    """Accuracy if all members of a class were answered like one of them.

    Parameters
    ----------
    model
        The model.
    scramble
        Seed with which every representative is renamed within its class. Without renaming,
        representatives resemble each other, and so do a model's errors on them.

    Raises
    ------
    ValueError
        If the model has more than :data:`~algzoo.structure.attention.functional_graphs.MOST_POINTS`
        inputs.
    """
    return _represented(model, conjugacy_classes(model.seq_len), scramble, pointed=False)


@estimator(
    "representatives of pointed classes",
    **_BY_CLASS,
    cost="a forward pass for each pointed class",
    fails_when="the model distinguishes functions that differ only by a renaming",
)
def pointed_representatives(model: Model, *, scramble: int = 0) -> Tally:
    """Accuracy if all members of a pointed class were answered like one of them.

    Functions of a pointed class differ by the names of all points but the last, as for a model that
    treats all other positions alike. The parameters and errors are those of
    :func:`class_representatives`.
    """
    return _represented(model, pointed_classes(model.seq_len), scramble, pointed=True)


def _represented(
    model: Model, classes: list[FunctionClass], scramble: int, *, pointed: bool
) -> Tally:
    counter = OperationCounter()
    logits = _forward(model, _renamed(classes, scramble, pointed=pointed), counter)
    return Tally(_share_right(classes, logits), counter)


@estimator(
    "margins of classes",
    **_BY_CLASS,
    cost="a forward pass for each pointed class",
    fails_when="margins within a class are not Gaussian",
)
def class_margins(model: Model, *, scramble: int = 0) -> Tally:
    """Accuracy if margins were Gaussian within each class.

    A function's margin is the logit of its right answer minus the largest other one. Mean and
    standard deviation over a class are estimated from one member of each of its pointed classes;
    the class is then right with probability Phi(mean / deviation). A class that is a single pointed
    class has no deviation: it is right or wrong as its member is.

    The parameters and errors are those of :func:`class_representatives`.
    """
    classes = pointed_classes(model.seq_len)
    counter = OperationCounter()
    logits = _forward(model, _renamed(classes, scramble, pointed=True), counter)
    groups: dict[Graph, list[tuple[int, float]]] = {}
    for member, row in zip(classes, logits, strict=True):
        answer = member.longest_cycle - 1
        margin = row[answer] - np.delete(row, answer).max()
        counter.counts["compare"] += len(row) - 2
        counter.counts["add"] += 1
        groups.setdefault(graph_of(member.representative), []).append((member.size, margin))
    right = 0.0
    for group in groups.values():
        sizes, margins = (np.array(column, dtype=float) for column in zip(*group, strict=True))
        right += sizes.sum() * _probability_positive(sizes, margins, counter)
    return Tally(float(right / sum(c.size for c in classes)), counter)


def _probability_positive(sizes: Array, margins: Array, counter: OperationCounter) -> float:
    """Probability of a positive margin, from one member of each pointed class, with these sizes."""
    if len(margins) == 1:
        return float(margins[0] > 0)
    # The unit is a power of two, which rounds nothing, and float64 holds the squares.
    margins = np.ldexp(margins, -int(np.frexp(np.abs(margins).max())[1]))
    mean = np.average(margins, weights=sizes)
    spread = np.average((margins - mean) ** 2, weights=sizes)
    counter.counts["multiply_add"] += 3 * len(margins)
    if spread == 0:
        return float(mean > 0)
    deviation = math.sqrt(spread * len(margins) / (len(margins) - 1))
    counter.counts["transcendental"] += 2
    return float(ndtr(mean / deviation))


@estimator(
    "averaged over renamings",
    scope=_TWO_LAYERS,
    runs_network="never",
    exact="approximate",
    constants="none",
    source=_SOURCE,
    cost="a folded pass of another network for each pointed class",
    fails_when="the model does not treat all positions and tokens alike",
)
def symmetrised(model: Model) -> Tally:
    """Accuracy of the symmetric model nearest to this one, from its pointed classes.

    It is exact for a model that treats all positions but the last, and the tokens that belong to
    them, alike.
    """
    transformer = _two_layers(model)
    folded = average_over_renamings(fold(transformer))
    classes = pointed_classes(transformer.seq_len)
    counter = OperationCounter()
    counted_tables = Folded(
        folded.seq_len,
        folded.input_range,
        *(counter.array(t) for t in (folded.first_scores, folded.second_scores, folded.logits)),
    )
    logits = counted_tables.evaluate([c.representative for c in classes]).logits
    counter.counts["compare"] += len(classes) * (transformer.output_size - 1)
    counter.counts["multiply_add"] += _folding(transformer)
    counter.counts["add"] += sum(
        table.size for table in (folded.first_scores, folded.second_scores, folded.logits)
    )
    return Tally(_share_right(classes, _values(logits)), counter)


def average_over_renamings(folded: Folded) -> Folded:
    """Average the tables over all (n-1)! renamings of positions and tokens but the last.

    A table's entry becomes the mean over the entries with the same pattern of equal names, so that
    only entries are enumerated.
    """
    n = folded.seq_len
    names = np.indices((n, n)).reshape(2, -1)  # of a cell: its position, its token
    pairs = np.stack(
        [np.broadcast_to(a, (n * n, n * n)) for a in (*names[:, :, None], *names[:, None, :])]
    )
    of_pair, of_cell = _patterns(pairs, n), _patterns(names, n)
    return Folded(
        n,
        folded.input_range,
        _averaged(folded.first_scores, of_pair),
        np.stack([[_averaged(t, of_pair) for t in row] for row in folded.second_scores]),
        np.stack([[_averaged(t, of_cell) for t in table.T] for table in folded.logits]).swapaxes(
            1, 2
        ),
    )


def _patterns(names: NDArray[np.intp], n: int) -> NDArray[np.intp]:
    """Number of the pattern of equal names, for tuples of names along the first axis."""
    code = np.zeros(names.shape[1:], dtype=np.intp)
    for i, one in enumerate(names):
        code = 2 * code + (one == n - 1)
        for other in names[:i]:
            code = 2 * code + (one == other)
    return np.unique(code, return_inverse=True)[1].reshape(code.shape)


def _averaged(table: Array, patterns: NDArray[np.intp]) -> Array:
    flat = patterns.ravel()
    means = np.bincount(flat, weights=table.ravel()) / np.bincount(flat)
    return means[patterns]


def _renamed(classes: list[FunctionClass], scramble: int, *, pointed: bool) -> torch.Tensor:
    """Choose one member of each class at random; the last point keeps its name if ``pointed``."""
    rng = np.random.default_rng(scramble)
    members = []
    for representative in (np.array(c.representative) for c in classes):
        n = len(representative)
        name = np.concatenate([rng.permutation(n - pointed), np.arange(n - pointed, n)])
        member = np.empty_like(representative)
        member[name] = name[representative]
        members.append(member)
    return torch.as_tensor(np.stack(members))


def _forward(model: Model, functions: torch.Tensor, counter: OperationCounter) -> Array:
    assert isinstance(model, DistTransformer)
    check_logits_not_too_small(model)
    in_64_bits = copy.deepcopy(model).double()
    with torch.no_grad(), counter.tensors():
        logits: torch.Tensor = in_64_bits(functions.to(model.device))
    check_outputs(logits)
    return logits.cpu().numpy()


def _share_right(classes: list[FunctionClass], logits: Array) -> float:
    answers = logits.argmax(axis=-1)
    total = sum(c.size for c in classes)
    right = sum(c.size for c, a in zip(classes, answers, strict=True) if a == c.longest_cycle - 1)
    return right / total


def _two_layers(model: Model) -> DistTransformer:
    assert isinstance(model, DistTransformer)
    check_transformer_weights(model)
    return model


def _folding(model: DistTransformer) -> int:
    """Multiply-adds of computing the tables from the weights.

    With m cells and d dimensions these are three values and outputs of 2 d^2 for each cell, five
    tables of scores with 2 d^2 for each cell and d for each pair, and four tables of logits.
    """
    m, d = model.seq_len * model.input_range, model.hidden_size
    return 3 * 2 * m * d * d + 5 * (2 * m * d * d + m * m * d) + 4 * m * d * model.output_size


def _products(model: DistTransformer, layer: int, counter: OperationCounter) -> tuple[Any, Any]:
    """W_Q^T W_K / sqrt(d) and W_O W_V."""
    weights = model.get_parameter(f"attns.{layer}.in_proj_weight")
    query, key, value = (counter.array(part) for part in np.split(_array(weights), 3))
    out = counter.array(_array(model.get_parameter(f"attns.{layer}.out_proj.weight")))
    return (query.T @ key) / math.sqrt(model.hidden_size), out @ value


def _exponentials(scores: Any) -> Any:
    """Exponentials of a table (query j, t; key k, u), for each query up to a factor.

    The largest score of an input lies between the largest over k of the least over u, and the
    largest of all. Exponentials are taken relative to the middle of these two.

    Raises
    ------
    ValueError
        If the two are too far apart for float64.
    """
    least = np.max(np.min(scores, axis=3), axis=2)[:, :, None, None]
    largest = np.max(scores, axis=(2, 3))[:, :, None, None]
    if (spread := float(_values(largest - least).max())) > _WIDEST:
        raise ValueError(f"Scores of one query spread by {spread:.0f}, too far for exponentials")
    return np.exp(scores - (least + largest) / 2)


def _array(parameter: torch.Tensor) -> Array:
    return parameter.detach().cpu().double().numpy()


def _values(counted_array: Any) -> NDArray[Any]:
    values: NDArray[Any] = counted_array.values
    return values
