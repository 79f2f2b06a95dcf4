"""Statistical linearisation at the boundary, checked where it is exact and on trained networks."""

import numpy as np
import pytest

from algzoo.estimates import ensemble_sampling, sampling
from algzoo.estimates.many_inputs.boundary_oracle import (
    _share_positive,
    boundary_oracle,
    linearised,
)
from algzoo.zoo import zoo_2nd_argmax, zoo_median
from algzoo.zoo.populations import NoisyCopies, ZooModel

CLOSURES = ("linear", "ordinary", "boundary", "self-consistent")


@pytest.fixture
def linear_model(make_rnn):
    """Four channels, each a decaying sum of the inputs, held as its positive and negative part."""
    rng = np.random.default_rng(5)
    sign = np.array([1.0, -1.0])
    w_hi = np.kron(rng.standard_normal(4), sign)
    w_hh = np.kron(np.diag([0.5, -0.8, 1.0, 0.9]), np.outer(sign, sign))
    w_oh = np.kron(rng.standard_normal((4, 4)), sign)
    return make_rnn(w_hi, w_hh, w_oh, seq_len=4)


@pytest.mark.parametrize("closure", CLOSURES)
def test_a_linear_network_is_described_exactly(linear_model, closure):
    truth = sampling(linear_model, 2**19, seed=1)
    assert 0.1 < truth.value < 0.9
    # 12 classes of 2048 inputs, of which the scatter is at most that of plain sampling.
    error = np.sqrt(truth.value * (1 - truth.value) / (12 * 2048))
    estimate = boundary_oracle(linear_model, 2048, 0, closure)
    assert estimate.value == pytest.approx(truth.value, abs=4 * error)


@pytest.mark.parametrize("closure", CLOSURES)
def test_linear_margins_are_predicted_without_residual(closure):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((100, 3))
    margins = x @ rng.standard_normal((3, 4)) + rng.standard_normal(4)
    predicted, covariance = linearised(x, margins, closure)
    np.testing.assert_allclose(predicted, margins, atol=1e-9)
    np.testing.assert_allclose(covariance, 0, atol=1e-12)


@pytest.mark.parametrize(("closure", "refits"), [("ordinary", 0), ("boundary", 3)])
def test_fits_are_those_of_lstsq_by_the_published_weights(closure, refits):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((400, 3))
    curved = np.stack([np.abs(x[:, 0]), x[:, 1] ** 2, np.maximum(x[:, 0], x[:, 2])], axis=1)
    margins = curved + x @ rng.standard_normal((3, 3))
    terms = np.column_stack([np.ones(400), x])

    expected, weights = np.empty_like(margins), np.ones_like(margins)
    for k in range(3):
        ordinary = terms @ np.linalg.lstsq(terms, margins[:, k])[0]
        sigma = np.std(margins[:, k] - ordinary)
        expected[:, k] = ordinary
        for _ in range(refits):
            weights[:, k] = np.exp(-(expected[:, k] ** 2) / (2 * sigma**2))
            # The floor, relative to the largest.
            weights[:, k] = np.maximum(weights[:, k], 1e-3 * weights[:, k].max())
            root = np.sqrt(weights[:, k])
            fit = np.linalg.lstsq(terms * root[:, None], margins[:, k] * root)[0]
            expected[:, k] = terms @ fit
    residual = margins - expected
    covariance = [
        [
            np.average(
                residual[:, k] * residual[:, m], weights=np.sqrt(weights[:, k] * weights[:, m])
            )
            for m in range(3)
        ]
        for k in range(3)
    ]
    found = linearised(x, margins, closure)
    np.testing.assert_allclose(found[0], expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found[1], covariance, rtol=1e-8)


def test_the_self_consistent_width_is_that_of_the_residual():
    # y = z + z^2 / 4 + noise has slope 1 and residual sd .1 where it is 0, near z = 0.
    rng = np.random.default_rng(3)
    z = rng.standard_normal((20000, 1))
    margins = z + z**2 / 4 + 0.1 * rng.standard_normal(z.shape)
    predicted, covariance = linearised(z, margins, "self-consistent")
    assert np.polyfit(z[:, 0], predicted[:, 0], 1) == pytest.approx([1, 0], abs=0.03)
    assert covariance[0, 0] == pytest.approx(0.01, rel=0.15)
    wide = linearised(z, margins, "boundary")[1][0, 0]
    assert covariance[0, 0] < wide < linearised(z, margins, "ordinary")[1][0, 0]


def test_it_holds_on_noisy_copies_of_the_bundled_model():
    base = ZooModel("2nd_argmax", 16, 10)
    models = [NoisyCopies(base, sd, 1, seed=4).model(0) for sd in (0.005, 0.01)]
    truth = np.array([e.value for e in ensemble_sampling(models, 2**16, 0)])
    error = {
        closure: np.array([boundary_oracle(m, 1024, 0, closure).value for m in models]) - truth
        for closure in CLOSURES
    }
    # Means and (standard deviations over copies) of 24 to 48 models of each noise are at most
    # .011 (.008) for the self-consistent closure, .027 (.007) with the ordinary width.
    assert np.abs(error["self-consistent"]).max() < 0.03
    assert np.abs(error["self-consistent"].mean()) < 0.02
    assert np.abs(error["boundary"]).max() < 0.05
    assert (error["linear"] > error["self-consistent"]).all()
    assert (error["ordinary"] < error["boundary"]).all()


def test_the_value_is_no_matter_of_signs_of_eigenvectors():
    """It moved in the fifth digit where noise was multiplied by eigenvectors as they came."""
    value = boundary_oracle(zoo_2nd_argmax(16, 10), 2048, 0).value
    assert value == pytest.approx(0.9469048394, abs=1e-10)


@pytest.mark.parametrize("equal", [False, True])
def test_residuals_are_those_of_the_symmetric_root(equal):
    rng = np.random.default_rng(1)
    directions = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    root = (directions * ([2.0, 2.0, 0.5] if equal else [2.0, 1.0, 0.5])) @ directions.T
    predicted, noise = rng.standard_normal((50, 3)), rng.standard_normal((4, 50, 3))
    expected = ((predicted + noise @ root) > 0).all(-1).mean()
    assert _share_positive(predicted, root @ root, noise) == expected


def test_operations_hold_the_forward_passes_and_the_fits():
    model = zoo_2nd_argmax(4, 3)
    linear, boundary = (boundary_oracle(model, 64, 0, c) for c in ("linear", "boundary"))
    passes = 6 * 64 * 72
    assert linear.operations > passes
    # Three more fits of two margins with four coefficients each, their products at the least.
    assert boundary.operations > linear.operations + 3 * 6 * 64 * 2 * 4**2
    assert boundary == boundary_oracle(model, 64, 0, "boundary")


def test_wrong_arguments_are_refused():
    model = zoo_2nd_argmax(4, 3)
    with pytest.raises(ValueError, match="2nd-argmax models"):
        boundary_oracle(zoo_median(2, 3), 64, 0)
    with pytest.raises(ValueError, match=r"rows must be more than 8, .* got 8"):
        boundary_oracle(model, 8, 0)
    with pytest.raises(ValueError, match=r"closure must be one of linear, ordinary, .* got 'tie'"):
        boundary_oracle(model, 64, 0, "tie")
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        boundary_oracle(model, 64, -1)
