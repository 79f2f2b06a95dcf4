import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp
from scipy import special, stats

from algzoo.estimates import OperationCounter, exact
from algzoo.estimates.many_inputs.exact_last_input import (
    WALKABLE,
    operations_of_prefixes,
    rank_of_answer,
    right_after,
    total_of,
)
from algzoo.estimates.many_inputs.last_input_kernel import _network, _normal_polynomials, walks
from algzoo.estimates.many_inputs.last_input_walk import (
    REACH,
    operations_of_weights,
    prepared,
    walk,
)
from algzoo.estimates.samplers.forward import readouts
from algzoo.estimates.samplers.last_input import last_input, last_input_operations
from algzoo.estimates.samplers.last_input import probability_right as by_all_pieces
from algzoo.estimates.samplers.walk import last_input_walk
from algzoo.structure import weights_of
from algzoo.zoo import ScalarRNN, zoo_2nd_argmax, zoo_argmedian, zoo_longest_cycle

BEYOND = 2 * special.ndtr(-REACH)  # of the last input, where the walk does not go


def drive_of(weights, prefixes):
    return readouts(weights._replace(w_oh=weights.w_hh), prefixes)


def earlier_of(prefixes, rank):
    places = np.argsort(prefixes, axis=0)[[-1 - rank, -rank]]
    return np.take_along_axis(prefixes, places, axis=0), places


def walked(weights, prefixes, rank):
    """Probabilities, events and operations of the reference, prefix by prefix."""
    counter = OperationCounter()
    model = prepared(weights, counter)
    assert counter.total == operations_of_weights(*weights.w_oh.shape)
    drive = counter.lift(drive_of(weights, prefixes))
    earlier, places = earlier_of(prefixes, rank)
    earlier = counter.lift(earlier)
    found = [
        walk(model, drive[:, k], *earlier[:, k], (places[0, k], len(prefixes), places[1, k]))
        for k in range(prefixes.shape[1])
    ]
    probability, events = zip(*found, strict=True)
    return np.array(probability), total_of(*events), counter


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(3, 6), st.sampled_from([0, 0.4, 1])
)
def test_the_walk_finds_what_all_pieces_give(gaussian_rnn, seed, d, n, sparsity):
    rng = np.random.default_rng(seed)
    weights = weights_of(gaussian_rnn(seed, d, seq_len=n))
    # Neurons that do not see the input, states that are dead, logits that do not depend on it.
    weights = weights._replace(
        w_hi=weights.w_hi * (rng.random(d) >= sparsity),
        w_hh=weights.w_hh * (rng.random((d, d)) >= sparsity),
    )
    prefixes = rng.standard_normal((n - 1, 5))
    drive = drive_of(weights, prefixes)
    pieces = by_all_pieces(weights.w_hi, weights.w_oh, drive, prefixes)
    reference, _, _ = walked(weights, prefixes, 1)
    assert reference == pytest.approx(pieces, abs=BEYOND + 1e-9)
    kernel, _ = right_after(weights, prefixes, 1)
    assert kernel == pytest.approx(reference, abs=1e-9)


@pytest.mark.parametrize(("d", "n"), [(2, 3), (4, 3), (4, 6), (16, 10), (32, 5)])
def test_on_trained_models_kernel_and_reference_agree_in_all_they_met(d, n):
    weights = weights_of(zoo_2nd_argmax(d, n))
    prefixes = np.random.default_rng(d).standard_normal((n - 1, 70))  # no multiple of the lanes
    drive = drive_of(weights, prefixes)
    pieces = by_all_pieces(weights.w_hi, weights.w_oh, drive, prefixes)
    reference, met, counter = walked(weights, prefixes, 1)
    kernel, met_by_kernel = right_after(weights, prefixes, 1)
    assert kernel == pytest.approx(pieces, abs=BEYOND + 1e-9)
    assert kernel == pytest.approx(reference, abs=1e-10)
    assert met_by_kernel == met
    of_weights = operations_of_weights(n, d)
    assert counter.total == of_weights + met.operations(n, d)
    assert counter.counts["transcendental"] == met.normal_probabilities


@pytest.mark.parametrize(("d", "n"), [(1, 3), (3, 4), (5, 7), (40, 4)])
def test_the_price_is_what_the_counter_counts(gaussian_rnn, d, n):
    weights = weights_of(gaussian_rnn(d, d, seq_len=n))
    prefixes = 2 * np.random.default_rng(n).standard_normal((n - 1, 64))
    # Where the state is zero all neurons switch at 0, and what is met there is up to rounding.
    prefixes = prefixes[:, drive_of(weights, prefixes).any(axis=0)]
    reference, met, counter = walked(weights, prefixes, 1)
    assert counter.total == operations_of_weights(n, d) + met.operations(n, d)
    kernel, met_by_kernel = right_after(weights, prefixes, 1)
    assert met_by_kernel == met
    assert kernel == pytest.approx(reference, abs=1e-9)


def test_argmedian_is_right_between_the_two_in_the_middle():
    model = zoo_argmedian(16, 5)
    weights = weights_of(model)
    rng = np.random.default_rng(2)
    prefixes = rng.standard_normal((4, 12))
    found, _ = right_after(weights, prefixes, rank_of_answer(model))
    reference, _, _ = walked(weights, prefixes, 2)
    assert found == pytest.approx(reference, abs=1e-10)
    points = 40_001
    last = stats.norm.ppf((np.arange(points) + 0.5) / points)
    for k in range(12):
        x = np.concatenate([np.repeat(prefixes[:, k, None], points, axis=1), last[None]])
        answer = readouts(weights, x).argmax(axis=0)
        right = (x > np.take_along_axis(x, answer[None], axis=0)).sum(axis=0) == 2
        assert found[k] == pytest.approx(right.mean(), abs=3e-4)


