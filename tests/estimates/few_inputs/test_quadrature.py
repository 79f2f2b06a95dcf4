import math

import numpy as np
import pytest

from algzoo.estimates import CountedNumber, OperationCounter
from algzoo.estimates.few_inputs.quadrature import adaptive_gauss


class Integrand:
    """A function of plain numbers made one of counted numbers; it keeps its arguments."""

    def __init__(self, function):
        self.function = function
        self.nodes = []
        self.counter = OperationCounter()

    def __call__(self, x):
        self.nodes.append(x.value)
        return CountedNumber(self.function(x.value), self.counter)

    def integrate(self, ends, n_nodes):
        counted_ends = [CountedNumber(float(end), self.counter) for end in ends]
        return adaptive_gauss(self, counted_ends, n_nodes)


def test_cubics_are_integrated_exactly():
    quadrature = Integrand(lambda x: 4 * x**3 - x + 2).integrate([0, 0.3, 1], 40)
    assert quadrature.value.value == pytest.approx(2.5, abs=1e-15)
    assert quadrature.doubt.value < 1e-14
    assert quadrature.n_nodes == 40


@pytest.mark.parametrize(
    ("function", "integral"),
    [
        (lambda x: abs(x - 0.3), 0.29),
        (lambda x: float(x > 0.3), 0.7),
        (lambda x: min(1.0, abs(x - 1 / 3) * 50), 1 - 1 / 50),
        (lambda x: math.sqrt(x), 2 / 3),
    ],
)
def test_kinks_and_jumps_are_found(function, integral):
    integrand = Integrand(function)
    quadrature = integrand.integrate([0, 0.2, 1], 120)
    error = abs(quadrature.value.value - integral)
    assert error <= quadrature.doubt.value + 1e-15 < 1e-3
    assert len(integrand.nodes) == quadrature.n_nodes <= 120


def test_nodes_go_where_the_kink_is():
    integrand = Integrand(lambda x: abs(x - 0.7))
    integrand.integrate([0, 1], 400)
    near = np.abs(np.array(integrand.nodes) - 0.7) < 0.05
    assert near.mean() > 0.3  # of all, on a tenth of the length


def test_where_nothing_is_in_doubt_the_longest_interval_is_halved():
    integrand = Integrand(lambda x: 0.5)
    integrand.integrate([0, 1], 1000)
    assert np.diff(sorted(integrand.nodes)).max() < 1 / 250


def test_an_interval_never_halved_is_in_doubt_by_its_length():
    assert Integrand(lambda x: 0.5).integrate([0, 2, 3], 4).doubt.value == 3


def test_arithmetic_is_counted():
    integrand = Integrand(lambda x: x)
    integrand.integrate([0, 1], 2)
    # The length, half of it added to the start, the offset taken from the middle and added to it,
    # the sum and its product; the length as doubt.
    assert integrand.counter.total == 6 + 1
    assert integrand.counter.counts["compare"] == 0
    integrand.integrate([0, 1], 6)
    # Of the doubt with the least, with the length, and of two intervals.
    assert integrand.counter.counts["compare"] == 3


def test_too_few_nodes_are_refused():
    with pytest.raises(ValueError, match="at least 2 for each of 3 intervals, got 5"):
        Integrand(lambda x: x).integrate([0, 1, 2, 3], 5)


def test_of_equally_urgent_intervals_the_first_that_was_put_in_is_halved():
    """Four are alike; at the end of the budget two of them are halved."""
    integrand = Integrand(lambda x: 0.5)
    integrand.integrate([0, 1, 2, 3, 4], 16)
    assert [int(x) for x in integrand.nodes[8:]] == [0, 0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(("n_halvings", "comparisons"), [(0, 0), (1, 1), (2, 5), (3, 11)])
def test_the_queue_is_charged_by_its_length(n_halvings, comparisons):
    """Of n intervals ceil(log2 n) to take one away, and to take up the n-th; two for each doubt."""
    integrand = Integrand(lambda x: x)
    integrand.integrate([0, 1], 2 + 4 * n_halvings)
    assert integrand.counter.counts["compare"] == comparisons + 2 * n_halvings
