"""Checks that refuse whatever is not a model of a family, in one wording for the whole package.

They answer two questions. The first is whether the model can be run: whether it is a model of this
package, with a task, a length and weights. That is enough for a method that only looks at outputs.
The second is whether the model is *plain*: whether it computes what its weights say and nothing
else. A method that reads the weights needs that too; otherwise its result would be about another
function than the one that the module computes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import SupportsIndex

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_modules
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from .architectures import AttentionOnlyTransformer, Model, OneLayerRNN
from .families import FAMILIES, check_choice
from .weight_files import NUMBER_TYPES

_LEAST = 1e-30  # least size of a transformer's matrix, so that float64 holds products of eight

MOST_FUNCTIONS = 2**24
"""The largest number of functions that are enumerated, which is that on eight points. On nine
points there are 23 times as many, hours of forward passes."""

MOST_NUMBERS = 2**27
"""The largest number of entries of an array over all functions: 1 GiB in float64. A method that
keeps such an array has about four of them at its peak."""

SAMPLING = "sampling(model, n_samples, seed) estimates the score with a standard error"


def check_model(model: object) -> None:
    """Raise an error unless ``model`` is a model of a family and computes what its weights say.

    The weights need not be finite.

    Raises
    ------
    TypeError
        If it is not a model of this package.
    ValueError
        Raised by :func:`check_can_be_run` and :func:`check_plain`, or if the readout does not have
        the shape that the task and the length ask for.
    """
    check_can_be_run(model)
    assert isinstance(model, OneLayerRNN | AttentionOnlyTransformer)
    check_plain(model)
    readout = model.linear if isinstance(model, OneLayerRNN) else model.unembed
    wanted = (n_outputs(model), model.hidden_size)
    if tuple(readout.weight.shape) != wanted:
        raise ValueError(
            f"A model for {model.task_name} with seq_len {model.seq_len} and hidden_size "
            f"{model.hidden_size} has output weights of shape {wanted}, but those of this "
            f"{type(model).__name__} have shape {tuple(readout.weight.shape)}"
        )


def check_can_be_run(model: object) -> None:
    """Raise an error unless ``model`` is of this package, with a task, a length and weights.

    What the module does with its weights is not checked.

    Raises
    ------
    TypeError
        If it is not a model of this package.
    ValueError
        If it has no task, a task of another architecture or no length, or raised by
        :func:`check_weights`.
    """
    if not isinstance(model, OneLayerRNN | AttentionOnlyTransformer):
        raise _wrong_type(model)
    kind = type(model).__name__
    for name in ("task_name", "seq_len"):
        if not hasattr(model, name):
            raise ValueError(f"This {kind} has no {name}, which every model of a family has")
    check_choice("task_name", model.task_name, FAMILIES, what="model")
    n = model.seq_len
    if isinstance(n, bool) or not isinstance(n, SupportsIndex) or n < 1:
        raise ValueError(f"seq_len must be a whole number above 0; that of this {kind} is {n!r}")
    if isinstance(model, OneLayerRNN) == (model.task_name == "longest_cycle"):
        raise ValueError(
            f"A {kind} cannot be a model for {model.task_name}: longest_cycle is for transformers, "
            "the other tasks are for recurrent networks"
        )
    check_weights(model)


def check_plain(model: Model) -> None:
    """Raise an error unless the module computes what its weights say.

    The parts of the module, their settings and their forward passes must be those that its class
    makes. Biases count as weights. Backward hooks, further attributes and buffers, the mode
    (``train`` or ``eval``) and a subclass that overrides nothing of this are allowed, because they
    change no output.

    Raises
    ------
    TypeError
        If it is not a model of this package.
    ValueError
        If it computes something else; the message says what was found.
    """
    if not isinstance(model, OneLayerRNN | AttentionOnlyTransformer):
        raise _wrong_type(model)
    reason = _departure(model)
    if reason is not None:
        raise ValueError(
            f"This {type(model).__name__} does something else than its weights say: {reason}. Only "
            "sampling() runs a module as it is"
        )


def is_plain(model: Model) -> bool:
    """Tell whether :func:`check_plain` accepts the model."""
    return _departure(model) is None


def n_outputs(model: Model) -> int:
    """Return how many outputs the model's task asks for: one number, or one logit per position."""
    return 1 if FAMILIES[model.task_name].measures_error else model.seq_len


