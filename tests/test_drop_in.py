"""Scripts written for ARC's package run when ``alg_zoo`` is replaced by ``algzoo`` in the imports.

Each script is what a user of that package would write; it is run from a file, changed in nothing
but its imports.
"""

import inspect
import re
import runpy
import subprocess
import sys

import pytest

import algzoo

SCRIPTS = {
    "accuracy of each family": """
import torch as th
from alg_zoo import (
    task_2nd_argmax, task_argmedian, task_longest_cycle, task_median,
    zoo_2nd_argmax, zoo_argmedian, zoo_longest_cycle, zoo_median,
)

th.manual_seed(0)

@th.no_grad()
def accuracy(model, task, n_batches=4, batch_size=2**12):
    right = 0
    for _ in range(n_batches):
        x = th.randn(batch_size, model.seq_len, device=model.device, dtype=model.dtype)
        right += (model(x).argmax(-1) == task(x)).sum().item()
    return right / (n_batches * batch_size)

assert accuracy(zoo_2nd_argmax(hidden_size=4, seq_len=3), task_2nd_argmax) > 0.95
assert accuracy(zoo_2nd_argmax(4, 3, n_seqs=0, seed=1), task_2nd_argmax) < 0.7
assert accuracy(zoo_argmedian(16, 5), task_argmedian) > 0.95

model = zoo_median(8, 3)
x = th.randn(2**12, 3)
with th.no_grad():
    outputs = model.forward(x)
assert outputs.shape == (2**12, 1)
assert ((outputs.squeeze(-1) - task_median(x)) ** 2).mean().sqrt() < 0.1

model = zoo_longest_cycle(4, 4)
grid = th.cartesian_prod(*[th.arange(4)] * 4)
assert (model(grid).argmax(dim=-1) == task_longest_cycle(grid)).float().mean() > 0.9
""",
    "weights read, edited and put back": """
import copy
import torch as th
from alg_zoo import DistRNN, zoo_2nd_argmax

model = zoo_2nd_argmax(2, 2)
assert (model.hidden_size, model.seq_len, model.output_size, model.bias) == (2, 2, 2, False)
assert model.rnn.hidden_size == 2 and model.rnn.input_size == 1
assert model.device == th.device("cpu") and model.dtype == th.float32
assert all(p.requires_grad for p in model.parameters()) and model.training

W_hi = model.rnn.weight_ih_l0.detach().numpy().squeeze()
W_hh = model.rnn.weight_hh_l0.data
W_oh = model.linear.weight.detach()
assert W_hi.shape == (2,) and W_hh.shape == (2, 2) and W_oh.shape == (2, 2)
assert model.rnn._parameters["weight_ih_l0"] is model.rnn.weight_ih_l0

twin = copy.deepcopy(model)
twin.rnn.weight_hh_l0.data[0, 0] = 5.0
with th.no_grad():
    for p in twin.parameters():
        p += 0.05 * th.randn_like(p)
    twin.linear.weight.zero_()
assert model.rnn.weight_hh_l0[0, 0] != 5.0 and model.linear.weight.abs().sum() > 0

fresh = DistRNN(hidden_size=2, seq_len=2, bias=False)
assert list(model.state_dict()) == ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "linear.weight"]
assert str(fresh.load_state_dict(model.state_dict())) == "<All keys matched successfully>"
x = th.randn(50, 2)
assert th.equal(fresh(x), model(x))

h = th.zeros(50, 2)
for t in range(2):
    h = th.relu(h @ W_hh.T + x[:, t : t + 1] @ model.rnn.weight_ih_l0.T)
th.testing.assert_close(h @ W_oh.T, model(x).detach(), rtol=1e-4, atol=1e-4)

double = model.to(th.float64)
assert double is model and model.dtype == th.float64 and model(x.double()).dtype == th.float64
assert model.to("cpu").device.type == "cpu"
""",
    "own file, as a script of the public finds its architecture": """
import os, tempfile
import torch as th
from alg_zoo.architectures import DistRNN
from alg_zoo.loading import load_dist_rnn
from alg_zoo import zoo_2nd_argmax, zoo_median

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.pth")
    original = zoo_2nd_argmax(3, 4)
    th.save(original.state_dict(), path)
    state_dict = th.load(path, weights_only=True, map_location="cpu")
    seq_len, hidden_size = state_dict["linear.weight"].shape
    model = DistRNN(hidden_size=hidden_size, seq_len=seq_len, bias=False)
    model.load_state_dict(state_dict)
    model.eval()
    x = th.randn(9, 4)
    assert th.equal(model(x), original(x)) and th.equal(load_dist_rnn(path)(x), original(x))

    th.save(zoo_median(2, 3), path)
    whole = th.load(path, weights_only=False)
    assert type(whole).__name__ == "ScalarRNN" and whole.seq_len == 3
    assert whole(th.randn(9, 3)).shape == (9, 1)
""",
    "states, hooks and a sequence in two halves": """
import torch as th
from alg_zoo import zoo_2nd_argmax

model = zoo_2nd_argmax(4, 6)
x = th.randn(30, 6)
caught = {}
handles = [
    model.rnn.register_forward_hook(lambda m, i, o: caught.update(states=o[0], last=o[1])),
    model.linear.register_forward_pre_hook(lambda m, i: caught.update(read=i[0])),
]
logits = model(x)
assert caught["states"].shape == (30, 6, 4) and caught["last"].shape == (1, 30, 4)
assert th.equal(caught["read"], caught["last"][0])
for handle in handles:
    handle.remove()

_, half = model.rnn(x[:, :3, None])
th.testing.assert_close(model(x[:, 3:], half), logits)
th.testing.assert_close(model.forward(x[:, 3:], init_state=half), logits)
assert th.equal(model(x, None), logits)
assert model(x[0]).shape == (6,) and model(x[:1]).shape == (1, 6)
assert model(x[:, :2]).shape == (30, 6)
""",
    "many noisy models at once": """
import warnings
import torch as th
from torch.func import functional_call, jacrev, vmap
from alg_zoo import handcrafted_2nd_argmax, zoo_2nd_argmax, zoo_longest_cycle

th.manual_seed(0)
model = zoo_2nd_argmax(2, 3)
x = th.randn(40, 3)

def logits(weights, x):
    h = th.zeros(*x.shape[:-1], model.hidden_size)
    for t in range(model.seq_len):
        drive = x[:, t, None] * weights["rnn.weight_ih_l0"][:, 0]
        h = (h @ weights["rnn.weight_hh_l0"].T + drive).relu()
    return h @ weights["linear.weight"].T

weights = {k: v.detach() for k, v in model.named_parameters()}
noisy = {k: v + 0.05 * th.randn(16, *v.shape) for k, v in weights.items()}
outputs = vmap(logits, in_dims=(0, None))(noisy, x)
assert outputs.shape == (16, 40, 3)
for i in range(16):
    one = functional_call(model, {k: v[i] for k, v in noisy.items()}, (x,))
    th.testing.assert_close(one, outputs[i], rtol=1e-4, atol=1e-4)

transformer = zoo_longest_cycle(2, 3)
tokens = th.randint(3, (10, 3))
params = dict(transformer.named_parameters())
stacked = {k: v.detach().expand(4, *v.shape) for k, v in params.items()}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch: vmap over attention is slow
    out = vmap(lambda p: functional_call(transformer, p, (tokens,)))(stacked)
th.testing.assert_close(out[3], transformer(tokens).detach())

model(x).logsumexp(-1).sum().backward()
assert model.rnn.weight_hh_l0.grad.shape == (2, 2)
J = jacrev(lambda w: functional_call(model, {"linear.weight": w}, (x,)))(weights["linear.weight"])
assert J.shape == (40, 3, 3, 2)

for n in (2, 3, 10):
    assert handcrafted_2nd_argmax(n).seq_len == n
""",
    "attention looked into": """
import torch as th
from alg_zoo import DistTransformer, zoo_longest_cycle
from alg_zoo.architectures import ScalarTransformer

model = zoo_longest_cycle(hidden_size=8, seq_len=6)
assert (model.input_range, model.n_layers, model.n_heads, model.output_size) == (6, 2, 1, 6)
assert len(model.attns) == 2 and model.attns[0].embed_dim == 8 and model.attns[0].num_heads == 1
q, k, v = model.attns[1].in_proj_weight.chunk(3)
assert q.shape == (8, 8) and model.attns[1].out_proj.weight.shape == (8, 8)
assert model.attns[0].in_proj_bias is None and model.unembed.bias is None

tokens = th.randint(0, 6, (20, 6))
caught = []
model.unembed.register_forward_hook(lambda m, i, o: caught.append(o))
logits = model(tokens)
assert th.equal(caught[0][:, -1], logits)

x = model.embed(tokens) + model.pos_embed(th.arange(6))
for layer in model.attns:
    out, pattern = layer(x, x, x)
    assert pattern.shape == (20, 6, 6)
    x = x + out
th.testing.assert_close(model.unembed(x)[:, -1], logits, rtol=1e-4, atol=1e-4)

big = DistTransformer(4, 5, input_range=7, n_layers=1, n_heads=2, bias=True)
assert big.embed.weight.shape == (7, 4) and big.dtype == th.float32
assert ScalarTransformer(hidden_size=4, seq_len=5)(th.zeros(2, 5, dtype=int)).shape == (2, 1)
""",
    "errors": """
import inspect
import alg_zoo
from alg_zoo import zoo

def message(f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except ValueError as error:
        return str(error)
    raise AssertionError("no error")

assert message(zoo.zoo_2nd_argmax, 7, 2) == (
    "No zoo model with hidden_size 7, please choose one of: 2, 3, 4, 5, 6, 8, 16, 32"
)
assert message(alg_zoo.zoo_argmedian, 2, 4) == (
    "No zoo model with seq_len 4, please choose one of: 3, 5, 7, 11"
)
assert message(alg_zoo.zoo_median, 2, 2, seed=5) == (
    "No zoo model with seed 5, please choose one of: 0, 1, 2, 3, 4"
)
assert message(alg_zoo.zoo_longest_cycle, 2, 3, n_seqs=5).startswith(
    "No zoo model with n_seqs 5, please choose one of: 0, 1048576, 2097152,"
)
assert message(alg_zoo.handcrafted_2nd_argmax, 4) == (
    "No handcrafted 2nd argmax model with seq_len 4, please choose one of: 2, 3, 10"
)
try:
    alg_zoo.zoo_2nd_argmax(2, 2, 2**20)
except TypeError:
    pass  # n_seqs and seed are given by name
else:
    raise AssertionError("no error")
""",
    "training": """
import os, tempfile
import torch as th
import alg_zoo
from alg_zoo.tasks import task_registry
from alg_zoo.training import train

assert alg_zoo.train is train and alg_zoo.training.train is train
with tempfile.TemporaryDirectory() as folder:
    os.environ["RESULTS_DIR"] = folder
    names = ["2nd_argmax", "median", "longest_cycle"]
    for name in names:
        train(name, hidden_size=2, seq_len=3, n_train=2**8, n_val=2**8,
              batch_size=2**5, lr_warmup_steps=2, checkpoints=2, log_every=4, seed=3)
    assert sorted(os.listdir(folder)) == sorted(
        f"{name}_2_3_{n_seqs}_3.pth" for name in names for n_seqs in (0, 64, 128, 256)
    )
    path = os.path.join(folder, "median_2_3_256_3.pth")
    model = alg_zoo.loading.load_scalar_rnn(path, seq_len=3)
    task, input_type, task_type = task_registry["median"]
    assert (input_type, task_type) == ("continuous", "scalar")
    x = th.randn(8, 3)
    assert model(x).squeeze(-1).shape == task(x).shape
""",
    "the example": """
import torch
from alg_zoo import example_2nd_argmax, task_2nd_argmax

model = example_2nd_argmax()
model.eval()
assert sum(p.numel() for p in model.parameters()) == 432
torch.manual_seed(0)
x = torch.randn(2**14, 10)
with torch.no_grad():
    h = torch.zeros(len(x), model.rnn.hidden_size)
    for t in range(10):
        drive = x[:, t].view(-1, 1) @ model.rnn.weight_ih_l0.T
        h = torch.relu(h @ model.rnn.weight_hh_l0.T + drive)
    acc = ((h @ model.linear.weight.T).argmax(1) == task_2nd_argmax(x)).float().mean()
assert abs(acc - 0.953) < 0.01
""",
}


