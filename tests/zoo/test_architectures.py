from itertools import product

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from algzoo.zoo import DistRNN, DistTransformer, ScalarRNN, ScalarTransformer, task_longest_cycle


def weights(model):
    return {key: weight.numpy() for key, weight in model.state_dict().items()}


def rnn_by_hand(w, sequence, state):
    for number in sequence:
        drive = w["rnn.weight_ih_l0"][:, 0] * number
        state = np.maximum(w["rnn.weight_hh_l0"] @ state + drive, 0)
    return w["linear.weight"] @ state


def transformer_by_hand(w, sequence, n_layers, n_heads):
    residual = w["embed.weight"][sequence] + w["pos_embed.weight"][: len(sequence)]
    for layer in range(n_layers):
        q_matrix, k_matrix, v_matrix = np.split(w[f"attns.{layer}.in_proj_weight"], 3)
        mixed = []
        for head in np.split(np.arange(residual.shape[1]), n_heads):
            q, k, v = (residual @ m[head].T for m in (q_matrix, k_matrix, v_matrix))
            attention = np.exp(q @ k.T / np.sqrt(len(head)))
            mixed.append(attention / attention.sum(axis=1, keepdims=True) @ v)
        residual = residual + np.hstack(mixed) @ w[f"attns.{layer}.out_proj.weight"].T
    return w["unembed.weight"] @ residual[-1]


@pytest.mark.parametrize(
    ("architecture", "output_size"), [(DistRNN, 5), (ScalarRNN, 1)], ids=["Dist", "Scalar"]
)
def test_rnn_is_the_recurrence_written_out(architecture, output_size):
    torch.manual_seed(0)
    model = architecture(hidden_size=3, seq_len=5).double()
    x = torch.randn(20, 5, dtype=torch.float64)
    outputs = model(x).detach().numpy()
    assert outputs.shape == (20, output_size)
    by_hand = [rnn_by_hand(weights(model), row, np.zeros(3)) for row in x.numpy()]
    np.testing.assert_allclose(outputs, by_hand, rtol=0, atol=1e-14)


def test_rnn_starts_from_the_state_given():
    torch.manual_seed(1)
    model = DistRNN(hidden_size=3, seq_len=4).double()
    x = torch.randn(20, 4, dtype=torch.float64)
    start = torch.rand(1, 20, 3, dtype=torch.float64)
    outputs = model(x, start).detach().numpy()
    by_hand = [
        rnn_by_hand(weights(model), row, state)
        for row, state in zip(x.numpy(), start[0].numpy(), strict=True)
    ]
    np.testing.assert_allclose(outputs, by_hand, rtol=0, atol=1e-14)
    assert torch.equal(model(x, torch.zeros_like(start)), model(x))


@pytest.mark.parametrize("architecture", [DistRNN, ScalarRNN])
def test_rnn_biases_are_there_only_when_asked_for(architecture):
    assert not [key for key in architecture(2, 3).state_dict() if "bias" in key]
    biased = architecture(2, 3, bias=True).state_dict()
    assert {"rnn.bias_ih_l0", "rnn.bias_hh_l0", "linear.bias"} < set(biased)


@pytest.mark.parametrize(("n_layers", "n_heads"), [(1, 1), (2, 1), (2, 3)])
@pytest.mark.parametrize(
    ("architecture", "output_size"), [(DistTransformer, 4), (ScalarTransformer, 1)]
)
def test_transformer_is_attention_written_out(architecture, output_size, n_layers, n_heads):
    torch.manual_seed(2)
    model = architecture(6, 4, input_range=7, n_layers=n_layers, n_heads=n_heads).double()
    x = torch.randint(7, (20, 4))
    outputs = model(x).detach().numpy()
    assert outputs.shape == (20, output_size)
    by_hand = [transformer_by_hand(weights(model), row, n_layers, n_heads) for row in x.numpy()]
    np.testing.assert_allclose(outputs, by_hand, rtol=0, atol=1e-12)


def test_transformer_state_dict_has_arcs_keys_and_shapes():
    model = DistTransformer(hidden_size=4, seq_len=5, n_layers=2, n_heads=2)
    assert {key: tuple(weight.shape) for key, weight in model.state_dict().items()} == {
        "embed.weight": (5, 4),
        "pos_embed.weight": (5, 4),
        "attns.0.in_proj_weight": (12, 4),
        "attns.0.out_proj.weight": (4, 4),
        "attns.1.in_proj_weight": (12, 4),
        "attns.1.out_proj.weight": (4, 4),
        "unembed.weight": (5, 4),
    }


def test_official_longest_cycle_weights_are_right_on_all_functions(shared):
    model = DistTransformer(2, 3, n_layers=2)
    path = shared / "data" / "official" / "longest_cycle_2_3_1073741824_0.safetensors"
    model.load_state_dict(load_file(path))
    functions = torch.tensor(list(product(range(3), repeat=3)))
    assert torch.equal(model(functions).argmax(-1), task_longest_cycle(functions))


@pytest.mark.parametrize(
    "model", [DistRNN(2, 3), DistTransformer(2, 3)], ids=["RNN", "transformer"]
)
def test_dtype_and_device_are_those_of_the_weights(model):
    assert model.device == torch.device("cpu")
    assert model.dtype == torch.float32
    assert model.double().dtype == torch.float64


def test_hooks_on_a_transformer_see_an_axis_of_positions():
    model = DistTransformer(2, 4)
    seen = {}
    for name in ("pos_embed", "unembed"):
        getattr(model, name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.update({name: output})
        )
    output = model(torch.randint(4, (7, 4)))
    assert seen["pos_embed"].shape == (1, 4, 2)
    assert seen["unembed"].ndim == 3
    assert torch.equal(seen["unembed"][:, -1], output)


def test_one_sequence_alone():
    torch.manual_seed(3)
    rnn, transformer = DistRNN(3, 4), DistTransformer(3, 4)
    x, start = torch.randn(4), torch.rand(1, 3)
    torch.testing.assert_close(rnn(x), rnn(x[None])[0])
    torch.testing.assert_close(rnn(x, start), rnn(x[None], start[None])[0])
    tokens = torch.tensor([3, 0, 0, 2])
    assert torch.equal(transformer(tokens), transformer(tokens[None]))


@pytest.mark.parametrize("name", ["linear.weight", "rnn.weight_hh_l0"])
def test_dtype_is_known_where_a_weight_is_no_parameter(name):
    model = DistRNN(2, 3).double()
    module, weight = name.split(".")
    delattr(getattr(model, module), weight)
    setattr(getattr(model, module), weight, torch.ones(3, 2).double())
    assert model.dtype == torch.float64


def test_weights_of_a_seed_are_drawn_in_the_order_of_the_modules():
    torch.manual_seed(4)
    model = DistRNN(3, 4)
    torch.manual_seed(4)
    rnn = torch.nn.RNN(1, 3, nonlinearity="relu", bias=False, batch_first=True)
    linear = torch.nn.Linear(3, 4, bias=False)
    assert torch.equal(model.rnn.weight_hh_l0, rnn.weight_hh_l0)
    assert torch.equal(model.linear.weight, linear.weight)
