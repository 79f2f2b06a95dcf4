import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from algzoo.estimates.many_inputs.exact_last_input import right_after
from algzoo.estimates.many_inputs.last_input_float32 import (
    LEAST_TOLERANCE,
    NEURONS,
    OUTPUTS,
    _normal,
    is_small,
    prepared,
    probability_right,
)
from algzoo.estimates.many_inputs.last_input_walk import REACH
from algzoo.estimates.many_inputs.pair_leaves import pair_leaves_stream
from algzoo.estimates.samplers.forward import answers_right, readouts
from algzoo.estimates.samplers.last_input import probability_right as by_all_pieces
from algzoo.structure import Weights, weights_of
from algzoo.zoo import DistRNN, zoo_2nd_argmax


def by_brute_force(weights, prefix, points):
    """Probability of being right, on a fine grid of normal quantiles of the last input."""
    last = special.ndtri((np.arange(points) + 0.5) / points)
    x = np.concatenate([np.repeat(prefix[:, None], points, axis=1), last[None]])
    return answers_right(weights, x, 1).mean()


def in_single_precision(weights, prefixes):
    drive = readouts(weights._replace(w_oh=weights.w_hh), prefixes).astype(np.float32)
    places = np.argsort(prefixes, axis=0)[-2:]
    earlier = np.take_along_axis(prefixes, places, axis=0).astype(np.float32)
    return probability_right(prepared(weights), drive, earlier, places).astype(float)


def differences(weights, prefixes):
    found = in_single_precision(weights, prefixes)
    assert np.isfinite(found).all()
    assert found == pytest.approx(np.clip(found, 0, 1), abs=2e-6)
    return found - right_after(weights, prefixes, 1)[0]


def trained(d, n):
    return weights_of(zoo_2nd_argmax(d, n))


def noisy(d, n):
    rng = np.random.default_rng(1)
    return Weights(*(w + 0.05 * rng.standard_normal(w.shape) for w in trained(d, n)))


def untrained(d, n):
    return weights_of(DistRNN(d, n))


@pytest.mark.parametrize("weights_like", [trained, noisy, untrained])
@pytest.mark.parametrize(("d", "n"), [(16, 10), (8, 6), (2, 4), (16, 3)])
def test_every_probability_is_that_of_the_kernel_in_double_precision(weights_like, d, n):
    weights = weights_like(d, n)
    prefixes = np.random.default_rng(n).standard_normal((n - 1, 20_000))
    difference = differences(weights, prefixes)
    assert np.abs(difference).max() < 0.02
    assert np.quantile(np.abs(difference), 0.95) < 2e-5
    assert abs(difference.mean()) < 5e-7


def test_it_is_what_all_pieces_give():
    weights = weights_of(zoo_2nd_argmax(16, 10))
    prefixes = np.random.default_rng(3).standard_normal((9, 100))
    drive = readouts(weights._replace(w_oh=weights.w_hh), prefixes)
    pieces = by_all_pieces(weights.w_hi, weights.w_oh, drive, prefixes)
    assert in_single_precision(weights, prefixes) == pytest.approx(pieces, abs=1e-4)


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, NEURONS),
    st.integers(3, OUTPUTS),
    st.sampled_from([0, 0.4, 0.8, 1]),
)
def test_neurons_may_be_dead_weights_zero_and_logits_equal(gaussian_rnn, seed, d, n, sparsity):
    rng = np.random.default_rng(seed)
    weights = weights_of(gaussian_rnn(seed, d, seq_len=n))
    weights = weights._replace(
        w_hi=weights.w_hi * (rng.random(d) >= sparsity),
        w_hh=weights.w_hh * (rng.random((d, d)) >= sparsity),
        w_oh=weights.w_oh * (rng.random((n, d)) >= sparsity),
    )
    prefixes = rng.standard_normal((n - 1, 3))
    found = in_single_precision(weights, prefixes)
    for k in range(3):
        # The answer changes at most 2 (d + 3) times on each of the pieces between breakpoints.
        grid = by_brute_force(weights, prefixes[:, k], 20_001)
        assert found[k] == pytest.approx(grid, abs=(d + 3) * 3 / 20_001)


def test_the_first_of_equal_logits_is_the_answer(gaussian_rnn):
    weights = weights_of(gaussian_rnn(1, 6, seq_len=5))
    weights.w_oh[3] = weights.w_oh[1]
    weights.w_oh[4] = weights.w_oh[0]
    prefixes = np.random.default_rng(1).standard_normal((4, 50))
    found = in_single_precision(weights, prefixes)
    grid = [by_brute_force(weights, prefix, 10_001) for prefix in prefixes.T]
    assert found == pytest.approx(grid, abs=5e-4)
    assert found.max() > 0.5


