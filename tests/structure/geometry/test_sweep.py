from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from algzoo.structure import cones, decision_cones, outputs, weights_of
from algzoo.zoo import (
    DistRNN,
    ScalarRNN,
    handcrafted_2nd_argmax,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_median,
)

SEED = st.integers(0, 2**32 - 1)


@st.composite
def small_integer_matrices(draw):
    """W_hi, W_hh and W_oh with many ties, parallel planes, duplicates and zeros."""
    d = draw(st.integers(1, 4))
    entry = st.integers(-2, 2).map(float)
    return tuple(draw(arrays(float, shape, elements=entry)) for shape in [(d,), (d, d), (3, d)])


def run_exactly(model, x):
    """Outputs and activation pattern on one input, in fractions: no rounding."""
    w_hi, w_hh, w_oh = (np.vectorize(Fraction, otypes=[object])(w) for w in weights_of(model))
    state, pattern = np.full(len(w_hi), Fraction(0)), []
    for number in x:
        drive = w_hh @ state + w_hi * Fraction(number)
        pattern.append(drive > 0)
        state = np.where(pattern[-1], drive, Fraction(0))
    return w_oh @ state, np.array(pattern)


def argmax(values):
    return list(values).index(max(values))


def area_by_angles(rays):
    """Area of a convex spherical polygon from its angles: Girard's theorem."""
    before, after = np.roll(rays, 1, axis=0), np.roll(rays, -1, axis=0)
    leave, enter = np.cross(rays, after), np.cross(before, rays)
    turn = np.arctan2((np.cross(enter, leave) * rays).sum(1), (enter * leave).sum(1))
    return 2 * np.pi - turn.sum()


def assert_pieces_that_tile_the_sphere(model, seed, *, decisions):
    pieces = decision_cones(model) if decisions else cones(model)
    assert sum(piece.fraction for piece in pieces) == pytest.approx(1, abs=1e-13)
    rng = np.random.default_rng(seed)
    for piece in pieces:
        assert piece.fraction >= 0
        np.testing.assert_allclose(np.linalg.norm(piece.rays, axis=1), 1, rtol=1e-14)
        if len(piece.rays) < 3 or piece.solid_angle < 1e-6:
            continue
        assert (piece.normals @ piece.rays.T > -1e-9).all()  # convex, normals inward
        # Any mixture of the rays lies within.
        x = rng.dirichlet(np.ones(len(piece.rays))) @ piece.rays
        if (piece.normals @ x).min() < 1e-9:
            continue
        expected, pattern = run_exactly(model, x)
        np.testing.assert_array_equal(piece.pattern, pattern)
        scale = np.abs(piece.outputs) @ np.abs(x)
        assert (np.abs(piece.outputs @ x - expected.astype(float)) <= 1e-12 * scale + 1e-13).all()
        if decisions:
            assert piece.answer == argmax(expected)
            assert piece.right_answer == x.argsort()[1]
    return pieces


@given(SEED, st.integers(1, 6), st.booleans())
def test_cones_of_gaussian_models(gaussian_rnn, seed, hidden_size, decisions):
    model = gaussian_rnn(seed, hidden_size, seq_len=3)
    assert_pieces_that_tile_the_sphere(model, seed, decisions=decisions)


@given(small_integer_matrices(), SEED, st.booleans())
def test_cones_of_models_with_ties_duplicates_and_zeros(make_rnn, matrices, seed, decisions):
    model = make_rnn(*matrices, seq_len=3)
    assert_pieces_that_tile_the_sphere(model, seed, decisions=decisions)


@pytest.mark.parametrize("seed", range(5))
def test_cones_of_bundled_models(seed):
    model = zoo_2nd_argmax(4, 3, seed=seed)
    assert_pieces_that_tile_the_sphere(model, seed, decisions=True)
    assert_pieces_that_tile_the_sphere(model, seed, decisions=False)


def test_areas_agree_with_girards_theorem():
    for piece in decision_cones(zoo_2nd_argmax(4, 3)):
        lengths = np.linalg.norm(piece.rays - np.roll(piece.rays, 1, axis=0), axis=1)
        if lengths.min() > 1e-3:
            assert piece.solid_angle == pytest.approx(area_by_angles(piece.rays), abs=1e-11)


