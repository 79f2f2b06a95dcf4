import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import ndtr

from algzoo.estimates import sampling
from algzoo.estimates.many_inputs.argmedian import _inputs, argmedian_class_cubature
from algzoo.zoo import zoo_argmedian
from algzoo.zoo.handcrafted.argmedian import least_distance_argmedian


@pytest.mark.parametrize(("n", "rows"), [(3, 4), (5, 4), (7, 1)])
def test_every_class_has_its_share_in_every_leaf(n, rows):
    half = n // 2
    for x in _inputs(n, rows, 0, 3):
        assert x.shape == (n, n * (n - 1) * (n - 2) * rows)
        around = np.argsort(-x, axis=0)[half - 1 : half + 2]
        _, counts = np.unique(around, axis=1, return_counts=True)
        assert counts.tolist() == [rows] * (n * (n - 1) * (n - 2))
        assert np.isfinite(x).all()


def test_leaves_differ_in_the_last_input_alone():
    first, *others = _inputs(5, 2, 0, 4)
    for other in others:
        np.testing.assert_allclose(other[:-1], first[:-1])
        assert (other[-1] != first[-1]).mean() > 0.99


@pytest.mark.parametrize("leaf", [0, 1])
def test_inputs_have_the_law_of_gaussian_ones(leaf):
    # By position and by rank; a cubature's points are more even than random ones.
    x = _inputs(5, 64, 1, 2)[leaf]
    for quantiles in ndtr(x):
        assert stats.kstest(quantiles, "uniform").pvalue > 0.01
    for rank, ordered in enumerate(np.sort(ndtr(x), axis=0), 1):
        assert stats.kstest(ordered, stats.beta(rank, 6 - rank).cdf).pvalue > 0.01
    np.testing.assert_allclose(np.corrcoef(x), np.eye(5), atol=0.03)


def test_a_model_that_is_always_right():
    model = least_distance_argmedian(5, dtype=torch.float64)
    assert argmedian_class_cubature(model, 2, 0).value == 1


@pytest.mark.parametrize("seq_len", [3, 5, 7])
def test_agrees_with_sampling(seq_len):
    model = zoo_argmedian(4, seq_len)
    truth = sampling(model, 2**17, 0)
    estimates = [argmedian_class_cubature(model, 4, scramble) for scramble in range(12)]
    values = np.array([estimate.value for estimate in estimates])
    error = np.hypot(values.std(ddof=1) / np.sqrt(12), truth.std)
    assert abs(values.mean() - truth.value) < 4 * error
    # And better than as many random inputs.
    k = estimates[0].operations / (seq_len * 4 * 5 + 4 * seq_len)
    assert values.std(ddof=1) < np.sqrt(truth.value * (1 - truth.value) / k)


def test_operations():
    points, (n, d) = 60 * 2, (5, 4)
    first, further = n * d * (d + 1) + d * n, d + d * n
    for leaves in (1, 3):
        estimate = argmedian_class_cubature(zoo_argmedian(d, n), 2, 0, leaves)
        assert estimate.operations == points * (first + (leaves - 1) * further)
        assert estimate.std is None


@pytest.mark.parametrize(("rows", "leaves"), [(0, 4), (4, 0)])
def test_no_points(rows, leaves):
    with pytest.raises(ValueError, match=f"got {rows} and {leaves}"):
        argmedian_class_cubature(zoo_argmedian(4, 5), rows, 0, leaves)
