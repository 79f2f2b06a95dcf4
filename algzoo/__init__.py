"""AlgZoo: trained networks of 8 to 1,408 parameters, and what they compute.

This module holds the names of ARC's package ``alg_zoo``, and the modules beside it those of ARC's
modules; the analyses are in the subpackages :mod:`algzoo.zoo`, :mod:`algzoo.structure`,
:mod:`algzoo.estimates`, :mod:`algzoo.scoring` and :mod:`algzoo.chapters`, each of which imports
only from those named before it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import architectures as architectures
    from . import handcrafted as handcrafted
    from . import loading as loading
    from . import tasks as tasks
    from . import training as training
    from . import zoo as zoo
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

_MODULES = ("architectures", "handcrafted", "loading", "tasks", "training", "zoo")


if not TYPE_CHECKING:  # or a type checker would take every name for one of ours

    def __getattr__(name):
        """A name of ARC's, imported when it is first used: PyTorch alone takes a second."""
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name in __all__:
            for module in map(import_module, (f"{__name__}.{m}" for m in _MODULES)):
                if name in module.__all__:
                    globals()[name] = getattr(module, name)
                    return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__, *_MODULES})
