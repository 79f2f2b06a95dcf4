import numpy as np
import pytest

from algzoo import example_2nd_argmax
from algzoo.explanations.second_argmax_h16_n10_example.subcircuit import (
    NEURONS,
    WHOLE,
    changed,
    formulas,
    in_units,
    units,
    whole_network,
)
from algzoo.structure import Sample, Weights, find_features, outputs, survival, weights_of
from algzoo.structure.features.formula import unrolled
from algzoo.structure.features.wiring import states


@pytest.fixture
def example(official):
    return example_2nd_argmax()


@pytest.fixture(scope="module")
def x():
    """Inputs that are multiples of 2^-10, on which sums and maxima are exact."""
    return np.round(np.random.default_rng(0).standard_normal((500, 10)) * 2**10) / 2**10


def written_out(x, t):
    """The formulas for one input, from lists of the numbers that each maximum is over."""
    x = [float(number) for number in x]
    largest = max([0.0, *x[: t + 1]])
    before = max([0.0, *x[:t]])
    without_last_but_one = max([0.0, *x[: max(t - 1, 0)], x[t]])
    without_last_but_two = max([0.0, *x[: max(t - 2, 0)], *x[max(t - 1, 0) : t + 1]])
    return [
        before,
        largest - before,
        without_last_but_one - x[t],
        largest - x[t],
        without_last_but_two - x[t],
    ]


def test_formulas_are_the_maxima_written_out(x):
    values = formulas(x)
    for t in range(10):
        expected = [written_out(row, t) for row in x]
        np.testing.assert_array_equal(values[t], expected)


def test_the_whole_network_holds_the_formulas_exactly(x):
    np.testing.assert_array_equal(states(whole_network(), x), formulas(x))


def test_the_answer_to_the_chapters_exercise(x):
    """A sixth neuron: -1 from the input, +1 from neurons 2, 4 and 1, 0 from 6, -1 from 7."""
    five = whole_network()
    w_hh = np.zeros((6, 6))
    w_hh[:5, :5] = five.w_hh
    w_hh[5, [NEURONS.index(i) for i in (2, 4, 1, 7)]] = 1, 1, 1, -1
    w_hi = np.append(five.w_hi, -1.0)
    held = states(Weights(w_hi, w_hh, np.eye(6)), x)[-1, :, 5]
    left_out = np.delete(x, 6, axis=1)  # the newest is x[9], so the last but three is x[6]
    np.testing.assert_array_equal(held, np.maximum(left_out.max(1), 0) - x[:, 9])


def test_formulas_are_those_that_follow_by_algebra(x):
    network = whole_network()
    steps = unrolled(network.w_hi.astype(int), network.w_hh.astype(int), 10)
    values = np.array([[formula(x) for formula in step] for step in steps])
    np.testing.assert_array_equal(values.swapaxes(1, 2), formulas(x))


def test_whole_weights_are_the_ones_of_the_post_and_of_the_search(example):
    found = find_features(example).features
    assert {i: (f.from_input, f.from_neurons) for i, f in found.items()} == WHOLE
    unit = units(weights_of(example))
    for i in NEURONS:
        assert unit[i] == pytest.approx(found[i].unit, rel=1e-12)


def test_the_examples_weights_are_near_the_whole_ones(example):
    weights = in_units(weights_of(example), units(weights_of(example)))
    near = weights.w_hh[np.ix_(NEURONS, NEURONS)]
    used = whole_network().w_hh != 0
    assert np.abs(near - whole_network().w_hh)[used].max() == pytest.approx(0.306, abs=1e-3)
    assert np.abs(near[~used]).max() == pytest.approx(0.409, abs=1e-3)
    np.testing.assert_allclose(weights.w_hi[list(NEURONS)], whole_network().w_hi, atol=1e-3)


def test_other_units_change_no_output(x):
    rng = np.random.default_rng(1)
    weights = Weights(rng.normal(size=6), rng.normal(size=(6, 6)), rng.normal(size=(3, 6)))
    same = in_units(weights, rng.uniform(0.5, 2, 6))
    np.testing.assert_allclose(outputs(same, x), outputs(weights, x), rtol=1e-9, atol=1e-9)


def test_cut_off_and_whole_is_the_formulas_put_in_at_every_step(example):
    sample = Sample.of(example, 2**12, seed=0)
    kept = survival(sample, find_features(example).features, seed=0)
    both = changed(sample.weights, whole=True, cut_off=True)
    right = (outputs(both, sample.x).argmax(1) == sample.answer).mean()
    assert right == pytest.approx(kept.together_at_every_step, abs=2 / len(sample.x))


def test_changes_touch_what_they_say(example):
    weights = weights_of(example)
    assert all(np.array_equal(*pair) for pair in zip(changed(weights), weights, strict=True))
    cut = changed(weights, (6,), cut_off=True)
    np.testing.assert_array_equal(np.flatnonzero(cut.w_hh[6]), [2])
    assert cut.w_hh[6, 2] == weights.w_hh[6, 2]
    np.testing.assert_array_equal(np.delete(cut.w_hh, 6, 0), np.delete(weights.w_hh, 6, 0))
    whole = in_units(changed(weights, whole=True), units(weights))
    inside = whole.w_hh[np.ix_(NEURONS, NEURONS)]
    used = whole_network().w_hh != 0
    np.testing.assert_allclose(inside[used], whole_network().w_hh[used], rtol=1e-12)
    np.testing.assert_array_equal(
        inside[~used], in_units(weights, units(weights)).w_hh[np.ix_(NEURONS, NEURONS)][~used]
    )
