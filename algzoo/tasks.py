"""Tasks, under the name of ARC's module; see :mod:`algzoo.zoo.tasks`."""

from .zoo.tasks import (
    task_2nd_argmax,
    task_argmax,
    task_argmedian,
    task_argoutlier,
    task_longest_cycle,
    task_median,
    task_registry,
)

__all__ = [
    "task_2nd_argmax",
    "task_argmax",
    "task_argmedian",
    "task_argoutlier",
    "task_longest_cycle",
    "task_median",
    "task_registry",
]
