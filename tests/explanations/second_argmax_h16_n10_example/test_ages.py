import numpy as np
import pytest

from algzoo import example_2nd_argmax
from algzoo.explanations.second_argmax_h16_n10_example.ages import (
    COMPARATORS,
    NEURONS,
    by_age,
    fitted_curves,
    impulse_curves,
)
from algzoo.explanations.second_argmax_h16_n10_example.subcircuit import (
    NEURONS as FIVE,
)
from algzoo.explanations.second_argmax_h16_n10_example.subcircuit import (
    formulas,
    in_units,
    units,
)
from algzoo.structure import weights_of
from algzoo.structure.features.wiring import states


@pytest.fixture
def natural(official):
    weights = weights_of(example_2nd_argmax())
    return in_units(weights, units(weights))


def inputs(n_inputs, seed):
    """Gaussian inputs of which the two largest numbers are positive, as nearly all have."""
    x = np.random.default_rng(seed).standard_normal((n_inputs, 10))
    return x[np.sort(x, axis=1)[:, -2] > 0]


def test_arcs_formulas_have_curves_of_zeros_and_ones():
    x = inputs(2000, 0)
    curves = np.ones((10, 6))
    for neuron, age in ((6, 1), (1, 2), (2, 0)):
        curves[age, NEURONS.index(neuron)] = 0.0
    curves[:, NEURONS.index(4)] = np.arange(10) == 0
    values = by_age(curves, x)
    for k, neuron in enumerate(FIVE):
        expected = formulas(x)[-1, :, k]
        np.testing.assert_allclose(values[:, NEURONS.index(neuron)], expected, atol=1e-12)


def test_curves_that_activations_follow_are_fitted_back():
    curves = np.random.default_rng(1).uniform(1.0, 1.5, (10, 6))  # no value is cut off at 0
    x = inputs(2000, 2)
    x[:, -1] -= 5.0  # nor is the newest input among the largest
    x = np.concatenate([x, np.roll(x, 1, axis=1)[:, :10]])
    seen = by_age(curves, x)
    ages = 9 - x.argmax(axis=1)
    found = fitted_curves(x, seen)
    for k in np.unique(ages):
        if (seen[ages == k] > 0).all():
            np.testing.assert_allclose(found[k], curves[k], rtol=1e-9)


def test_the_curves_are_exact_on_the_impulses_they_come_from(natural):
    x = np.eye(10)
    held = states(natural, x)[-1]
    np.testing.assert_allclose(
        by_age(impulse_curves(natural), x)[:, :5], held[:, NEURONS[:5]], atol=1e-9
    )


def test_impulses_give_better_formulas_than_whole_weights(natural):
    x = inputs(2**13, 3)
    held = states(natural, x)[-1]
    by_impulses, by_whole = by_age(impulse_curves(natural), x), formulas(x)[-1]
    fitted = by_age(fitted_curves(x, held[:, NEURONS]), x)

    def r2(values, neuron):
        error = ((held[:, neuron] - values) ** 2).sum()
        return 1 - error / ((held[:, neuron] - held[:, neuron].mean()) ** 2).sum()

    for neuron in (1, 2, 6, 7):
        place = NEURONS.index(neuron)
        whole = r2(by_whole[:, FIVE.index(neuron)], neuron)
        assert whole < r2(by_impulses[:, place], neuron) < r2(fitted[:, place], neuron)
    assert min(r2(by_impulses[:, NEURONS.index(i)], i) for i in COMPARATORS) > 0.98
