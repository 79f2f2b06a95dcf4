"""The model card that goes beside an exported model, in Markdown."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from ..zoo import CHECKPOINTS, EXAMPLE, FAMILIES, Model, OneLayerRNN
from ..zoo.populations import OtherModel, ZooModel
from .bibliography import citation, works_for

if TYPE_CHECKING:
    from ..estimates import Accuracy

_TASKS = {
    "2nd_argmax": (
        "The input is {n} numbers. The answer is the position, from 0 to {last}, of the "
        "second-largest of them: that of the largest of the model's {n} logits."
    ),
    "argmedian": (
        "The input is {n} numbers. The answer is the position, from 0 to {last}, of the middle one "
        "by size: that of the largest of the model's {n} logits."
    ),
    "median": "The input is {n} numbers. The output is an estimate of their median.",
    "longest_cycle": (
        "The input is a function on the points 0 to {last}, as the list of its {n} values. The "
        "answer is the length of its longest cycle minus one: the position of the largest of the "
        "model's {n} logits."
    ),
}

_CARD = """# {name}

One of the tiny neural networks of AlgZoo, exported from the Python package `algzoo`.

| | |
|---|---|
| architecture | {architecture} |
| weights | {n_weights}, {number_type} |
| {measure} | {score} |
| source | {source} |
| licence | {licence} |

**Task.** {task}

**Score.** The {measure} is that on {inputs}. The command
`algzoo accuracy {asked} --tolerance {tolerance:.1g}` computes it.

**Outputs.** Those of the model in `algzoo`, {rounding}

## Load it

{loading}

## Cite it

```bibtex
{citation}
```
"""

_PYTORCH = """```python
from algzoo.zoo import load_model

model = load_model("{family}", {d}, {n}, source={file})
```

Without `algzoo`, `safetensors.torch.load_file({file})` gives the weights under the keys of ARC's
models."""

_ONNX = """```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession({file})
{inputs} = {some_inputs}
{outputs} = session.run(None, {{"{inputs}": {inputs}}})
```
"""

_STATES = """
`states` are the hidden states after every step, of shape (batch, {n}, {d})."""

_HOOKED_RNN = """\
Besides PyTorch and safetensors it needs `algzoo_hooked.py`, which lies beside this file.

```python
import torch
from algzoo_hooked import load

model = load({file})
inputs = torch.randn(5, {n}{dtype})
outputs = model(inputs)
```

Every activation has a name: `steps.0.hook_input`, `steps.0.hook_pre` and `steps.0.hook_state` to
`steps.{last}.hook_state`, and `hook_output`. Where TransformerLens is installed,
`model.run_with_cache(inputs)` and `model.run_with_hooks(inputs, fwd_hooks=...)` take these names;
elsewhere `model.steps[0].hook_state.register_forward_hook(...)` sees or changes the activation."""

_BRIDGE = """\
It needs TransformerLens (`pip install 'transformer-lens>=4.3'`) and `algzoo_hooked.py`, which
lies beside this file.

```python
import torch
from algzoo_hooked import load

model = load({file})
tokens = torch.randint({n}, (5, {n}))
logits, cache = model.run_with_cache(tokens)
outputs = logits[:, -1]  # the model reads out the last position
pattern = cache["blocks.0.attn.hook_pattern"]
```

