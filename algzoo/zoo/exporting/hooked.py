"""Load a model that `algzoo export --to transformer-lens` wrote, with a name for every activation.

This file is complete in itself: it needs PyTorch and safetensors, and nothing of algzoo. A
transformer needs TransformerLens 4.3 or newer. A recurrent network uses it where it is installed,
for ``run_with_cache`` and ``run_with_hooks``; elsewhere it is a plain PyTorch module, whose hook
points take ``register_forward_hook``.

    from algzoo_hooked import load

    model = load("2nd_argmax_4_3.transformer-lens.safetensors")
    logits, cache = model.run_with_cache(inputs)
    cache["steps.2.hook_state"]
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

try:
    from transformer_lens import HookedRootModule
    from transformer_lens.hook_points import HookPoint
except ModuleNotFoundError:
    HookedRootModule, HookPoint = nn.Module, nn.Identity


class Step(nn.Module):
    """Hook points of one step of a recurrent network.

    ``hook_input`` sees the number that is read, shape (batch, 1); ``hook_pre`` the sum before the
    ReLU and ``hook_state`` the new hidden state, both of shape (batch, hidden_size).
    """

    def __init__(self) -> None:
        super().__init__()
        self.hook_input = HookPoint()
        self.hook_pre = HookPoint()
        self.hook_state = HookPoint()


class HookedRNN(HookedRootModule):  # type: ignore[misc]  # its class depends on what is installed
    """ReLU RNN without biases that reads one number per step, with hook points in every step.

    ``h[0] = 0``, ``h[t+1] = ReLU(W_hi x[t] + W_hh h[t])``, ``output = W_oh h[n]``. The hook points
    are ``steps.T.hook_input``, ``steps.T.hook_pre``, ``steps.T.hook_state`` with T from 0 to
    seq_len - 1, and ``hook_output``.
    """

    def __init__(self, hidden_size: int, seq_len: int, output_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.seq_len = seq_len
        self.W_hi = nn.Parameter(torch.zeros(hidden_size, 1))
        self.W_hh = nn.Parameter(torch.zeros(hidden_size, hidden_size))
        self.W_oh = nn.Parameter(torch.zeros(output_size, hidden_size))
        self.steps = nn.ModuleList(Step() for _ in range(seq_len))
        self.hook_output = HookPoint()
        if HookedRootModule is not nn.Module:
            self.setup()  # TransformerLens gives the hook points their names

    def step(self, t: int, number: Tensor, state: Tensor) -> Tensor:
        """Return the hidden state after step ``t``, counted from 0.

        ``number`` is the input of the step, shape (batch, 1), and ``state`` the hidden state before
        it, shape (batch, hidden_size).
        """
        hooks: Any = self.steps[t]
        pre = hooks.hook_input(number) @ self.W_hi.T + state @ self.W_hh.T
        after: Tensor = hooks.hook_state(torch.relu(hooks.hook_pre(pre)))
        return after

    def forward(self, x: Tensor) -> Tensor:
        """Map sequences (batch, seq_len) to outputs (batch, output_size)."""
        if x.ndim != 2 or x.shape[1] != self.seq_len:
            raise ValueError(f"x has shape (batch, {self.seq_len}), not {tuple(x.shape)}")
        state = x.new_zeros(len(x), self.hidden_size)
        for t in range(self.seq_len):
            state = self.step(t, x[:, t : t + 1], state)
        output: Tensor = self.hook_output(state @ self.W_oh.T)
        return output


def load(path: str | Path) -> Any:
    """Load the model in the file at ``path``.

    Returns
    -------
    HookedRNN or transformer_lens.TransformerBridge
        The latter gives logits at every position; the model's outputs are those at the last one,
        ``model(tokens)[:, -1]``.

    Raises
    ------
    ModuleNotFoundError
        If the model is a transformer and TransformerLens is not installed.
    ValueError
        If the file was not written by ``algzoo export --to transformer-lens``.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    if "config" not in metadata:
        raise ValueError(f"{path} was not written by `algzoo export --to transformer-lens`")
    config = json.loads(metadata["config"])
    if "hidden_size" not in config:
        return _transformer(config, state)
    model = HookedRNN(**config).to(state["W_hh"].dtype)
    model.load_state_dict(state)
    return model


def _transformer(config: dict[str, Any], state: dict[str, Tensor]) -> Any:
    from transformer_lens import TransformerBridge, TransformerBridgeConfig
    from transformer_lens.model_bridge.sources import native  # noqa: F401 (adds boot_native)
    from transformer_lens.utilities.tl_checkpoint_conversion import convert_tl_checkpoint

    settings = TransformerBridgeConfig.from_dict(config)
    model = TransformerBridge.boot_native(settings, dtype=state["embed.W_E"].dtype)
    model.load_state_dict(convert_tl_checkpoint(state, settings), strict=True)
    return model
