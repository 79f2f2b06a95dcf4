"""What the weights say: standard form, neuron order and matching, linear pieces."""

from .cone import Cone, DecisionCone
from .matching import Match, circuit_differences, circuits, match_neurons
from .partition import cones, decision_cones
from .plane import Segment, as_fractions, direction, line_segments
from .standard_form import StandardForm, canonical_order, reorder_neurons, standard_form
from .symmetry import Residuals, Symmetry, find_symmetry
from .weights import Weights, outputs, weights_of

__all__ = [
    "Cone",
    "DecisionCone",
    "Match",
    "Residuals",
    "Segment",
    "StandardForm",
    "Symmetry",
    "Weights",
    "as_fractions",
    "canonical_order",
    "circuit_differences",
    "circuits",
    "cones",
    "decision_cones",
    "direction",
    "find_symmetry",
    "line_segments",
    "match_neurons",
    "outputs",
    "reorder_neurons",
    "standard_form",
    "weights_of",
]
