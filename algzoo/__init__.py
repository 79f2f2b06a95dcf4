"""AlgZoo: trained networks of 8 to 1,408 parameters, and an account of what they compute.

This module and its siblings ``architectures``, ``handcrafted``, ``loading``, ``tasks`` and
``training`` offer the names of ARC's package ``alg_zoo``, so that a script written for it runs
after its imports are changed. The analyses are in six subpackages: :mod:`algzoo.zoo` (the models),
:mod:`algzoo.structure` (what the weights say), :mod:`algzoo.estimates` (accuracies computed from a
model), :mod:`algzoo.scoring` (how good an explanation is), :mod:`algzoo.explanations` (the
explanations of single models) and :mod:`algzoo.chapters` (the book). Each of them imports only from
those named before it.

Examples
--------
>>> from algzoo import zoo_2nd_argmax
>>> from algzoo.estimates import exact
>>> model = zoo_2nd_argmax(2, 2)
>>> print(f"{exact(model).value:.6f}")
0.999923
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


if not TYPE_CHECKING:  # otherwise a type checker would accept any name as one of this package's

    def __getattr__(name):
        """Import one of ARC's names on first use, because importing PyTorch takes a second."""
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
