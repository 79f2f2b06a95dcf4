import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from algzoo.estimates import OperationCounter, ensemble_sampling, sampling
from algzoo.zoo import (
    DistRNN,
    DistTransformer,
    ScalarRNN,
    handcrafted_2nd_argmax,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)


def without_weights(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    return model


def test_result_depends_on_samples_and_seed_only():
    model = zoo_2nd_argmax(4, 3)
    torch.manual_seed(1)
    first = sampling(model, 100_000, seed=7)
    torch.manual_seed(2)
    assert sampling(model, 100_000, seed=7) == first
    assert sampling(model, 100_000, seed=8).value != first.value
    assert sampling(model, 99_999, seed=7) != first


@pytest.mark.parametrize("kind", [DistRNN, ScalarRNN])
@pytest.mark.parametrize("bias", [False, True])
def test_operations_are_those_that_torch_does(kind, bias):
    model = kind(5, 7, bias=bias)
    counter = OperationCounter()
    with torch.no_grad(), counter.tensors():
        model(torch.zeros(3, 7))
    assert sampling(model, 3, 0).operations == counter.total


def test_global_random_state_is_left_alone():
    model = zoo_2nd_argmax(4, 3)
    before = torch.get_rng_state()
    sampling(model, 1000, seed=7)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("n_samples", [1, 1000, 2**16, 2**16 + 1, 200_000])
def test_every_sample_is_counted_once(n_samples):
    estimate = sampling(zoo_2nd_argmax(2, 2), n_samples, seed=0)
    assert estimate.operations == 16 * n_samples
    assert estimate.value * n_samples == pytest.approx(round(estimate.value * n_samples), abs=1e-6)
    assert 0.99 <= estimate.value <= 1


def test_std_of_an_accuracy_is_binomial():
    estimate = sampling(zoo_2nd_argmax(4, 3), 70_000, seed=0)
    p = estimate.value
    assert 0.98 < p < 0.99
    assert estimate.std == pytest.approx(math.sqrt(p * (1 - p) / 70_000), rel=1e-6)


def test_std_is_the_spread_over_seeds():
    model = zoo_argmedian(8, 5)
    estimates = [sampling(model, 500, seed) for seed in range(400)]
    spread = np.std([estimate.value for estimate in estimates], ddof=1)
    assert np.mean([estimate.std for estimate in estimates]) == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize(("sign", "value"), [(1, 1.0), (-1, 0.0)])
def test_all_samples_alike_leave_a_doubt_of_one_in_n(sign, value):
    model = handcrafted_2nd_argmax(2)
    with torch.no_grad():
        model.linear.weight *= sign
    for n in (100, 10_000):
        estimate = sampling(model, n, seed=0)
        assert estimate.value == value
        assert 0.9 / n < estimate.std < 1.1 / n


def test_median_gives_the_mean_squared_error():
    # Of two numbers the median is the mean, of variance 1/2; its square has variance 2 (1/2)^2.
    n = 200_000
    estimate = sampling(without_weights(ScalarRNN(2, 2)), n, seed=0)
    assert estimate.std == pytest.approx(math.sqrt(0.5 / n), rel=0.02)
    assert abs(estimate.value - 0.5) < 4 * estimate.std


def test_argmedian_is_scored_on_its_own_task():
    # Without weights the answer is always 0, right for one position in five.
    model = without_weights(zoo_argmedian(8, 5))
    estimate = sampling(model, 100_000, seed=0)
    assert abs(estimate.value - 1 / 5) < 4 * estimate.std


def test_argmedian_of_three_is_2nd_argmax_of_three():
    argmedian, second = zoo_argmedian(4, 3, seed=0), zoo_2nd_argmax(4, 3, seed=0)
    assert sampling(argmedian, 10_000, seed=0) == sampling(second, 10_000, seed=0)


def test_longest_cycle_is_sampled_over_all_functions(shared):
    model = without_weights(DistTransformer(2, 3))  # always says length 1, right for 16 of 27
    estimate = sampling(model, 100_000, seed=0)
    assert abs(estimate.value - 16 / 27) < 4 * estimate.std
    path = shared / "data" / "official" / "longest_cycle_2_3_1073741824_0.safetensors"
    model = DistTransformer(2, 3, n_layers=2)
    model.load_state_dict(load_file(path))
    assert sampling(model, 10_000, seed=0).value == 1.0


def test_model_is_run_in_its_own_number_type():
    model = zoo_2nd_argmax(2, 2)
    assert abs(sampling(model.double(), 2**16, seed=0).value - 0.99992) < 2e-4
    assert model.dtype == torch.float64


@pytest.mark.parametrize("n_samples", [0, -1])
def test_no_samples_are_refused(n_samples):
    with pytest.raises(ValueError, match=f"n_samples must be at least 1, got {n_samples}"):
        sampling(DistRNN(2, 2), n_samples, seed=0)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        sampling(DistRNN(2, 2), 10, seed=-1)


class AnyRNN(DistRNN):
    """Not compiled, for it may compute anything: the model's own forward pass is run."""

    def forward(self, x, init_state=None):
        return super().forward(x, init_state)


class AnyScalarRNN(ScalarRNN):
    def forward(self, x, init_state=None):
        return super().forward(x, init_state)


@pytest.mark.parametrize("model", [zoo_2nd_argmax(d, n) for d, n in [(2, 2), (5, 6), (16, 10)]])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_compiled_is_the_forward_pass(model, dtype):
    plain = AnyRNN(model.hidden_size, model.seq_len)
    plain.load_state_dict(model.state_dict())
    compiled = sampling(model.to(dtype), 50_000, seed=3)
    own = sampling(plain.to(dtype), 50_000, seed=3)
    assert compiled.operations == own.operations
    # Rounding decides where two logits are all but equal.
    assert abs(compiled.value - own.value) * 50_000 <= (3 if dtype == torch.float32 else 0)


@pytest.mark.parametrize("model", [zoo_median(d, n) for d, n in [(2, 2), (8, 3), (16, 10)]])
def test_compiled_errors_are_those_of_the_forward_pass(model):
    plain = AnyScalarRNN(model.hidden_size, model.seq_len)
    plain.load_state_dict(model.state_dict())
    compiled, own = sampling(model, 50_000, seed=3), sampling(plain, 50_000, seed=3)
    assert compiled.value == pytest.approx(own.value, rel=1e-5)
    assert compiled.std == pytest.approx(own.std, rel=1e-4)


def test_ties_go_to_the_first_position():
    # With equal logits everywhere the answer is 0: right where x_0 is the second largest.
    model = without_weights(DistRNN(3, 4))
    estimate = sampling(model, 2**20, seed=0)
    assert abs(estimate.value - 1 / 4) < 4 * estimate.std


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(threads):
    model = zoo_2nd_argmax(4, 3)
    expected = sampling(model, 200_000, seed=7)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert sampling(model, 200_000, seed=7) == expected
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_more_samples_begin_with_the_same():
    model, n = zoo_2nd_argmax(4, 3), 2**14
    few, many = sampling(model, n - 1000, seed=7), sampling(model, n, seed=7)
    right = round(few.value * (n - 1000)), round(many.value * n)
    assert right[0] <= right[1] <= right[0] + 1000


@pytest.mark.parametrize("load", [zoo_2nd_argmax, zoo_median, zoo_longest_cycle])
def test_an_ensemble_is_its_models_on_the_same_inputs(load):
    models = [load(d, 3, seed=seed) for d in (2, 4) for seed in (0, 1)]
    together = ensemble_sampling(models, 40_000, seed=5)
    assert together == [sampling(model, 40_000, seed=5) for model in models]
    assert ensemble_sampling([], 40_000, seed=5) == []


@pytest.mark.parametrize("other", [DistRNN(2, 4), ScalarRNN(2, 3), DistRNN(2, 3).double()])
def test_an_ensemble_of_different_inputs_is_refused(other):
    with pytest.raises(ValueError, match="the models of an ensemble have the same inputs"):
        ensemble_sampling([DistRNN(2, 3), other], 10, seed=0)


def test_a_weight_that_is_not_finite_is_named():
    model = DistRNN(2, 2)
    with torch.no_grad():
        model.linear.weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="w_oh holds a weight that is not finite"):
        sampling(model, 10, seed=0)
