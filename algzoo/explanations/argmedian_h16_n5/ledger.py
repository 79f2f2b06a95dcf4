"""Explanation of M16,5 (argmedian) as a ledger, its residual, and its prediction.

According to the explanation, the newest input is compared with each before it, and each logit is
nearly minus the sum of the distances of its input to the others. This sum is least for the median.

* :func:`comparison_ledger` prices these claims: for each earlier input, that the drive of some
  neuron at the last step is a multiple of its difference to the newest; for each pair of inputs,
  that their distance lowers the logits of the two most; that the logits are sums of distances; and
  that they nearly are the plain sums.
* :func:`predicted_accuracy` is the consequence: the accuracy of the model's readout from
  activations that are sums of inputs and distances.

The functions take any argmedian model of three inputs or more. They measure on fixed Gaussian
inputs, so that the entries are functions of the weights but not deductions from them. The total is
compared with the bound of :func:`~algzoo.scoring.surprise.bounds.noise_tolerance`; the remaining
surprise is that of :mod:`algzoo.scoring.surprise.residual`.

References
----------
The ledger is this book's, by the conventions of
:mod:`algzoo.explanations.second_argmax_h4_n3.ledgers` and
:mod:`algzoo.explanations.second_argmax_h16_n10.ledgers`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from ...scoring.surprise.ledger import Check, Ledger, Prior
from ...structure import Weights, outputs, weights_in_range
from ...zoo import DistRNN, check_model
from ..measures import ARC_EQUALITY, measure
from .ablation import ArgmedianSample
from .comparisons import fitted_state

Array = NDArray[np.float64]

_N_INPUTS = 2**12  # number of inputs on which measurements are made
_SEED = 0


@measure
def half_space_gap(weights: Weights, neuron: int, earlier: int) -> Array:
    """Deviation of a neuron's last drive from a multiple of the newest input minus an earlier one.

    It is one minus the squared cosine of the two, over Gaussian inputs.
    """
    gap: Array = _half_space_gaps(weights, earlier)[..., neuron]
    return gap


@measure
def more_against(weights: Weights, one: int, other: int) -> Array:
    """Number of other logits that the distance of two inputs lowers more than one of theirs.

    It is 0 if their two logits have the least coefficients of that distance, in a least-squares fit
    with all inputs and distances.
    """
    n = weights.w_oh.shape[-2]
    place = n + list(combinations(range(n), 2)).index((one, other))
    solve, _ = _distances(n)
    logits = outputs(weights, _gaussian_inputs(n))
    found = np.einsum("k,...ki->...i", solve[place], logits)
    pair = [one, other]
    worst = found[..., pair].max(axis=-1, keepdims=True)
    number: Array = (np.delete(found, pair, axis=-1) < worst).sum(axis=-1).astype(float)
    return number


@measure
def logit_gap(weights: Weights, by: Literal["distances", "sums"]) -> Array:
    """Share of the logits, minus their mean over positions, that is not explained by distances.

    It is the share of the sum of their squares on Gaussian inputs that a least-squares fit leaves,
    either with free coefficients for all inputs and distances, or with one common factor of minus
    the sum of the distances of each input.
    """
    n = weights.w_oh.shape[-2]
    x = _gaussian_inputs(n)
    logits = outputs(weights, x)
    logits = logits - logits.mean(axis=-1, keepdims=True)
    total = (logits**2).sum(axis=(-1, -2))
    if by == "distances":
        solve, values = _distances(n)
        said = values @ (solve @ logits)
    else:
        sums = -np.abs(x[:, :, None] - x[:, None, :]).sum(axis=1)
        sums -= sums.mean(axis=-1, keepdims=True)
        factor = (logits * sums).sum(axis=(-1, -2)) / (sums**2).sum()
        said = np.maximum(factor, 0.0)[..., None, None] * sums
    left = ((logits - said) ** 2).sum(axis=(-1, -2))
    share: Array = left / np.where(total > 0, total, 1.0)
    return share


def comparison_ledger(model: DistRNN) -> Ledger:
    """Ledger of the comparisons and the sums of distances, each claimed as exactly as it is found.

    The neuron for each earlier input is searched for among all neurons. Its gap is priced as that
    of a linear drive of random direction: Beta((n - 1) / 2, 1 / 2) for n inputs. That two given
    logits of n are the least has probability 2 / (n (n - 1)), because before training no logit is
    different from another. The surprise that remains, given all this, is not included.

    Raises
    ------
    ValueError
        If ``model`` is not an argmedian model of three inputs or more.
    """
    _check_argmedian(model)
    weights, n = weights_in_range(model), model.seq_len
    direction = Prior(stats.beta((n - 1) / 2, 1 / 2), "a linear drive of random direction")
    checks = []
    for earlier in range(n - 1):
        neuron = int(_half_space_gaps(weights, earlier).argmin())
        checks.append(
            Check(
                f"comparison with x{earlier}",
                "equality",
                f"neuron {neuron} compares the newest input with x{earlier}",
                half_space_gap(neuron, earlier),
                "<=",
                None,
                direction,
                alternatives=model.hidden_size,
            )
        )
    least = Prior(stats.nhypergeom(n, n - 2, 2), "every order of the logits equally probable")
    for one, other in combinations(range(n), 2):
        checks.append(
            Check(
                f"distance of x{one} and x{other}",
                "order",
                f"the distance of x{one} and x{other} lowers most the logits of these two",
                more_against(one, other),
                "<=",
                0.0,
                least,
            )
        )
    wholes: tuple[tuple[Literal["distances", "sums"], str], ...] = (
        ("distances", "the logits are made up of inputs and distances"),
        ("sums", "they are a multiple of minus the sums of distances"),
    )
    for by, statement in wholes:
        checks.append(
            Check(f"logits, {by}", "equality", statement, logit_gap(by), "<=", None, ARC_EQUALITY)
        )
    return Ledger(checks, weights)


def predicted_accuracy(model: DistRNN) -> float:
    """Accuracy that the explanation predicts: with sums of distances for all activations.

    The sums are fitted to the activations on fixed Gaussian inputs, and the accuracy is measured on
    others, so that this is not a deduction either.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`comparison_ledger`.
    """
    _check_argmedian(model)
    sample = ArgmedianSample.of(model, 2 * _N_INPUTS, seed=_SEED)
    return fitted_state(sample, "distances").accuracy


def _check_argmedian(model: DistRNN) -> None:
    check_model(model)
    if model.task_name != "argmedian" or model.seq_len < 3:
        raise ValueError(
            "This ledger is about argmedian models of three inputs or more, got task "
            f"{model.task_name!r} with seq_len {model.seq_len}"
        )


def prediction_sd(predicted: Sequence[float], actual: Sequence[float]) -> float:
    """Root mean square error of such predictions on other models, on the logit scale.

    It is taken about zero, because the prediction is not corrected by the mean error on those
    models.

    Raises
    ------
    ValueError
        If there are no models, or if the two numbers of values differ.
    """
    if not predicted or len(predicted) != len(actual):
        raise ValueError(
            f"Each prediction needs its accuracy, got {len(predicted)} and {len(actual)}"
        )
    off = special.logit(np.asarray(actual, float)) - special.logit(np.asarray(predicted, float))
    return math.sqrt(float((off**2).mean()))


def _half_space_gaps(weights: Weights, earlier: int) -> Array:
    """Measurements of :func:`half_space_gap` for every neuron, shape (..., hidden_size)."""
    x = _gaussian_inputs(weights.w_oh.shape[-2])
    drive = outputs(weights._replace(w_oh=weights.w_hh), x[:, :-1])
    drive += x[:, -1:] * weights.w_hi[..., None, :]
    difference = x[:, -1] - x[:, earlier]
    squares = (drive**2).sum(axis=-2) * (difference**2).sum()
    gaps: Array = 1 - (difference @ drive) ** 2 / np.where(squares > 0, squares, 1.0)
    return gaps


@cache
def _gaussian_inputs(n: int) -> Array:
    return np.random.default_rng(_SEED).standard_normal((_N_INPUTS, n))


@cache
def _distances(n: int) -> tuple[Array, Array]:
    """The matrix that solves for the coefficients of inputs and distances, and their values."""
    x = _gaussian_inputs(n)
    distances = [np.abs(x[:, i] - x[:, j]) for i, j in combinations(range(n), 2)]
    values = np.stack([*x.T, *distances, np.ones(len(x))], axis=1)
    return np.linalg.pinv(values), values
