import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from algzoo.estimates import OperationCounter, exact
from algzoo.estimates.samplers.forward import answers_right
from algzoo.estimates.samplers.last_input import (
    last_input,
    last_input_operations,
    probability_right,
)
from algzoo.structure import outputs, weights_of
from algzoo.zoo import DistRNN, zoo_2nd_argmax


def drive_of(weights, prefixes):
    return outputs(weights._replace(w_oh=weights.w_hh), prefixes.T).T


def by_brute_force(weights, prefix, points=40_001):
    """Probability of being right, on a fine grid of normal quantiles of the last input."""
    last = stats.norm.ppf((np.arange(points) + 0.5) / points)
    x = np.concatenate([np.repeat(prefix[:, None], points, axis=1), last[None]])
    return answers_right(weights, x, 1).mean()


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(2, 6), st.sampled_from([0, 0.4, 1])
)
def test_integral_is_that_of_a_fine_grid(gaussian_rnn, seed, d, n, sparsity):
    rng = np.random.default_rng(seed)
    weights = weights_of(gaussian_rnn(seed, d, seq_len=n))
    # Neurons that do not see the input, states that are dead, logits that do not depend on it.
    weights = weights._replace(
        w_hi=weights.w_hi * (rng.random(d) >= sparsity),
        w_hh=weights.w_hh * (rng.random((d, d)) >= sparsity),
    )
    prefixes = rng.standard_normal((n - 1, 3))
    found = probability_right(weights.w_hi, weights.w_oh, drive_of(weights, prefixes), prefixes)
    for k in range(3):
        # The answer changes at most 2 (d + 3) times on each of the pieces between breakpoints.
        grid = by_brute_force(weights, prefixes[:, k], 20_001)
        assert found[k] == pytest.approx(grid, abs=(d + 3) * 3 / 20_001)


def test_integral_on_trained_models():
    for d, n in [(2, 2), (4, 3), (16, 10)]:
        weights = weights_of(zoo_2nd_argmax(d, n))
        prefixes = np.random.default_rng(0).standard_normal((n - 1, 20))
        found = probability_right(weights.w_hi, weights.w_oh, drive_of(weights, prefixes), prefixes)
        for k in range(20):
            assert found[k] == pytest.approx(by_brute_force(weights, prefixes[:, k]), abs=3e-4)


@pytest.mark.parametrize("signs", [[1, 1], [-1, -1], [1, -1]])
def test_where_no_neuron_is_active_the_answer_is_0(make_rnn, signs):
    # All neurons see the last input only; where none of them does, position 0 is said.
    weights = weights_of(make_rnn(signs, np.zeros((2, 2)), [[-1, -1], [1, 2], [-2, -2]], seq_len=3))
    prefixes = np.random.default_rng(1).standard_normal((2, 8))
    found = probability_right(weights.w_hi, weights.w_oh, drive_of(weights, prefixes), prefixes)
    for k in range(8):
        assert found[k] == pytest.approx(by_brute_force(weights, prefixes[:, k]), abs=1e-4)


def test_without_weights_the_answer_is_0(make_rnn):
    model = make_rnn(np.zeros(3), np.zeros((3, 3)), np.zeros((4, 3)), seq_len=4)
    estimate = last_input(model, 20_000, 0)
    assert abs(estimate.value - 1 / 4) < 4 * estimate.std


@pytest.mark.parametrize(("d", "n"), [(1, 2), (2, 2), (4, 3), (3, 5), (16, 10)])
@pytest.mark.parametrize("n_prefixes", [1, 9])
def test_operations_are_those_counted(d, n, n_prefixes):
    model = DistRNN(d, n)
    weights = weights_of(model)
    prefixes = np.random.default_rng(0).standard_normal((n - 1, n_prefixes))
    counter = OperationCounter()
    w_hi, w_oh, drive, x = map(
        counter.array, (weights.w_hi, weights.w_oh, drive_of(weights, prefixes), prefixes)
    )
    counted = probability_right(w_hi, w_oh, drive, x)
    plain = probability_right(weights.w_hi, weights.w_oh, drive.values, prefixes)
    np.testing.assert_array_equal(counted.values, plain)
    prefix_passes = n_prefixes * ((n - 1) * d * (d + 1) + d * d)
    assert last_input_operations(weights, n_prefixes) == prefix_passes + counter.total
    estimate = last_input(model, n_prefixes, 0)
    assert estimate.transcendental == counter.counts["transcendental"]


def test_blocks_do_not_matter(monkeypatch):
    model = zoo_2nd_argmax(4, 3)
    whole = last_input(model, 1000, 3)
    monkeypatch.setattr("algzoo.estimates.samplers.last_input._BLOCK", 7)
    blocks = last_input(model, 1000, 3)
    assert blocks.value == pytest.approx(whole.value, abs=1e-14)
    assert blocks.operations == whole.operations


def test_std_is_the_spread_over_seeds(gaussian_rnn):
    model = gaussian_rnn(0, 3, seq_len=3)
    estimates = [last_input(model, 100, seed) for seed in range(400)]
    spread = np.std([estimate.value for estimate in estimates], ddof=1)
    stated = np.sqrt(np.mean([estimate.std**2 for estimate in estimates]))
    assert stated == pytest.approx(spread, rel=4 / np.sqrt(2 * 400))
    assert last_input(model, 1, 0).std is None


def test_two_inputs_leave_one_to_sample(gaussian_rnn):
    # Of a positively homogeneous model only the first input's sign is left to chance.
    model = gaussian_rnn(5, 3)
    estimate = last_input(model, 4000, 0)
    assert abs(estimate.value - exact(model).value) < 4 * estimate.std
