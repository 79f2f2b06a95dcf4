import copy
import math

import numpy as np
import pytest
import torch

from algzoo.estimates import Estimate, sampling
from algzoo.scoring.surprise import bounds as module
from algzoo.scoring.surprise.bounds import (
    effective_parameters,
    noise_tolerance,
    weight_information,
    without_gauge,
)
from algzoo.zoo import zoo_2nd_argmax, zoo_longest_cycle, zoo_median

FEW = {"n_noises": 8, "n_inputs": 2**13}


@pytest.fixture(scope="module")
def model():
    return zoo_2nd_argmax(8, 5)


def test_that_noise_costs_what_it_should_on_other_inputs_and_with_other_noise(model):
    found = noise_tolerance(model, 0.02, n_noises=32, n_inputs=2**13)
    intact = sampling(model, 2**16, seed=5).value
    for name, label in (
        ("rnn.weight_ih_l0", "W_hi"),
        ("rnn.weight_hh_l0", "W_hh"),
        ("linear.weight", "W_oh"),
    ):
        generator = torch.Generator().manual_seed(9)
        losses = []
        for _ in range(32):
            noisy = copy.deepcopy(model)
            with torch.no_grad():
                weight = noisy.get_parameter(name)
                draw = torch.randn(weight.shape, generator=generator)
                weight.add_(found.matrices[label].sd * draw)
            losses.append(intact - sampling(noisy, 2**14, seed=5).value)
        # Both the fall that the noise was fitted to and this one are means of 32.
        spread = np.std(losses) * math.sqrt(2 / 32)
        assert abs(np.mean(losses) - 0.02) < 4 * spread


def test_bits_are_those_of_the_weights_above_the_noise(model):
    found = noise_tolerance(model, **FEW)
    total = 0.0
    for label, weight in zip(("W_hi", "W_hh", "W_oh"), model.parameters(), strict=True):
        matrix = found.matrices[label]
        sizes = [abs(w) / matrix.sd for w in weight.detach().flatten().tolist()]
        assert matrix.bits == pytest.approx(sum(math.log2(s) for s in sizes if s > 1))
        assert matrix.n_weights == len(sizes)
        assert matrix.size == pytest.approx(float(weight.detach().square().mean().sqrt()))
        total += matrix.bits
    # 17 of 112 directions change nothing: 8 units, 8 shifts of all logits, one scale of them.
    gauge = total * 17 / 112 + math.log2(math.factorial(8))
    assert found.gauge_bits == pytest.approx(gauge)
    assert found.bound == pytest.approx(total - gauge)


def test_tolerance_is_the_same_every_time_and_leaves_the_model(model):
    before = {key: weight.clone() for key, weight in model.state_dict().items()}
    assert noise_tolerance(model, **FEW) == noise_tolerance(model, **FEW)
    assert all(torch.equal(before[key], weight) for key, weight in model.state_dict().items())


def test_more_may_be_lost_by_more_noise(model):
    little, much = (noise_tolerance(model, loss, **FEW) for loss in (0.01, 0.05))
    for label, matrix in little.matrices.items():
        assert matrix.sd < much.matrices[label].sd
    assert little.bound > much.bound


def test_impossible_losses_are_refused(model):
    with pytest.raises(ValueError, match="loss must be positive, got 0"):
        noise_tolerance(model, 0.0)
    with pytest.raises(ValueError, match=r"Noise of 16 times the size of .* does not cost 0.95"):
        noise_tolerance(model, 0.95, **FEW)


def vector(model):
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


def linear(price):
    """A stand-in for sampling: a unit of distance from the first model costs ``price``."""

    def ensemble(models, n_inputs, seed):
        intact = vector(models[0])
        distances = [(vector(model) - intact).norm().item() for model in models]
        return [Estimate(1 - price * distance, 1, "random inputs") for distance in distances]

    return ensemble


@pytest.mark.parametrize("loss", [0.003, 0.05, 0.4])
def test_tolerated_noise_is_found_where_the_loss_is_linear_in_it(model, monkeypatch, loss):
    monkeypatch.setattr(module, "ensemble_sampling", linear(0.01))
    found = noise_tolerance(model, loss, n_noises=5, seed=3)
    for label, weight in zip(("W_hi", "W_hh", "W_oh"), model.parameters(), strict=True):
        draws = np.random.default_rng(3).standard_normal((5, weight.numel()))
        sd = loss / (0.01 * np.linalg.norm(draws, axis=1).mean())
        assert found.matrices[label].sd == pytest.approx(sd, rel=1e-3)


@pytest.mark.parametrize("size", [0.3, 0.7, 1.1, 3.7, 11.3])
@pytest.mark.parametrize("times", [15.9, 16.1])
def test_noise_of_up_to_16_times_the_size_of_a_matrix_is_tried(make_rnn, monkeypatch, size, times):
    """The first draw of seed 0 is known, and one weight is one draw."""
    one_neuron = make_rnn([size], [[size]], [[size], [-size]])
    draw = abs(np.random.default_rng(0).standard_normal())
    monkeypatch.setattr(module, "ensemble_sampling", linear(1e-3))
    loss = 1e-3 * times * size * draw
    if times > 16:
        with pytest.raises(ValueError, match="Noise of 16 times the size of rnn"):
            noise_tolerance(one_neuron, loss, n_noises=1)
    else:
        found = noise_tolerance(one_neuron, loss, n_noises=1).matrices["W_hi"]
        assert found.sd == pytest.approx(times * size, rel=1e-3)
        assert found.bits == 0


@pytest.mark.parametrize(("hidden_size", "seq_len"), [(2, 2), (4, 3), (8, 5)])
def test_effective_parameters_of_median_models_are_the_rank_of_the_outputs(hidden_size, seq_len):
    """The output itself counts, so that only the units of the neurons have no effect."""
    model = zoo_median(hidden_size, seq_len).double()
    x = torch.randn(500, seq_len, generator=torch.Generator().manual_seed(0)).double()
    jacobian = []
    for output in model(x):
        model.zero_grad()
        output.sum().backward(retain_graph=True)
        jacobian.append(vector_of_gradients(model))
    sizes = np.linalg.svd(np.array(jacobian), compute_uv=False)
    n_weights = hidden_size * (hidden_size + 2)
    assert effective_parameters(model) == n_weights - hidden_size
    assert np.sum(sizes > 1e-9 * sizes[0]) <= n_weights - hidden_size


def vector_of_gradients(model):
    return torch.cat([weight.grad.flatten() for weight in model.parameters()]).numpy()


def test_what_changes_no_answer_is_subtracted_everywhere():
    """M2,2: 5 of 10 directions and the order of two neurons; median: 2 of 8; cycles: 25 of 50."""
    assert without_gauge(zoo_2nd_argmax(2, 2), 80.0) == pytest.approx(39)
    assert without_gauge(zoo_median(2, 2), 80.0) == pytest.approx(59)
    assert without_gauge(zoo_longest_cycle(2, 3), 80.0) == pytest.approx(40)
    assert without_gauge(zoo_2nd_argmax(2, 2), 1.0) == 0
    m22 = zoo_2nd_argmax(2, 2)
    sizes = vector(m22).double().abs().numpy()
    assert (sizes > 0.01).all()
    expected = np.log2(sizes / 0.01).sum() / 2 - 1
    assert weight_information(m22, 0.01) == pytest.approx(expected)
