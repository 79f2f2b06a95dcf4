import numpy as np
import pytest
import torch

from algzoo.estimates import sampling
from algzoo.estimates.baselines import samplers_for
from algzoo.estimates.few_inputs.three import argmedian_of_three
from algzoo.estimates.samplers.forward import answers_right
from algzoo.structure import weights_of
from algzoo.zoo import zoo_argmedian
from algzoo.zoo.handcrafted.argmedian import least_distance_argmedian
from algzoo.zoo.tasks import task_argmedian

SAMPLERS = samplers_for(zoo_argmedian(4, 5))
FORWARD = ["antithetic", "Sobol", "stratified Sobol"]  # they only run the network
OWN = [name for name in SAMPLERS if name != "iid"]


@pytest.mark.parametrize("name", OWN)
def test_unbiased(name):
    model = zoo_argmedian(8, 5)
    truth = sampling(model, 2**18, 0)
    values = [SAMPLERS[name](model, 500, seed).value for seed in range(100)]
    error = np.hypot(np.std(values, ddof=1) / 10, truth.std)
    assert abs(np.mean(values) - truth.value) < 4 * error


@pytest.mark.parametrize("name", FORWARD)
def test_costs_what_sampling_costs(name):
    model = zoo_argmedian(4, 7)
    estimate = SAMPLERS[name](model, 33, 0)
    assert estimate.operations == sampling(model, 33, 0).operations
    assert estimate == SAMPLERS[name](model, 33, 0)
    assert estimate != SAMPLERS[name](model, 33, 1)


@pytest.mark.parametrize("name", OWN)
def test_a_model_that_is_always_right(name):
    model = least_distance_argmedian(5, dtype=torch.float64)
    # Walks leave out the tails beyond 5.2 of the last input, with a probability of 2e-7.
    assert SAMPLERS[name](model, 101, 0).value == pytest.approx(1, abs=2e-7)


def test_stratified_positions_are_even():
    # A model that always answers 2 is right once in five.
    model = zoo_argmedian(4, 5)
    with torch.no_grad():
        model.linear.weight.zero_()
        model.linear.weight[2] = 1
        model.rnn.weight_ih_l0.copy_(torch.tensor([[1.0], [-1], [1], [-1]]))
        model.rnn.weight_hh_l0.zero_()
    assert SAMPLERS["stratified Sobol"](model, 500, 3).value == pytest.approx(1 / 5)


def test_right_answers_are_the_tasks():
    model = zoo_argmedian(8, 7).double()
    x = np.random.default_rng(0).standard_normal((7, 300))
    with torch.no_grad():
        answers = model(torch.tensor(x.T)).argmax(-1)
    expected = answers == task_argmedian(torch.tensor(x.T))
    np.testing.assert_array_equal(answers_right(weights_of(model), x, 3), expected)


def test_three_inputs_exactly():
    ours = zoo_argmedian(4, 3, seed=1)
    found = argmedian_of_three(ours)
    sampled = sampling(ours, 2**17, 0)
    assert abs(found.value - sampled.value) < 4 * sampled.std
    assert found.std == 0
    assert ours.task_name == "argmedian"
