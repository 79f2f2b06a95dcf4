import math

import numpy as np
import pytest

from algzoo.explanations.second_argmax_h4_n3.tie_arcs import arc_length, arc_of_zeros, tie_arcs
from algzoo.structure import outputs, weights_of
from algzoo.zoo import DistRNN, zoo_2nd_argmax


def length_by_walking(corners, tie, winning, n=40_000):
    """How many of n places of a great circle are within a polygon and won."""
    sides = np.cross(corners, np.roll(corners, -1, axis=0))
    plane = np.linalg.svd(tie[None].astype(float))[2][1:]
    angle = 2 * np.pi * (np.arange(n) + 0.5) / n
    x = np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ plane
    return ((x @ winning > 0) & (x @ sides.T > 0).all(-1)).mean() * 2 * np.pi


def length_of(corners, tie, winning):
    points = [tuple(map(int, corner)) for corner in corners]
    heights = [[int(x) for x in corners @ function] for function in (tie, winning)]
    ends = arc_of_zeros(points, *heights)
    return 0.0 if ends is None else arc_length(*ends)


@pytest.mark.parametrize("seed", range(90))
def test_an_arc_is_where_one_function_vanishes_and_another_is_positive(seed):
    rng = np.random.default_rng(seed)
    n = 3 + seed % 3
    angle = np.sort(2 * np.pi * (np.arange(n) + rng.uniform(0, 0.8, n)) / n)
    corners = np.stack([np.cos(angle), np.sin(angle), np.full(n, rng.uniform(0.3, 2))], axis=-1)
    corners = np.rint(1000 * corners).astype(int)
    tie, winning = rng.integers(-1000, 1000, (2, 3))
    expected = length_by_walking(corners, tie, winning)
    assert length_of(corners, tie, winning) == pytest.approx(expected, abs=1e-3)


OCTANT = np.eye(3, dtype=int)


@pytest.mark.parametrize(
    ("tie", "winning", "length"),
    [
        # Through a corner of the octant to the middle of the other side.
        ([1, -1, 0], [2, 1, 1], math.pi / 2),
        # The third takes over at x2 = x0 = x1.
        ([1, -1, 0], [1, 0, -1], math.atan(math.sqrt(1 / 2))),
        # It is won from the corner on, and up to the corner.
        ([1, -1, 0], [1, 1, 0], math.pi / 2),
        ([1, -1, 0], [0, 0, 1], math.pi / 2),
        # Won by nobody, or zero all along.
        ([1, -1, 0], [-1, -1, -1], 0),
        ([1, -1, 0], [1, -1, 0], 0),
        # Zero on an edge, at a corner, nowhere, everywhere.
        ([0, 0, 1], [1, 1, 1], 0),
        ([1, 1, 0], [1, 1, 1], 0),
        ([1, 1, 1], [1, 1, 1], 0),
        ([0, 0, 0], [1, 1, 1], 0),
    ],
)
def test_arcs_of_the_octant(tie, winning, length):
    assert length_of(OCTANT, np.array(tie), np.array(winning)) == pytest.approx(length)


def test_an_arc_of_any_length_has_all_its_digits():
    for digits in (1, 10, 30, 300):
        start, stop = (10**digits, 0, 0), (10**digits, 1, 0)
        assert arc_length(start, stop) == pytest.approx(math.atan(10.0**-digits), rel=1e-15)
    assert arc_length((1, 0, 0), (-1, 1, 0)) == pytest.approx(3 * math.pi / 4, rel=1e-15)


def test_a_sliver_is_found_and_what_is_none_is_not():
    """Of two functions that differ by one part in 10^30 at a corner, one crosses the polygon."""
    corners = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    big = 10**30
    assert arc_of_zeros(corners, [0, big, big], [1, 1, 1]) is None
    start, stop = arc_of_zeros(corners, [-1, big, big], [1, 1, 1])
    assert arc_length(start, stop) == pytest.approx(math.sqrt(2) * 1e-30)


@pytest.mark.parametrize("seed", range(5))
def test_on_arcs_two_logits_are_equal_and_the_largest(seed):
    """Beside every arc the two answers are given; found on many planes, and on no others."""
    model = zoo_2nd_argmax(4, 3, seed=seed)
    found = tie_arcs(model)
    assert all(arc.length > 0 for arc in found)
    assert {arc.pattern.shape for arc in found} == {(3, 4)}
    # As often as one walks from one answer to another, within a piece, there is such an arc.
    rng = np.random.default_rng(seed)
    frames = np.linalg.qr(rng.standard_normal((60, 3, 3)))[0][:, :2]
    angle = 2 * np.pi * (np.arange(20_000) + 0.5) / 20_000
    x = (np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ frames).reshape(-1, 3)
    weights = weights_of(model)
    answer = outputs(weights, x).argmax(-1)
    state, patterns = np.zeros((len(x), 4)), []
    for column in x.T:
        drive = state @ weights.w_hh.T + column[:, None] * weights.w_hi
        patterns.append(drive > 0)
        state = np.maximum(drive, 0)
    pattern = np.stack(patterns, axis=1).reshape(len(x), -1)
    changes = (answer[1:] != answer[:-1]) & (pattern[1:] == pattern[:-1]).all(1)
    changes[19_999::20_000] = False  # from one circle to the next
    known = {(arc.answers, arc.pattern.tobytes()) for arc in found}
    met = {
        (tuple(sorted(map(int, answer[i : i + 2]))), pattern[i].tobytes())
        for i in np.flatnonzero(changes)
    }
    assert met <= known
    # Those not met are short.
    lengths = {(arc.answers, arc.pattern.tobytes()): arc.length for arc in found}
    assert max((lengths[key] for key in known - met), default=0) < 0.2


def test_arcs_are_those_of_models_of_three_inputs_and_logits():
    for model in (DistRNN(2, 2), DistRNN(4, 4)):
        with pytest.raises(ValueError, match="with three inputs and three logits, got seq_len"):
            tie_arcs(model)
