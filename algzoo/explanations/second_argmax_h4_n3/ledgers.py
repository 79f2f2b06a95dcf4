"""Ledgers of M4,3's explanations, and a bound on the bits that training can have chosen.

The three ledgers are about the model in standard form:

* :func:`arc_ledger`, the sixteen inequalities on which ARC's first estimate rests;
* :func:`symmetry_ledger`, which claims that the model is antipodal, of reduced form, and a member
  of the handcrafted models' family, with each equality to a stated or a measured tolerance;
* :func:`brute_force_ledger`, which claims that each arc on which the answer changes is near a plane
  on which two inputs are equal.

They are compared with :func:`~algzoo.scoring.surprise.bounds.weight_information`.

References
----------
ARC's notes on M4,3 for the sixteen bits and for k bits for one part in 2^k ("AlgZoo: uninterpreted
models with fewer than 1,500 parameters", 2026); the other ledgers are this book's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...scoring.surprise.ledger import Check, Ledger, Prior
from ...structure import Weights, reorder_neurons, standard_form, weights_of
from ...zoo import OneLayerRNN, check_model
from ..measures import (
    ARC_EQUALITY,
    FAIR_SIGN,
    FAIR_SIZE,
    BoundMeasure,
    MatrixName,
    infinite_if_none,
    log_ratio,
    measure,
)
from .arc_regions import inequalities, numbering
from .symmetry import find_symmetry
from .tie_arcs import tie_arcs

Array = NDArray[np.float64]

ORDER_PLANES = np.array([[1, -1, 0], [1, 0, -1], [0, 1, -1]]) / math.sqrt(2)

_NORMALS = Prior(stats.uniform(0, 1), "a plane of random direction")

# The pairs of neurons are those of ARC's notes, the first of each with positive input weight.
_PARTNER = (3, 2, 1, 0)


@measure
def inequality(weights: Weights, name: str) -> Array:
    """One of the numbers that are positive according to ARC's sixteen inequalities."""
    value: Array = inequalities(weights)[name]
    return value


@measure
def pair_product(weights: Weights, matrix: MatrixName, index: tuple[int, ...]) -> Array:
    """Product of a weight and its partner, which the antipodal symmetry makes equal or opposite."""
    one, other = _pair(weights, matrix, index)
    return one * other


@measure
def pair_gap(weights: Weights, matrix: MatrixName, index: tuple[int, ...]) -> Array:
    """Absolute log ratio of the sizes of the same two weights, 0 if they are equal."""
    one, other = _pair(weights, matrix, index)
    return log_ratio(np.abs(one), np.abs(other))


def _pair(weights: Weights, matrix: MatrixName, index: tuple[int, ...]) -> tuple[Array, Array]:
    """A weight and its partner."""
    first = index[:1] if matrix == "w_oh" else tuple(_PARTNER[i] for i in index[:1])
    partner = (*first, *(_PARTNER[i] for i in index[1:]))
    entries = getattr(weights, matrix)
    return entries[(..., *index)], entries[(..., *partner)]


@measure
def reduced_form_gap(weights: Weights, row: int, column: int) -> Array:
    """abs(K / W') for one entry: the deviation of the drive of y from a linear function of y."""
    u, v = _differences(), np.abs(_differences())
    w, k = (m @ weights.w_hh @ m.T for m in (u, v))
    with np.errstate(divide="ignore", invalid="ignore"):
        return infinite_if_none(np.abs(k / w)[..., row, column])