_Shapes = dict[str, tuple[int, ...]]  # shapes of parameters, by name


@dataclass(frozen=True)
class _Part:
    """Module as the class of its model makes it.

    Attributes
    ----------
    kind
        Its type; for the model itself, a class that it may be derived from.
    shapes
        Shapes of its own parameters, by name.
    settings
        Attributes that its forward pass reads.
    """

    kind: type[nn.Module]
    shapes: _Shapes = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


_KINDS: tuple[type[nn.Module], ...] = (
    OneLayerRNN,
    AttentionOnlyTransformer,
    nn.RNN,
    nn.Linear,
    NonDynamicallyQuantizableLinear,
    nn.Embedding,
    nn.MultiheadAttention,
    nn.ModuleList,
)
_METHOD_NAMES = (
    "forward",
    "__call__",
    "_wrapped_call_impl",
    "_call_impl",
    "__getattr__",
    "__getattribute__",
    "named_modules",
    "named_parameters",
    "parameters",
    "get_parameter",
    "state_dict",
)
_KEEP = {
    "prune": "; torch.nn.utils.prune.remove() makes the pruned weights its own",
    "parametrize": (
        "; torch.nn.utils.parametrize.remove_parametrizations() makes the computed weights its own"
    ),
}

# These are read when this module is imported, because a method may be replaced later.
_METHODS = {kind: {name: getattr(kind, name) for name in _METHOD_NAMES} for kind in _KINDS}
_FUNCTIONS = [
    (owner, name, getattr(owner, name))
    for owner, names in (
        (torch._VF, ["rnn_relu"]),
        (
            nn.functional,
            [
                "linear",
                "embedding",
                "multi_head_attention_forward",
                "scaled_dot_product_attention",
            ],
        ),
    )
    for name in names
]


def _departure(model: Model) -> str | None:
    """Describe what the module has besides its weights that may change its outputs."""
    if _of_users(torch_modules._global_forward_pre_hooks.values()) or _of_users(
        torch_modules._global_forward_hooks.values()
    ):
        return "a forward hook on all modules is registered"
    for owner, name, original in _FUNCTIONS:
        if getattr(owner, name) is not original:
            return f"PyTorch's function {name} was replaced"
    try:
        parts = _recurrent(model) if isinstance(model, OneLayerRNN) else _transformer(model)
    except (AttributeError, TypeError, ZeroDivisionError) as error:
        return f"its sizes are not whole numbers ({error})"
    modules = dict(model.named_modules(remove_duplicate=False))
    for name, part in parts.items():
        module = modules.get(name)
        if module is None:
            return f"it has no {name}"
        if name and type(module) is not part.kind:
            advice = _KEEP["parametrize"] if hasattr(module, "parametrizations") else ""
            return f"{name} is no plain {part.kind.__name__}, but {type(module).__name__}{advice}"
        reason = _departure_of(module, name or "the model", part)
        if reason is not None:
            return reason
    more = sorted(modules.keys() - parts.keys())
    return f"it has parts that its class does not have, {', '.join(more)}" if more else None


def _departure_of(module: nn.Module, name: str, part: _Part) -> str | None:
    """Describe the same for one module, apart from the modules inside it."""
    for hooks, when in ((module._forward_pre_hooks, "pre-hook"), (module._forward_hooks, "hook")):
        for hook in hooks.values():
            what = getattr(hook, "__qualname__", type(hook).__qualname__)
            of_prune = getattr(hook, "__module__", None) == "torch.nn.utils.prune"
            advice = _KEEP["prune"] if of_prune else ""
            return f"{name} has a forward {when}, {what}{advice}"
    own = vars(module)
    for method, original in _METHODS[part.kind].items():
        if method in own or getattr(type(module), method) is not original:
            return f"{method} of {name} is not that of {part.kind.__name__}"
    parameters = {key: weight for key, weight in module._parameters.items() if weight is not None}
    if {key: tuple(weight.shape) for key, weight in parameters.items()} != part.shapes:
        found = ", ".join(f"{key} {tuple(weight.shape)}" for key, weight in parameters.items())
        wanted = ", ".join(f"{key} {shape}" for key, shape in part.shapes.items())
        return f"{name} has the weights {found or 'none'}, not {wanted or 'none'}"
    for key, weight in parameters.items():
        if type(weight) not in (nn.Parameter, Tensor):
            return f"{key} of {name} is a {type(weight).__name__}, not a plain tensor"
    for key in (*parameters, *module._modules):
        if key in own or hasattr(type(module), key):
            return f"{key} of {name} is hidden by another attribute of that name"
    for key, setting in part.settings.items():
        if getattr(module, key, None) != setting:
            return f"{key} of {name} is {getattr(module, key, None)!r}, not {setting!r}"
    return None


