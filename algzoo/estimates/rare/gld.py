"""GLD: the tail of a Gaussian that is fitted to the score."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from .event import RareEvent
from .record import Account, RareEstimate, generator

_BATCH = 2**14  # inputs at a time, for memory


def gld(event: RareEvent, budget: int, seed: int) -> RareEstimate:
    """Probability that a Gaussian with the mean and variance of the score is above 0.

    This is Wu and Hilton's "Gaussian logit difference". Their code subtracts the largest of all
    logits from the rare one, so that the difference is 0 on hits; the score subtracts the largest
    other one. If all scores are the same, the estimate is 1 if they are above 0, and otherwise 0.

    Raises
    ------
    ValueError
        If the budget is less than 2 or the seed is negative.
    """
    account, rng = Account(event, budget, least=2), generator("GLD", seed)
    parts = []
    while account.left:
        x = rng.standard_normal((min(account.left, _BATCH), event.dimension))
        parts.append(account.score(x))
    scores = np.concatenate(parts)
    mean, sd = float(scores.mean()), float(scores.std(ddof=1))
    account.charge(3 * budget + 1, transcendental=2)  # mean and variance; a root and the tail
    if sd == 0:
        return account.estimate(float(mean > 0))
    return account.estimate(float(ndtr(mean / sd)))