@measure
def translation_gap(weights: Weights, row: int) -> Array:
    """Sum of a row of F over its last entry: the effect on y of adding 1 to all inputs."""
    f = _last_state(weights)[..., row, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        return infinite_if_none(np.abs(f.sum(-1) / f[..., 2]))


@measure
def lambda_gap(weights: Weights) -> Array:
    """Absolute log ratio of the values of lambda in the two rows of F."""
    return log_ratio(*_lambdas(weights))


@measure
def readout_gap(weights: Weights, which: Literal["first", "second, y0", "second, y1"]) -> Array:
    """Absolute log ratio of a difference of logits and its value in the family.

    The numbers are row differences of W'_oh in units of F's last entries, up to one factor: in the
    family W'_oh[1] - W'_oh[0] is (-1, 1), and W'_oh[2] - W'_oh[0] is (r, -1 / r) with r = lambda /
    (lambda + 1).
    """
    u = _differences()
    f = _last_state(weights)
    readout = weights.w_oh @ np.abs(u).T / 2 * np.abs(f[..., 2])[..., None, :]
    first = readout[..., 1, :] - readout[..., 0, :]
    second = readout[..., 2, :] - readout[..., 0, :]
    lam = np.sqrt(np.prod(_lambdas(weights), axis=0))
    if which == "first":
        return log_ratio(-first[..., 0], first[..., 1])
    if which == "second, y0":
        return log_ratio(second[..., 0] * (lam + 1), first[..., 1] * lam)
    return log_ratio(second[..., 1] * lam, first[..., 0] * (lam + 1))


@dataclass(frozen=True)
class DecisionArc:
    """Arc on which a model's answer changes from one to another, within one linear piece.

    Called with weights, it takes the plane on which the two logits are equal, for the same active
    neurons, and returns the probability that a plane of random direction is at least as near to a
    plane on which two inputs are equal, 3 (1 - cos(angle)), at most 1.

    Attributes
    ----------
    pattern
        Which neurons are active after each input, three tuples of four.
    answers
        The two answers.
    """

    pattern: tuple[tuple[bool, ...], ...]
    answers: tuple[int, int]

    def __call__(self, weights: Weights) -> Array:
        """The probability, with the shape of the leading axes; 0 if the plane is one of them."""
        share: Array = np.minimum(3 * (1 - np.cos(self.angle(weights))), 1.0)
        return share

    def angle(self, weights: Weights) -> Array:
        """Angle to the nearest plane on which two inputs are equal, in radians."""
        normal = self._normal(weights)
        # Sines are used because the angles are small.
        across = np.linalg.norm(np.cross(normal[..., None, :], ORDER_PLANES), axis=-1)
        length = np.linalg.norm(normal, axis=-1)[..., None]
        smallest: Array = np.arcsin(np.minimum(across / length, 1.0)).min(-1)
        return smallest

    def _normal(self, weights: Weights) -> Array:
        """The difference of the two logits as a linear function of the inputs, (..., 3)."""
        state = np.zeros((*weights.w_hi.shape, 3))
        for step, active in enumerate(self.pattern):
            state = weights.w_hh @ state + weights.w_hi[..., None] * np.eye(3)[step]
            state = state * np.array(active)[:, None]
        logits = weights.w_oh @ state
        normal: Array = logits[..., self.answers[0], :] - logits[..., self.answers[1], :]
        return normal


def arc_ledger(model: OneLayerRNN) -> Ledger:
    """Ledger of the sixteen inequalities at one bit each, as ARC counts them.

    Raises
    ------
    ValueError
        If they hold for no numbering of the model's neurons.
    """
    weights = _in_arcs_order(model)
    return Ledger(_arc_checks(weights, FAIR_SIZE), weights)


def conditional_ledger(model: OneLayerRNN) -> Ledger:
    """Ledger of the same inequalities, with conditional prices for the four comparisons with 1.

    The prior is that of independent standard Cauchy weights. In standard form a[3] and similar
    numbers are sums of two weights, and Cauchy of scale 2; they are known to be positive when they
    are compared with 1.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`arc_ledger`.
    """
    sizes = Prior(
        stats.halfcauchy(scale=2), "sum of two standard Cauchy weights, given that it is positive"
    )
    weights = _in_arcs_order(model)
    return Ledger(_arc_checks(weights, sizes), weights)


def symmetry_ledger(model: OneLayerRNN, tolerance: float | None = 2**-5) -> Ledger:
    """Ledger of the symmetries and the family, in the order of the argument.

    Antipodal (S1): 16 agreements of sign, and 14 equalities to within ``tolerance``, or as exactly
    as they are found if it is ``None``; those of W_hi are a matter of units and cost nothing.
    Reduced form (S2): K is small compared with W'. Then y reads differences of the inputs, its two
    rows have one lambda, and the readout is that of the same lambda, all as exactly as they are
    found. The pairing was searched for among three. The surprise that remains, given all this, is
    priced under :func:`~algzoo.explanations.second_argmax_h4_n3.family_law.family_law`.

    Raises
    ------
    ValueError
        If the model does not have four neurons and three inputs with a logit each, or if its
        neurons do not pair so that the input weights of a pair have opposite signs.
    """
    checks: list[Check] = []
    pairs: list[tuple[MatrixName, tuple[int, ...]]] = [
        *(("w_hi", (i,)) for i in range(2)),
        *(("w_hh", index) for index in product(range(2), range(4))),
        *(("w_oh", index) for index in product(range(3), range(2))),
    ]
    for matrix, index in pairs:
        name = f"{matrix.replace('w_', 'W_')}[{', '.join(map(str, index))}]"
        opposite = matrix == "w_hi"
        sign = Check(
            f"sign of {name}",
            "sign",
            f"{name} and its partner have {'opposite signs' if opposite else 'the same sign'}",
            pair_product(matrix, index),
            "<" if opposite else ">",
            0.0,
            FAIR_SIGN,
            alternatives=1 if checks else 3,
        )
        checks.append(sign)
        if not opposite:
            checks.append(
                Check(
                    f"size of {name}",
                    "equality",
                    f"{name} and its partner are equal",
                    pair_gap(matrix, index),
                    "<=",
                    tolerance,
                    ARC_EQUALITY,
                    given=(sign.id,),
                )
            )
    for row, column in product(range(2), repeat=2):
        checks.append(
            _as_found(f"K[{row}, {column}]", "K is small against W'", reduced_form_gap(row, column))
        )
    for row in range(2):
        checks.append(
            _as_found(f"row {row} of F", "it reads differences only", translation_gap(row))
        )
    checks.append(_as_found("lambda", "both rows of F have one lambda", lambda_gap()))
    whiches: tuple[Literal["first", "second, y0", "second, y1"], ...]
    whiches = ("first", "second, y0", "second, y1")
    for which in whiches:
        checks.append(
            _as_found(
                f"readout, {which}", "the readout is that of the same lambda", readout_gap(which)
            )
        )
    return Ledger(checks, _in_pairs(model))


def brute_force_ledger(model: OneLayerRNN, shortest: float = 0.2) -> Ledger:
    """Ledger with one entry for each decision arc longer than ``shortest``, in radians.

    Each arc is claimed to be as near to a plane of equal inputs as it is found.

    Raises
    ------
    ValueError
        If the number of inputs is not three, or if no arc is as long.
    """
    arcs = [arc for arc, length in decision_arcs(model) if length > shortest]
    if not arcs:
        raise ValueError(f"The model has no decision arc longer than {shortest} rad")
    checks = [
        Check(
            f"arc {number}",
            "equality",
            f"where the answer changes between {arc.answers[0]} and {arc.answers[1]}, two inputs "
            "are equal",
            arc,
            "<=",
            None,
            _NORMALS,
        )
        for number, arc in enumerate(arcs)
    ]
    return Ledger(checks, weights_of(model))


def decision_arcs(model: OneLayerRNN) -> list[tuple[DecisionArc, float]]:
    """Arcs on which a model's answer changes, each with its length in radians; longest first.

    They are those of :func:`algzoo.explanations.second_argmax_h4_n3.tie_arcs.tie_arcs`, whose
    existence is decided exactly. An arc ends where its linear piece does.

    Raises
    ------
    ValueError
        If the model does not have three inputs and three logits.
    """
    found = [
        (DecisionArc(tuple(tuple(map(bool, active)) for active in arc.pattern), arc.answers), arc)
        for arc in tie_arcs(model)
    ]
    return sorted(((arc, of.length) for arc, of in found), key=lambda arc: -arc[1])


def _arc_checks(weights: Weights, sizes: Prior) -> list[Check]:
    checks = []
    for name in inequalities(weights):
        if "/" not in name:
            checks.append(Check(name, "sign", name, inequality(name), ">", 0.0, FAIR_SIGN))
            continue
        # In standard form the c above the line is 1.
        size = f"{name[len('c[0] / ') :][:4]} > 0"
        relation: Literal["<", ">"] = ">" if name.endswith("< 1") else "<"
        checks.append(
            Check(name, "order", name, inequality(size), relation, 1.0, sizes, given=(size,))
        )
    return checks


def _as_found(check_id: str, statement: str, of: BoundMeasure) -> Check:
    return Check(check_id, "equality", statement, of, "<=", None, ARC_EQUALITY)


def _in_arcs_order(model: OneLayerRNN) -> Weights:
    return reorder_neurons(standard_form(model), numbering(model)).weights


def _in_pairs(model: OneLayerRNN) -> Weights:
    """Standard form, with neurons 0 and 3 a pair and 1 and 2, the first of each with W_hi = 1."""
    check_model(model)
    if (model.hidden_size, model.seq_len) != (4, 3):
        raise ValueError(
            "This ledger is about models with hidden_size 4 and seq_len 3, got hidden_size "
            f"{model.hidden_size} and seq_len {model.seq_len}"
        )
    (a, d), (b, c) = find_symmetry(model).pairs
    in_pairs = reorder_neurons(standard_form(model), [a, b, c, d])
    weights = in_pairs.weights
    if weights.w_hi.tolist() != [1, 1, -1, -1]:
        raise ValueError(
            f"Neurons {(a, d)} and {(b, c)} are the nearest to antipodal pairs, but the input "
            "weights of a pair do not have opposite signs"
        )
    f = _last_state(weights)
    # The row in which x0 has the sign of x2 comes first, as in the handcrafted model.
    if f[0, 0] < f[1, 0]:  # the entry of x2 is 1 in both
        weights = reorder_neurons(in_pairs, [1, 0, 3, 2]).weights
    return weights


def _differences() -> Array:
    """U for neurons in pairs, shape (2, 4)."""
    return np.array([[1.0, 0, 0, -1], [0, 1, -1, 0]])


def _last_state(weights: Weights) -> Array:
    """F of the reduced network, shape (..., 2, 3)."""
    u = _differences()
    drive = (weights.w_hi @ u.T / 2)[..., None]
    step = u @ weights.w_hh @ u.T / 4
    f: Array = np.concatenate([step @ (step @ drive), step @ drive, drive], axis=-1)
    return f


def _lambdas(weights: Weights) -> Array:
    """Lambda from the effect of x0 on y0 and on y1, shape (2, ...); nan if it is not positive."""
    f = _last_state(weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        lams = np.stack([f[..., 0, 2] / f[..., 0, 0], -f[..., 1, 2] / f[..., 1, 0] - 1])
        return np.where(lams > 0, lams, np.nan)
