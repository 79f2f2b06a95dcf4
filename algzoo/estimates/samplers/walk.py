"""Sampling of all inputs but the last, which is integrated exactly by a walk between events.

The result is that of :func:`.last_input.last_input` up to 2e-7, for less than a third of the
operations after the prefix; the method also takes argmedian models.
"""

from __future__ import annotations

import numpy as np

from ...structure import weights_in_range
from ...zoo import Model
from ..estimate import Tally, sampler
from ..many_inputs.exact_last_input import (
    WALKABLE,
    operations_of_prefixes,
    rank_of_answer,
    right_after,
)
from .forward import standard_error


@sampler("last input by walk", scope=WALKABLE, cost="forward passes and O(n d) for each")
def last_input_walk(model: Model, n_samples: int, seed: int) -> Tally:
    """Mean, over ``n_samples`` random prefixes, of the probability that the answer is right.

    The prefixes are those of :func:`.last_input.last_input`. ``std`` is the standard error, or
    ``None`` if all prefixes have the same probability. The operations are those of the prefixes and
    of the events on the walks, :meth:`.last_input_walk.Events.operations`.
    """
    weights = weights_in_range(model)
    prefixes = np.random.default_rng(seed).standard_normal((model.seq_len - 1, n_samples))
    right, events = right_after(weights, prefixes, rank_of_answer(model))
    return Tally(
        float(np.clip(right.mean(), 0, 1)),
        operations_of_prefixes(weights, events),
        std=standard_error(right),
        transcendental=events.normal_probabilities,
    )
