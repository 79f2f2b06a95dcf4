"""Metrics, against scikit-learn, closed forms and repeated samples."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from algzoo.mechanisms.metrics import (
    Measured,
    Performance,
    auroc,
    average_precision,
    performance,
    recall_at,
    worst,
)


def example(seed, n=400, ties=False):
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.3
    scores = rng.standard_normal(n) + labels
    return (np.round(scores * 2) if ties else scores), labels, rng.random(n)


@pytest.mark.parametrize("ties", [False, True])
def test_values_are_those_of_scikit_learn(ties):
    for seed in range(5):
        scores, labels, weights = example(seed, ties=ties)
        for given in (None, weights):
            assert auroc(scores, labels, given) == pytest.approx(
                reference.roc_auc_score(labels, scores, sample_weight=given), rel=1e-12
            )
            assert average_precision(scores, labels, given) == pytest.approx(
                reference.average_precision_score(labels, scores, sample_weight=given), rel=1e-12
            )
        false, true, _ = reference.roc_curve(labels, scores, drop_intermediate=False)
        for allowed in (0.01, 0.05, 0.5):
            assert recall_at(allowed, scores, labels) == true[false <= allowed].max()


def test_constants_and_complete_separation():
    labels = np.repeat([False, True], 50)
    same = performance(np.zeros(100), labels)
    assert same.auroc == Measured(0.5, 0.5, 0.5)
    assert same.recall.value == 0
    apart = performance(labels.astype(float), labels)
    assert apart.auroc.value == apart.recall.value == apart.average_precision.value == 1
    # Fifty independent pairs in order: 5% or more probable only above this.
    assert apart.auroc.low == pytest.approx(0.05 ** (1 / 50))
    reverse = performance(1 - labels.astype(float), labels)
    assert reverse.auroc.value == 0
    assert reverse.auroc.high == pytest.approx(1 - 0.05 ** (1 / 50))


def test_the_standard_error_is_delongs():
    # Without ties it is the variance of placements, each counted by hand.
    scores, labels, _ = example(7)
    above = scores[labels][:, None] > scores[~labels]
    error = math.sqrt(
        above.mean(1).var(ddof=1) / labels.sum() + above.mean(0).var(ddof=1) / (~labels).sum()
    )
    found = performance(scores, labels).auroc
    area = above.mean()
    low = 1 / (1 + math.exp(-(math.log(area / (1 - area)) - 1.959964 * error / area / (1 - area))))
    assert found.value == pytest.approx(area)
    assert found.low == pytest.approx(low, rel=1e-5)


def test_intervals_cover_the_truth():
    truth = stats.norm.cdf(1 / math.sqrt(2))
    covered = {"auroc": 0, "recall": 0}
    recall = stats.norm.sf(stats.norm.isf(0.01) - 1)
    for seed in range(100):
        scores, labels, _ = example(seed, n=1000)
        found = performance(scores, labels, seed=seed)
        covered["auroc"] += found.auroc.low <= truth <= found.auroc.high
        covered["recall"] += found.recall.low <= recall <= found.recall.high
    assert 88 <= covered["auroc"] <= 100
    # The bootstrap of a quantile far out covers less.
    assert 80 <= covered["recall"] <= 100


def test_masses_give_exact_values():
    # Three pieces with scores 0, 1, 1 and masses of the normal and the abnormal class.
    scores = np.array([0.0, 1.0, 0.0, 1.0])
    labels = np.array([False, False, True, True])
    masses = np.array([0.6, 0.2, 0.05, 0.15])
    assert auroc(scores, labels, masses) == pytest.approx(
        0.75 * (0.75 + 0.25 / 2) + 0.25 * 0.75 / 2
    )


def test_the_worst_is_that_of_least_auroc():
    def made(value):
        return Performance(*[Measured(value, value, value)] * 3)

    assert worst([made(0.9), made(0.4), made(0.7)]).auroc.value == 0.4


def test_scores_that_are_no_numbers_are_refused():
    labels = np.array([False, False, True, True])
    with pytest.raises(ValueError, match="infinite or no number"):
        performance(np.array([0, 1, 2, np.nan]), labels)
    with pytest.raises(ValueError, match="Two inputs of each class"):
        performance(np.zeros(4), np.array([False, False, False, True]))
