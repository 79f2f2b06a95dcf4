"""Numbers that define what is measured, and on which no formula and no theorem has a say.

Most enter a result of the book so weakly that no independent computation would notice another
value: a seed, a number of nodes, a tolerance. They are written down a second time here, so that
they are changed knowingly, and the chapters are then run again.
"""

import inspect
import math
from importlib import import_module

import pytest

CONSTANTS = {
    "structure.attention_form._THINNEST": 1e-10,
    "structure.comparisons._MOST_INPUTS": 8,
    "structure.features_fitted._ALIKE": 1e-9,
    "structure.half_spaces._ROUNDING": 1e-12,
    "structure.matching._OTHER_SIGN": 1e6,
    "structure.symmetry._MOST_NEURONS": 12,
    "estimates.angle_quadrature._BITS": 32,
    "estimates.arc_original.RARE": 0.2,
    "estimates.arc_symmetric._NODES": 16,
    "estimates.boundary._LEAST_WEIGHT": 1e-3,
    "estimates.boundary._NOISE_DRAWS": 4,
    "estimates.gaussian_propagation._NODES": 8,
    "estimates.gaussian_propagation._ROUNDING": 1e-12,
    "estimates.offset_formula._NODES": 10,
    "estimates.offset_formula._REACH": 4.0,
    "estimates.order_anchors._BINS": 20,
    "estimates.order_anchors._LEAST_VARIANCE": 0.01,
    "estimates.order_anchors._SOFTENING": 0.001,
    "estimates.order_anchors._WIDTHS": (0.2, 0.8),
    "estimates.quadrature._KEPT": 1 / 16,
    "estimates.quadrature._NO_DOUBT": 2.0**-32,
    "estimates.ray_fan._CLOSE": math.tan(0.35),
    "estimates.ray_fan._OFFSET": 0.5,
    "estimates.ray_fan._WIDE": 0.5,
    "estimates.response_surface._POINTS": 64,
    "estimates.samplers_efficiency._PROBE": 1000,
    "estimates.samplers_tree.LEAVES_PER_ROOT": 12,
    "estimates.sampling._BLOCK": 2**14,
    "estimates.zoo_scores.SAMPLE_SEED": 20260101,
    "scoring.argmedian_16_5._N_INPUTS": 2**12,
    "scoring.argmedian_16_5._SEED": 0,
    "scoring.challenge._SAME": 1e-9,
    "scoring.challenge._SAMPLER_BUDGETS": (2**4, 2**13),
    "scoring.challenge._TUNING_SHARE": 4,
    "scoring.median_2_2.LARGEST_SMALL_ERROR": 1e-3,
    "scoring.median_2_2.RESOLUTION": 0.1,
    "scoring.ratios.LEVEL": 0.95,
    "scoring.ratios.N_RESAMPLES": 2000,
    "scoring.ratios.SUBTRACTED_ABOVE": 0.02,
    "scoring.residual.ADVICE_BITS": 6,
    "scoring.sandbox._LONGEST_REASON": 300,
    "scoring.second_argmax_16_10._N_INPUTS": 2**12,
    "scoring.second_argmax_16_10._SEED": 0,
    "scoring.second_argmax_2_2.LARGEST_SMALL_ERROR": 0.01,
    "scoring.study_16_10.OTHER_SEEDS": (0, 1, 3, 4),
    "scoring.study_16_10.SAME": 5e-5,
    "scoring.study_16_10.SCRAMBLES": 16,
    "scoring.study_16_10.SDS": (0.002, 0.005, 0.01),
    "scoring.study_16_10.TRUTH_SAMPLES": 2**20,
    "scoring.study_16_10._LABELS": 2**15,
    "scoring.study_16_10._ORACLE_ROWS": 2048,
    "scoring.study_16_10._OTHER_COPIES": 100,
    "scoring.study_16_10._OTHER_SDS": (0.002, 0.004, 0.007, 0.01),
    "scoring.study_16_10._OWN_COPIES": 2000,
    "scoring.work._LOSSES": 3,
}
DEFAULTS = {
    "structure.ablation.errors": {"n_bins": 20},
    "structure.ablation_argmedian.median_errors": {"n_bins": 20},
    "structure.features.Thresholds": {
        "min_r2": 0.85,
        "max_outside_share": 0.25,
        "negligible": 0.1,
        "max_new_neurons": 3,
        "n_inputs": 2**14,
        "seed": 0,
    },
    "estimates.argmedian_classes.argmedian_class_cubature": {"leaves": 4},
    "estimates.benchmark.throughput": {"rounds": 8, "seconds": 1.0},
    "estimates.cycle_classes.class_margins": {"scramble": 0},
    "estimates.cycle_classes.class_representatives": {"scramble": 0},
    "scoring.challenge.challenge": {
        "truth_samples": 2**20,
        "time_limit": 60.0,
        "seed": 0,
        "n_tuning": 64,
        "transcendental_price": 10,
    },
    "scoring.longest_cycle_4_4.noise_tolerance": {"loss": 0.01, "n_models": 16, "seed": 0},
    "scoring.noise_tolerance.noise_tolerance": {
        "loss": 0.01,
        "n_noises": 16,
        "n_inputs": 2**14,
        "seed": 0,
    },
    "scoring.second_argmax_4_3.brute_force_ledger": {"shortest": 0.2},
}


def named(path):
    module, name = path.rsplit(".", 1)
    return getattr(import_module(f"algzoo.{module}"), name)


@pytest.mark.parametrize("path", CONSTANTS)
def test_constants(path):
    assert named(path) == CONSTANTS[path]


@pytest.mark.parametrize("path", DEFAULTS)
def test_defaults(path):
    parameters = inspect.signature(named(path)).parameters.values()
    numbers = {
        parameter.name: parameter.default
        for parameter in parameters
        if isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool)
    }
    assert numbers == DEFAULTS[path]
