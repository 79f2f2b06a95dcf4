"""The models: architectures, tasks, bundled weights, handcrafted models."""

from .architectures import (
    DistRNN,
    DistTransformer,
    Model,
    OneLayerRNN,
    ScalarRNN,
    ScalarTransformer,
)
from .families import FAMILIES, SEEDS, Family
from .handcrafted import handcrafted_2nd_argmax
from .recurrent import (
    best_seed,
    load_recurrent,
    measured_scores,
    published_score,
    write_scores,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_median,
)
from .tasks import TASKS, task_2nd_argmax, task_argmedian, task_longest_cycle, task_median

__all__ = [
    "FAMILIES",
    "SEEDS",
    "TASKS",
    "DistRNN",
    "DistTransformer",
    "Family",
    "Model",
    "OneLayerRNN",
    "ScalarRNN",
    "ScalarTransformer",
    "best_seed",
    "handcrafted_2nd_argmax",
    "load_recurrent",
    "measured_scores",
    "published_score",
    "task_2nd_argmax",
    "task_argmedian",
    "task_longest_cycle",
    "task_median",
    "write_scores",
    "zoo_2nd_argmax",
    "zoo_argmedian",
    "zoo_median",
]
