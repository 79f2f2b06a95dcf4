"""Naive sampling: the share of independent inputs on which the event happens."""

from __future__ import annotations

import math

from .event import RareEvent
from .record import Account, RareEstimate, generator

_BATCH = 2**14  # inputs at a time, for memory


def naive(event: RareEvent, budget: int, seed: int) -> RareEstimate:
    """Return the share of ``budget`` independent inputs on which the event happens.

    ``std`` is the standard error, or ``None`` if the event happens on all inputs or on none.

    Raises
    ------
    ValueError
        If the budget is less than 1 or the seed is negative.
    """
    account, rng = Account(event, budget), generator("naive", seed)
    hits = 0
    while account.left:
        x = rng.standard_normal((min(account.left, _BATCH), event.dimension))
        hits += int((account.score(x) > 0).sum())
    p = hits / budget
    return account.estimate(p, std=math.sqrt(p * (1 - p) / budget) or None, hits=hits)
