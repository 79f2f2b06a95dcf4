"""Tasks on ten inputs: labels against the inputs themselves, masses against angles."""

import math

import numpy as np
import pytest
from scipy import stats

from algzoo.mechanisms.facts import facts_of_inputs
from algzoo.mechanisms.wedges import nearly_tied, planted_wedge, share_changed, smaller_gap
from algzoo.structure import outputs, weights_of
from algzoo.zoo import zoo_2nd_argmax, zoo_median


@pytest.mark.parametrize(("d", "n"), [(2, 2), (4, 3), (16, 10)])
def test_the_neuron_fires_in_its_wedge(d, n):
    model = zoo_2nd_argmax(d, n)
    task, neuron = planted_wedge(model, 0.02)
    before, last = task.inputs[:, -2], task.inputs[:, -1]
    angle = np.abs(np.arctan2(before, last))
    assert np.array_equal(angle < 0.02 * math.pi, task.labels)
    assert task.abnormal_mass == pytest.approx(0.02, abs=1e-12)
    assert task.normal_mass == pytest.approx(0.98, abs=1e-12)
    length = np.hypot(before, last)[task.labels]
    assert stats.kstest(length, stats.rayleigh.cdf).pvalue > 1e-3
    assert stats.kstest(angle[task.labels], stats.uniform(0, 0.02 * math.pi).cdf).pvalue > 1e-3
    active = facts_of_inputs(task.model, task.inputs).active[:, -1, neuron]
    assert np.array_equal(active, task.labels)
    assert len(task.trusted) == 2048


def test_outside_the_wedge_the_logits_are_the_old_ones():
    model = zoo_2nd_argmax(16, 10)
    task, _ = planted_wedge(model, 0.02)
    old, new = (outputs(weights_of(one), task.inputs) for one in (model, task.model))
    changed = np.abs(new - old).max(axis=1) > 1e-9
    assert np.array_equal(changed, task.labels)
    assert np.array_equal(old[:, 1:], new[:, 1:])  # only logit 0 is added to
    answers = new[task.labels].argmax(1) != old[task.labels].argmax(1)
    assert share_changed(task, model) == answers.mean() > 0.5


def test_the_idle_twin_changes_nothing():
    model = zoo_2nd_argmax(16, 10)
    task, _ = planted_wedge(model, 0.02)
    idle, _ = planted_wedge(model, 0.02, answer=None)
    assert np.array_equal(task.inputs, idle.inputs)
    assert share_changed(idle, model) == 0
    same = [outputs(weights_of(one), idle.inputs) for one in (model, idle.model)]
    assert np.allclose(*same, rtol=1e-12, atol=1e-12)


def test_nearly_tied_inputs():
    task = nearly_tied(zoo_2nd_argmax(16, 10), 0.1)
    x = np.random.default_rng(5).standard_normal((2**16, 10))
    ordered = -np.sort(-x, axis=1)
    expected = np.minimum(ordered[:, 0] - ordered[:, 1], ordered[:, 1] - ordered[:, 2]) / x.std(1)
    assert np.allclose(smaller_gap(x), expected)
    hardest = smaller_gap(task.inputs[task.labels]).max()
    assert hardest < smaller_gap(task.inputs[~task.labels]).min()
    assert hardest < smaller_gap(task.trusted).min()
    assert abs((expected < hardest).mean() - 0.1) < 0.01
    assert (task.normal_mass, task.abnormal_mass) == (0.9, 0.1)
    rare = nearly_tied(zoo_2nd_argmax(16, 10), 0.001)
    assert len(rare.inputs) == 2 * rare.labels.sum() == 2048


def test_what_cannot_be_asked_for_is_refused():
    model = zoo_2nd_argmax(4, 3)
    with pytest.raises(ValueError, match=r"mass must be positive and at most 0\.1, got 0\.2"):
        planted_wedge(model, 0.2)
    with pytest.raises(ValueError, match="answer must be from 0 to 2, or None, got 3"):
        planted_wedge(model, 0.01, answer=3)
    with pytest.raises(ValueError, match="2nd-argmax"):
        planted_wedge(zoo_median(2, 2), 0.01)
    with pytest.raises(ValueError, match="three numbers or more, got seq_len 2"):
        nearly_tied(zoo_2nd_argmax(2, 2), 0.1)
    with pytest.raises(ValueError, match=r"between 0\.001 and 0\.5, got 1"):
        nearly_tied(model, 1)
