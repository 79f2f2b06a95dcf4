"""What the weights say: standard form, neuron order, linear pieces."""

from .plane import Cone, Segment, as_fractions, cones, direction, line_segments
from .standard_form import StandardForm, canonical_order, reorder_neurons, standard_form
from .weights import Weights, outputs, weights_of

__all__ = [
    "Cone",
    "Segment",
    "StandardForm",
    "Weights",
    "as_fractions",
    "canonical_order",
    "cones",
    "direction",
    "line_segments",
    "outputs",
    "reorder_neurons",
    "standard_form",
    "weights_of",
]
