"""Triton kernels of the stacked step: one for the RNNs forward and backward, one for AdamW.

They run only on CUDA, whose PyTorch comes with Triton; :class:`Stack` defines in plain PyTorch what
they compute.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from .recipe import Recipe
from .stacked import BETA_1, BETA_2, EPSILON, Stack, StateDict

_BLOCK = 128  # sequences of a batch that one program of the gradient kernel works on
_OUTPUTS = 16  # outputs are padded to this many inside the kernel: the least that tl.dot takes
_WEIGHTS = 256  # weights that one program of the optimizer's kernel works on


@triton.jit
def _rnn_gradients_kernel(
    inputs,  # (streams, batch, seq_len)
    targets,  # (streams, batch): position of the right output, or the right number
    weights,  # (models, n_weights), laid out W_ih, W_hh, W_oh
    streams,  # (models,)
    states,  # (models, batch / block, seq_len, block, width): memory for the hidden states
    gradients,  # (models, batch / block, n_weights): gradients by each block of the batch
    seq_len: tl.constexpr,
    output_size: tl.constexpr,
    padded_outputs: tl.constexpr,
    width: tl.constexpr,
    batch: tl.constexpr,
    block: tl.constexpr,
    measures_error: tl.constexpr,
):
    """Compute, in program (m, b), the gradient of model m's mean loss over block b of its batch."""
    model, part = tl.program_id(0), tl.program_id(1)
    n_weights: tl.constexpr = width + width * width + output_size * width
    n_parts: tl.constexpr = batch // block
    sequence = tl.arange(0, block)
    unit = tl.arange(0, width)
    output = tl.arange(0, padded_outputs)
    is_output = (output < output_size)[:, None]

    w_ih_at = unit
    w_hh_at = width + unit[:, None] * width + unit[None, :]
    w_oh_at = width + width * width + output[:, None] * width + unit[None, :]
    weights += model * n_weights
    w_ih = tl.load(weights + w_ih_at)[None, :]
    w_hh = tl.load(weights + w_hh_at)
    w_oh = tl.load(weights + w_oh_at, mask=is_output, other=0.0)

    rows = tl.load(streams + model) * batch + part * block + sequence
    x = inputs + rows * seq_len
    gradients += (model * n_parts + part) * n_weights
    states += (model * n_parts + part) * (seq_len * block * width)
    states += sequence[:, None] * width + unit[None, :]

    state = tl.maximum(tl.load(x)[:, None] * w_ih, 0.0)
    tl.store(states, state)
    for t in range(1, seq_len):
        driven = tl.load(x + t)[:, None] * w_ih
        recurrent = tl.dot(state, tl.trans(w_hh), input_precision="ieee")
        state = tl.maximum(driven + recurrent, 0.0)
        tl.store(states + t * (block * width), state)

    logits = tl.dot(state, tl.trans(w_oh), input_precision="ieee")
    target = tl.load(targets + rows)[:, None]
    if measures_error:
        by_logits = tl.where(output[None, :] == 0, 2.0 * (logits - target), 0.0)
    else:
        logits = tl.where((output < output_size)[None, :], logits, float("-inf"))
        odds = tl.exp(logits - tl.max(logits, axis=1)[:, None])
        by_logits = odds / tl.sum(odds, axis=1)[:, None]
        by_logits -= (output[None, :] == target).to(tl.float32)
    by_logits /= batch

    by_w_oh = tl.dot(tl.trans(by_logits), state, input_precision="ieee")
    tl.store(gradients + w_oh_at, by_w_oh, mask=is_output)
    by_state = tl.dot(by_logits, w_oh, input_precision="ieee")
    by_w_ih = tl.zeros([width], tl.float32)
    by_w_hh = tl.zeros([width, width], tl.float32)
    tl.debug_barrier()  # the states were stored by other threads than those that load them
    for back in range(1, seq_len):
        t = seq_len - back
        by_sum = tl.where(state > 0.0, by_state, 0.0)
        by_w_ih += tl.sum(by_sum * tl.load(x + t)[:, None], axis=0)
        state = tl.load(states + (t - 1) * (block * width))
        by_w_hh += tl.dot(tl.trans(by_sum), state, input_precision="ieee")
        by_state = tl.dot(by_sum, w_hh, input_precision="ieee")
    by_sum = tl.where(state > 0.0, by_state, 0.0)
    by_w_ih += tl.sum(by_sum * tl.load(x)[:, None], axis=0)
    tl.store(gradients + w_ih_at, by_w_ih)
    tl.store(gradients + w_hh_at, by_w_hh)