@given(SEED, st.integers(1, 5))
def test_every_input_lies_in_one_cone_with_the_models_answer(gaussian_rnn, seed, hidden_size):
    model = gaussian_rnn(seed, hidden_size, seq_len=3)
    x = np.random.default_rng(seed).standard_normal((400, 3))
    answers = outputs(weights_of(model), x).argmax(-1)
    found = np.zeros(len(x), dtype=int)
    for piece in decision_cones(model):
        if len(piece.normals) < 3:
            continue
        inside = (x @ piece.normals.T > 1e-9).all(-1)
        found += inside
        assert (answers[inside] == piece.answer).all()
        assert (x[inside].argsort(-1)[:, 1] == piece.right_answer).all()
    assert found.max() == 1
    assert (found == 0).sum() <= 2  # within 1e-9 of a boundary, or in a sliver


@given(small_integer_matrices(), SEED)
def test_fractions_are_the_probabilities_of_answers(make_rnn, matrices, seed):
    model = make_rnn(*matrices, seq_len=3)
    n = 4096
    x = np.round(np.random.default_rng(seed).standard_normal((n, 3)) * 2**20) / 2**20
    sampled = np.zeros((3, 3))
    np.add.at(sampled, (outputs(weights_of(model), x).argmax(-1), x.argsort(-1)[:, 1]), 1 / n)
    exact = np.zeros((3, 3))
    for piece in decision_cones(model):
        exact[piece.answer, piece.right_answer] += piece.fraction
    assert (np.abs(sampled - exact) <= 5 * np.sqrt(exact * (1 - exact) / n) + 2 / n).all()


def test_numbers_of_cones_of_bundled_models():
    # design/exact-estimates.md, section 6, including the cut at x0 = x1
    models = [zoo_2nd_argmax(4, 3), zoo_2nd_argmax(8, 3), zoo_2nd_argmax(16, 3, seed=1)]
    assert [len(cones(model)) for model in models] == [80, 240, 926]


def test_dead_cone_of_bundled_m43():
    # design/facts.md: all hidden units off on 0.17% of inputs, and the answer is 0
    dead = [c for c in decision_cones(zoo_2nd_argmax(4, 3)) if not c.pattern[2].any()]
    assert sum(cone.fraction for cone in dead) == pytest.approx(0.0017, abs=5e-5)
    assert {cone.answer for cone in dead} == {0}
    assert all((cone.outputs == 0).all() for cone in dead)


def test_model_without_weights_answers_0(make_rnn):
    model = make_rnn(np.zeros(3), np.zeros((3, 3)), np.zeros((3, 3)), seq_len=3)
    pieces = assert_pieces_that_tile_the_sphere(model, 0, decisions=True)
    assert {piece.answer for piece in pieces} == {0}
    right = sum(piece.fraction for piece in pieces if piece.is_right)
    assert right == pytest.approx(1 / 3, abs=1e-15)


def test_ties_between_two_logits_are_given_to_the_first(make_rnn):
    # Neuron 0 is active where x2 > 0, and logits 1 and 2 rise together.
    model = make_rnn([1], [[0]], [[0], [1], [1]], seq_len=3)
    for piece in decision_cones(model):
        assert piece.answer == (1 if piece.rays[:, 2].sum() > 0 else 0)


@pytest.mark.parametrize("factor", [1.0, 3.0, 0.1])
def test_duplicate_neurons_change_no_decision(make_rnn, gaussian_rnn, factor):
    model = gaussian_rnn(1, 3, seq_len=3)
    w_hi, w_hh, w_oh = weights_of(model)
    # Neuron 3 repeats neuron 2 in another unit, with nothing at its output.
    w_hi, w_hh = np.append(w_hi, factor * w_hi[2]), np.vstack([w_hh, factor * w_hh[2]])
    w_hh = np.hstack([w_hh, np.zeros((4, 1))])
    twin = make_rnn(w_hi, w_hh, np.hstack([w_oh, np.zeros((3, 1))]), seq_len=3)
    pieces = assert_pieces_that_tile_the_sphere(twin, 0, decisions=True)
    shares = [
        [sum(p.fraction for p in partition if (p.answer, p.right_answer) == (i, j))
         for i in range(3) for j in range(3)]
        for partition in (pieces, decision_cones(model))
    ]  # fmt: skip
    np.testing.assert_allclose(*shares, rtol=0, atol=1e-14)
    if factor == 1.0:
        assert len(pieces) == len(decision_cones(model))


