"""AlgZoo: trained networks of 8 to 1,408 parameters, and what they compute.

This module holds the names of ARC's package ``alg_zoo``; the analyses are in the rooms
:mod:`algzoo.zoo`, :mod:`algzoo.structure`, :mod:`algzoo.estimates`, :mod:`algzoo.scoring` and
:mod:`algzoo.chapters`, each of which imports only from those named before it.
"""

from .zoo import (
    DistRNN,
    DistTransformer,
    ScalarRNN,
    ScalarTransformer,
    example_2nd_argmax,
    handcrafted_2nd_argmax,
    task_2nd_argmax,
    task_argmedian,
    task_longest_cycle,
    task_median,
    train,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)

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
