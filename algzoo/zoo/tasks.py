"""Tasks: functions from input sequences to right answers.

:data:`TASKS` holds the four tasks of the zoo. :data:`task_registry` also holds two for which ARC's
package has no models. Every task maps a batch of sequences, shape (..., seq_len), to a tensor of
shape (...).

References
----------
ARC's README ("Model families") and the names of its package.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def task_2nd_argmax(x: Tensor) -> Tensor:
    """Return the position of the second-largest number.

    Examples
    --------
    >>> import torch
    >>> task_2nd_argmax(torch.tensor([[0.3, 2.0, -1.0]]))
    tensor([0])
    """
    return x.argsort(-1)[..., -2]


def task_argmax(x: Tensor) -> Tensor:
    """Return the position of the largest number; no family of the zoo has this task."""
    return x.argsort(-1)[..., -1]


def task_argmedian(x: Tensor) -> Tensor:
    """Return the position of the middle number, or of the upper middle one if the length is even.

    Examples
    --------
    >>> import torch
    >>> task_argmedian(torch.tensor([[0.3, 2.0, -1.0]]))
    tensor([0])
    """
    return x.argsort(-1)[..., x.shape[-1] // 2]


def task_median(x: Tensor) -> Tensor:
    """Return the median, which is the mean of the two middle numbers if the length is even.

    Examples
    --------
    >>> import torch
    >>> task_median(torch.tensor([[0.0, 2.0, -1.0, 1.0]]))
    tensor([0.5000])
    """
    n = x.shape[-1]
    ordered = x.sort(-1).values
    if n % 2:
        return ordered[..., n // 2]
    return (ordered[..., n // 2 - 1] + ordered[..., n // 2]) / 2


def task_argoutlier(x: Tensor) -> Tensor:
    """Return the position of the number farthest from the mean; no family has this task."""
    distance = (x - x.mean(-1, keepdim=True)).abs()
    return distance.argsort(-1)[..., -1]


def task_longest_cycle(x: Tensor) -> Tensor:
    """Return the length, minus one, of the longest cycle of the function ``i -> x[i]``.

    ``x`` holds integers in {0, ..., seq_len - 1}, and so does the result.

    Examples
    --------
    >>> import torch
    >>> task_longest_cycle(torch.tensor([[1, 2, 0, 3]]))
    tensor([2])
    """
    n = x.shape[-1]
    start = torch.arange(n, device=x.device).expand_as(x)
    position = start
    period = torch.zeros_like(x)  # period of the start if it is on a cycle, otherwise 0
    for steps in range(1, n + 1):
        position = x.gather(-1, position)
        period = torch.where((position == start) & (period == 0), steps, period)
    return period.amax(-1) - 1


Task = Callable[[Tensor], Tensor]

task_registry: dict[str, tuple[Task, str, str]] = {
    "2nd_argmax": (task_2nd_argmax, "continuous", "dist"),
    "argmax": (task_argmax, "continuous", "dist"),
    "argmedian": (task_argmedian, "continuous", "dist"),
    "median": (task_median, "continuous", "scalar"),
    "argoutlier": (task_argoutlier, "continuous", "dist"),
    "longest_cycle": (task_longest_cycle, "discrete", "dist"),
}
"""By name, as in ARC's package: the task, the kind of its inputs, and whether a model answers it
with one logit per position (``"dist"``) or with one number (``"scalar"``)."""

TASKS: dict[str, Task] = {
    name: task_registry[name][0] for name in ("2nd_argmax", "argmedian", "median", "longest_cycle")
}
"""The tasks of the four families by name."""
