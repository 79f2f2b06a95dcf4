import numpy as np
import pytest
import torch

from algzoo.explanations.median_h2_n2.thresholds import bends, last_thresholds
from algzoo.structure import cones, outputs, weights_of
from algzoo.structure.geometry.median_cones import median_cones
from algzoo.zoo import ScalarRNN, task_median, zoo_2nd_argmax, zoo_argmedian, zoo_median
from algzoo.zoo.handcrafted.median import handcrafted_median


@pytest.mark.parametrize(("hidden_size", "seq_len"), [(2, 2), (8, 2), (2, 3), (8, 3)])
def test_output_and_median_are_linear_on_each_cone(hidden_size, seq_len):
    model = zoo_median(hidden_size, seq_len)
    found = median_cones(model)
    assert sum(cone.fraction for cone in found) == pytest.approx(1, abs=1e-12)
    rng = np.random.default_rng(0)
    for cone in found:
        inside = rng.dirichlet(np.ones(len(cone.rays)), 5) @ cone.rays
        median = task_median(torch.from_numpy(inside)).numpy()
        np.testing.assert_allclose(inside @ cone.median, median, atol=1e-14)
        output = outputs(weights_of(model), inside)[:, 0]
        size = np.abs(cone.outputs).max() + 1
        np.testing.assert_allclose(inside @ cone.outputs[0], output, atol=1e-9 * size)
        np.testing.assert_allclose(cone.error, cone.outputs[0] - cone.median)


@pytest.mark.parametrize("seq_len", [2, 3])
def test_they_refine_the_cones(seq_len):
    model = zoo_median(4, seq_len)
    patterns = {cone.pattern.tobytes() for cone in cones(model)}
    assert {cone.pattern.tobytes() for cone in median_cones(model)} == patterns
    assert len(median_cones(model)) >= len(cones(model))


@pytest.mark.parametrize("model", [zoo_2nd_argmax(2, 2), zoo_argmedian(2, 3), ScalarRNN(2, 5)])
def test_other_models_are_refused(model):
    with pytest.raises(ValueError, match=f"seq_len {model.seq_len}"):
        median_cones(model)


def test_the_output_bends_at_the_thresholds():
    weights = weights_of(zoo_median(8, 3))
    x = np.random.default_rng(1).standard_normal((50, 2))
    thresholds, bend = last_thresholds(weights, x), bends(weights)[0]

    def slope(last):
        ends = (np.column_stack([x, last + h]) for h in (-1e-7, 1e-7))
        low, high = (outputs(weights, end)[:, 0] for end in ends)
        return (high - low) / 2e-7

    # Far down only the neurons with negative input weight are on.
    far = -bend[weights.w_hi < 0].sum()
    for last in (-2.0, 0.0, 1.5):
        passed = (thresholds < last) @ bend
        clear = np.abs(thresholds - last).min(1) > 1e-4
        np.testing.assert_allclose(
            slope(np.full(50, last))[clear], (far + passed)[clear], atol=1e-4
        )


def test_thresholds_of_the_network_by_hand():
    x = np.random.default_rng(2).standard_normal((100, 2))
    weights = weights_of(handcrafted_median(3, dtype=torch.float64))
    thresholds = last_thresholds(weights, x)
    np.testing.assert_array_equal(thresholds[:, :2], 0)
    np.testing.assert_allclose(thresholds[:, 2], x.max(1), atol=1e-14)
    np.testing.assert_allclose(thresholds[:, 3], x.min(1), atol=1e-14)
    assert not np.isfinite(thresholds[:, 4:]).any()
    np.testing.assert_array_equal(bends(weights), [[1, -1, -1, 1, 0, 0]])
