"""Models: architectures, tasks, bundled weights, handcrafted models and training.

Start with :func:`zoo_2nd_argmax` and its siblings, which load a trained model. ``families`` lists
the sizes that exist, ``tasks`` defines the right answers, ``handcrafted`` builds models whose
weights were written by hand, ``populations`` makes noisy copies on which estimators are scored, and
``training`` holds the training recipe.
"""

from .architectures import (
    DistRNN,
    DistTransformer,
    Model,
    OneLayerRNN,
    ScalarRNN,
    ScalarTransformer,
)
from .families import CHECKPOINTS, FAMILIES, SEEDS, Family, sizes
from .handcrafted.lengths import (
    leave_one_out_2nd_argmax,
    leave_one_out_accuracy,
    positive_top_two_2nd_argmax,
    top_two_2nd_argmax,
)
from .handcrafted.second_argmax import handcrafted_2nd_argmax
from .loading import (
    example_2nd_argmax,
    load_model,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)
from .model_check import check_model
from .official import EXAMPLE, OfficialFileMissing, fetch_official, official_state_dict
from .scores import best_seed, measured_scores, published_score, write_scores
from .tasks import TASKS, task_2nd_argmax, task_argmedian, task_longest_cycle, task_median
from .training import train

__all__ = [
    "CHECKPOINTS",
    "EXAMPLE",
    "FAMILIES",
    "SEEDS",
    "TASKS",
    "DistRNN",
    "DistTransformer",
    "Family",
    "Model",
    "OfficialFileMissing",
    "OneLayerRNN",
    "ScalarRNN",
    "ScalarTransformer",
    "best_seed",
    "check_model",
    "example_2nd_argmax",
    "fetch_official",
    "handcrafted_2nd_argmax",
    "leave_one_out_2nd_argmax",
    "leave_one_out_accuracy",
    "load_model",
    "measured_scores",
    "official_state_dict",
    "positive_top_two_2nd_argmax",
    "published_score",
    "sizes",
    "task_2nd_argmax",
    "task_argmedian",
    "task_longest_cycle",
    "task_median",
    "top_two_2nd_argmax",
    "train",
    "write_scores",
    "zoo_2nd_argmax",
    "zoo_argmedian",
    "zoo_longest_cycle",
    "zoo_median",
]
