"""AlgZoo: trained networks of 8 to 1,408 parameters, and what they compute.

This module holds the names of ARC's package ``alg_zoo``, and the modules beside it those of ARC's
modules; the analyses are in the rooms
:mod:`algzoo.zoo`, :mod:`algzoo.structure`, :mod:`algzoo.estimates`, :mod:`algzoo.scoring` and
:mod:`algzoo.chapters`, each of which imports only from those named before it.
"""

from .architectures import DistRNN, DistTransformer, ScalarRNN, ScalarTransformer
from .handcrafted import handcrafted_2nd_argmax
from .loading import example_2nd_argmax
from .tasks import task_2nd_argmax, task_argmedian, task_longest_cycle, task_median
from .training import train
from .zoo import zoo_2nd_argmax, zoo_argmedian, zoo_longest_cycle, zoo_median

__all__ = [
    "DistRNN",
    "DistTransformer",
    "ScalarRNN",
    "ScalarTransformer",
    "example_2nd_argmax",
    "handcrafted_2nd_argmax",
    "task_2nd_argmax",
    "task_argmedian",
    "task_longest_cycle",
    "task_median",
    "train",
    "zoo_2nd_argmax",
    "zoo_argmedian",
    "zoo_longest_cycle",
    "zoo_median",
]
