import math

import numpy as np
import pytest

from algzoo.estimates import angle_quadrature
from algzoo.estimates.counting.counter import plain
from algzoo.estimates.few_inputs.four import Angles, accuracy_at_angle
from algzoo.estimates.few_inputs.ties import tie_quadrature, tie_quadrature_with_bound
from algzoo.estimates.samplers.walk import last_input_walk
from algzoo.zoo import zoo_2nd_argmax


@pytest.mark.parametrize("d", [2, 4])
def test_it_comes_to_the_accuracy(d):
    model = zoo_2nd_argmax(d, 4)
    truth = last_input_walk(model, 2_000_000, 0)
    estimate, bound = tie_quadrature_with_bound(model, 60)
    assert abs(estimate.value - truth.value) < 4 * truth.std + bound + 1e-4
    fine = angle_quadrature(model, 200)
    assert estimate.value == pytest.approx(fine.value, abs=3e-4)


def test_the_mean_over_offsets_is_the_accuracy():
    model = zoo_2nd_argmax(2, 4)
    values = np.array(
        [tie_quadrature(model, 3, scramble, least=0).value for scramble in range(150)]
    )
    truth = last_input_walk(model, 2_000_000, 0)
    spread = math.hypot(values.std(ddof=1) / math.sqrt(len(values)), truth.std)
    assert abs(values.mean() - truth.value) < 4 * spread


def test_for_its_price_it_beats_the_quadrature_between_kinks():
    model = zoo_2nd_argmax(8, 4)
    truth = last_input_walk(model, 4_000_000, 0)
    rule = tie_quadrature(model, 16)
    halving = angle_quadrature(model, 40)
    assert rule.operations < halving.operations
    assert abs(rule.value - truth.value) < abs(halving.value - truth.value) + truth.std


@pytest.mark.parametrize("d", [4, 16])
def test_what_is_left_out_is_bounded(d):
    angles = Angles(zoo_2nd_argmax(d, 4))
    for angle in (0.3, 2.0, 4.4):
        whole, nothing = angles.accuracy_at(angle)
        assert nothing == 0
        before = angles.counter.total
        part, left_out = angles.accuracy_at(angle, 1e-2)
        cost = angles.counter.total - before
        assert abs(plain(part) - plain(whole)) <= left_out + 1e-12
        before = angles.counter.total
        angles.accuracy_at(angle)
        if d == 16 and left_out > 0:  # smaller models have few sectors
            assert cost < angles.counter.total - before


def test_the_bound_is_the_mean_of_what_is_left_out():
    model = zoo_2nd_argmax(4, 4)
    _, bound = tie_quadrature_with_bound(model, 1, least=0.01)
    left_out = [
        Angles(model).accuracy_at(tie + math.pi / 2, 0.01)[1]
        for tie in (math.pi / 4, 5 * math.pi / 4)
    ]
    assert bound == pytest.approx(30 / 16 * sum(left_out) / 2)
    assert tie_quadrature_with_bound(model, 1, least=0)[1] == 0


def test_one_node_is_the_middle_of_each_half_circle():
    model = zoo_2nd_argmax(4, 4)
    right = [accuracy_at_angle(model, angle * math.pi / 4) for angle in (3, 7)]
    expected = 1 - 30 / 16 * (2 - sum(right)) / 2
    assert tie_quadrature(model, 1, least=0).value == pytest.approx(expected, abs=1e-12)


def test_operations_grow_with_the_nodes():
    model = zoo_2nd_argmax(4, 4)
    one, two = (tie_quadrature(model, nodes, 0).operations for nodes in (4, 8))
    assert 1.7 < two / one < 2.1
    assert tie_quadrature(model, 4, 0).runs_network == "never"


def test_what_it_is_not_for_is_refused():
    with pytest.raises(ValueError, match="is for 2nd-argmax models of four inputs, not for"):
        tie_quadrature(zoo_2nd_argmax(4, 3), 4)
    with pytest.raises(ValueError, match="nodes must be positive"):
        tie_quadrature(zoo_2nd_argmax(4, 4), 0)
    with pytest.raises(ValueError, match="least from 0 to 0"):
        tie_quadrature(zoo_2nd_argmax(4, 4), 4, least=0.5)