def for_algzoo(script):
    """The script with its imports changed, and the name by which it calls what it imported."""
    return re.sub(r"\balg_zoo\b", "algzoo", script)


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "the example"])
def test_script_runs(name, tmp_path, monkeypatch):
    path = tmp_path / "script.py"
    path.write_text(for_algzoo(SCRIPTS[name]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RESULTS_DIR", str(tmp_path))  # put back what the script sets
    runpy.run_path(str(path), run_name="__main__")


def test_script_with_arcs_example_runs(official, tmp_path):
    path = tmp_path / "script.py"
    path.write_text(for_algzoo(SCRIPTS["the example"]), encoding="utf-8")
    runpy.run_path(str(path), run_name="__main__")


MODULES = {  # of ARC's package: its public functions and classes
    "architectures": (
        "OneLayerRNN(hidden_size, output_size, bias=False)",
        "DistRNN(hidden_size, seq_len, bias=False)",
        "ScalarRNN(hidden_size, seq_len, bias=False)",
        "AttentionOnlyTransformer(input_range, seq_len, hidden_size, output_size, "
        "n_layers=1, n_heads=1, bias=False)",
        "DistTransformer(hidden_size, seq_len, input_range=None, n_layers=1, n_heads=1, "
        "bias=False)",
        "ScalarTransformer(hidden_size, seq_len, input_range=None, n_layers=1, n_heads=1, "
        "bias=False)",
    ),
    "handcrafted": ("handcrafted_2nd_argmax(seq_len)",),
    "loading": (
        "example_2nd_argmax()",
        "load_state_dict(model_path)",
        "load_dist_rnn(model_path, bias=False)",
        "load_scalar_rnn(model_path, seq_len, bias=False)",
        "load_transformer(model_cls, model_path, n_heads=1, bias=False)",
    ),
    "tasks": (
        "task_2nd_argmax(x)",
        "task_argmax(x)",
        "task_argmedian(x)",
        "task_argoutlier(x)",
        "task_longest_cycle(x)",
        "task_median(x)",
    ),
    "training": (
        "train(task_name, *, hidden_size, seq_len, n_transformer_layers=2, "
        "n_transformer_heads=1, bias=False, discrete_eot=False, weight_decay=0.001, lr_base=0.04, "
        "lr_warmup_steps=16384, lr_decay_min_mult=0.01, batch_size=1024, n_train=1073741824, "
        "n_val=16777216, seed=0, checkpoints=10, log_every=1024)",
    ),
    "zoo": tuple(
        f"zoo_{family}(hidden_size, seq_len, *, n_seqs=None, seed=None)"
        for family in ("2nd_argmax", "argmedian", "median", "longest_cycle")
    ),
}
# By name only, after ARC's.
OURS = ("source", "folder", "device", "save_every", "progress", "lam", "dtype")


@pytest.mark.parametrize(
    ("module", "expected"),
    [(module, signature) for module, signatures in MODULES.items() for signature in signatures],
)
def test_signature_is_arcs(module, expected):
    name = expected.split("(")[0]
    function = getattr(getattr(algzoo, module), name)
    shared = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in OURS
    ]
    assert name + str(inspect.Signature(shared)) == expected


FORMS = [
    "from algzoo.training import train",
    "import algzoo; algzoo.train, algzoo.zoo.zoo_median, algzoo.tasks.task_registry",
    "from algzoo.architectures import DistRNN",
    "from algzoo.zoo import zoo_2nd_argmax",
]


@pytest.mark.parametrize("forms", [FORMS, FORMS[::-1]], ids=["forward", "backward"])
def test_imports_work_in_any_order(forms):
    lines = [
        *forms,
        "import algzoo",
        "assert algzoo.train is train",
        "assert algzoo.DistRNN is DistRNN",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, timeout=100)
