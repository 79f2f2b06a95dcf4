r"""Losses of an estimated probability q of a true probability p, and their means over tasks.

The loss of Wu and Hilton is the Itakura-Saito divergence p / q - ln(p / q) - 1. It is 0 for q = p,
depends only on the ratio, and punishes an estimate that is too small most: to first order p / q. An
estimate of 0 has an infinite loss. The *squared log error* ln(q / p)^2 punishes both sides alike.

Wu and Hilton also report the loss after a fit. An estimate q becomes

    exp(b) q^a + c,    a >= 0, c > 0,

an affine function of log q with a constant that takes the place of estimates of 0. The numbers a, b
and c minimise the mean loss over all other tasks (*leave one out*), so that no task is used to
correct its own estimates. This forgives a method everything but the scatter of its estimates from
task to task, and every method has a finite loss after it.

No estimate is dropped and none is clipped: a mean that includes an infinite loss is infinite, and
beside it stand the number of estimates of 0 and the mean over the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from ...zoo.streams import named_stream

Array = NDArray[np.float64]

_RESAMPLES = 2000
_LEVEL = 0.95
_LEAST = 1e-6  # c in units of the smallest probability
_STARTS = ((1.0, 1e-3), (0.3, 1e-1), (1.0, 10.0))  # a, and c in units of the smallest probability


def itakura_saito(truth: ArrayLike, estimate: ArrayLike) -> Array:
    """Return p / q - ln(p / q) - 1 for each true probability p and estimate q.

    Shapes are broadcast. It is infinite where the estimate is 0, or where it is so small that the
    quotient overflows.

    Raises
    ------
    ValueError
        If a truth is not a positive probability, or an estimate is negative or not a number.

    Examples
    --------
    >>> itakura_saito(1e-6, [1e-6, 2e-6, 0]).round(3)
    array([0.   , 0.193,   inf])
    """
    p, q = _checked(truth, estimate)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = p / q
        log_ratio = np.log(p) - np.log(q)
    # The logarithm of an infinite ratio is subtracted from it nowhere.
    finite = np.isfinite(ratio)
    excess = np.where(finite, ratio - 1, np.inf)
    # Rounding must not make it less than 0, which it is at no ratio.
    return np.asarray(np.maximum(excess - np.where(finite, log_ratio, 0.0), 0.0))


def squared_log_error(truth: ArrayLike, estimate: ArrayLike) -> Array:
    """Return ln(q / p)^2 for each true probability p and estimate q; infinite where q is 0.

    Raises
    ------
    ValueError
        As :func:`itakura_saito`.
    """
    p, q = _checked(truth, estimate)
    with np.errstate(divide="ignore"):
        return np.asarray((np.log(q) - np.log(p)) ** 2)


def _checked(truth: ArrayLike, estimate: ArrayLike) -> tuple[Array, Array]:
    p, q = np.asarray(truth, float), np.asarray(estimate, float)
    if not ((p > 0) & (p <= 1)).all():
        raise ValueError(f"a true probability must be above 0 and at most 1, got {truth!r}")
    if not (q >= 0).all():
        raise ValueError(f"an estimate must be a number of at least 0, got {estimate!r}")
    return p, q


class Fit(NamedTuple):
    """The function q -> exp(b) q^a + c."""

    a: float
    b: float
    c: float

    def __call__(self, estimate: ArrayLike) -> Array:
        """Correct estimates; shapes are kept."""
        return np.asarray(_power(np.asarray(estimate, float), self.a, self.b) + self.c)


def _power(q: Array, a: float, b: float) -> Array:
    with np.errstate(divide="ignore"):
        log_q = np.log(q)
    # 0^a is 0 for every a, that is, 0^0 too: the constant is what stands for estimates of 0.
    exponent = np.where(q > 0, a * np.where(q > 0, log_q, 0.0) + b, -np.inf)
    return np.asarray(np.exp(np.minimum(exponent, 700.0)))


def fitted(truth: ArrayLike, estimate: ArrayLike, near: Fit | None = None) -> Fit:
    """Fit a, b and c so that the mean loss is smallest.

    Parameters
    ----------
    truth, estimate
        Same shape; at least one number.
    near
        A fit to almost the same numbers, from which the search starts; it then takes less time.

    Raises
    ------
    ValueError
        As :func:`itakura_saito`.
    """
    p, q = (np.ravel(one) for one in np.broadcast_arrays(*_checked(truth, estimate)))
    positive = q > 0
    if not positive.any():
        # The mean loss of a constant, mean(p) / c + ln c, is smallest there.
        return Fit(1.0, 0.0, float(p.mean()))
    unit = float(p.min())
    log_q = np.log(q[positive])
    log_p = np.log(p)

    def loss(parameters: Array) -> tuple[float, Array]:
        a, b, log_c = parameters
        power = np.zeros(len(q))
        power[positive] = np.exp(np.minimum(a * log_q + b, 700.0))
        constant = unit * math.exp(log_c)
        made = power + constant
        ratio = p / made
        weight = (1 - ratio) / made / len(q)  # derivative by what was made of an estimate
        by_power = weight * power
        gradient = np.array(
            [by_power[positive] @ log_q, by_power.sum(), weight.sum() * constant], float
        )
        return float((ratio + np.log(made) - log_p - 1).mean()), gradient

    if near is not None:
        # The loss is flat where c is small, so that the search also starts from a larger one.
        constants = {max(near.c / unit, least) for least in (_LEAST, _STARTS[0][1])}
        starts = [(near.a, near.b, math.log(constant)) for constant in sorted(constants)]
    else:
        starts = [
            (a, float(np.mean(log_p[positive] - a * log_q)), math.log(constant))
            for a, constant in _STARTS
        ]
    best: optimize.OptimizeResult | None = None
    for start in starts:
        found = optimize.minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None), (None, None), (math.log(_LEAST), -math.log(unit))],
            options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10},
        )
        if best is None or found.fun < best.fun:
            best = found
    assert best is not None
    a, b, log_c = best.x
    return Fit(float(a), float(b), unit * math.exp(log_c))


def fitted_to_others(truth: ArrayLike, estimate: ArrayLike) -> Array:
    """Correct the estimates of each task by a fit to all other tasks.

    Parameters
    ----------
    truth
        Shape (n_tasks,), with at least two tasks.
    estimate
        Shape (n_tasks, n_seeds).

    Returns
    -------
    ndarray
        The corrected estimates, shape (n_tasks, n_seeds).

    Raises
    ------
    ValueError
        As :func:`itakura_saito`, or if there is only one task.
    """
    p, q = np.asarray(truth, float), np.asarray(estimate, float)
    if len(p) < 2:
        raise ValueError("a fit to the other tasks needs at least two tasks")
    corrected = np.empty_like(q)
    to_all = fitted(p[:, None], q)
    for task in range(len(p)):
        others = np.arange(len(p)) != task
        corrected[task] = fitted(p[others, None], q[others], to_all)(q[task])
    return corrected


class Interval(NamedTuple):
    """A mean with its 95% interval; infinite where a loss is."""

    value: float
    low: float
    high: float


def interval(losses: ArrayLike, seed: int = 0) -> Interval:
    """Mean of losses, with a bootstrap interval that draws tasks, and within each task its seeds.

    Parameters
    ----------
    losses
        Shape (n_tasks, n_seeds).
    seed
        Of the resampling.
    """
    values = np.asarray(losses, float)
    n_tasks, n_seeds = values.shape
    rng = np.random.default_rng(named_stream("bootstrap of rare outputs", seed))
    drawn = rng.integers(n_tasks, size=(_RESAMPLES, n_tasks, 1))
    means = values[drawn, rng.integers(n_seeds, size=(_RESAMPLES, n_tasks, n_seeds))].mean((1, 2))
    low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], method="nearest")
    return Interval(float(values.mean()), float(low), float(high))


@dataclass(frozen=True)
class Score:
    """Losses of one method at one budget over tasks and seeds.

    Attributes
    ----------
    n_tasks, n_seeds
        How many estimates there are, n_tasks times n_seeds.
    n_zeros, n_infinite
        Estimates of 0, and infinite losses: these and estimates whose quotient overflows.
    mean
        Mean loss, infinite if one loss is.
    mean_of_finite
        Mean of the finite losses, ``None`` if there are none.
    median
        Median loss.
    after_fit
        Mean loss after the fit to the other tasks, ``None`` for a single task.
    squared_log
        Mean squared log error, infinite if one is.
    squared_log_of_finite
        Mean over the estimates that are not 0, ``None`` if there are none.
    worst
        The largest loss and the number of its task.
    """

    n_tasks: int
    n_seeds: int
    n_zeros: int
    n_infinite: int
    mean: Interval
    mean_of_finite: float | None
    median: float
    after_fit: Interval | None
    squared_log: Interval
    squared_log_of_finite: float | None
    worst: tuple[float, int]


def score(truth: ArrayLike, estimate: ArrayLike, seed: int = 0) -> Score:
    """Score estimates of the tasks of one method.

    Parameters
    ----------
    truth
        Shape (n_tasks,).
    estimate
        Shape (n_tasks, n_seeds).
    seed
        Of the resampling.

    Raises
    ------
    ValueError
        As :func:`itakura_saito`.
    """
    p, q = np.asarray(truth, float), np.asarray(estimate, float)
    losses, squared = itakura_saito(p[:, None], q), squared_log_error(p[:, None], q)
    finite = np.isfinite(losses)
    corrected = fitted_to_others(p, q) if len(p) > 1 else None
    worst = int(losses.max(axis=1).argmax())
    return Score(
        n_tasks=len(p),
        n_seeds=q.shape[1],
        n_zeros=int((q == 0).sum()),
        n_infinite=int((~finite).sum()),
        mean=interval(losses, seed),
        mean_of_finite=_mean(losses[finite]),
        median=float(np.quantile(losses, 0.5, method="higher")),
        after_fit=None if corrected is None else interval(itakura_saito(p[:, None], corrected)),
        squared_log=interval(squared, seed),
        squared_log_of_finite=_mean(squared[np.isfinite(squared)]),
        worst=(float(losses[worst].max()), worst),
    )


def _mean(values: Array) -> float | None:
    return float(values.mean()) if len(values) else None