@pytest.mark.parametrize("signs", [[1, 1], [-1, -1], [1, -1]])
def test_where_no_neuron_is_active_the_answer_is_0(make_rnn, signs):
    # All neurons see the last input only; where none of them does, position 0 is said.
    weights = weights_of(make_rnn(signs, np.zeros((2, 2)), [[-1, -1], [1, 2], [-2, -2]], seq_len=3))
    prefixes = np.random.default_rng(1).standard_normal((2, 300))
    assert np.abs(differences(weights, prefixes)).max() < 1e-6


def test_a_stretch_without_active_neurons_may_lie_in_between(make_rnn):
    # One neuron is active below a negative input, the other above a positive one.
    w_hh = [[0, 0], [0, 0], [-1, -1], [-1, -1]]
    w_hh = np.concatenate([w_hh, np.zeros((4, 2))], axis=1)
    w_oh = [[-1, -1, -1, -2], [0, 0, 2, -1], [0, 0, -1, 1]]
    weights = weights_of(make_rnn([1, -1, 1, -1], w_hh, w_oh, seq_len=3))
    prefixes = np.random.default_rng(2).standard_normal((2, 50))
    found = in_single_precision(weights, prefixes)
    grid = [by_brute_force(weights, prefix, 10_001) for prefix in prefixes.T]
    assert found == pytest.approx(grid, abs=5e-4)
    assert np.ptp(found) > 0.5


def test_inputs_and_knots_beyond_the_walk_are_told_apart():
    weights = weights_of(zoo_2nd_argmax(16, 10))
    prefixes = np.random.default_rng(0).standard_normal((9, 8))
    prefixes[0] = [6, 7, 5, -6, 6, 6, 8, 9]
    prefixes[1] = [5.5, 1, -6, 6, 5.3, 5, 7, -8]
    assert np.abs(differences(weights, prefixes)).max() < 1e-5
    small = np.where(np.arange(16) < 8, 1e-25, 1e-6)  # some knots are beyond single precision
    weights = weights._replace(w_hi=np.where(np.arange(16) % 3, weights.w_hi, small))
    assert np.abs(differences(weights, prefixes)).max() < 1e-4


def test_all_prefixes_are_treated_alike():
    weights = weights_of(zoo_2nd_argmax(16, 10))
    prefixes = np.random.default_rng(5).standard_normal((9, 300))
    whole = in_single_precision(weights, prefixes)
    np.testing.assert_array_equal(whole[::-1], in_single_precision(weights, prefixes[:, ::-1]))
    for k in range(0, 300, 50):
        assert in_single_precision(weights, prefixes[:, k : k + 1]) == whole[k]


def test_the_normal_distribution_function():
    x = np.linspace(-REACH, REACH, 10_001).astype(np.float32)
    error = np.array([float(_normal(number)) for number in x]) - special.ndtr(x.astype(float))
    assert np.abs(error).max() < 2e-7
    assert abs(error.mean()) < 1e-8
    assert _normal(np.float32(9)) == _normal(np.float32(REACH))


def batches(model, tolerance):
    stream = pair_leaves_stream(weights_of(model), 3, tolerance)
    return [next(stream) for _ in range(4)]


def test_a_stream_goes_on_in_single_precision():
    model = zoo_2nd_argmax(16, 10)
    exact, single = batches(model, LEAST_TOLERANCE / 2), batches(model, 1e-5)
    assert single[0] == exact[0]
    for one, other in zip(single[1:], exact[1:], strict=True):
        assert one.total != other.total
        assert one.total / one.events.walks == pytest.approx(
            other.total / other.events.walks, abs=1e-6
        )
        assert one.passes == other.passes
        assert one.events == single[0].events
        of_all = one.events.operations(10, 16)
        assert of_all == pytest.approx(other.events.operations(10, 16), rel=0.01)


def test_a_stream_stays_in_double_precision_where_single_will_not_do():
    model = zoo_2nd_argmax(16, 10)
    with_more_outputs = DistRNN(4, OUTPUTS + 1)
    with_more_neurons = DistRNN(NEURONS + 1, 4)
    for large in (with_more_outputs, with_more_neurons):
        assert not is_small(weights_of(large))
        assert batches(large, 1e-3) == batches(large, 1e-9)
    # Logits beyond the range of single precision; in double precision a power of two is exact.
    stream = pair_leaves_stream(
        weights_of(model)._replace(w_oh=weights_of(model).w_oh * 2.0**100), 3, 1e-3
    )
    totals = [next(stream).total for _ in range(3)]
    assert totals == [batch.total for batch in batches(model, 1e-9)[:3]]