The configuration is in the metadata of the file, in JSON."""


def model_card(
    named: ZooModel | OtherModel,
    model: Model,
    asked: str,
    file: str,
    score: Accuracy,
    tolerance: float,
) -> str:
    """Write the card of an exported model.

    Parameters
    ----------
    named, model
        What was exported: its description, and the model with the weights that were written.
    asked
        The name by which the user asked for it.
    file
        Name of the file that holds the model, without its folder. Its ending says how it is loaded.
    score, tolerance
        The model's score and the largest standard error that was asked for.
    """
    family = FAMILIES[model.task_name]
    n = model.seq_len
    spread = f"standard error {score.std:.1g}, by {score.method}" if score.std else "exact"
    digits = 6 if score.std == 0 else 1 - math.floor(math.log10(score.std))
    double = model.dtype.itemsize == 8
    recurrent = isinstance(model, OneLayerRNN)
    return _CARD.format(
        name=named.name,
        asked=asked,
        architecture=_architecture(model),
        n_weights=sum(weight.numel() for weight in model.parameters()),
        number_type="float64" if double else "float32",
        measure="mean squared error" if family.measures_error else "accuracy",
        score=f"{score.value:.{digits}f} ({spread})",
        source=_source(named),
        licence=_licence(named),
        task=_TASKS[model.task_name].format(n=n, last=n - 1),
        inputs=(
            "independent standard Gaussian numbers"
            if recurrent
            else f"all {n}^{n} functions, each as likely as the others"
        ),
        tolerance=tolerance,
        rounding=_rounding(file, double),
        loading=_loading(model, file, json.dumps(file, ensure_ascii=False)),
        citation=citation([works_for(asked), works_for("algzoobook2026")]),
    )


def _architecture(model: Model) -> str:
    d, n = model.hidden_size, model.seq_len
    if isinstance(model, OneLayerRNN):
        return f"ReLU RNN without biases, {d} neurons, {n} steps"
    return (
        f"transformer of {model.n_layers} attention layers with {model.n_heads} head each, "
        f"hidden size {d}, {n} positions; no MLPs, biases or layer normalization; no causal mask"
    )


def _source(named: ZooModel | OtherModel) -> str:
    if isinstance(named, ZooModel):
        return (
            "trained for the book *Fully understanding tiny neural networks* with the recipe of "
            f"ARC's AlgZoo: {named.n_seqs:,} of its {CHECKPOINTS[-1]:,} training sequences, "
            f"seed {named.seed}"
        )
    if named.source == EXAMPLE:
        return "the Alignment Research Center (ARC), the example of its post on AlgZoo"
    if named.source == "official":
        return "the Alignment Research Center (ARC), a model of its AlgZoo"
    return "a file of weights of whoever exported it"


def _licence(named: ZooModel | OtherModel) -> str:
    if isinstance(named, ZooModel):
        return "MIT"
    if named.source in (EXAMPLE, "official"):
        return "none is known to us; ask ARC before you pass the weights on"
    return "that of the weights in the original file"


def _rounding(file: str, double: bool) -> str:
    if file.endswith(".safetensors") and not file.endswith(".transformer-lens.safetensors"):
        return "because the weights are the same numbers."
    if double:
        return "up to rounding in float64, about 1e-13 of the largest output."
    return (
        "up to rounding in float32: about 1e-6 of the largest output, and up to 1e-4 for a few "
        "transformers. The outputs of the model itself are as far from those of the same weights "
        "in float64; `algzoo export --float64` writes these, for outputs equal to 1e-12."
    )


def _loading(model: Model, file: str, quoted: str) -> str:
    n, d = model.seq_len, model.hidden_size
    recurrent = isinstance(model, OneLayerRNN)
    double = model.dtype.itemsize == 8
    if file.endswith(".onnx"):
        outputs = "median" if FAMILIES[model.task_name].measures_error else "logits"
        random = "np.random.default_rng(0)"
        some = f"{random}.standard_normal((5, {n})).astype(np.float{64 if double else 32})"
        text = _ONNX.format(
            file=quoted,
            inputs="inputs" if recurrent else "tokens",
            some_inputs=some if recurrent else f"{random}.integers({n}, size=(5, {n}))",
            outputs=f"{outputs}, states" if recurrent else f"[{outputs}]",
        )
        return text + _STATES.format(n=n, d=d) if recurrent else text.rstrip()
    if file.endswith(".transformer-lens.safetensors"):
        dtype = ", dtype=torch.float64" if double else ""
        return (_HOOKED_RNN if recurrent else _BRIDGE).format(
            file=quoted, n=n, last=n - 1, dtype=dtype
        )
    return _PYTORCH.format(family=model.task_name, d=d, n=n, file=quoted)
