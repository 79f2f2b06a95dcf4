"""Models as ONNX graphs of elementary operations.

The graphs are built by hand rather than traced: they have a readable name for every state, run in
float64 too (the operator ``RNN`` of ONNX Runtime does not), and need no further package for the
tracing.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
from torch import Tensor

from ..architectures import AttentionOnlyTransformer, Model, OneLayerRNN
from ..families import FAMILIES
from .portable import check_portable

# Old enough for engines of 2022 and later; nothing newer is used.
_OPSET = 17
_IR_VERSION = 8


def as_onnx(model: Model) -> bytes:
    """Return the content of an ONNX file that computes the model's outputs.

    The input is called ``inputs`` for a recurrent model, shape (batch, seq_len), of the number type
    of the weights, and ``tokens`` for a transformer, of int64. The first output is ``logits``,
    shape (batch, seq_len), or ``median``, shape (batch, 1). A recurrent model has a second output
    ``states``, the hidden states after every step, shape (batch, seq_len, hidden_size). Inside the
    graph, the values ``state_1``, ``pattern_0`` and ``residual_1`` may be made outputs too.

    Raises
    ------
    ModuleNotFoundError
        If the package onnx is not installed; ``pip install 'algzoo[export]'`` installs it.
    TypeError, ValueError
        Raised by :func:`.check_portable`.
    """
    check_portable(model)
    onnx = _onnx()
    graph = _Graph(onnx)
    n = model.seq_len
    number = onnx.helper.np_dtype_to_tensor_dtype(_array(next(model.parameters())).dtype)
    output = "median" if FAMILIES[model.task_name].measures_error else "logits"
    outputs = [onnx.helper.make_tensor_value_info(output, number, ["batch", model.output_size])]
    if isinstance(model, OneLayerRNN):
        _recurrent(graph, model, output)
        shape = ["batch", n, model.hidden_size]
        outputs.append(onnx.helper.make_tensor_value_info("states", number, shape))
        given = onnx.helper.make_tensor_value_info("inputs", number, ["batch", n])
    else:
        _transformer(graph, model, output)
        whole = onnx.TensorProto.INT64
        given = onnx.helper.make_tensor_value_info("tokens", whole, ["batch", n])
    made = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            f"{model.task_name}_{model.hidden_size}_{n}",
            [given],
            outputs,
            graph.constants,
        ),
        producer_name="algzoo",
        ir_version=_IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", _OPSET)],
    )
    onnx.checker.check_model(made, full_check=True)
    content: bytes = made.SerializeToString(deterministic=True)
    return content


def _onnx() -> ModuleType:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "An ONNX file needs the package onnx, which is not installed: "
            "pip install 'algzoo[export]'",
            name="onnx",
        ) from error
    return onnx


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    return tensor.detach().cpu().numpy()


class _Graph:
    """Nodes and constants of a graph that is being built; values go by their names."""

    def __init__(self, onnx: ModuleType) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: np.ndarray[Any, Any]) -> str:
        """Add a constant and return its name."""
        made = self.onnx.numpy_helper.from_array(np.array(value, order="C"), name)
        self.constants.append(made)
        return name

    def transposed(self, name: str, weight: Tensor) -> str:
        """Add the transpose of a weight as a constant: rows of a batch are multiplied by it."""
        return self.constant(name, _array(weight).T)

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [output], **attributes))
        return output


def _recurrent(graph: _Graph, model: OneLayerRNN, output: str) -> None:
    n = model.seq_len
    weights = model.state_dict()
    W_hi = graph.transposed("W_hi", weights["rnn.weight_ih_l0"])
    W_hh = graph.transposed("W_hh", weights["rnn.weight_hh_l0"])
    W_oh = graph.transposed("W_oh", weights["linear.weight"])
    numbers = [f"input_{step}" for step in range(1, n + 1)]
    graph.nodes.append(graph.onnx.helper.make_node("Split", ["inputs"], numbers, axis=1))
    states: list[str] = []
    for step, number in enumerate(numbers, start=1):
        before = graph.node("MatMul", [number, W_hi], f"from_input_{step}")
        if states:  # the state before the first input is zero
            carried = graph.node("MatMul", [states[-1], W_hh], f"from_state_{step}")
            before = graph.node("Add", [before, carried], f"pre_{step}")
        states.append(graph.node("Relu", [before], f"state_{step}"))
    side_by_side = graph.node("Concat", states, "states_side_by_side", axis=1)
    shape = graph.constant("shape_of_states", np.array([-1, n, model.hidden_size]))
    graph.node("Reshape", [side_by_side, shape], "states")
    graph.node("MatMul", [states[-1], W_oh], output)


def _transformer(graph: _Graph, model: AttentionOnlyTransformer, output: str) -> None:
    n, d, heads = model.seq_len, model.hidden_size, model.n_heads
    weights = model.state_dict()
    embed = graph.constant("W_E", _array(model.embed.weight))
    position = graph.constant("W_pos", _array(model.pos_embed.weight))
    token = graph.node("Gather", [embed, "tokens"], "token_embedding")
    residual = graph.node("Add", [token, position], "residual_0")
    per_head = graph.constant("shape_per_head", np.array([-1, n, heads, d // heads]))
    together = graph.constant("shape_together", np.array([-1, n, d]))
    scale = np.array(1 / math.sqrt(d // heads), dtype=_array(model.embed.weight).dtype)
    scaling = graph.constant("scale", scale)
    for layer in range(model.n_layers):
        parts = {}
        for name, weight, order in zip(
            "qkv",
            weights[f"attns.{layer}.in_proj_weight"].chunk(3),
            # Batch and heads first; the keys are transposed, to be multiplied by the queries.
            ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]),
            strict=True,
        ):
            W = graph.transposed(f"W_{name.upper()}_{layer}", weight)
            flat = graph.node("MatMul", [residual, W], f"{name}_flat_{layer}")
            apart = graph.node("Reshape", [flat, per_head], f"{name}_apart_{layer}")
            parts[name] = graph.node("Transpose", [apart], f"{name}_{layer}", perm=order)
        products = graph.node("MatMul", [parts["q"], parts["k"]], f"products_{layer}")
        scores = graph.node("Mul", [products, scaling], f"scores_{layer}")
        pattern = graph.node("Softmax", [scores], f"pattern_{layer}", axis=-1)
        mixed = graph.node("MatMul", [pattern, parts["v"]], f"z_{layer}")
        turned = graph.node("Transpose", [mixed], f"z_turned_{layer}", perm=[0, 2, 1, 3])
        flat = graph.node("Reshape", [turned, together], f"z_flat_{layer}")
        W_O = graph.transposed(f"W_O_{layer}", weights[f"attns.{layer}.out_proj.weight"])
        written = graph.node("MatMul", [flat, W_O], f"attention_out_{layer}")
        residual = graph.node("Add", [residual, written], f"residual_{layer + 1}")
    last = graph.constant("last_position", np.array(n - 1))
    read = graph.node("Gather", [residual, last], "residual_at_last_position", axis=1)
    W_U = graph.transposed("W_U", model.unembed.weight)
    graph.node("MatMul", [read, W_U], output)
