import math

import pytest
import torch

from algzoo.estimates import Estimate, exact
from algzoo.scoring.surprise.optimisation import storage_bits, weight_bits
from algzoo.zoo import zoo_2nd_argmax


@pytest.mark.parametrize(
    ("hidden_size", "seq_len", "bits"), [(2, 2, 320), (4, 3, 1024), (16, 10, 13_824)]
)
def test_storage_bits_of_float32_and_float64(hidden_size, seq_len, bits):
    model = zoo_2nd_argmax(hidden_size, seq_len)
    assert storage_bits(model) == bits
    assert storage_bits(model.double()) == 2 * bits


# One neuron's unit, a number added to both logits, and their scale change no answer: of four
# weights, one is left.
LEFT = 1 / 4


@pytest.fixture
def one_neuron(make_rnn):
    """Four weights: 8, -2, 0 and 4."""
    return make_rnn([8], [[-2]], [[0], [4]])


def numbers(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def penalising(model, up, down):
    """Estimator that loses ``up`` or ``down`` a unit by which a weight of ``model`` changes."""
    original, up, down = numbers(model), torch.tensor(up), torch.tensor(down)

    def estimator(changed):
        change = numbers(changed) - original
        loss = torch.where(change > 0, up, -down) * change
        return Estimate(1 - loss.sum().item(), 0, "never")

    return estimator


def test_every_weight_counts_the_log_of_size_over_tolerance(one_neuron):
    estimator = penalising(one_neuron, up=[0.1, 0.1, 0.1, 0.2], down=[0.1, 0.1, 0.1, 0.2])
    # A loss of 0.01 allows changes of 0.1, 0.1, 0.1 and 0.05; the third weight is 0.
    expected = math.log2(8 / 0.1) + math.log2(2 / 0.1) + math.log2(4 / 0.05)
    assert weight_bits(one_neuron, estimator, loss=0.01) == pytest.approx(expected * LEFT, abs=1e-4)


def test_tolerance_is_that_of_the_worse_direction(one_neuron):
    slow, fast = [0.001] * 4, [0.1] * 4
    expected = sum(math.log2(size / 0.1) for size in (8, 2, 4))
    for up, down in [(slow, fast), (fast, slow)]:
        estimator = penalising(one_neuron, up, down)
        assert weight_bits(one_neuron, estimator, loss=0.01) == pytest.approx(
            expected * LEFT, abs=1e-4
        )


def test_weights_that_tolerate_their_own_size_count_nothing(one_neuron):
    rates = [0.0, 0.004, 0.1, 0.1]  # the second tolerates 2.5, more than its size
    estimator = penalising(one_neuron, rates, rates)
    expected = math.log2(4 / 0.1)
    assert weight_bits(one_neuron, estimator, loss=0.01) == pytest.approx(expected * LEFT, abs=1e-4)


def test_tolerances_below_the_resolution_of_float32_count(one_neuron):
    # A loss of 0.01 allows changes of 2^-25 and 2^-30 of the weights of 8 and 2, and of 1 of 4.
    rates = [0.01 / (8 * 2.0**-25), 0.01 / (2 * 2.0**-30), 0.0, 0.01 / 4]
    estimator = penalising(one_neuron, rates, rates)
    assert weight_bits(one_neuron, estimator, loss=0.01) == pytest.approx(55 * LEFT, abs=0.01)


def test_the_smallest_change_counts_where_a_larger_one_costs_nothing(one_neuron):
    """The accuracy is lower where the first weight is off by 0.1 to 0.6, and nowhere else."""
    original = numbers(one_neuron)

    def estimator(changed):
        change = (numbers(changed) - original)[0].abs()
        return Estimate(1 - 0.02 * float(0.1 < change < 0.6), 0, "never")

    assert weight_bits(one_neuron, estimator, loss=0.01) == pytest.approx(
        math.log2(8 / 0.1) * LEFT, abs=1e-3
    )


def test_model_is_left_as_it_was():
    model = zoo_2nd_argmax(2, 2)
    before = {key: weight.clone() for key, weight in model.state_dict().items()}
    weight_bits(model, exact, loss=0.01)
    assert all(torch.equal(before[key], weight) for key, weight in model.state_dict().items())
    assert model.dtype == torch.float32


def test_bits_of_m22_lie_between_nothing_and_storage_and_grow_with_precision():
    model = zoo_2nd_argmax(2, 2)
    coarse, fine = (weight_bits(model, exact, loss) for loss in (1e-2, 1e-4))
    assert 0 < coarse < fine < storage_bits(model)
