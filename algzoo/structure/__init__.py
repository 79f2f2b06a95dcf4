"""What the weights say: standard form, neuron order and matching, linear pieces, features."""

from .ablation import Errors, Sample, Survival, answers_carried, errors, survival, with_formulas
from .cone import Cone, DecisionCone
from .features import Feature, FeatureSearch, Thresholds, find_features
from .features_fitted import FittedFormula, fitted_formulas
from .features_formula import Formula
from .matching import Match, circuit_differences, circuits, match_neurons
from .partition import cones, decision_cones
from .plane import Segment, as_fractions, direction, line_segments
from .standard_form import StandardForm, canonical_order, reorder_neurons, standard_form
from .symmetry import Residuals, Symmetry, find_symmetry
from .weights import (
    Weights,
    check_not_too_small,
    may_be_too_large,
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
    "Residuals",
    "Sample",
    "Segment",
    "StandardForm",
    "Survival",
    "Symmetry",
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
    "find_symmetry",
    "fitted_formulas",
    "line_segments",
    "match_neurons",
    "may_be_too_large",
    "outputs",
    "reorder_neurons",
    "standard_form",
    "survival",
    "weights_in_range",
    "weights_of",
    "with_formulas",
]
