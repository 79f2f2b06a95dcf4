"""Detectors on Gaussian toys whose AUROC is known, and as functions of their own definition."""

import math

import numpy as np
import pytest
from scipy import integrate, stats
from sklearn.covariance import EmpiricalCovariance

from algzoo.mechanisms import detectors, plant_swap
from algzoo.mechanisms.detectors import (
    VIEWS,
    detector,
    isolation_forest,
    local_outlier_factor,
    mahalanobis,
    quantum_entropy,
    rare_activity,
    rare_pattern,
    relative_mahalanobis,
    spectral_signature,
)
from algzoo.mechanisms.metrics import auroc
from algzoo.structure import weights_of
from algzoo.structure.features.wiring import states
from algzoo.zoo import zoo_2nd_argmax

D, N = 3, 4000


def toy(seed, mean=0.0, variance=1.0):
    """Trusted rows N(0, I), mixed by a fixed map, and as many of each class to test."""
    rng = np.random.default_rng(seed)
    mix = np.array([[2.0, 0.3, 0.0], [0.0, 0.5, 0.1], [0.4, 0.0, 1.0]])
    abnormal = rng.standard_normal((N, D)) * np.sqrt(variance)
    abnormal[:, 0] += mean
    rows = np.concatenate([rng.standard_normal((N, D)), abnormal])
    return rng.standard_normal((N, D)) @ mix, rows @ mix, np.repeat([False, True], N)


def probability_above(law, other):
    """P(X < Y) for independent X and Y of two laws on the positive numbers."""
    return integrate.quad(lambda y: law.cdf(y) * other.pdf(y), 0, np.inf, limit=200)[0]


def close(found, expected):
    return abs(found - expected) < 4 * 0.5 / math.sqrt(N) * 1.2


@pytest.mark.parametrize("floored", [False, True])
@pytest.mark.parametrize(("mean", "variance"), [(1.5, 1.0), (0.0, 2.0)])
def test_mahalanobis(mean, variance, floored):
    trusted, rows, labels = toy(0, mean, variance)
    found = auroc(mahalanobis(trusted, floored=floored)(rows), labels)
    law = stats.ncx2(D, mean**2) if mean else stats.chi2(D, scale=variance)
    assert close(found, probability_above(stats.chi2(D), law))
    expected = EmpiricalCovariance().fit(trusted).mahalanobis(rows)
    assert np.allclose(mahalanobis(trusted, floored=floored)(rows), expected)


def test_a_direction_without_variance_is_dropped_or_floored():
    trusted, rows, labels = toy(1)
    trusted, rows = (np.column_stack([x, np.zeros(len(x))]) for x in (trusted, rows))
    rows[labels, -1] = 0.1
    assert close(auroc(mahalanobis(trusted)(rows), labels), 0.5)
    assert auroc(mahalanobis(trusted, floored=True)(rows), labels) == 1


def test_relative_mahalanobis():
    # Two answers, one around -3 and one around 3 in the first number. An abnormal row lies where
    # rows with the other answer do.
    rng = np.random.default_rng(2)
    answer = rng.integers(0, 2, 3 * N).astype(float)
    place = np.where(answer > 0, 3.0, -3.0)
    labels = np.repeat([False, False, True], N)
    place[labels] *= -1
    rows = np.column_stack([answer, place + rng.standard_normal(3 * N), rng.standard_normal(3 * N)])
    trusted, test = rows[:N], rows[N:]
    found = auroc(relative_mahalanobis(trusted)(test), labels[N:])
    # Less the distance among all, (z / sd)^2 with sd^2 = 10, the score is (z - 3)^2 - z^2 / 10 in
    # the first number; the rest cancels, and z is N(3, 1) or N(-3, 1).
    z = np.random.default_rng(3).standard_normal((2, 10**6))
    score = [(z[0] + 3 * s - 3) ** 2 - (z[0] + 3 * s) ** 2 / 10 for s in (1, -1)]
    expected = auroc(np.concatenate(score), np.repeat([False, True], 10**6))
    assert close(found, expected)
    assert found > 0.99
    assert close(auroc(mahalanobis(trusted[:, 1:])(test[:, 1:]), labels[N:]), 0.5)


def test_quantum_entropy():
    # Scored together with rows of another mean, the first direction has the variance 1 + mean^2/4.
    mean = 2.0
    trusted, rows, labels = toy(4, mean)
    found = auroc(quantum_entropy(trusted)(rows), labels)
    rest = math.exp(4 / (1 + mean**2 / 4) - 4)  # weight of the others, over that of the first
    rng = np.random.default_rng(5)
    z = rng.standard_normal((2, 10**6, D))
    z[1, :, 0] += mean
    score = z[..., 0] ** 2 + rest * (z[..., 1:] ** 2).sum(-1)
    assert close(found, auroc(score.ravel(), np.repeat([False, True], 10**6)))
    assert found > auroc(mahalanobis(trusted)(rows), labels)