def _recurrent(model: OneLayerRNN) -> dict[str, _Part]:
    d, o = model.hidden_size, model.output_size
    of_rnn: _Shapes = {"weight_ih_l0": (d, 1), "weight_hh_l0": (d, d)}
    of_linear: _Shapes = {"weight": (o, d)}
    if model.bias:
        of_rnn |= {"bias_ih_l0": (d,), "bias_hh_l0": (d,)}
        of_linear |= {"bias": (o,)}
    settings = {
        "mode": "RNN_RELU",
        "input_size": 1,
        "hidden_size": d,
        "num_layers": 1,
        "bias": bool(model.bias),
        "batch_first": True,
        "bidirectional": False,
        "proj_size": 0,
    }
    return {
        "": _Part(OneLayerRNN),
        "rnn": _Part(nn.RNN, of_rnn, settings),
        "linear": _Part(nn.Linear, of_linear),
    }


def _transformer(model: AttentionOnlyTransformer) -> dict[str, _Part]:
    d, o = model.hidden_size, model.output_size
    of_attention: _Shapes = {"in_proj_weight": (3 * d, d)}
    of_output: _Shapes = {"weight": (d, d)}
    of_readout: _Shapes = {"weight": (o, d)}
    if model.bias:
        of_attention |= {"in_proj_bias": (3 * d,)}
        of_output |= {"bias": (d,)}
        of_readout |= {"bias": (o,)}
    settings = {
        "embed_dim": d,
        "num_heads": model.n_heads,
        "head_dim": d // model.n_heads,
        "dropout": 0.0,
        "batch_first": True,
        "bias_k": None,
        "bias_v": None,
        "add_zero_attn": False,
        "_qkv_same_embed_dim": True,
    }
    parts = {
        "": _Part(AttentionOnlyTransformer),
        "embed": _Part(nn.Embedding, {"weight": (model.input_range, d)}, {"max_norm": None}),
        "pos_embed": _Part(nn.Embedding, {"weight": (model.seq_len, d)}, {"max_norm": None}),
        "attns": _Part(nn.ModuleList),
        "unembed": _Part(nn.Linear, of_readout),
    }
    for layer in range(model.n_layers):
        parts[f"attns.{layer}"] = _Part(nn.MultiheadAttention, of_attention, settings)
        parts[f"attns.{layer}.out_proj"] = _Part(NonDynamicallyQuantizableLinear, of_output)
    return parts


def _of_users(hooks: Iterable[object]) -> bool:
    """Tell whether there is a hook other than those with which torch counts operations."""
    return any(getattr(hook, "__module__", None) != "torch.utils.module_tracker" for hook in hooks)


def _wrong_type(model: object) -> TypeError:
    """Return an error that names the type and, for a wrapper of a model, says how to unwrap it."""
    found = type(model).__name__
    if isinstance(model, torch.jit.ScriptModule):
        found += ": pass the Python model that it was compiled from"
    for name in ("_orig_mod", "module"):
        if isinstance(getattr(model, name, None), OneLayerRNN | AttentionOnlyTransformer):
            found += f", which wraps one: pass its {name}"
    return TypeError(f"A model of this package is needed, got {found}")


