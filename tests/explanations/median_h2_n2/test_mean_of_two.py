import math

import numpy as np
import pytest
import torch

from algzoo.estimates import exact
from algzoo.explanations.median_h2_n2.mean_of_two import (
    MEAN,
    SECOND_ORDER_FORM,
    deviations,
    forgetful_excess,
    forgetful_limit,
    least_forgetful_limit,
    second_order,
)
from algzoo.structure import standard_form, weights_of
from algzoo.zoo import SEEDS, ScalarRNN, zoo_median
from algzoo.zoo.handcrafted.median import forgetful_median, handcrafted_median


def model_with(w_hi, six):
    """Model of two inputs from W_hi and the weights in the order of MEAN."""
    model = ScalarRNN(2, 2).double()
    six = torch.as_tensor(six, dtype=torch.float64)
    model.load_state_dict(
        {
            "rnn.weight_ih_l0": torch.tensor(w_hi).double()[:, None],
            "rnn.weight_hh_l0": six[2:].reshape(2, 2),
            "linear.weight": six[None, :2],
        }
    )
    return model


def test_the_ideal_is_the_network_by_hand():
    model = handcrafted_median(2)
    assert exact(model).value == 0
    np.testing.assert_array_equal(deviations(weights_of(model)), np.zeros(6))
    assert second_order(model).value == 0


def test_the_form_is_that_of_small_deviations():
    rng = np.random.default_rng(0)
    for _ in range(20):
        d = 1e-7 * rng.standard_normal(6)
        found = exact(model_with([1, -1], MEAN + d)).value
        assert d @ SECOND_ORDER_FORM @ d == pytest.approx(found, rel=1e-4)
    assert np.linalg.eigvalsh(SECOND_ORDER_FORM).min() > 0.01  # no direction is free


@pytest.mark.parametrize("seed", [s for s in SEEDS if exact(zoo_median(2, 2, seed=s)).value < 0.1])
def test_second_order_on_trained_models(seed):
    model = zoo_median(2, 2, seed=seed)
    estimate = second_order(model)
    assert estimate.value == pytest.approx(exact(model).value, rel=1e-4)
    assert estimate.operations < 50


def test_units_and_order_of_the_neurons_do_not_matter():
    d = np.array([1.0, -2, 3, -4, 5, -6]) * 1e-5
    model = model_with([1, -1], MEAN + d)
    swapped = model_with([-1, 1], (MEAN + d)[[1, 0, 5, 4, 3, 2]])
    louder = model_with([2, -8], (MEAN + d) / [2, 8, 1, 4, 1 / 4, 1])
    value = d @ SECOND_ORDER_FORM @ d
    for one in (model, swapped, louder, standard_form(model)):
        assert second_order(one).value == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("gate", [30, 100, 1000, 1e5])
def test_the_forgetful_limit_and_its_excess(gate):
    excess = exact(forgetful_median(gate, dtype=torch.float64)).value - forgetful_limit()
    assert excess == pytest.approx(forgetful_excess(gate), rel=1 / gate)


@pytest.mark.parametrize("seed", [s for s in SEEDS if exact(zoo_median(2, 2, seed=s)).value > 0.1])
def test_stuck_models_are_just_above_the_forgetful_limit(seed):
    assert 0 < exact(zoo_median(2, 2, seed=seed)).value - forgetful_limit() < 2e-5


def of_one_sign(k, least):
    """Neurons on wherever x0 > 0, up to a ray, that make k x1 + x0 / 2 there."""
    # u0 + u1 = k, u0 a0 + u1 a1 = 1/2
    a0, a1 = least, 2 * least
    u1 = (0.5 - k * a0) / (a1 - a0)
    return model_with([1, 1], [k - u1, u1, a0, 0, a1, 0])


def test_the_least_limit_is_one():
    k = 1 / 2 - 1 / (3 * math.pi)
    values = [exact(of_one_sign(k, least)).value for least in (1e2, 1e4, 1e6)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(least_forgetful_limit(), rel=1e-5)
    for other in (k - 0.01, k + 0.01):
        assert exact(of_one_sign(other, 1e6)).value > values[-1]


def test_models_of_one_sign_are_above_the_least_limit():
    rng = np.random.default_rng(0)
    values = [exact(model_with([1, 1], rng.standard_cauchy(6))).value for _ in range(300)]
    assert min(values) > least_forgetful_limit()


def test_input_weights_of_one_sign_are_refused():
    with pytest.raises(ValueError, match="opposite signs"):
        second_order(model_with([1, 1], MEAN))