def test_spectral_signature():
    # Among rows scored together, the first direction is the widest, and its mean is mean / 2.
    mean, rng = 4.0, np.random.default_rng(6)
    rows = rng.standard_normal((4 * N, D))
    labels = rng.random(4 * N) < 0.25
    rows[labels, 0] += mean
    found = auroc(spectral_signature(rows[:0])(rows), labels)
    shift = mean * labels.mean()
    expected = probability_above(stats.ncx2(1, shift**2), stats.ncx2(1, (mean - shift) ** 2))
    assert close(found, expected)


@pytest.mark.parametrize("method", [local_outlier_factor, isolation_forest])
def test_methods_of_density(method):
    # Half of the abnormal rows are like the others, half are far away: 1/2 * 1/2 + 1/2 * 1.
    trusted, rows, labels = toy(7)
    assert close(auroc(method(trusted)(rows), labels), 0.5)
    rows[N + N // 2 :] += 100.0
    assert close(auroc(method(trusted)(rows), labels), 0.75)


def test_local_outlier_factor_by_its_definition():
    trusted, rows, _ = toy(8)
    trusted, rows, k = trusted[:200], rows[:20], 20
    between = np.linalg.norm(trusted[:, None] - trusted, axis=-1)
    reach = np.sort(between, axis=1)[:, k]  # the distance to itself comes first

    def density(distances):
        nearest = np.argsort(distances, axis=1)[:, :k]
        reached = np.maximum(np.take_along_axis(distances, nearest, axis=1), reach[nearest])
        return 1 / reached.mean(axis=1), nearest

    own, _ = density(between + np.diag(np.full(len(trusted), np.inf)))
    of_rows, nearest = density(np.linalg.norm(rows[:, None] - trusted, axis=-1))
    expected = own[nearest].mean(axis=1) / of_rows
    assert np.allclose(local_outlier_factor(trusted)(rows), expected, rtol=1e-6)


def test_rare_patterns():
    # Patterns 00, 01, 10, 11 with probabilities .4, .3, .2, .1, and the reverse for abnormal rows.
    rng = np.random.default_rng(9)
    kinds = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    usual = np.array([0.4, 0.3, 0.2, 0.1])
    trusted = kinds[rng.choice(4, N, p=usual)]
    rows = np.concatenate([kinds[rng.choice(4, N, p=p)] for p in (usual, usual[::-1])])
    labels = np.repeat([False, True], N)
    order = np.arange(4.0)
    expected = auroc(
        np.tile(order, 2), np.repeat([False, True], 4), np.concatenate([usual, usual[::-1]])
    )
    assert close(auroc(rare_pattern(trusted)(rows), labels), expected)
    unseen = rare_pattern(kinds[:2])(kinds)
    assert unseen[2] == unseen[3] > unseen[0] == unseen[1] == pytest.approx(math.log2(5 / 2))
    by_neuron = rare_activity(trusted)(kinds)
    share = (trusted.sum(0) + 1) / (N + 2)
    assert by_neuron[3] == pytest.approx(-np.log2(share).sum())
    assert by_neuron[0] == pytest.approx(-np.log2(1 - share).sum())


def test_views():
    model = zoo_2nd_argmax(4, 3)
    x = np.random.default_rng(0).standard_normal((50, 3))
    weights = weights_of(model)
    found = states(weights, x)
    assert np.array_equal(VIEWS["inputs"](model, x), x)
    assert np.array_equal(VIEWS["last state"](model, x), found[-1])
    assert np.array_equal(VIEWS["all states"](model, x), np.concatenate([*found], axis=1))
    assert np.array_equal(VIEWS["patterns"](model, x), np.concatenate([*(found > 0)], axis=1))
    logits = np.sort(found[-1] @ weights.w_oh.T, axis=1)
    lead = VIEWS["contributions"](model, x).sum(axis=1)
    assert np.allclose(lead, logits[:, -1] - logits[:, -2])


def test_no_detector_fails_on_a_swap():
    made = plant_swap(zoo_2nd_argmax(4, 3), 0.01)
    x = np.random.default_rng(0).standard_normal((600, 3))
    for one in detectors():
        scores = one.fit(made.model, x[:300])(x[300:])
        assert scores.shape == (300,)
        assert np.isfinite(scores).all()


def test_a_detector_of_a_constant_view():
    # The last state of this seed is often zero; a view of one value leaves nothing to whiten.
    constant = detector("x", "inputs", quantum_entropy, view=lambda model, x: np.zeros((len(x), 2)))
    scores = constant.fit(zoo_2nd_argmax(2, 2), np.zeros((5, 2)))(np.zeros((4, 2)))
    assert (scores == 0).all()
