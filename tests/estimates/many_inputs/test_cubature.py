import math
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from algzoo.estimates import class_cubature, exact, sampling
from algzoo.estimates.many_inputs.cubature import _inputs
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax


@pytest.mark.parametrize(("n", "rows"), [(3, 4), (4, 8), (5, 12), (10, 16)])
def test_every_input_is_in_its_class_and_thirds_are_visited_equally(n, rows):
    classes = list(permutations(range(n), 2))
    for x in _inputs(n, rows, scramble=3):
        order = np.argsort(x[:, : len(classes) * rows], axis=0)
        assert [tuple(pair) for pair in order[[-1, -2]].T[::rows]] == classes
        assert (order[[-1, -2]] == np.repeat(classes, rows, axis=0).T).all()
    first = np.argsort(_inputs(n, rows, scramble=3)[0][:, :rows], axis=0)
    _, visits = np.unique(first[-3], return_counts=True)
    assert (visits == rows // (n - 2)).all()


def test_inputs_follow_the_normal_law():
    # Together the classes are all inputs: each position is standard Gaussian, both inputs alike.
    for x in _inputs(10, 64, scramble=0):
        for position in x[:, : 90 * 64]:
            assert stats.kstest(position, "norm").statistic < 0.02
        assert np.abs(np.corrcoef(x[:, : 90 * 64]) - np.eye(10)).max() < 0.03


def test_the_two_last_inputs_are_half_of_their_law_away():
    first, other = (x[-1, : 90 * 64] for x in _inputs(10, 64, scramble=0))
    assert (first[:-1] != other[:-1]).all()
    # Both are uniform within the law, so that on average nothing moves.
    assert abs((other - first).mean()) < 0.02


@pytest.mark.parametrize("model", [zoo_2nd_argmax(4, 3, seed=s) for s in range(3)])
def test_the_mean_over_scrambles_is_the_accuracy(model):
    values = [class_cubature(model, 16, scramble).value for scramble in range(200)]
    error = np.mean(values) - exact(model).value
    assert abs(error) < 4 * np.std(values) / math.sqrt(len(values))


def test_it_agrees_with_sampling_on_ten_inputs():
    model = zoo_2nd_argmax(16, 10)
    truth = sampling(model, 2**22, seed=0)
    values = [class_cubature(model, 32, scramble).value for scramble in range(40)]
    error = np.mean(values) - truth.value
    assert abs(error) < 4 * math.hypot(np.std(values) / math.sqrt(len(values)), truth.std)
    # Random sampling at that price would scatter more.
    samples = class_cubature(model, 32, 0).operations / 2880
    assert np.std(values) < math.sqrt(truth.value * (1 - truth.value) / samples)


def test_a_perfect_model_is_right_everywhere():
    # The handcrafted network of ten inputs is wrong only where the second largest is negative.
    estimate = class_cubature(handcrafted_2nd_argmax(10), 64, 0)
    assert estimate.value == pytest.approx(1 - 11 / 2**10, abs=0.003)


def test_operations_are_a_forward_pass_and_a_second_leaf():
    estimate = class_cubature(zoo_2nd_argmax(16, 10), 8, 0)
    assert estimate.operations == 90 * 8 * (2880 + 16 + 160)
    assert class_cubature(zoo_2nd_argmax(4, 3), 8, 0).operations == 6 * 8 * (72 + 4 + 12)


@pytest.mark.parametrize("rows", [0, 4, 12, -8])
def test_wrong_numbers_of_rows_are_refused(rows):
    with pytest.raises(ValueError, match=f"rows must be a positive multiple of 8, got {rows}"):
        class_cubature(zoo_2nd_argmax(16, 10), rows, 0)
