"""Estimates of the probability of a rare event of a standard Gaussian input.

An event is described once, as a :class:`~.event.RareEvent`: a score that is above 0 exactly when
the event happens, its gradient, and the cost of computing them. :func:`~.of_model.event_of` makes
one of a model, a :class:`~.event.ModelEvent`. Every method is a function ``method(event, budget,
seed, **settings)`` that returns a :class:`~.record.RareEstimate`; :data:`METHODS` lists all of them
with their facts.

* ``naive`` draws independent inputs;
* ``itgis``, ``mhis``, ``qld`` and ``gld`` are the four methods of Wu and Hilton;
* ``subset`` (subset simulation) and ``cross_entropy`` are standard methods of reliability
  engineering;
* ``red_teaming`` searches for errors, and measures exactly the linear pieces that they are on;
* ``pairs_rule`` and ``folded_rule`` are the book's rules for ten inputs;
* ``exact`` and ``first_order`` deduce the probability from the weights.

The last four need the model of the event. :func:`~.counts.count_events` counts events among as many
inputs as it takes to know their probability where nothing exact is known.

References
----------
G. Wu and J. Hilton, "Estimating the probabilities of rare outputs in language models", 2024,
arXiv:2410.13211.
"""

from .counts import count_events
from .cross_entropy import cross_entropy
from .event import EventScope, ModelEvent, RareEvent, Readout, Region, half_space
from .exact import EXACT, exact
from .first_order import FIRST_ORDER, first_order
from .gld import gld
from .itgis import itgis
from .method import Method
from .mhis import mhis
from .naive import naive
from .of_model import event_of, names_largest, names_smallest, squared_error_above
from .qld import qld
from .record import RareEstimate
from .red_teaming import RED_TEAMING, red_teaming
from .subset import subset_simulation
from .ten_inputs import RULES, folded_rule, pairs_rule

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("naive", naive),
        Method("ITGIS", itgis, needs_temperature=True),
        Method("MHIS", mhis, needs_temperature=True),
        Method("GLD", gld),
        Method("QLD", qld, needs_readout=True),
        Method("subset simulation", subset_simulation),
        Method("cross-entropy", cross_entropy),
        Method("red teaming", red_teaming, runs_network="chosen inputs", scope=RED_TEAMING),
        Method("leaves of pairs", pairs_rule, runs_network="chosen inputs", scope=RULES),
        Method("folded classes", folded_rule, runs_network="chosen inputs", scope=RULES),
        Method("first order", first_order, runs_network="never", scope=FIRST_ORDER),
        Method("exact", exact, runs_network="never", scope=EXACT),
    )
}
"""The methods by name."""

__all__ = [
    "METHODS",
    "EventScope",
    "Method",
    "ModelEvent",
    "RareEstimate",
    "RareEvent",
    "Readout",
    "Region",
    "count_events",
    "cross_entropy",
    "event_of",
    "exact",
    "first_order",
    "folded_rule",
    "gld",
    "half_space",
    "itgis",
    "mhis",
    "naive",
    "names_largest",
    "names_smallest",
    "pairs_rule",
    "qld",
    "red_teaming",
    "squared_error_above",
    "subset_simulation",
]
