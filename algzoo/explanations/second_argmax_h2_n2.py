"""Ledgers of the explanation of M2,2: what ARC's argument checks, and what it needs to check.

Throughout, the model is in standard form with W_hi = (+1, -1): neuron 0 takes up x0 if x0 > 0,
neuron 1 if x0 < 0. With d = W_oh[1] - W_oh[0], in the piece where neuron i took up x0 and the
neurons in S are active after x1,

    logits[1] - logits[0] = a0 x0 - a1 x1,   a0 = sum over S of d[j] W_hh[j, i] W_hi[i],
                                             a1 = -sum over S of d[j] W_hi[j].

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, section on M2,2.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..estimates import exact
from ..scoring.surprise.ledger import Check, Implied, Ledger, Prior
from ..structure import (
    StandardForm,
    Weights,
    canonical_order,
    outputs,
    reorder_neurons,
    standard_form,
)
from ..zoo import OneLayerRNN, check_model
from .measures import (
    ARC_EQUALITY,
    FAIR_SIGN,
    FAIR_SIZE,
    OPPOSITE_INPUTS,
    STANDARDISE,
    MatrixName,
    measure,
    probe,
    weight_entry,
    weight_size,
)

Array = NDArray[np.float64]

LARGEST_SMALL_ERROR = 0.01  # largest error at which the formula for selection is trusted


# Signs of W_hi, W_hh, W_oh and sizes of W_hh in the pattern that ARC describes.
_SIGNS: dict[MatrixName, dict[tuple[int, ...], Literal["<", ">"]]] = {
    "w_hi": {(0,): ">", (1,): "<"},
    "w_hh": {(0, 0): "<", (0, 1): ">", (1, 0): ">", (1, 1): "<"},
    "w_oh": {(0, 0): ">", (0, 1): "<", (1, 0): "<", (1, 1): ">"},
}
_ABOVE_1 = {(0, 0): False, (0, 1): True, (1, 0): True, (1, 1): False}


@measure
def readout_difference(weights: Weights, neuron: int) -> Array:
    """d[j] = W_oh[1, j] - W_oh[0, j]."""
    return _readout(weights)[..., neuron]


@measure
def coefficient_ratio(weights: Weights, took_up: int, active: tuple[int, ...]) -> Array:
    """abs(a0 / a1) where neuron ``took_up`` holds x0 and ``active`` are active after x1."""
    a0, a1 = coefficients(weights, took_up, active)
    return np.abs(a0 / a1)


@measure
def coefficient_gap(weights: Weights, took_up: int) -> Array:
    """Difference of a0 and a1 where both neurons are active, as twice an angle in radians.

    The angle is that between the ray on which a0 x0 = a1 x1 and the diagonal. If a0 and a1 are
    nearly equal, twice the angle is the log of the larger over the smaller one, to second order.
    """
    a0, a1 = coefficients(weights, took_up, (0, 1))
    return 2 * np.abs(np.arctan2(a0, a1) - np.pi / 4)


@measure
def form_error(weights: Weights) -> Array:
    """Largest relative error, on fixed inputs, of the linear form of the piece around them."""
    x = probe(weights)
    logits = outputs(weights, x)
    took_up = np.maximum(x[..., :1] * weights.w_hi[..., None, :], 0)
    z = took_up @ weights.w_hh.swapaxes(-1, -2) + x[..., 1:] * weights.w_hi[..., None, :]
    terms = _readout(weights)[..., None, :] * np.where(z > 0, z, 0)
    error = np.abs(logits[..., 1] - logits[..., 0] - terms.sum(-1))
    size = np.abs(terms).sum(-1) + np.abs(logits).sum(-1)
    relative: Array = (error / np.where(size > 0, size, 1)).max(-1)
    return relative


def coefficients(weights: Weights, took_up: int, active: tuple[int, ...]) -> tuple[Array, Array]:
    """a0 and a1 in the piece where ``took_up`` holds x0 and ``active`` are active after x1.

    Each of the shape of the weights' leading axes.
    """
    d = _readout(weights)
    terms = [d[..., j] * weights.w_hh[..., j, took_up] for j in active]
    a0 = np.sum(terms, axis=0) * (-1 if took_up else +1)
    a1 = -np.sum([d[..., j] * weights.w_hi[..., j] for j in active], axis=0)
    return a0, a1


def _readout(weights: Weights) -> Array:
    difference: Array = weights.w_oh[..., 1, :] - weights.w_oh[..., 0, :]
    return difference


def arc_ledger(model: OneLayerRNN) -> Ledger:
    """Ledger as ARC counts: 14 bits for signs and sizes, 4 for orders, the rest for gaps."""
    return Ledger(_arc_checks(orders_are_implied=False), _standardised(model).weights)


def conditional_ledger(model: OneLayerRNN) -> Ledger:
    """Ledger of the same checks, each priced given those before it.

    The orders follow from the sizes and are free.
    """
    return Ledger(_arc_checks(orders_are_implied=True), _standardised(model).weights)


def lean_ledger(model: OneLayerRNN) -> Ledger:
    """Ledger of only what suffices for the accuracy, under one joint prior (see :func:`gap_prior`).

    The numbering of the neurons is a choice of names, so they are put in canonical order first. The
    error is small if the input weights have opposite signs, d[0] < 0 < d[1], the two coefficients
    on the diagonal are nearly equal, and the piece they belong to exists, which is the case if
    W_hh[1, 0] > 1 > -W_hh[0, 0] for x0 > 0 and W_hh[0, 1] > 1 > -W_hh[1, 1] for x0 < 0. The signs
    of W_hh[0, 0] and W_hh[1, 1] do not matter beyond that.
    """
    standard = _standardised(model)
    return Ledger(_lean_checks(), reorder_neurons(standard, canonical_order(standard)).weights)


def _standardised(model: OneLayerRNN) -> StandardForm:
    check_model(model)
    if (model.hidden_size, model.seq_len, model.output_size) != (2, 2, 2):
        raise ValueError(
            "These ledgers are about models with hidden_size 2, seq_len 2 and two logits, got "
            f"hidden_size {model.hidden_size}, seq_len {model.seq_len}, {model.output_size} outputs"
        )
    return standard_form(model)


def _arc_checks(*, orders_are_implied: bool) -> list[Check]:
    checks = [STANDARDISE]
    for matrix, signs in _SIGNS.items():
        for index, relation in signs.items():
            name = _name(matrix, index)
            statement = f"{name} {relation} 0"
            measure = weight_entry(matrix, index)
            checks.append(
                Check(f"sign {name}", "sign", statement, measure, relation, 0.0, FAIR_SIGN)
            )
    for index, above in _ABOVE_1.items():
        name = _name("w_hh", index)
        relation = ">" if above else "<"
        statement = f"abs({name}) {relation} 1"
        measure = weight_size("w_hh", index)
        checks.append(Check(f"size {name}", "size", statement, measure, relation, 1.0, FAIR_SIZE))
    checks.append(
        Check(
            "form of the pieces",
            "algebra",
            "In each piece a0 and a1 are sums over the active neurons",
            form_error(),
            "<=",
            1e-9,
            None,
        )
    )
    for (neuron, took_up), above in _ABOVE_1.items():
        relation = ">" if above else "<"
        size = f"size {_name('w_hh', (neuron, took_up))}"
        checks.append(
            Check(
                f"order x0 {_side(took_up)} 0, neuron {neuron}",
                "order",
                f"a0 {relation} a1 where x0 {_side(took_up)} 0 and neuron {neuron} alone is active",
                coefficient_ratio(took_up, (neuron,)),
                relation,
                1.0,
                Implied() if orders_are_implied else FAIR_SIZE,
                given=(size,) if orders_are_implied else (),
            )
        )
    return checks + [_equality(took_up, ARC_EQUALITY) for took_up in (0, 1)]


def _lean_checks() -> list[Check]:
    checks = [OPPOSITE_INPUTS]
    relations: tuple[Literal["<", ">"], ...] = ("<", ">")
    for neuron, relation in enumerate(relations):
        checks.append(
            Check(
                f"sign d[{neuron}]",
                "sign",
                f"d[{neuron}] {relation} 0",
                readout_difference(neuron),
                relation,
                0.0,
                FAIR_SIGN,
            )
        )
    weight = Prior(stats.cauchy(), "standard Cauchy: the ratio of two Gaussian weights")
    for index, threshold in (((1, 0), 1.0), ((0, 0), -1.0), ((0, 1), 1.0), ((1, 1), -1.0)):
        name = _name("w_hh", index)
        checks.append(
            Check(
                f"size {name}",
                "size",
                f"{name} > {threshold:g}",
                weight_entry("w_hh", index),
                ">",
                threshold,
                weight,
            )
        )
    return checks + [_equality(took_up, gap_prior(took_up)) for took_up in (0, 1)]


def _equality(took_up: int, prior: Prior) -> Check:
    return Check(
        f"equality x0 {_side(took_up)} 0",
        "equality",
        f"a0 and a1 agree this closely where x0 {_side(took_up)} 0 and both neurons are active",
        coefficient_gap(took_up),
        "<=",
        None,
        prior,
    )


def _name(matrix: str, index: tuple[int, ...]) -> str:
    return f"{matrix.replace('w_', 'W_')}[{', '.join(map(str, index))}]"


def _side(took_up: int) -> str:
    return "<" if took_up else ">"


class _Circuits(NamedTuple):
    """Densities at 1 of the point where the answer switches, under the joint Cauchy prior.

    On each side of x0 = 0, with input weights of opposite signs and d[0] < 0 < d[1], the answer is
    1 below some t = x1 / abs(x0) and 0 above, and right if that point is t = sign(x0). Either both
    neurons are active there, and the point is the ratio of coefficients; or neither is, the logits
    tie beyond it, and it is where one neuron switches off. Entry [i, j] of a table belongs to
    circuit i where x0 > 0 and j where x0 < 0: 0 for both neurons, 1 for one.
    """

    first: Array  # (2,): where x0 > 0
    pairs: Array  # (2, 2): on both sides together


@cache
def _circuits() -> _Circuits:
    """Compute the densities, with the probabilities of the circuits included.

    For x0 > 0, with r = abs(d[0] / d[1]): both neurons are active about the switch if W10 > 1 >
    -W00, and it is at ``rho = (W10 - r W00) / (1 + r)``, which is 1 at ``W10 = 1 + r (1 + W00)``,
    with d rho / d W10 = 1 / (1 + r). Otherwise, for W00 < -1, it is at W10. For x0 < 0 the same
    holds with 1 / r and W01, W11; but a tie is answered with 0, so that the neuron that counts is
    the one with weight W11, which is near -1 then, while W01 < 1. The ratio r of two half-Cauchy
    numbers has density ``4 log(r) / (pi^2 (r^2 - 1))``.
    """
    # The trapezoidal rule in log y and log r: its error falls exponentially with the nodes.
    s = np.linspace(-40.0, 40.0, 801)
    step = s[1] - s[0]
    y, r = np.exp(s), np.exp(s)[:, None]
    cauchy = stats.cauchy.pdf
    # Density of rho at 1 together with W10 > 1 > -W00, given r; y = r (1 + W00) runs over (0, inf).
    both = (cauchy(y / r - 1) * cauchy(1 + y) * y).sum(-1) * step * (1 + r[:, 0]) / r[:, 0]
    first = np.stack([both, np.full_like(both, cauchy(1) * stats.cauchy.cdf(-1))])
    second = np.stack([both[::-1], np.full_like(both, cauchy(-1) * stats.cauchy.cdf(1))])
    s_over_sinh = np.divide(s, np.sinh(s), out=np.ones_like(s), where=s != 0)
    weight = 2 / np.pi**2 * s_over_sinh * step  # of log r
    return _Circuits(first @ weight, (first * weight) @ second.T)


def gap_densities() -> tuple[float, float]:
    """Densities at equality of the two log ratios of coefficients, under the joint Cauchy prior.

    The first is given the other checks of :func:`lean_ledger`, the second given the first as well.
    """
    circuits = _circuits()
    pattern = float(stats.cauchy.sf(1) * stats.cauchy.sf(-1))  # of one side; independent of r
    one, both = float(circuits.first[0]), float(circuits.pairs[0, 0])
    return one / pattern, both / (one * pattern)


def gap_prior(took_up: int) -> Prior:
    """Prior of a gap near 0: uniform, with the density of :func:`gap_densities` on either side."""
    return Prior(
        stats.uniform(0, 1 / (2 * gap_densities()[took_up])),
        "density at equality under the joint Cauchy prior, given the checks before",
    )


def circuit_shares() -> Array:
    """Shares of four circuits among models with a small error, under the joint Cauchy prior.

    In entry [i, j], i is the circuit for x0 > 0 and j that for x0 < 0. Circuit 0 compares with both
    neurons, as ARC describes; in circuit 1 a single neuron decides, and beyond it the logits tie.
    """
    pairs = _circuits().pairs
    shares: Array = pairs / pairs.sum()
    return shares


def selection_bits(model: OneLayerRNN) -> float:
    """Bits of optimisation: -log2 of the prior probability of a model at least as accurate.

    The prior is the joint Cauchy prior over all four circuits, and the formula holds to first order
    in the error e, which must be small: the distances g, g' of the two switches from the diagonal,
    as log ratios, then satisfy ``g + g' <= 4 pi e``, a region of area ``2 (4 pi e)^2`` around (0,
    0).

    Raises
    ------
    ValueError
        If the error is zero, which no prior of this kind ever draws, or above
        :data:`LARGEST_SMALL_ERROR`.
    """
    error = 1 - exact(_standardised(model)).value
    if not 0 < error <= LARGEST_SMALL_ERROR:
        raise ValueError(
            f"The formula holds for errors above 0 and up to {LARGEST_SMALL_ERROR}, got {error:.6g}"
        )
    signs = 1 / 8  # input weights of opposite signs, d[0] < 0 < d[1]
    return -math.log2(signs * 2 * (4 * math.pi * error) ** 2 * float(_circuits().pairs.sum()))
