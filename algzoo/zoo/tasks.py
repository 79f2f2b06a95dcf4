"""The four tasks: from input sequences to right answers.

Source: ARC's README ("Model families"). Every task maps a batch of sequences, shape (..., seq_len),
to a tensor of shape (...).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def task_2nd_argmax(x: Tensor) -> Tensor:
    """Position of the second-largest number."""
    return x.argsort(-1)[..., -2]


def task_argmedian(x: Tensor) -> Tensor:
    """Position of the middle number; of the upper middle one where the length is even."""
    return x.argsort(-1)[..., x.shape[-1] // 2]


def task_median(x: Tensor) -> Tensor:
    """Median, the mean of the two middle numbers where the length is even."""
    n = x.shape[-1]
    ordered = x.sort(-1).values
    if n % 2:
        return ordered[..., n // 2]
    return (ordered[..., n // 2 - 1] + ordered[..., n // 2]) / 2


def task_longest_cycle(x: Tensor) -> Tensor:
    """Length of the longest cycle of the function ``i -> x[i]``, minus one.

    ``x`` holds integers in {0, ..., seq_len - 1}; so does the answer.
    """
    n = x.shape[-1]
    start = torch.arange(n, device=x.device).expand_as(x)
    position = start
    period = torch.zeros_like(x)  # of the start, where it lies on a cycle; else 0
    for steps in range(1, n + 1):
        position = x.gather(-1, position)
        period = torch.where((position == start) & (period == 0), steps, period)
    return period.amax(-1) - 1


TASKS: dict[str, Callable[[Tensor], Tensor]] = {
    "2nd_argmax": task_2nd_argmax,
    "argmedian": task_argmedian,
    "median": task_median,
    "longest_cycle": task_longest_cycle,
}
