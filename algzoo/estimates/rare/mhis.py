"""MHIS: importance sampling by Metropolis-Hastings chains that prefer large scores.

Wu and Hilton's chains have a stationary density proportional to p(x) exp(s(x) / T), with the score
s and a temperature T. A step changes one input position, whose new value is drawn from
p(x_i) exp(x_i g_i / T) with the gradient g at the present input. For a standard Gaussian coordinate
this is N(g_i / T, 1).
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
)

_CHAINS = 32  # Wu and Hilton's, like the longest burn-in
_BURN_IN = 2**10


def mhis(event: RareEvent, budget: int, seed: int, *, temperature: float) -> RareEstimate:
    """Self-normalised importance sampling from 32 chains at a temperature.

    The chains start at independent inputs. The first half of the steps, but at most 2^10, is
    discarded (burn-in). The estimate is the sum of exp(-s / T) over the hits, divided by that over
    all states. It converges, but ``std`` is ``None``, and states of a chain depend on each other,
    so that the effective sample size is too large.

    Raises
    ------
    ValueError
        If the temperature is not a finite number above 0, the budget is less than 192, which pays
        for two states of each chain, or the seed is negative.
    """
    check_temperature(temperature)
    account = Account(event, budget, least=2 * _CHAINS * PASSES_WITH_GRADIENT)
    rng = generator("MHIS", seed)
    d, chains = event.dimension, np.arange(_CHAINS)
    n_steps = budget // (_CHAINS * PASSES_WITH_GRADIENT) - 1
    burn_in = min(_BURN_IN, n_steps // 2)
    x = rng.standard_normal((_CHAINS, d))
    score, gradient = account.score_and_gradient(x)
    gradient = gradient.copy()
    kept: list[Floats] = []
    for step in range(n_steps):
        i = rng.integers(d, size=_CHAINS)
        drift = gradient[chains, i] / temperature
        proposed = x.copy()
        proposed[chains, i] = drift + rng.standard_normal(_CHAINS)
        new_score, new_gradient = account.score_and_gradient(proposed)
        back = new_gradient[chains, i] / temperature
        # The log of p(x') exp(s' / T) N(x_i; back, 1) / (p(x) exp(s / T) N(x_i'; drift, 1)), in
        # which the squares of x_i and x_i' cancel.
        log_ratio = (
            (new_score - score) / temperature
            + x[chains, i] * back
            - proposed[chains, i] * drift
            + (drift**2 - back**2) / 2
        )
        accepted = -rng.standard_exponential(_CHAINS) < log_ratio
        x[accepted] = proposed[accepted]
        score = np.where(accepted, new_score, score)
        gradient[accepted] = new_gradient[accepted]
        if step >= burn_in:
            kept.append(score)
    # A step: two drifts, the proposal, nine operations for the ratio and its logarithm.
    account.charge(n_steps * _CHAINS * 13, transcendental=n_steps * _CHAINS)
    return _self_normalised(account, np.concatenate(kept), temperature)


def _self_normalised(account: Account, scores: Floats, temperature: float) -> RareEstimate:
    account.charge(3 * len(scores), transcendental=len(scores))
    is_hit = scores > 0
    if not is_hit.any():
        return account.estimate(0.0, hits=0, effective_sample_size=0.0)
    log_weights = -scores / temperature
    # The weights of hits are scaled by their own largest one, because they are the smallest of all.
    largest, of_hits = float(log_weights.max()), log_weights[is_hit]
    at_most = float(of_hits.max())
    weights = np.exp(of_hits - at_most)
    total = float(weights.sum())
    share = total / float(np.exp(log_weights - largest).sum())
    return account.estimate(
        share * float(np.exp(at_most - largest)),
        hits=int(is_hit.sum()),
        effective_sample_size=total**2 / float((weights**2).sum()),
    )
