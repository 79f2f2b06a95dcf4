from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from algzoo.structure import as_fractions, cones, decision_cones, line_segments, weights_of
from algzoo.zoo import DistRNN, ScalarRNN, zoo_2nd_argmax

SEED = st.integers(0, 2**32 - 1)


@st.composite
def small_integer_matrices(draw):
    """W_hi, W_hh and W_oh with many ties, duplicates and zeros."""
    d = draw(st.integers(1, 4))
    entry = st.integers(-2, 2).map(float)
    return tuple(draw(arrays(float, shape, elements=entry)) for shape in [(d,), (d, d), (2, d)])


def run_exactly(model, x):
    """Outputs and activation pattern on one input, in fractions: no rounding."""
    w_hi, w_hh, w_oh = (np.vectorize(Fraction, otypes=[object])(w) for w in weights_of(model))
    state, pattern = np.full(len(w_hi), Fraction(0)), []
    for number in x:
        drive = w_hh @ state + w_hi * Fraction(number)
        pattern.append(drive > 0)
        state = np.where(pattern[-1], drive, Fraction(0))
    return w_oh @ state, np.array(pattern)


def assert_linear_pieces_that_tile_the_plane(model, seed=0):
    pieces = cones(model)
    rng = np.random.default_rng(seed)
    np.testing.assert_allclose(pieces[0].rays[0], [0, -1], atol=1e-15)
    for piece, following in zip(pieces, pieces[1:] + pieces[:1], strict=True):
        np.testing.assert_allclose(piece.rays[1], following.rays[0], rtol=0, atol=1e-15)
        np.testing.assert_allclose(np.hypot(*piece.rays.T), 1, rtol=1e-15)
        first, second = piece.angles
        assert first < second
        assert piece.fraction == pytest.approx((second - first) / (2 * np.pi), abs=1e-16)
        within = rng.uniform(first, second, 3)
        just_within = [first + 1e-13, second - 1e-13] if second - first > 1e-12 else []
        for angle in [*within, *just_within]:
            x = np.array([np.cos(angle), np.sin(angle)])
            expected, pattern = run_exactly(model, x)
            np.testing.assert_array_equal(piece.pattern, pattern)
            error = np.abs(piece.outputs @ x - expected.astype(float))
            assert (error <= 1e-12 * (np.abs(piece.outputs) @ np.abs(x))).all()
    assert sum(piece.fraction for piece in pieces) == pytest.approx(1, abs=1e-14)


@given(SEED, st.integers(1, 8))
def test_cones_of_gaussian_models(gaussian_rnn, seed, hidden_size):
    assert_linear_pieces_that_tile_the_plane(gaussian_rnn(seed, hidden_size), seed)


@given(small_integer_matrices(), SEED)
def test_cones_of_models_with_ties_duplicates_and_zeros(make_rnn, matrices, seed):
    assert_linear_pieces_that_tile_the_plane(make_rnn(*matrices), seed)


@pytest.mark.parametrize("seed", range(5))
def test_cones_of_bundled_models(seed):
    assert_linear_pieces_that_tile_the_plane(zoo_2nd_argmax(4, 2, seed=seed), seed)


def test_cones_of_a_model_without_weights(make_rnn):
    right, left = cones(make_rnn(np.zeros(3), np.zeros((3, 3)), np.zeros((2, 3))))
    np.testing.assert_allclose(right.angles, [-np.pi / 2, np.pi / 2])
    np.testing.assert_allclose(left.angles, [np.pi / 2, 3 * np.pi / 2])
    assert right.fraction == left.fraction == 0.5
    assert not right.pattern.any()
    assert not left.outputs.any()


def test_neurons_without_input_follow_the_first_half(make_rnn):
    # Neuron 1 sees neuron 0 only, which holds x0 where x0 > 0.
    model = make_rnn([1, 0], [[0, 0], [1, 0]], [[0, 0], [0, 1]])
    assert_linear_pieces_that_tile_the_plane(model)
    assert [bool(piece.pattern[1, 1]) for piece in cones(model)] == [True, True, False, False]


@given(SEED)
def test_coefficients_are_of_logits_1_minus_logits_0(gaussian_rnn, seed):
    model = gaussian_rnn(seed, 3)
    for piece in cones(model):
        x = torch.tensor(piece.rays.sum(axis=0))[None]
        logits = model(x)[0].detach()
        expected = piece.a0 * x[0, 0].item() - piece.a1 * x[0, 1].item()
        assert (logits[1] - logits[0]).item() == pytest.approx(expected, abs=1e-12)