@triton.jit
def _adamw_kernel(
    weights,  # (models, n_weights), as the two moments
    first_moment,
    second_moment,
    gradients,  # (models, n_parts, n_weights), to be summed over the parts
    initial_rates,  # (models,)
    schedule,  # (3,), a row of schedule_from
    n_weights,
    n_parts: tl.constexpr,
    weight_decay: tl.constexpr,
    beta_1: tl.constexpr,
    beta_2: tl.constexpr,
    epsilon: tl.constexpr,
    block: tl.constexpr,
):
    """Make, in program (m, b), a step of AdamW for block b of the weights of model m."""
    model = tl.program_id(0)
    weight = tl.program_id(1) * block + tl.arange(0, block)
    exists = weight < n_weights
    gradient = tl.zeros([block], tl.float32)
    for part in tl.static_range(n_parts):
        row = model * n_parts + part
        gradient += tl.load(gradients + row * n_weights + weight, mask=exists, other=0.0)
    at = model * n_weights + weight
    first = tl.load(first_moment + at, mask=exists, other=0.0)
    second = tl.load(second_moment + at, mask=exists, other=0.0)
    value = tl.load(weights + at, mask=exists, other=0.0)
    rate = tl.load(initial_rates + model) * tl.load(schedule)
    correction_1 = tl.load(schedule + 1)
    root_correction_2 = tl.load(schedule + 2)

    value *= 1.0 - rate * weight_decay
    first += (gradient - first) * (1.0 - beta_1)
    second = second * beta_2 + gradient * gradient * (1.0 - beta_2)
    denominator = tl.sqrt(second) / root_correction_2 + epsilon
    value -= rate / correction_1 * (first / denominator)

    tl.store(first_moment + at, first, mask=exists)
    tl.store(second_moment + at, second, mask=exists)
    tl.store(weights + at, value, mask=exists)


class FusedStack(Stack):
    """Stack whose step is made by the kernels, or for transformers by compiled PyTorch and AdamW.

    The batch size must be a multiple of 128, and a sequence can have at most 16 numbers.
    """

    def __init__(
        self,
        recipes: Sequence[Recipe],
        models: Sequence[StateDict],
        streams: Sequence[int],
        width: int,
        device: torch.device,
    ) -> None:
        super().__init__(recipes, models, streams, width, device)
        if self.recipe.task_name == "longest_cycle":
            self.losses = torch.compile(self.losses, fullgraph=True, dynamic=False)  # type: ignore[method-assign]
            return
        n_models, n_weights = self.weights.shape
        n_parts = self.recipe.batch_size // _BLOCK
        room = (n_models, n_parts, self.recipe.seq_len, _BLOCK, width)
        self._states = torch.empty(room, device=device)
        self._partial_gradients = torch.empty((n_models, n_parts, n_weights), device=device)

    def gradients(self, x: Tensor, target: Tensor) -> Tensor:
        """Return gradients by parts of the batch, shape (models, parts, n_weights), to be added."""
        if self.recipe.task_name == "longest_cycle":
            return super().gradients(x, target).unsqueeze(1)
        n_models, n_parts, _ = self._partial_gradients.shape
        _rnn_gradients_kernel[(n_models, n_parts)](
            x.contiguous(),
            target.contiguous(),  # most tasks give a column of what they sorted
            self.weights,
            self.streams,
            self._states,
            self._partial_gradients,
            seq_len=self.recipe.seq_len,
            output_size=self.layout.shapes["linear.weight"][0],
            padded_outputs=_OUTPUTS,
            width=self.width,
            batch=self.recipe.batch_size,
            block=_BLOCK,
            measures_error=self.recipe.measures_error,
        )
        return self._partial_gradients

    def update(self, gradients: Tensor, schedule: Tensor) -> None:
        """Make a step of AdamW with the sum of the parts of ``gradients``."""
        n_models, n_parts, n_weights = gradients.shape
        _adamw_kernel[(n_models, triton.cdiv(n_weights, _WEIGHTS))](
            self.weights,
            self.first_moment,
            self.second_moment,
            gradients,
            self.initial_rates,
            schedule,
            n_weights,
            n_parts=n_parts,
            weight_decay=self.recipe.weight_decay,
            beta_1=BETA_1,
            beta_2=BETA_2,
            epsilon=EPSILON,
            block=_WEIGHTS,
        )
