"""Estimates of the probability of a rare event of a standard Gaussian input.

An event is described once, as a :class:`~.event.RareEvent`: a score that is above 0 exactly when
the event happens, its gradient, and the cost of computing them. :func:`~.of_model.event_of` makes
one of a model. Every method is a function ``method(event, budget, seed, **settings)`` that returns
a :class:`~.record.RareEstimate`.

* ``naive`` draws independent inputs;
* ``itgis``, ``mhis``, ``qld`` and ``gld`` are the four methods of Wu and Hilton;
* ``subset`` (subset simulation) and ``cross_entropy`` are standard methods of reliability
  engineering.

References
----------
G. Wu and J. Hilton, "Estimating the probabilities of rare outputs in language models", 2024,
arXiv:2410.13211.
"""

from collections.abc import Callable

from .cross_entropy import cross_entropy
from .event import RareEvent, Readout, Region, half_space
from .gld import gld
from .itgis import itgis
from .mhis import mhis
from .naive import naive
from .of_model import event_of
from .qld import qld
from .record import RareEstimate
from .subset import subset_simulation

METHODS: dict[str, Callable[..., RareEstimate]] = {
    "naive": naive,
    "ITGIS": itgis,
    "MHIS": mhis,
    "GLD": gld,
    "QLD": qld,
    "subset simulation": subset_simulation,
    "cross-entropy": cross_entropy,
}
"""The methods by name. ITGIS and MHIS need a setting, ``temperature``."""

__all__ = [
    "METHODS",
    "RareEstimate",
    "RareEvent",
    "Readout",
    "Region",
    "cross_entropy",
    "event_of",
    "gld",
    "half_space",
    "itgis",
    "mhis",
    "naive",
    "qld",
    "subset_simulation",
]
