"""What the weights say: standard form, neuron order and matching, linear pieces, features.

Start with :func:`standard_form`, which rewrites a model with input weights -1, 0 and +1.
:func:`cones` finds the linear pieces of a model of two or three inputs exactly (subpackage
``geometry``), :func:`find_features` looks for formulas that neurons follow (subpackage
``features``), and ``attention`` treats the transformers of the longest-cycle task. Nothing here
runs the network to measure its accuracy, except the tests of formulas in ``features``.
"""

from ._standard_form import StandardForm, canonical_order, reorder_neurons, standard_form
from .features.ablation import (
    Errors,
    Sample,
    Survival,
    answers_carried,
    errors,
    survival,
    with_formulas,
)
from .features.fitted import FittedFormula, fitted_formulas
from .features.formula import Formula
from .features.search import Feature, FeatureSearch, Thresholds, find_features
from .geometry.cone import Cone, DecisionCone
from .geometry.pieces import cones, decision_cones
from .geometry.plane import Segment, as_fractions, direction, line_segments
from .matching import Match, circuit_differences, circuits, match_neurons
from .weights import (
    Weights,
    check_not_too_small,
    may_be_too_large,
    model_with,
    outputs,
    weights_in_range,
    weights_of,
)

__all__ = [
    "Cone",
    "DecisionCone",
    "Errors",
    "Feature",
    "FeatureSearch",
    "FittedFormula",
    "Formula",
    "Match",
    "Sample",
    "Segment",
    "StandardForm",
    "Survival",
    "Thresholds",
    "Weights",
    "answers_carried",
    "as_fractions",
    "canonical_order",
    "check_not_too_small",
    "circuit_differences",
    "circuits",
    "cones",
    "decision_cones",
    "direction",
    "errors",
    "find_features",
    "fitted_formulas",
    "line_segments",
    "match_neurons",
    "may_be_too_large",
    "model_with",
    "outputs",
    "reorder_neurons",
    "standard_form",
    "survival",
    "weights_in_range",
    "weights_of",
    "with_formulas",
]