def test_inputs_beyond_the_walk_are_told_apart():
    # A threshold below the start, or above the end, is no knot; the answers are those beyond it.
    weights = weights_of(zoo_2nd_argmax(16, 10))
    prefixes = np.random.default_rng(0).standard_normal((9, 8))
    prefixes[0] = [6, 7, 5, -6, 6, 6, 8, 9]
    prefixes[1] = [5.5, 1, -6, 6, 5.3, 5, 7, -8]
    drive = drive_of(weights, prefixes)
    pieces = by_all_pieces(weights.w_hi, weights.w_oh, drive, prefixes)
    reference, met, _ = walked(weights, prefixes, 1)
    kernel, met_by_kernel = right_after(weights, prefixes, 1)
    assert kernel == pytest.approx(pieces, abs=BEYOND + 1e-9)
    assert kernel == pytest.approx(reference, abs=1e-10)
    assert met_by_kernel == met


def test_all_columns_are_walked_alike():
    weights = weights_of(zoo_2nd_argmax(16, 10))
    prefixes = np.random.default_rng(5).standard_normal((9, 200))
    whole, met = right_after(weights, prefixes, 1)
    parts = [right_after(weights, prefixes[:, k : k + 1], 1) for k in range(200)]
    np.testing.assert_array_equal(whole, np.concatenate([part for part, _ in parts]))
    assert met == total_of(*(of_part for _, of_part in parts))


@pytest.mark.parametrize("n", range(2, 20))
def test_the_network_sorts(n):
    # By the 0-1 principle it is enough to sort all sequences of zeros and ones.
    n_inputs = min(2**n, 2**14)
    rows = np.random.default_rng(n).permutation(2**n)[:n_inputs]
    x = (rows[:, None] >> np.arange(n)) & 1
    for i, j in _network(n):
        x[:, [i, j]] = np.stack([x[:, [i, j]].min(axis=1), x[:, [i, j]].max(axis=1)], axis=1)
    assert (np.diff(x, axis=1) >= 0).all()


def test_the_normal_distribution_function_is_exact_to_rounding():
    table = _normal_polynomials()
    x = np.linspace(0, 2 * REACH, 20_001)
    row = np.floor(x * 32 + 0.5).astype(int)
    u = x - row / 32
    value = sum(table[row, k] * u**k for k in range(table.shape[1]))
    assert value == pytest.approx(special.ndtr(x - REACH), rel=1e-12, abs=1e-16)
    with mp.workdps(30):
        assert table[168, 0] == 0.5
        assert table[200, 0] == float(mp.ncdf(1))


def test_a_prefix_costs_less_than_a_third_of_all_pieces():
    model = zoo_2nd_argmax(16, 10)
    estimate = last_input_walk(model, 1000, 0)
    of_pieces = last_input(model, 1000, 0)
    assert estimate.value == pytest.approx(of_pieces.value, abs=BEYOND)
    assert estimate.std == pytest.approx(of_pieces.std, abs=1e-7)
    prefix = 9 * 16 * 17 + 256
    walks_alone = estimate.operations / 1000 - prefix
    assert 650 < walks_alone < 750
    weights = weights_of(model)
    assert walks_alone < (last_input_operations(weights, 1000) / 1000 - prefix) / 3


def test_std_is_the_spread_over_seeds(gaussian_rnn):
    model = gaussian_rnn(0, 3, seq_len=3)
    estimates = [last_input_walk(model, 100, seed) for seed in range(400)]
    values = np.array([estimate.value for estimate in estimates])
    stated = np.sqrt(np.mean([estimate.std**2 for estimate in estimates]))
    assert stated == pytest.approx(values.std(ddof=1), rel=4 / np.sqrt(2 * 400))
    error = values.mean() - exact(model).value
    assert abs(error) < 4 * values.std(ddof=1) / np.sqrt(400)
    assert last_input_walk(model, 1, 0).std is None


def test_operations_are_those_of_prefixes_and_walks():
    model = zoo_argmedian(16, 5)
    weights = weights_of(model)
    prefixes = np.random.default_rng(7).standard_normal((4, 50))
    right, met = right_after(weights, prefixes, 2)
    estimate = last_input_walk(model, 50, 7)
    assert estimate.value == right.mean()
    assert estimate.operations == operations_of_prefixes(weights, met)
    assert estimate.operations == (
        50 * (4 * 16 * 17 + 256) + operations_of_weights(5, 16) + met.operations(5, 16)
    )
    assert estimate.transcendental == met.normal_probabilities


def test_other_models_are_refused():
    assert not any(map(WALKABLE.takes, (ScalarRNN(2, 3), zoo_longest_cycle(4, 4))))
    with pytest.raises(ValueError, match="is for 2nd-argmax models of at least three inputs"):
        last_input_walk(zoo_2nd_argmax(2, 2), 10, 0)


def test_the_same_bits_whatever_the_layout():
    weights = weights_of(zoo_2nd_argmax(16, 10))
    prefixes = np.random.default_rng(5).standard_normal((9, 64))
    drive = drive_of(weights, prefixes)
    earlier, places = earlier_of(prefixes, 1)
    one, _ = walks(weights, drive, earlier, places, 9)
    other, _ = walks(weights, np.asfortranarray(drive), np.asfortranarray(earlier), places, 9)
    np.testing.assert_array_equal(one, other)
