"""The cross-entropy method: importance sampling from a Gaussian that is fitted to the event."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr

from .event import Floats, RareEvent
from .record import Account, RareEstimate, generator, weighted_hits

_ROUNDS = 15  # at most; they take half of the budget
_SMOOTHING = 0.9  # weight of a new mean and covariance; Rubinstein and Kroese use 0.6 to 0.9
_SPREAD = 1.5  # coefficient of variation of the weights that a round aims at; Papaioannou et al.
_WIDEST, _NARROWING = math.log(10.0), 12.0  # bounds of log(width), at first and in each round


def cross_entropy(event: RareEvent, budget: int, seed: int) -> RareEstimate:
    """Importance sampling from a Gaussian with about the mean and covariance of the event.

    This is the improved cross-entropy method of Papaioannou et al. Each of at most 15 rounds draws
    a thirtieth of the budget, and fits a mean and a covariance to inputs weighted by the density
    ratio times Phi(score / width), a smooth form of the event. The width decreases from round to
    round, as far as the coefficient of variation of the weights stays below 1.5; the rounds end
    once the step from the smooth form to the event is as small as that. The rest of the budget
    gives the estimate. It is unbiased, because its inputs are new ones, but is too small as a rule
    if the Gaussian misses a part of the event. ``std`` is the standard error.

    Raises
    ------
    ValueError
        If the budget is less than 450 or the seed is negative.

    References
    ----------
    R. Rubinstein and D. Kroese, "The cross-entropy method", Springer, 2004, chapter 3.
    I. Papaioannou, S. Geyer and D. Straub, "Improved cross entropy-based importance sampling with a
    flexible mixture model", Reliability Engineering and System Safety 191, 2019.
    """
    account, rng = Account(event, budget, least=450), generator("cross-entropy", seed)
    proposal = _Gaussian(np.zeros(event.dimension), np.eye(event.dimension))
    n, log_width = budget // (2 * _ROUNDS), math.inf
    for _ in range(_ROUNDS):
        x, log_ratio = proposal.draw(account, rng, n)
        scores = account.score(x)
        if (scale := float(scores.std())) == 0:
            break  # the score is a constant, and there is nothing to fit
        log_width = min(log_width, _WIDEST + math.log(scale))
        log_width = _narrower(account, scores, log_ratio, log_width)
        smooth = log_ndtr(scores * math.exp(-log_width))
        proposal = proposal.moved_to(account, x, smooth + log_ratio)
        if (scores > 0).any() and _variation(np.where(scores > 0, -smooth, -np.inf)) <= _SPREAD:
            break
    n = account.left
    x, log_ratio = proposal.draw(account, rng, n)
    return weighted_hits(account, log_ratio[account.score(x) > 0], n)


def _narrower(account: Account, scores: Floats, log_ratio: Floats, log_width: float) -> float:
    """Return the width that gives the weights the coefficient of variation aimed at."""

    def excess(log_width: float) -> float:
        account.charge(5 * len(scores), transcendental=2 * len(scores))
        return _variation(log_ndtr(scores * math.exp(-log_width)) + log_ratio) - _SPREAD

    narrowest = log_width - _NARROWING
    if excess(narrowest) <= 0:
        return narrowest
    if excess(log_width) >= 0:
        return log_width
    return float(brentq(excess, narrowest, log_width, xtol=1e-3))


def _variation(log_weights: Floats) -> float:
    """Coefficient of variation of weights: standard deviation by mean."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.std() / weights.mean())


class _Gaussian:
    """Gaussian law of inputs with a mean and a covariance."""

    def __init__(self, mean: Floats, covariance: Floats) -> None:
        self.mean, self.covariance = mean, covariance
        self.root: Floats = np.asarray(np.linalg.cholesky(covariance), np.float64)

    def draw(self, account: Account, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        """Draw inputs; return them with the logarithms of their density ratios."""
        d = len(self.mean)
        z = rng.standard_normal((n, d))
        x = self.mean + z @ self.root.T
        log_ratio = ((z**2).sum(axis=1) - (x**2).sum(axis=1)) / 2
        account.charge(n * (d * (d + 1) // 2 + 3 * d + 2), transcendental=n)
        return x, log_ratio + float(np.log(np.diag(self.root)).sum())

    def moved_to(self, account: Account, x: Floats, log_weights: Floats) -> _Gaussian:
        """Return the Gaussian after one smoothed update towards weighted inputs."""
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        mean = weights @ x
        centred = x - mean
        covariance = (centred * weights[:, None]).T @ centred
        account.charge(x.size * (len(mean) + 3) + len(mean) ** 3)
        old = 1 - _SMOOTHING
        return _Gaussian(
            _SMOOTHING * mean + old * self.mean,
            _SMOOTHING * covariance + old * self.covariance,
        )