@pytest.mark.parametrize("tiny", [1e-6, 1e-9, 1e-13])
def test_slivers_are_found_and_measured(make_rnn, tiny):
    # After x2, neurons 0 and 1 are active above x2 = -0.7 abs(x1) and -(0.7 + tiny) abs(x1),
    # for abs(x1), which neurons 2 and 3 hold after x1.
    w_hh = [[0.0, 0, 0.7, 0.7], [0, 0, 0.7 + tiny, 0.7 + tiny], [0, 0, 0, 0], [0, 0, 0, 0]]
    model = make_rnn([1, 1, 1, -1], w_hh, np.eye(3, 4), seq_len=3)
    pieces = assert_pieces_that_tile_the_sphere(model, 0, decisions=False)
    split = [p for p in pieces if p.pattern[2, 0] != p.pattern[2, 1]]
    inclination = np.arctan(0.7 + tiny) - np.arctan(0.7)
    assert sum(p.solid_angle for p in split) == pytest.approx(2 * 2 * inclination, abs=1e-14)


def test_parallel_boundaries_and_neurons_without_input(make_rnn):
    w_hh = [[0.0, 0, 1], [0, 0, 2], [-1, 1, 0]]
    model = make_rnn([1, 2, 0], w_hh, [[1, 0, 0], [0, 1, 0], [0, 0, 1]], seq_len=3)
    pieces = assert_pieces_that_tile_the_sphere(model, 0, decisions=True)
    assert any(piece.pattern[1, 2] for piece in pieces)
    assert any(piece.pattern[2, 2] for piece in pieces)


def test_models_with_other_outputs_have_cones_too():
    pieces = assert_pieces_that_tile_the_sphere(zoo_median(4, 3), 0, decisions=False)
    assert pieces[0].outputs.shape == (1, 3)


def test_argmedian_of_three_is_the_same_task():
    assert_pieces_that_tile_the_sphere(zoo_argmedian(4, 3), 0, decisions=True)


@pytest.mark.parametrize("seed", range(5))
def test_decisions_on_two_inputs(seed):
    model = zoo_2nd_argmax(4, 2, seed=seed)
    pieces = decision_cones(model)
    assert sum(piece.fraction for piece in pieces) == pytest.approx(1, abs=1e-14)
    for piece, following in zip(pieces, pieces[1:] + pieces[:1], strict=True):
        np.testing.assert_allclose(piece.rays[1], following.rays[0], rtol=0, atol=1e-15)
        x = piece.rays.sum(axis=0)
        assert piece.normals @ x == pytest.approx(np.abs(piece.normals @ x))
        expected, _ = run_exactly(model, x)
        assert (piece.answer, piece.right_answer) == (argmax(expected), x.argmin())


def test_handcrafted_model_is_right_in_every_cone():
    assert all(piece.is_right for piece in decision_cones(handcrafted_2nd_argmax(2)))


def test_properties_of_two_inputs_are_refused_on_three():
    piece = cones(zoo_2nd_argmax(2, 3))[0]
    for name in ("angles", "a0", "a1"):
        with pytest.raises(ValueError, match="cones of two inputs, this one is of 3"):
            getattr(piece, name)


@pytest.mark.parametrize("model", [DistRNN(2, 4), ScalarRNN(2, 3), zoo_argmedian(2, 5)])
def test_decisions_of_other_tasks_are_refused(model):
    with pytest.raises(ValueError, match=f"with seq_len {model.seq_len}"):
        decision_cones(model)


def test_outputs_beyond_float64_are_refused(make_rnn):
    with pytest.raises(ValueError, match="overflow float64"):
        cones(make_rnn([1e200], [[1]], [[1e200], [0], [0]], seq_len=3))


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_extreme_weights_change_no_fraction(make_rnn, unit):
    model = zoo_2nd_argmax(4, 3)
    w_hi, w_hh, w_oh = weights_of(model)
    extreme = make_rnn(w_hi * unit, w_hh, w_oh / unit, seq_len=3)
    rights = [sum(p.fraction for p in decision_cones(m) if p.is_right) for m in (model, extreme)]
    assert rights[0] == pytest.approx(rights[1], abs=1e-13)
