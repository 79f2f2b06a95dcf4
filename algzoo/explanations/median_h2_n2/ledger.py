"""Ledger of the explanation of the smallest median model: its weights compute the mean.

Throughout, the model is in standard form with its neurons in canonical order, so that W_hi = (+1,
-1) if the input weights have opposite signs. Then one network computes the mean of the two inputs
(:mod:`algzoo.explanations.median_h2_n2.mean_of_two`), and the explanation says how close the model
is to it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...estimates import exact
from ...scoring.surprise.ledger import Check, Ledger, Prior
from ...structure import (
    StandardForm,
    Weights,
    canonical_order,
    outputs,
    reorder_neurons,
    standard_form,
)
from ...zoo import OneLayerRNN, check_model
from ..measures import OPPOSITE_INPUTS, STANDARDISE, measure, probe
from .mean_of_two import MEAN, SECOND_ORDER_FORM, deviations

NAMES = ("W_oh[0]", "W_oh[1]", "W_hh[0, 0]", "W_hh[0, 1]", "W_hh[1, 0]", "W_hh[1, 1]")

RESOLUTION = 0.1  # relative precision to which the mean squared error is predicted; a convention
LARGEST_SMALL_ERROR = 1e-3  # largest error at which the formula for selection is trusted


@measure
def deviation(weights: Weights, index: int) -> NDArray[np.float64]:
    """Distance of one weight from that of the network that computes the mean."""
    distance: NDArray[np.float64] = np.abs(deviations(weights)[..., index])
    return distance


@measure
def pair_error(weights: Weights) -> NDArray[np.float64]:
    """Largest relative error, on fixed inputs, of a number held as ReLU(y) and ReLU(-y).

    With W_hi = (1, -1), W_hh[1] = -W_hh[0] = (-p, p) and W_oh = (u, -u) the output is
    ``u (p x0 + x1)``; p and u are the model's first entries.
    """
    p, u = weights.w_hh[..., 0, 0], weights.w_oh[..., 0, 0]
    row = np.stack([p, -p], axis=-1)
    pair = Weights(
        np.broadcast_to([1.0, -1.0], row.shape),
        np.stack([row, -row], axis=-2),
        np.stack([u, -u], axis=-1)[..., None, :],
    )
    x = probe(pair)
    linear = u[..., None] * (p[..., None] * x[..., 0] + x[..., 1])
    size = np.abs(u) * (np.abs(p) + 1)
    error: NDArray[np.float64] = np.abs(outputs(pair, x)[..., 0] - linear).max(-1)
    return error / np.where(size > 0, size, 1)


def mean_ledger(model: OneLayerRNN) -> Ledger:
    """Ledger of "this network computes the mean": one sign and six near-equalities.

    Each weight is claimed to be as close to its ideal as it is found to be. The six deviations
    predict the mean squared error by a second-order formula; the residual is minus log2 of the
    probability that this prediction gives to the exact value within :data:`RESOLUTION`.

    Raises
    ------
    ValueError
        If ``model`` is not a median model with hidden_size 2 and seq_len 2.
    """
    weights = _standardised(model).weights
    return Ledger(_checks(), weights, _residual_bits(weights, exact(model).value))


def _checks() -> list[Check]:
    return [
        STANDARDISE,
        Check(
            "a pair is linear",
            "algebra",
            "What two neurons hold as ReLU(y) and ReLU(−y) is y",
            pair_error(),
            "<=",
            1e-12,
            None,
        ),
        OPPOSITE_INPUTS,
        *(
            Check(
                f"equality {name}",
                "equality",
                f"{name} is this close to {ideal:g}",
                deviation(index),
                "<=",
                None,
                Prior(
                    stats.uniform(0, 1 / (2 * stats.cauchy.pdf(ideal))),
                    "density of a standard Cauchy weight at the ideal",
                ),
            )
            for index, (name, ideal) in enumerate(zip(NAMES, MEAN, strict=True))
        ),
    ]


def _residual_bits(weights: Weights, squared_error: float) -> float:
    """Bits of the mean squared error given the deviations, to within :data:`RESOLUTION`.

    The predictive density is Gaussian in the log error, centred on the second-order formula. Its
    standard deviation is the largest deviation, because the terms that the formula omits are
    smaller by about that factor. If the error is 0, so are the deviations, and the bits are 0.
    """
    d = deviations(weights)
    if not d.any():
        return 0.0
    surprise = math.log(squared_error / float(d @ SECOND_ORDER_FORM @ d))
    width = math.log1p(RESOLUTION)
    predictive = stats.norm(scale=float(np.abs(d).max()))
    share = float(predictive.cdf(surprise + width) - predictive.cdf(surprise - width))
    return math.log2(1 / share) if share else math.inf


def selection_bits(model: OneLayerRNN) -> float:
    """Bits of optimisation: -log2 of the prior probability of an error at most as large.

    The prior is the joint Cauchy prior (:func:`algzoo.scoring.cauchy_models`), and the formula
    holds to leading order in the error e, which must be small: the six deviations d are then in the
    ellipsoid ``d . H d <= e`` of volume ``(pi e)^3 / (6 sqrt(det H))``.

    Raises
    ------
    ValueError
        If ``model`` is not a median model with hidden_size 2 and seq_len 2, or if its error is
        zero, which no prior of this kind ever draws, or above :data:`LARGEST_SMALL_ERROR`.
    """
    error = exact(_standardised(model)).value
    if not 0 < error <= LARGEST_SMALL_ERROR:
        raise ValueError(
            f"The formula holds for errors above 0 and up to {LARGEST_SMALL_ERROR}, got {error:.6g}"
        )
    opposite_signs = 1 / 2
    density = float(np.prod(stats.cauchy.pdf(MEAN)))
    volume = (math.pi * error) ** 3 / (6 * math.sqrt(float(np.linalg.det(SECOND_ORDER_FORM))))
    return -math.log2(opposite_signs * density * volume)


def _standardised(model: OneLayerRNN) -> StandardForm:
    check_model(model)
    shape = (model.hidden_size, model.seq_len, model.task_name)
    if shape != (2, 2, "median"):
        raise ValueError(
            "This ledger is about median models with hidden_size 2 and seq_len 2, got hidden_size "
            f"{shape[0]}, seq_len {shape[1]} and task {shape[2]!r}"
        )
    standard = standard_form(model)
    return reorder_neurons(standard, canonical_order(standard))