def check_can_be_enumerated(
    n_values: int, n_points: int, numbers_each: int = 1, *, instead: str = SAMPLING
) -> None:
    """Raise a ``ValueError`` if there are too many functions to run a model on all of them.

    The limits are :data:`MOST_FUNCTIONS`, and :data:`MOST_NUMBERS` for what is kept in memory.

    Parameters
    ----------
    n_values, n_points
        A function has one of ``n_values`` values at each of ``n_points`` points.
    numbers_each
        How many numbers of 8 bytes are kept for every function at a time.
    instead
        What to do instead, for the message.
    """
    # Logarithms are compared: the number itself may have more digits than Python prints.
    digits = n_points * math.log10(n_values)
    if digits > math.log10(MOST_FUNCTIONS):
        raise ValueError(
            f"There are {n_values}^{n_points} functions, about 10^{digits:.0f}, and at most "
            f"{MOST_FUNCTIONS} are enumerated: {instead}"
        )
    n_numbers = n_values**n_points * numbers_each
    if n_numbers > MOST_NUMBERS:
        raise ValueError(
            f"All {n_values}^{n_points} functions at once would be {n_numbers * 8 / 1e9:.1f} GB of "
            f"numbers, and at most {MOST_NUMBERS * 8 / 1e9:.1f} GB are kept: {instead}"
        )


def check_task_has_answers(model: OneLayerRNN | AttentionOnlyTransformer) -> None:
    """Raise a ``ValueError`` if the model's inputs have no right answer."""
    if model.task_name == "2nd_argmax" and model.seq_len < 2:
        raise ValueError(
            f"There is no second largest of {model.seq_len} numbers: seq_len must be at least 2"
        )
    if isinstance(model, AttentionOnlyTransformer) and model.input_range > model.seq_len:
        raise ValueError(
            f"A function on {model.seq_len} positions has values below {model.seq_len}, but this "
            f"model has input_range {model.input_range}"
        )


def check_weights(model: Model) -> None:
    """Raise a ``ValueError`` unless all weights are real numbers of one type on one device.

    Weights on PyTorch's meta device, which stores no numbers, are refused too.
    """
    weights = [*model.parameters()]
    if any(weight.is_meta for weight in weights):
        raise ValueError("The model has no weights: they are on PyTorch's meta device")
    kind = type(model).__name__
    for what, found in (
        ("have one number type", {weight.dtype for weight in weights}),
        ("lie on one device", {weight.device for weight in weights}),
    ):
        if len(found) > 1:
            listed = ", ".join(sorted(map(str, found)))
            raise ValueError(f"The weights of a model must {what}; those of this {kind}: {listed}")
    if model.dtype not in NUMBER_TYPES:
        raise ValueError(
            "The weights of a model must be real numbers of 16, 32 or 64 bits; those of this "
            f"{kind} are {_name(model.dtype)}"
        )


def check_outputs(outputs: Tensor) -> None:
    """Raise a ``ValueError`` if the outputs of a run of the model are not finite numbers."""
    if not torch.isfinite(outputs).all():
        raise ValueError(
            f"The model's outputs are not finite in {_name(outputs.dtype)}: a weight is not "
            "finite or too large"
        )


def check_transformer_weights(model: AttentionOnlyTransformer) -> None:
    """Raise a ``ValueError`` if a weight is not finite, or if products of eight leave float64.

    Two layers multiply up to eight matrices; a matrix of zeros is allowed. The function also raises
    what :func:`check_model` raises, because its caller is about to read the weights.
    """
    check_model(model)
    for name, weight in model.named_parameters():
        largest = _largest(weight)
        if not math.isfinite(largest):
            raise ValueError(f"The model's {name} holds a weight that is not finite")
        if largest and not _LEAST < largest < 1 / _LEAST:
            size = "large" if largest > 1 else "small"
            raise ValueError(f"The model's {name} is too {size} for float64, up to {largest:.3g}")


def check_logits_not_too_small(model: AttentionOnlyTransformer) -> None:
    """Raise a ``ValueError`` if the logits may vanish in the model's own number type."""
    embedding = max(_largest(model.embed.weight), _largest(model.pos_embed.weight))
    logit = embedding * _largest(model.unembed.weight)
    if 0 < logit < torch.finfo(model.dtype).tiny or (
        logit == 0 and embedding and _largest(model.unembed.weight)
    ):
        raise ValueError(
            f"The model's weights are too small for {_name(model.dtype)}: its logits may be of "
            f"the order of {logit:.0e}"
        )


def _largest(weight: Tensor) -> float:
    return float(weight.detach().abs().max())


def _name(number_type: torch.dtype) -> str:
    return str(number_type).removeprefix("torch.")
