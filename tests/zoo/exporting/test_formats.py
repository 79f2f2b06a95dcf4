"""Every format gives back the model's outputs, by the tools that the formats are for."""

import importlib.util
import json
import subprocess
import sys
from functools import partial

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from algzoo.zoo import DistRNN, DistTransformer, load_model
from algzoo.zoo.exporting import LOADER, as_onnx, as_safetensors, as_transformer_lens, hooked

SIZES = [
    ("2nd_argmax", 2, 2),
    ("2nd_argmax", 4, 3),
    ("2nd_argmax", 16, 10),
    ("argmedian", 8, 11),
    ("median", 2, 2),
    ("median", 8, 10),
    ("longest_cycle", 2, 3),
    ("longest_cycle", 4, 4),
    ("longest_cycle", 8, 6),
]
NO_LENS = importlib.util.find_spec("transformer_lens") is None
needs_lens = pytest.mark.skipif(NO_LENS, reason="transformer_lens is not installed")
lens_warns = pytest.mark.filterwarnings("default")  # of what TransformerLens imports


def inputs_of(model, n_inputs=500):
    generator = torch.Generator().manual_seed(0)
    if isinstance(model, DistTransformer):
        return torch.randint(model.input_range, (n_inputs, model.seq_len), generator=generator)
    shape = n_inputs, model.seq_len
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(model.dtype)


def assert_the_same(model, outputs):
    """In float64 to 1e-12; in float32 to 1e-6 and what the model itself is off for rounding."""
    x = inputs_of(model)
    with torch.no_grad():
        expected = model(x)
        precise = load_like(model)(x if x.dtype == torch.int64 else x.double())
    assert outputs.dtype == model.dtype
    largest = precise.abs().max()
    error = (outputs - expected).abs().max() / largest
    if model.dtype == torch.float64:
        assert error < 1e-12
    else:
        assert error < 1e-6 + 4 * (expected - precise).abs().max() / largest


def load_like(model):
    """The same weights in float64, in a module of its own."""
    other = load_model(model.task_name, model.hidden_size, model.seq_len).double()
    other.load_state_dict(model.state_dict())
    return other


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def number_type(request):
    return request.param


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_safetensors_has_the_weights_under_arcs_keys(size, tmp_path, number_type):
    model = load_model(*size).to(number_type)
    path = tmp_path / "model.safetensors"
    path.write_bytes(as_safetensors(model))
    state = safetensors.torch.load_file(path)
    assert state.keys() == model.state_dict().keys()
    assert all(state[key].dtype == number_type for key in state)
    back = load_model(*size, source=path)
    x = inputs_of(model)
    assert torch.equal(back(x), model(x))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_onnx_runtime_computes_the_outputs(size, number_type):
    onnxruntime = pytest.importorskip("onnxruntime")
    model = load_model(*size).to(number_type)
    session = onnxruntime.InferenceSession(as_onnx(model))
    [given] = session.get_inputs()
    x = inputs_of(model)
    outputs, *states = map(torch.from_numpy, session.run(None, {given.name: x.numpy()}))
    assert_the_same(model, outputs)
    names = [output.name for output in session.get_outputs()]
    assert names[0] == ("median" if size[0] == "median" else "logits")
    if size[0] == "longest_cycle":
        assert given.name == "tokens"
        return
    assert (given.name, names[1:]) == ("inputs", ["states"])
    expected = model.rnn(x.unsqueeze(-1))[0]
    torch.testing.assert_close(states[0], expected.detach(), rtol=1e-4, atol=1e-5)
    one = session.run(["states"], {given.name: x[:1].numpy()})[0]
    assert one.shape == (1, model.seq_len, model.hidden_size)


