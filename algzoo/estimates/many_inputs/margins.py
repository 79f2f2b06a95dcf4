"""Margins of a 2nd-argmax model on one representative input of every class of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights, weights_in_range
from ...zoo import Model
from ..scope import SECOND_ARGMAX
from .prefix_tree import PrefixTree, prefix_tree

Array = NDArray[np.float64]

_MODELS_AT_ONCE = 100  # as many states of a tree of triples as fit into the cache of one core


@cache
def levels_tree(
    seq_len: int, levels: tuple[float, ...], bulk: tuple[float, ...]
) -> tuple[PrefixTree, NDArray[np.intp]]:
    """Make inputs with the first level at one position, the second at another, and so on.

    There is one input for each way to choose the positions; every other position t holds ``bulk[t %
    len(bulk)]``.

    Returns
    -------
    PrefixTree
        Tree of the inputs.
    numpy.ndarray
        Right answer of each, which is the position of the second level.

    Raises
    ------
    ValueError
        If the levels do not fall, are not above the bulk, or are not 2 to ``seq_len``.
    """
    if not 2 <= len(levels) <= seq_len:
        raise ValueError(f"there must be 2 to {seq_len} levels, got {len(levels)}")
    ordered = (*levels, max(bulk))
    if any(lower >= upper for upper, lower in pairwise(ordered)):
        raise ValueError(f"levels must fall and lie above the bulk, got {levels} above {bulk}")
    places = np.array(list(permutations(range(seq_len), len(levels))))
    x = np.tile(np.resize(bulk, seq_len), (len(places), 1))
    np.put_along_axis(x, places, np.array(levels)[None], axis=1)
    return prefix_tree(x), places[:, 1]


def margins(weights: Weights, tree: PrefixTree, answers: NDArray[np.intp]) -> Array:
    """Logit of the right answer minus the largest other one, shape (..., n_inputs)."""
    logits = tree.logits(weights)
    right = np.take_along_axis(
        logits, np.broadcast_to(answers[:, None], (*logits.shape[:-1], 1)), -1
    )
    others = np.where(np.arange(logits.shape[-1]) == answers[:, None], -np.inf, logits)
    result: Array = right[..., 0] - others.max(axis=-1)
    return result


def margins_of_models(
    models: Sequence[Model], tree: PrefixTree, answers: NDArray[np.intp]
) -> Array:
    """Compute :func:`margins` for many models of one size, shape (n_models, n_inputs)."""
    for model in models:
        SECOND_ARGMAX.check(model, "a margin of classes")
    weights = [weights_in_range(model) for model in models]
    chunks = (weights[i : i + _MODELS_AT_ONCE] for i in range(0, len(weights), _MODELS_AT_ONCE))
    return np.concatenate(
        [
            margins(Weights(*map(np.stack, zip(*chunk, strict=True))), tree, answers)
            for chunk in chunks
        ]
    )
