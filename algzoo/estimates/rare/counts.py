"""Counts of rare events among very many independent inputs, by the compiled sampler."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from ...zoo import Model, OneLayerRNN
from ..estimate import check_draws
from ..samplers import kernel
from ..samplers.iid import compiled_forward, ranks_of_target
from ..samplers.random_inputs import gaussian_inputs
from .event import ModelEvent

_BLOCK = 2**14  # inputs that share a random stream, as in .samplers.iid
_BLOCKS = 64  # in a batch, after which the inputs that may be events are scored
_SLACK = 64  # units of rounding, of the largest number, by which a value may be wrong

_NUMBER_TYPES = {torch.float32: np.float32, torch.float64: np.float64}

Inputs = NDArray[np.floating]
_Kept = list[Inputs]


def count_events(
    events: Sequence[ModelEvent], n_samples: int, seed: int, *, workers: int = 1
) -> list[int]:
    """Count each of several events of models among the same independent Gaussian inputs.

    The inputs are those of :func:`~algzoo.estimates.sampling` with the same seed. The models are
    run in their own number type, by compiled code. Inputs on which an event may have happened are
    looked at again in float64, and this decides. An input on which float32 gives another answer is
    not looked at again: where errors are at ties that float32 can hardly resolve, give
    ``model.double()``.

    Parameters
    ----------
    events
        The events, of models with the same number of inputs and the same number type.
    n_samples
        Number of inputs.
    seed
        Seed of the inputs.
    workers
        Number of threads. The counts do not depend on it.

    Returns
    -------
    list of int
        How often each event happened.

    Raises
    ------
    ValueError
        If the models differ in their number of inputs or in their number type, which must be
        float32 or float64, if there is no event, if ``n_samples`` or ``workers`` is not positive,
        or if ``seed`` is negative.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> from algzoo.estimates.rare import names_smallest
    >>> model = zoo_2nd_argmax(4, 3)
    >>> count_events([names_smallest(model, t) for t in (0.0, 0.5, 1.0)], 100_000, seed=0)
    [686, 390, 296]
    """
    check_draws(n_samples, seed)
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    kinds = {(event.dimension, event.model.dtype) for event in events}
    if len(kinds) != 1:
        raise ValueError(
            "The events to count together are of models with the same number of inputs and the "
            f"same number type, and there is at least one; got {sorted(kinds, key=str)}"
        )
    ((n_inputs, dtype),) = kinds
    if dtype not in _NUMBER_TYPES:
        raise ValueError(f"Events are counted for models in float32 or float64, not in {dtype}")
    models = {id(event.model): event.model for event in events}
    screens = [_screen(model, events) for model in models.values()]
    n_blocks = -(-n_samples // _BLOCK)

    def counts(batch: int) -> list[int]:
        kept: list[_Kept] = [[] for _ in events]
        for block in range(batch, min(batch + _BLOCKS, n_blocks)):
            stream = np.random.SeedSequence(seed, spawn_key=(block,))
            x = gaussian_inputs((n_inputs, _BLOCK), stream, _NUMBER_TYPES[dtype])
            for screen in screens:
                screen(x, min(_BLOCK, n_samples - block * _BLOCK), kept)
        return [
            int((event.score(np.concatenate(inputs, axis=1).T.astype(np.float64)) > 0).sum())
            for event, inputs in zip(events, kept, strict=True)
        ]

    with ThreadPoolExecutor(workers) as pool:
        of_batches = list(pool.map(counts, range(0, n_blocks, _BLOCKS)))
    return [int(total) for total in np.sum(of_batches, axis=0)]


def _screen(
    model: Model, events: Sequence[ModelEvent]
) -> Callable[[Inputs, int, list[_Kept]], None]:
    """Return a function that appends the inputs that may be events of a model to those kept."""
    assert isinstance(model, OneLayerRNN), "events are of recurrent models"
    forward = compiled_forward(model)
    rank, other_rank = ranks_of_target(model)
    own = [(i, event) for i, event in enumerate(events) if event.model is model]

    def screen(x: Inputs, n: int, kept: list[_Kept]) -> None:
        outputs = forward(x)
        largest = max(np.abs(outputs).max(), np.abs(x).max())
        slack = _SLACK * float(np.finfo(x.dtype).eps * largest)
        if own[0][1].kind == "squared error":
            sizes = np.abs(kernel.errors(x, outputs, rank, other_rank, n))
        else:
            ranks = kernel.ranks_of_answers(x, outputs, n)
            gaps, margins = kernel.gaps_and_margins(x, outputs, n)
        for i, event in own:
            if event.kind == "squared error":
                may_be = sizes >= math.sqrt(event.threshold) - slack
            elif event.kind == "smallest named":
                may_be = ranks == 0
            elif event.kind == "largest named":
                may_be = (ranks == len(x) - 1) & (gaps >= event.threshold - slack)
            elif event.threshold == 0:
                may_be = ranks != rank
            else:
                may_be = margins >= event.threshold - slack
            kept[i].append(x[:, np.flatnonzero(may_be)])

    return screen
