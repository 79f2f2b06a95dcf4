"""Subset simulation: a rare event as a chain of events that are not rare (multilevel splitting)."""

from __future__ import annotations

import math

import numpy as np

from .event import Floats, RareEvent
from .record import Account, RareEstimate, check_share, generator

_TARGET = 0.44  # acceptance rate that the size of steps is adapted to; Papaioannou et al.
_GAIN = 4.0  # speed of that; with 1 the steps stay too large for slivers (tried on {|x - y| < w})


def subset_simulation(
    event: RareEvent,
    budget: int,
    seed: int,
    *,
    per_level: int | None = None,
    share: float = 0.1,
) -> RareEstimate:
    """Product of the conditional probabilities of a series of levels of the score.

    A level is a quantile of the scores, such that a share of the inputs is above it. These are the
    first states of Markov chains, which sample the inputs above the level and so give the next one.
    The last level is 0. If the budget ends before, or if no score is above a level, the estimate
    is 0.

    Parameters
    ----------
    event, budget, seed
        As for all methods.
    per_level
        Inputs at each level; by default a sixteenth of the budget, which is enough for events with
        probabilities down to about 1e-17.
    share
        Share of the inputs that is kept.

    Raises
    ------
    ValueError
        If the budget is less than ``per_level`` or than 160, ``per_level`` is less than 10,
        ``share`` is not between 0 and 1 or leaves no input, or the seed is negative.

    References
    ----------
    S.-K. Au and J. Beck, "Estimation of small failure probabilities in high dimensions by subset
    simulation", Probabilistic Engineering Mechanics 16, 2001.
    I. Papaioannou, W. Betz, K. Zwirglmaier and D. Straub, "MCMC algorithms for subset simulation",
    Probabilistic Engineering Mechanics 41, 2015, for the chains (adaptive conditional sampling).
    """
    check_share("share", share)
    n = per_level if per_level is not None else budget // 16
    if n < 10 or round(share * n) < 1:
        raise ValueError(
            f"{n} inputs at each level are too few: raise budget (to at least 160) or per_level "
            "(to at least 10, and to at least 1 / share)"
        )
    account, rng = Account(event, budget, least=n), generator("subset simulation", seed)
    x = rng.standard_normal((n, event.dimension))
    scores = account.score(x)
    log_probability, step = 0.0, 0.6
    while True:
        hits = int((scores > 0).sum())
        account.charge(n * math.ceil(math.log2(n)))  # comparisons, to find the level
        if hits >= share * n:
            return account.estimate(math.exp(log_probability) * hits / n, hits=hits)
        place = n - 1 - round(share * n)
        level = min(float(np.partition(scores, place)[place]), 0.0)
        above = scores > level
        n_above = int(above.sum())
        if n_above == 0 or n - n_above > account.left:
            return account.estimate(0.0, hits=hits)
        log_probability += math.log(n_above / n)
        x, scores, step = _sample_above(account, rng, x[above], scores[above], n, level, step)


def _sample_above(
    account: Account,
    rng: np.random.Generator,
    x: Floats,
    scores: Floats,
    n: int,
    level: float,
    step: float,
) -> tuple[Floats, Floats, float]:
    """Continue chains until there are ``n`` states above a level; also return the size of steps.

    A step proposes sqrt(1 - step^2) x + step z with a standard Gaussian z, which keeps the Gaussian
    law of inputs, and is taken if the score stays above the level.
    """
    order = rng.permutation(len(x))  # so that chance decides which chains are longer
    x, scores = x[order], scores[order]
    states, values, n_states = [x], [scores], len(x)
    n_steps = 0
    while n_states < n:
        size = min(len(x), n - n_states)
        x, scores = x[:size], scores[:size]
        proposed = math.sqrt(1 - step**2) * x + step * rng.standard_normal(x.shape)
        new_scores = account.score(proposed)
        account.charge(2 * proposed.size + size, transcendental=1)
        accepted = new_scores > level
        x = np.where(accepted[:, None], proposed, x)
        scores = np.where(accepted, new_scores, scores)
        states.append(x)
        values.append(scores)
        n_states += size
        n_steps += 1
        step = min(step * math.exp(_GAIN * (accepted.mean() - _TARGET) / math.sqrt(n_steps)), 1.0)
    return np.concatenate(states), np.concatenate(values), step
