"""The models: architectures, tasks, bundled weights, handcrafted models."""

from .architectures import (
    DistRNN,
    DistTransformer,
    Model,
    OneLayerRNN,
    ScalarRNN,
    ScalarTransformer,
)
from .families import CHECKPOINTS, FAMILIES, SEEDS, Family
from .handcrafted import handcrafted_2nd_argmax
from .loading import load_model, zoo_2nd_argmax, zoo_argmedian, zoo_longest_cycle, zoo_median
from .scores import best_seed, measured_scores, published_score, write_scores
from .tasks import TASKS, task_2nd_argmax, task_argmedian, task_longest_cycle, task_median

__all__ = [
    "CHECKPOINTS",
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
    "load_model",
    "measured_scores",
    "published_score",
    "task_2nd_argmax",
    "task_argmedian",
    "task_longest_cycle",
    "task_median",
    "write_scores",
    "zoo_2nd_argmax",
    "zoo_argmedian",
    "zoo_longest_cycle",
    "zoo_median",
]
