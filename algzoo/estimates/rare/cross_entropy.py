"""The cross-entropy method: importance sampling from a Gaussian that is fitted to the event."""

from __future__ import annotations

import numpy as np

from .event import Floats, RareEvent
from .record import Account, RareEstimate, check_share, generator, weighted_hits

_ROUNDS = 15  # at most; they take half of the budget
_SMOOTHING = 0.9  # weight of the new mean and covariance; Rubinstein and Kroese use 0.6 to 0.9


def cross_entropy(event: RareEvent, budget: int, seed: int, *, share: float = 0.1) -> RareEstimate:
    """Importance sampling from a Gaussian with the mean and covariance of the event.

    Each of at most 15 rounds draws a thirtieth of the budget, takes the share of inputs with the
    largest scores, or all hits if they are more, and fits a mean and a covariance to them, weighted
    by the density ratio. The rounds end after one in which the hits were that share. The rest of
    the budget gives the estimate, which is unbiased, because its inputs are new ones, but is too
    small as a rule if the Gaussian misses a part of the event. ``std`` is the standard error.

    Raises
    ------
    ValueError
        If the budget is less than 450, ``share`` is not between 0 and 1, or the seed is negative.

    References
    ----------
    R. Rubinstein and D. Kroese, "The cross-entropy method", Springer, 2004, chapter 3.
    """
    check_share("share", share)
    account, rng = Account(event, budget, least=450), generator("cross-entropy", seed)
    proposal = _Gaussian(np.zeros(event.dimension), np.eye(event.dimension))
    n = budget // (2 * _ROUNDS)
    for _ in range(_ROUNDS):
        x, log_weights = proposal.draw(account, rng, n)
        scores = account.score(x)
        level = min(float(np.quantile(scores, 1 - share)), 0.0)
        proposal = proposal.moved_to(account, x[scores >= level], log_weights[scores >= level])
        if level == 0:
            break
    n = account.left
    x, log_weights = proposal.draw(account, rng, n)
    return weighted_hits(account, log_weights[account.score(x) > 0], n)


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
