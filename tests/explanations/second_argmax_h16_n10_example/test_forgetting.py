import numpy as np
import pytest

from algzoo import example_2nd_argmax
from algzoo.explanations.second_argmax_h16_n10_example.ages import COMPARATORS
from algzoo.explanations.second_argmax_h16_n10_example.forgetting import (
    EXEMPT_NEURONS,
    SILENT,
    carried_on,
    is_small,
    perturbed,
)
from algzoo.structure import Weights, outputs, weights_of
from algzoo.structure.features.wiring import states


@pytest.fixture
def example(official):
    return weights_of(example_2nd_argmax())


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).standard_normal((2000, 10))


def test_small_inputs_are_below_the_second_largest_before(x):
    small = is_small(x)
    for row, is_ in zip(x[:200], small[:200], strict=True):
        for t in range(10):
            assert is_[t] == (row[t] < sorted([0.0, 0.0, *row[:t]])[-2])


def test_the_two_largest_are_not_small_if_positive(x):
    second = np.sort(x, axis=1)[:, -2, None]
    assert not is_small(x)[(x >= second) & (second > 0)].any()


def test_sums_are_those_written_out(example):
    neurons, logits = carried_on(example)
    kept = [j for j in range(16) if j not in SILENT]
    for i in (1, 5, 10):
        terms = [example.w_hh[i, j] * example.w_hi[j] for j in kept]
        assert neurons[i] == pytest.approx(sum(terms) / np.sqrt(sum(t * t for t in terms)))
    others = [np.mean([example.w_oh[a, j] for a in range(9)]) for j in range(16)]
    terms = [(example.w_oh[9, j] - others[j]) * example.w_hi[j] for j in kept]
    assert logits[9] == pytest.approx(sum(terms) / np.sqrt(sum(t * t for t in terms)))


def test_the_example_has_the_rule_and_random_weights_do_not(example):
    neurons, logits = carried_on(example)
    ruled = [i for i in range(16) if i not in EXEMPT_NEURONS]
    assert np.abs(neurons[ruled]).max() < 0.04
    assert np.abs(neurons[list(EXEMPT_NEURONS)]).min() > 1
    assert np.abs(logits[:9]).max() < 0.02
    rng = np.random.default_rng(0)
    shapes = ((16,), (16, 16), (10, 16))
    random = [carried_on(Weights(*map(rng.standard_normal, shapes)))[0] for _ in range(200)]
    assert np.sqrt(np.square(random).mean()) == pytest.approx(1, abs=0.05)


def test_a_network_with_the_rule_forgets_small_inputs_exactly():
    rng = np.random.default_rng(0)
    w_hi = -np.ones(4)
    w_hh = rng.uniform(0.0, 1.0, (4, 4))
    w_hh -= w_hh.mean(axis=1, keepdims=True)
    weights = Weights(w_hi, w_hh, np.eye(4))
    x = np.array([[-1.0, -2.0, 0.5], [-1.0, -7.0, 0.5]])  # all neurons are active after step 1
    assert (states(weights, x)[1] > 0).all()
    np.testing.assert_allclose(*outputs(weights, x), rtol=1e-12)
    readout = rng.standard_normal((10, 4))
    np.testing.assert_allclose(carried_on(Weights(w_hi, w_hh, readout), ())[0], 0, atol=1e-12)


@pytest.mark.parametrize("breaks_rule", [True, False])
def test_noise_has_its_size_and_changes_the_sum_or_not(example, breaks_rule):
    changed = perturbed(example, 0.05, np.random.default_rng(0), breaks_rule=breaks_rule)
    columns = list(COMPARATORS)
    before, after = (w.w_hh[:, columns] * np.abs(w.w_hi[columns]) for w in (example, changed))
    rows = [i for i in range(16) if i not in EXEMPT_NEURONS]
    size = np.linalg.norm(after - before, axis=1) / np.linalg.norm(before, axis=1)
    np.testing.assert_allclose(size[rows], 0.05, rtol=1e-9)
    np.testing.assert_array_equal(size[list(EXEMPT_NEURONS)], 0)
    sums = np.abs((after - before).sum(axis=1)) / np.linalg.norm(before, axis=1)
    np.testing.assert_allclose(sums[rows], 0.1 if breaks_rule else 0.0, atol=1e-9)
