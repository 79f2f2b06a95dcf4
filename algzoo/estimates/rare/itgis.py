"""ITGIS: importance sampling from a Gaussian that is shifted along the mean gradient.

Wu and Hilton's "independent token gradient importance sampling" changes the distribution of each
input position alone: a token's probability is multiplied by exp(s / T), where s is its share of a
running mean of the gradients and T the temperature. For a standard Gaussian coordinate this is
N(s / T, 1).
"""

from __future__ import annotations

import numpy as np

from .event import Floats, RareEvent
from .record import (
    PASSES_WITH_GRADIENT,
    Account,
    RareEstimate,
    check_temperature,
    generator,
    weighted_hits,
)

_DECAY = 0.9  # of the running mean; Wu and Hilton's, like the size of a batch
_BATCH = 256


def itgis(event: RareEvent, budget: int, seed: int, *, temperature: float) -> RareEstimate:
    """Importance sampling from N(mean gradient / temperature, I).

    The first batch of 256 inputs is drawn from N(0, I). After each batch, the mean of its gradients
    enters an exponentially weighted mean, with a decay of 0.9 and the usual correction for the
    missing beginning. The estimate is the mean over all inputs of the density ratio, where the
    event happens; it is unbiased, but is too small as a rule if the shifted Gaussian misses a part
    of the event, and by the share of the first batches if these have no hits. ``std`` is the
    standard error as if inputs were independent.

    Raises
    ------
    ValueError
        If the temperature is not a finite number above 0, the budget is less than 3, or the seed is
        negative.
    """
    check_temperature(temperature)
    account = Account(event, budget, least=PASSES_WITH_GRADIENT)
    rng = generator("ITGIS", seed)
    d = event.dimension
    total, weight = np.zeros(d), 0.0
    hits: list[Floats] = []
    n = 0
    while (size := min(_BATCH, account.left // PASSES_WITH_GRADIENT)) > 0:
        mean = total / weight / temperature if weight else np.zeros(d)
        x = mean + rng.standard_normal((size, d))
        score, gradient = account.score_and_gradient(x)
        hits.append(mean @ mean / 2 - x[score > 0] @ mean)
        total = _DECAY * total + gradient.mean(axis=0)
        weight = _DECAY * weight + 1
        n += size
        # The shift, the density ratio and the mean gradient, and the update of the running mean.
        account.charge(size * 3 * d + 3 * d)
    log_weights = np.concatenate(hits)
    account.charge(len(log_weights), transcendental=len(log_weights))
    return weighted_hits(account, log_weights, n)