def test_table_of_official_m22(official_2_2):
    # design/exact-estimates.md, section 1; counterclockwise from the ray (0, -1)
    table = [
        (-90, 20.913, [1, 0], [0, 1], 395.75, 346.69),
        (20.913, 48.781, [1, 0], [1, 1], 426.18, 426.32),
        (48.781, 90, [1, 0], [1, 0], 30.43, 79.64),
        (90, 216.926, [0, 1], [1, 0], 166.06, 79.64),
        (216.926, 244.379, [0, 1], [1, 1], 426.60, 426.32),
        (244.379, 270, [0, 1], [0, 1], 260.54, 346.69),
    ]
    for piece, (first, second, h1, h2, a0, a1) in zip(cones(official_2_2), table, strict=True):
        np.testing.assert_allclose(np.degrees(piece.angles), [first, second], atol=1e-3)
        assert piece.pattern.tolist() == [[bool(active) for active in h] for h in (h1, h2)]
        np.testing.assert_allclose([piece.a0, piece.a1], [a0, a1], atol=1e-2)


@pytest.mark.parametrize("tiny", [1e-6, 1e-9, 1e-12])
def test_slivers_are_found_and_measured(make_rnn, tiny):
    # On the right, the neurons switch at x1 / x0 = -0.7 - tiny and -0.7.
    model = make_rnn([1, 1], [[0.7, 0], [0.7 + tiny, 0]], [[1, 0], [0, 1]])
    right = [piece.fraction for piece in cones(model) if piece.rays[:, 0].sum() > 1e-9]
    angle = np.arctan2(tiny, 1 + 0.7 * (0.7 + tiny))
    assert len(right) == 3
    assert right[1] == pytest.approx(angle / (2 * np.pi), abs=2e-16)
    assert_linear_pieces_that_tile_the_plane(model)


@pytest.mark.parametrize(
    "offset", [0.5, 0.7097651501783702, 0.44942595180749484, -1.362179463295006]
)
def test_rays_that_differ_by_one_rounding_enclose_no_full_circle(make_rnn, offset):
    offsets = [[offset, 0], [np.nextafter(offset, np.inf), 0]]
    fractions = [piece.fraction for piece in cones(make_rnn([1, 1], offsets, np.eye(2)))]
    assert sum(fractions) == pytest.approx(1, abs=1e-14)


def test_outputs_beyond_float64_are_refused(make_rnn):
    with pytest.raises(ValueError, match="overflow float64"):
        cones(make_rnn([1e200], [[1]], [[1e200], [0]]))


@pytest.mark.parametrize("model", [DistRNN(2, 4), ScalarRNN(2, 5), DistRNN(2, 1)], ids=[4, 5, 1])
def test_other_lengths_are_refused(model):
    with pytest.raises(ValueError, match=f"seq_len 2 and 3, got {model.seq_len}"):
        cones(model)


@given(small_integer_matrices(), st.sampled_from([1, -1]))
def test_segments_cover_the_line_and_are_maximal(make_rnn, matrices, side):
    segments = line_segments(as_fractions(weights_of(make_rnn(*matrices))), side)
    ends = [segment.lower for segment in segments] + [segments[-1].upper]
    assert (ends[0], ends[-1]) == (-np.inf, np.inf)
    assert all(lower < upper for lower, upper in pairwise(ends))
    assert [segment.upper for segment in segments] == ends[1:]
    after_x1 = [tuple(segment.active[1]) for segment in segments]
    assert all(a != b for a, b in pairwise(after_x1))


def between(lower, upper):
    """A fraction between two ends that may be infinite."""
    if lower == -np.inf:
        return Fraction(0) if upper == np.inf else upper - 1
    return lower + 1 if upper == np.inf else (lower + upper) / 2


@given(small_integer_matrices(), st.sampled_from([1, -1]))
def test_segments_of_fractions_are_exactly_the_network(make_rnn, matrices, side):
    model = make_rnn(*matrices)
    for segment in line_segments(as_fractions(weights_of(model)), side):
        t = between(segment.lower, segment.upper)
        expected, pattern = run_exactly(model, [side, t])
        assert (segment.constant + segment.slope * t == expected).all()
        assert (np.stack(segment.active) == pattern).all()


def test_as_fractions_loses_nothing():
    model = zoo_2nd_argmax(2, 2)
    for exact, matrix in zip(as_fractions(weights_of(model)), weights_of(model), strict=True):
        assert all(isinstance(value, Fraction) for value in exact.flat)
        assert (exact == matrix).all()


@given(small_integer_matrices())
@example(([1, -1], [[0, 1], [1, 0]], np.eye(2)))  # neurons switch where the inputs are equal
def test_decisions_tile_the_plane_without_pieces_that_are_empty(make_rnn, matrices):
    pieces = decision_cones(make_rnn(*matrices))
    widths = [np.subtract(*piece.angles[::-1]) for piece in pieces]
    assert min(widths) > 0
    assert sum(widths) == pytest.approx(2 * np.pi)
