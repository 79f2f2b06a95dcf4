import math

import numpy as np
import pytest

from algzoo.estimates.counting.counter import plain
from algzoo.estimates.few_inputs.four import accuracy_at_angle
from algzoo.estimates.many_inputs.planes import _Planes, accuracy_at_direction, plane_quadrature
from algzoo.estimates.samplers.forward import answers_right
from algzoo.estimates.samplers.walk import last_input_walk
from algzoo.structure import weights_of
from algzoo.zoo import zoo_2nd_argmax


@pytest.mark.parametrize("d", [2, 4])
def test_with_two_given_inputs_it_is_the_accuracy_at_an_angle(d):
    model = zoo_2nd_argmax(d, 4)
    for angle in (0.3, 1.0, 2.0, 3.3, 4.5):
        direction = [math.cos(angle), math.sin(angle)]
        expected = accuracy_at_angle(model, angle)
        assert accuracy_at_direction(model, direction) == pytest.approx(expected, abs=1e-9)


def test_noisy_copies_too(noisy_copies):
    # Among the meridians of a good network are whole lines, which have both ends at infinity.
    rng = np.random.default_rng(0)
    for model in noisy_copies(zoo_2nd_argmax(16, 5), 2, 0.006, seed=1):
        for _ in range(4):
            given = rng.standard_normal(3)
            x = rng.standard_normal((5, 40_000))
            length = np.sqrt((x[:3] ** 2).sum(axis=0))
            x[:3] = (given / np.sqrt((given**2).sum()))[:, None] * length
            sampled = answers_right(weights_of(model), x, 1).mean()
            assert accuracy_at_direction(model, given) == pytest.approx(sampled, abs=0.01)


@pytest.mark.parametrize(("d", "n"), [(2, 5), (4, 6), (4, 8), (3, 10)])
def test_it_agrees_with_sampling_the_last_two_inputs(d, n):
    model = zoo_2nd_argmax(d, n)
    weights = weights_of(model)
    rng = np.random.default_rng(n)
    n_samples = 100_000
    for _ in range(4):
        given = rng.standard_normal(n - 2)
        x = rng.standard_normal((n, n_samples))
        length = np.sqrt((x[: n - 2] ** 2).sum(axis=0))
        x[: n - 2] = (given / np.sqrt((given**2).sum()))[:, None] * length
        sampled = answers_right(weights, x, 1).mean()
        std = math.sqrt(sampled * (1 - sampled) / n_samples) + 1e-4
        assert accuracy_at_direction(model, given) == pytest.approx(sampled, abs=4 * std)


def test_gaussian_weights_too(gaussian_rnn):
    model = gaussian_rnn(3, 3, seq_len=5)
    weights = weights_of(model)
    rng = np.random.default_rng(0)
    for _ in range(6):
        given = rng.standard_normal(3)
        x = rng.standard_normal((5, 100_000))
        length = np.sqrt((x[:3] ** 2).sum(axis=0))
        x[:3] = (given / np.sqrt((given**2).sum()))[:, None] * length
        sampled = answers_right(weights, x, 1).mean()
        assert accuracy_at_direction(model, given) == pytest.approx(sampled, abs=0.007)


@pytest.mark.parametrize(("d", "n"), [(2, 5), (4, 6)])
def test_the_mean_over_scrambles_is_the_accuracy(d, n):
    model = zoo_2nd_argmax(d, n)
    values = np.array([plane_quadrature(model, 4, scramble).value for scramble in range(40)])
    truth = last_input_walk(model, 300_000, 0)
    spread = math.hypot(values.std(ddof=1) / math.sqrt(len(values)), truth.std)
    assert abs(values.mean() - truth.value) < 4 * spread + 1e-4


def test_leaving_out_sectors_changes_little_and_costs_less():
    planes = _Planes(zoo_2nd_argmax(16, 6))
    direction = np.array([0.3, -1.0, 0.8, 0.1])
    costs, values = [], []
    for least in (0.0, 1e-4):
        before = planes.counter.total
        values.append(float(plain(planes.accuracy_at(direction, least))))
        costs.append(planes.counter.total - before)
    assert values[1] == pytest.approx(values[0], abs=3e-3)
    assert costs[1] < 0.85 * costs[0]


def test_its_cost_is_counted():
    model = zoo_2nd_argmax(4, 5)
    one = plane_quadrature(model, 1, 0).operations
    four = plane_quadrature(model, 4, 0).operations
    assert 15 * 120 < one < four < 90 * 4 * 120
    assert plane_quadrature(model, 1, 0).runs_network == "never"


def test_what_it_is_not_for_is_refused():
    with pytest.raises(ValueError, match="is for 2nd-argmax models of at least five inputs"):
        plane_quadrature(zoo_2nd_argmax(4, 4), 4, 0)
    with pytest.raises(ValueError, match="directions must be positive"):
        plane_quadrature(zoo_2nd_argmax(4, 5), 0, 0)
