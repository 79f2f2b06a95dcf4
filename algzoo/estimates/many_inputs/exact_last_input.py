"""Estimates from walks over the last input: for which models, and at which cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights
from ...zoo import Model
from ..estimate import Tally
from ..samplers.forward import readouts
from ..scope import ARGMEDIAN, Scope
from .last_input_kernel import walks
from .last_input_walk import Events, operations_of_weights

Array = NDArray[np.float64]

_BLOCK = 2**12  # prefixes at a time; their states fit into a processor's second cache


WALKABLE = Scope("2nd_argmax", at_least=3) | ARGMEDIAN


def rank_of_answer(model: Model) -> int:
    """Number of inputs that are larger than the one whose position is the right answer."""
    return 1 if model.task_name == "2nd_argmax" else model.seq_len // 2


class Batch(NamedTuple):
    """Some prefixes of an estimate.

    ``total`` is the sum of their probabilities of being right, ``passes`` the operations of their
    forward passes, without the walks.
    """

    total: float
    passes: int
    events: Events


def tally_of(weights: Weights, batches: Iterable[Batch]) -> Tally:
    """Mean over all prefixes of the batches, and its cost."""
    totals, passes, events = zip(*batches, strict=True)
    met = total_of(*events)
    return Tally(
        sum(totals) / met.walks,
        sum(passes) + operations_of_walks(weights, met),
        transcendental=met.normal_probabilities,
    )


def right_after(weights: Weights, prefixes: Array, rank: int) -> tuple[Array, Events]:
    """Probability, over the last input, that the model is right after each prefix.

    Parameters
    ----------
    weights
        Weights of the model.
    prefixes
        Inputs before the last, shape (n - 1, n_prefixes).
    rank
        The result of :func:`rank_of_answer`.

    Returns
    -------
    numpy.ndarray
        The probabilities, shape (n_prefixes,).
    Events
        The events on the walks, which determine their cost.
    """
    n_prefixes = prefixes.shape[1]
    probability = np.empty(n_prefixes)
    events = Events(*[0] * len(Events._fields))
    for start in range(0, n_prefixes, _BLOCK):
        block = slice(start, min(start + _BLOCK, n_prefixes))
        x = prefixes[:, block]
        order = np.argsort(x, axis=0, kind="stable")
        places = order[[-1 - rank, -rank]]
        drive = readouts(weights._replace(w_oh=weights.w_hh), x)
        probability[block], met = walks(
            weights, drive, np.take_along_axis(x, places, axis=0), places, len(x)
        )
        events = total_of(events, met)
    return probability, events


def total_of(*events: Events) -> Events:
    """Add up events."""
    return Events(*map(sum, zip(*events, strict=True)))


def operations_of_passes(weights: Weights, n_prefixes: int) -> int:
    """Operations of forward passes, with a separate pass for each prefix.

    A prefix costs the multiply-adds of n - 1 steps and of another product with W_hh, by ARC's
    convention.
    """
    n, d = weights.w_oh.shape
    passes: int = n_prefixes * ((n - 1) * d * (d + 1) + d * d)
    return passes


def operations_of_prefixes(weights: Weights, events: Events) -> int:
    """Operations of forward passes and walks, with a separate pass for each prefix."""
    return operations_of_passes(weights, events.walks) + operations_of_walks(weights, events)


def operations_of_walks(weights: Weights, events: Events) -> int:
    """Operations of walks alone, and of preparing the weights before the first."""
    n, d = weights.w_oh.shape
    return operations_of_weights(n, d) + events.operations(n, d)
