r"""How well scores tell abnormal inputs from normal ones.

* The *AUROC* is the probability that an abnormal input has a higher score than a normal one; ties
  count one half.
* The *average precision* is the mean precision over the abnormal inputs, each at its own score as
  the threshold. It depends on the share of abnormal inputs, here one half.
* The *recall at 1% false alarms* is the largest share of abnormal inputs above a threshold that at
  most 1% of the normal ones exceed.

The interval of the AUROC is DeLong's, on the logit scale so that it stays below 1. Where no pair is
in the wrong order, it is that of as many independent pairs as there are inputs of a class. The
others are percentiles of a bootstrap, with each class resampled. The functions take weights, so
that where a score is constant on cones, the exact masses of the cones give exact values.

References
----------
E. DeLong, D. DeLong and D. Clarke-Pearson, "Comparing the areas under two or more correlated
receiver operating characteristic curves", Biometrics, 1988.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special, stats

from .facts import Booleans, Floats

FALSE_ALARMS = 0.01
_CONFIDENCE = 0.95
_RESAMPLES = 200


@dataclass(frozen=True)
class Measured:
    """A number with the ends of its 95% confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Performance:
    """Scores of a detector on a task."""

    auroc: Measured
    average_precision: Measured
    recall: Measured  # at 1% false alarms


def performance(scores: Floats, labels: Booleans, *, seed: int = 0) -> Performance:
    """Measure how well scores tell the labelled inputs apart, with 95% confidence intervals.

    Parameters
    ----------
    scores
        Larger means more abnormal, shape (n,).
    labels
        Whether each input is abnormal, shape (n,).
    seed
        Seed of the bootstrap.

    Raises
    ------
    ValueError
        If a score is not a number, or if there are not two inputs of each class.
    """
    if not np.isfinite(scores).all():
        raise ValueError("A score is infinite or no number")
    if min(labels.sum(), (~labels).sum()) < 2:
        raise ValueError("Two inputs of each class are needed at least")
    weights = np.ones((1 + _RESAMPLES, len(scores)))
    size = int(labels.sum())
    weights[1:, labels], weights[1:, ~labels] = _resampled(size, len(labels) - size, seed)
    curve = _Curve(scores, labels, weights)
    return Performance(
        _with_delong(scores, labels),
        _with_percentiles(curve.average_precision()),
        _with_percentiles(curve.recall(FALSE_ALARMS)),
    )


@lru_cache(maxsize=1)
def _resampled(n_abnormal: int, n_normal: int, seed: int) -> tuple[Floats, Floats]:
    """How often each input of either class is drawn, in each resample."""
    rng = np.random.default_rng(seed)
    abnormal, normal = (
        rng.multinomial(size, np.full(size, 1 / size), _RESAMPLES).astype(np.float64)
        for size in (n_abnormal, n_normal)
    )
    return abnormal, normal


def auroc(scores: Floats, labels: Booleans, weights: Floats | None = None) -> float:
    """Area under the curve of true alarms against false ones.

    ``weights``, such as the masses of cones, are 1 by default.
    """
    return float(_curve(scores, labels, weights).auroc()[0])


def average_precision(scores: Floats, labels: Booleans, weights: Floats | None = None) -> float:
    """Mean precision over the abnormal inputs, each at its own score as the threshold."""
    return float(_curve(scores, labels, weights).average_precision()[0])


def recall_at(
    false_alarms: float, scores: Floats, labels: Booleans, weights: Floats | None = None
) -> float:
    """Largest share of abnormal inputs found with at most a share of false alarms."""
    return float(_curve(scores, labels, weights).recall(false_alarms)[0])


def worst(performances: Iterable[Performance]) -> Performance:
    """Return that with the lowest AUROC."""
    return min(performances, key=lambda one: one.auroc.value)


def _curve(scores: Floats, labels: Booleans, weights: Floats | None) -> _Curve:
    return _Curve(scores, labels, (np.ones(len(scores)) if weights is None else weights)[None])


class _Curve:
    """True and false alarms at every threshold, for several weightings of the inputs at once."""

    def __init__(self, scores: Floats, labels: Booleans, weights: Floats) -> None:
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        last_of_ties = np.append(ordered[1:] != ordered[:-1], True)

        in_order = weights[:, order]

        def found(of_class: Booleans) -> Floats:
            sums = np.cumsum(in_order * of_class[order], axis=1)[:, last_of_ties]
            return np.pad(sums, ((0, 0), (1, 0)))

        self.true, self.false = found(labels), found(~labels)

    def auroc(self) -> Floats:
        steps = np.diff(self.false, axis=1)
        middle = (self.true[:, 1:] + self.true[:, :-1]) / 2
        area: Floats = (steps * middle).sum(axis=1) / (self.true[:, -1] * self.false[:, -1])
        return area

    def average_precision(self) -> Floats:
        raised = np.diff(self.true, axis=1)
        alarms = self.true[:, 1:] + self.false[:, 1:]
        precision = np.divide(self.true[:, 1:], alarms, out=np.zeros_like(raised), where=alarms > 0)
        found: Floats = (raised * precision).sum(axis=1) / self.true[:, -1]
        return found

    def recall(self, false_alarms: float) -> Floats:
        allowed = self.false <= false_alarms * self.false[:, -1:]
        found: Floats = np.where(allowed, self.true, 0).max(axis=1) / self.true[:, -1]
        return found


def _with_percentiles(values: Floats) -> Measured:
    low, high = np.quantile(values[1:], [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return Measured(float(values[0]), float(low), float(high))


def _with_delong(scores: Floats, labels: Booleans) -> Measured:
    """AUROC with its interval."""
    abnormal, normal = scores[labels], scores[~labels]
    m, n = len(abnormal), len(normal)
    ranks = stats.rankdata(np.concatenate([abnormal, normal]))
    # Share of the other class that each input is on the right side of.
    of_abnormal = (ranks[:m] - stats.rankdata(abnormal)) / n
    of_normal = 1 - (ranks[m:] - stats.rankdata(normal)) / m
    area = float(of_abnormal.mean())
    variance = float(of_abnormal.var(ddof=1) / m + of_normal.var(ddof=1) / n)
    if area in (0.0, 1.0):
        # All of min(m, n) independent pairs agree, which has a probability of at least 5% only if
        # a pair agrees with a probability above this.
        bound = (1 - _CONFIDENCE) ** (1 / min(m, n))
        return Measured(area, bound, 1.0) if area else Measured(area, 0.0, 1 - bound)
    if not variance:
        return Measured(area, area, area)  # all scores are equal
    z = float(stats.norm.ppf((1 + _CONFIDENCE) / 2))
    reach = z * math.sqrt(variance) / (area * (1 - area))
    low, high = special.expit(special.logit(area) + np.array([-reach, reach]))
    return Measured(area, float(low), float(high))