@pytest.mark.parametrize("options", [{"n_heads": 2}, {"input_range": 6}, {"n_layers": 1}], ids=str)
def test_transformers_that_the_zoo_does_not_have(options, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    model = DistTransformer(4, 5, **{"n_layers": 2, **options}).double()
    x = inputs_of(model)
    session = onnxruntime.InferenceSession(as_onnx(model))
    found = torch.from_numpy(session.run(None, {"tokens": x.numpy()})[0])
    torch.testing.assert_close(found, model(x).detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [s for s in SIZES if s[0] != "longest_cycle"], ids=str)
def test_a_recurrent_model_step_by_step(size, tmp_path, number_type):
    model = load_model(*size).to(number_type)
    path = tmp_path / "model.safetensors"
    path.write_bytes(as_transformer_lens(model))
    loaded = hooked.load(path)
    x = inputs_of(model)
    assert_the_same(model, loaded(x).detach())

    seen = {}
    for name, part in loaded.named_modules():
        if name.rpartition(".")[2].startswith("hook_"):
            part.register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    outputs = loaded(x)
    points = {f"steps.{t}.hook_{p}" for t in range(size[2]) for p in ("input", "pre", "state")}
    assert seen.keys() == points | {"hook_output"}
    states = model.rnn(x.unsqueeze(-1))[0]
    for t in range(size[2]):
        state = seen[f"steps.{t}.hook_state"]
        torch.testing.assert_close(state, states[:, t], rtol=1e-4, atol=1e-5)
        assert torch.equal(seen[f"steps.{t}.hook_pre"].relu(), state)
        assert torch.equal(seen[f"steps.{t}.hook_input"], x[:, t : t + 1])
    assert torch.equal(seen["hook_output"], outputs)


def test_a_hook_changes_what_follows(tmp_path):
    model = load_model("2nd_argmax", 4, 3)
    path = tmp_path / "model.safetensors"
    path.write_bytes(as_transformer_lens(model))
    loaded = hooked.load(path)
    loaded.steps[0].hook_input.register_forward_hook(lambda *_: torch.full((7, 1), 2.0))
    x = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[:, 0] = 2
    torch.testing.assert_close(loaded(x), model(changed))
    for wrong in (torch.zeros(7, 4), torch.zeros(3)):
        with pytest.raises(ValueError, match=r"x has shape \(batch, 3\), not"):
            loaded(wrong)


@needs_lens
@lens_warns
@pytest.mark.parametrize("size", [s for s in SIZES if s[0] == "longest_cycle"], ids=str)
def test_transformer_lens_computes_the_outputs(size, tmp_path, number_type):
    model = load_model(*size).to(number_type)
    path = tmp_path / "model.safetensors"
    path.write_bytes(as_transformer_lens(model))
    loaded = hooked.load(path)
    x = inputs_of(model)
    logits, cache = loaded.run_with_cache(x)
    assert_the_same(model, logits[:, -1].detach())
    residual = model.embed(x) + model.pos_embed.weight
    _, pattern = model.attns[0](residual, residual, residual)
    found = cache["blocks.0.attn.hook_pattern"][:, 0]
    torch.testing.assert_close(found, pattern.detach(), rtol=1e-4, atol=1e-5)


@needs_lens
@lens_warns
def test_transformer_lens_keeps_and_changes_activations_of_a_recurrent_model(tmp_path):
    model = load_model("2nd_argmax", 4, 3)
    path = tmp_path / "model.safetensors"
    path.write_bytes(as_transformer_lens(model))
    loaded = hooked.load(path)
    x = inputs_of(model)
    outputs, cache = loaded.run_with_cache(x)
    assert torch.equal(outputs, model(x))
    state = cache["steps.2.hook_state"]
    torch.testing.assert_close(state @ model.linear.weight.T, outputs)
    ablated = loaded.run_with_hooks(
        x, fwd_hooks=[("steps.2.hook_state", lambda value, hook: 0 * value)]
    )
    assert not ablated.any()


def test_the_configuration_is_that_of_the_architecture(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(as_transformer_lens(load_model("longest_cycle", 8, 6)))
    with safe_open(path, framework="pt") as file:
        config = json.loads(file.metadata()["config"])
        assert file.get_tensor("blocks.1.attn.W_Q").shape == (1, 8, 8)
        assert not file.get_tensor("unembed.b_U").any()
    sizes = {"n_layers": 2, "n_heads": 1, "d_model": 8, "d_head": 8, "n_ctx": 6, "d_vocab": 6}
    assert sizes.items() <= config.items()
    assert (config["attn_only"], config["attention_dir"]) == (True, "bidirectional")
    assert config["normalization_type"] is None


def test_the_loader_needs_nothing_of_this_package(tmp_path):
    (tmp_path / "algzoo_hooked.py").write_bytes(LOADER.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(as_transformer_lens(load_model("median", 2, 2)))
    script = (
        "import sys; sys.modules['algzoo'] = None; from algzoo_hooked import load; import torch; "
        "print(load('model.safetensors')(torch.zeros(3, 2)).tolist())"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == "[[0.0], [0.0], [0.0]]\n"


def test_the_loader_refuses_other_files(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(as_safetensors(load_model("median", 2, 2)))
    with pytest.raises(ValueError, match="was not written by `algzoo export --to transformer-lens"):
        hooked.load(path)


@pytest.mark.parametrize("write", [as_safetensors, as_onnx, as_transformer_lens])
def test_what_no_format_holds_is_refused(write):
    rnn = partial(DistRNN, 4, 3)
    with pytest.raises(ValueError, match="biases cannot be exported"):
        write(rnn(bias=True))
    with pytest.raises(ValueError, match="are float32 or float64, not float16"):
        write(rnn().half())
    broken = rnn()
    torch.nn.init.constant_(broken.linear.weight, float("nan"))
    with pytest.raises(ValueError, match=r"linear\.weight holds a weight that is not finite"):
        write(broken)
    with pytest.raises(TypeError, match="is needed, got "):
        write(torch.nn.Linear(2, 2))


def test_a_missing_package_is_named_in_a_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError) as refusal:
        as_onnx(load_model("median", 2, 2))
    assert str(refusal.value) == (
        "An ONNX file needs the package onnx, which is not installed: pip install 'algzoo[export]'"
    )


def test_a_file_is_the_same_each_time():
    model = load_model("longest_cycle", 4, 4)
    for write in (as_safetensors, as_onnx, as_transformer_lens):
        assert write(model) == write(load_model("longest_cycle", 4, 4))
