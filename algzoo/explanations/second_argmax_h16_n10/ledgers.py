"""Ledgers of M16,10: formulas of neurons, and one decision for each class of inputs.

Neither explains the model; the ledgers say what each costs and what it leaves open.

* :func:`feature_ledger` claims that some neurons follow the formulas found by the feature search:
  for each, the sign and size of every weight that counts, and that the rest of what it receives is
  small.
* :func:`skeleton_ledger` claims that each class of inputs, by position of the largest and the
  second largest, is decided rightly at its mean: log2(n) bits for one of n answers without a
  reason.

Both take any 2nd-argmax model of three inputs or more. No check covers what the model does with
inputs that are not means; this is paid as the residual (:mod:`algzoo.scoring.surprise.residual`).
The totals are compared with the bound of :func:`~algzoo.scoring.surprise.bounds.noise_tolerance`.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, for the subcircuits of
its example; the prices are this book's, by the conventions of
:mod:`algzoo.explanations.second_argmax_h4_n3.ledgers`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, stats

from ...scoring.surprise.ledger import Check, Ledger, Prior
from ...structure import Feature, FeatureSearch, Weights, outputs, weights_in_range, weights_of
from ...structure.features.wiring import Wiring
from ...zoo import OneLayerRNN, check_model
from ..measures import ARC_EQUALITY, FAIR_SIGN, BoundMeasure, log_ratio, measure, weight_entry

Array = NDArray[np.float64]

# Inputs on which the sizes of activations are measured, and so what each neuron receives.
_N_INPUTS = 2**12
_SEED = 0


@dataclass(frozen=True)
class Units:
    """Units of the activations of some neurons, as the feature search chooses them.

    Attributes
    ----------
    sources
        Pairs of a neuron and the source of its unit: ``None`` for its own input weight, otherwise
        another neuron, earlier in the list, whose contribution then has weight 1 or -1.
    """

    sources: tuple[tuple[int, int | None], ...]

    def of(self, weights: Weights) -> dict[int, Array]:
        """Compute the units by neuron, each with the shape of the leading axes."""
        units: dict[int, Array] = {}
        for neuron, source in self.sources:
            if source is None:
                units[neuron] = np.abs(weights.w_hi[..., neuron])
            else:
                units[neuron] = np.abs(weights.w_hh[..., neuron, source]) * units[source]
        return units


@measure
def natural_weight(weights: Weights, units: Units, neuron: int, source: int) -> Array:
    """One weight of W_hh, in the units of its two neurons."""
    of = units.of(weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        natural: Array = weights.w_hh[..., neuron, source] * of[source] / of[neuron]
    return natural


@measure
def natural_weight_gap(
    weights: Weights, units: Units, neuron: int, source: int, size: int
) -> Array:
    """Absolute log ratio of such a weight's size and a whole number; infinite for a zero weight."""
    natural = natural_weight(units, neuron, source)(weights)
    return log_ratio(np.abs(natural), np.array(float(size)))


@measure
def neglected_share(
    weights: Weights, neuron: int, counted: tuple[int, ...], input_neglected: bool, seq_len: int
) -> Array:
    """Share of what a neuron receives that its formula leaves out, in terms of squares.

    If the formula contains the input, the input is ignored on both sides, because it outweighs all
    neurons in untrained models; the share is then one of what comes from neurons. It is 1 for a
    neuron that receives nothing.

    Parameters
    ----------
    weights
        Weights of the model.
    neuron
        Its number.
    counted
        The neurons whose contributions the formula contains.
    input_neglected
        Whether the formula leaves out the input.
    seq_len
        Number of inputs that the model reads.
    """
    x = np.random.default_rng(_SEED).standard_normal((_N_INPUTS, seq_len))
    shares = []
    for place in np.ndindex(weights.w_hi.shape[:-1]):
        wiring = Wiring.measured(Weights(*(matrix[place] for matrix in weights)), x)
        received = wiring.received[neuron] ** 2
        total = received.sum() + input_neglected * wiring.driven[neuron] ** 2
        shares.append(float(1 - received[list(counted)].sum() / total) if total > 0 else 1.0)
    return np.array(shares).reshape(weights.w_hi.shape[:-1])


@measure
def rank_of_answer(weights: Weights, first: int, second: int, seq_len: int) -> Array:
    """Rank, from 0, of the right answer among the logits at the mean input of a class.

    Parameters
    ----------
    weights
        Weights of the model.
    first, second
        Positions of the largest and of the second largest input.
    seq_len
        Number of inputs.
    """
    x = class_mean(first, second, seq_len)[None]
    logits = outputs(weights, x)[..., 0, :]
    right = logits[..., second, None]
    before = np.arange(seq_len) < second
    rank: Array = ((logits > right) | ((logits == right) & before)).sum(-1).astype(float)
    return rank


def class_mean(first: int, second: int, seq_len: int) -> Array:
    """Mean of Gaussian inputs whose largest is at ``first`` and second largest at ``second``.

    The others all have the same mean, and the sum of all means is zero. Shape (seq_len,).

    Raises
    ------
    ValueError
        If the positions are not two different positions of an input of three numbers or more.
    """
    if seq_len < 3 or first == second or not {first, second} <= set(range(seq_len)):
        raise ValueError(
            f"No class has the largest of {seq_len} inputs at {first} and the second at {second}"
        )
    largest, next_largest = order_mean(1, seq_len), order_mean(2, seq_len)
    x = np.full(seq_len, -(largest + next_largest) / (seq_len - 2))
    x[[first, second]] = largest, next_largest
    return x


@cache
def order_mean(rank: int, n: int) -> float:
    """Mean of the ``rank``-th largest of ``n`` independent standard Gaussian numbers.

    It is computed by quadrature of its density, ``rank C(n, rank) phi(z) Phi(z)^(n - rank)
    Q(z)^(rank - 1)``.
    """

    def integrand(z: float) -> float:
        above, below = stats.norm.sf(z), stats.norm.cdf(z)
        return float(z * stats.norm.pdf(z) * below ** (n - rank) * above ** (rank - 1))

    integral, _ = integrate.quad(integrand, -12, 12, epsabs=1e-13)
    return rank * math.comb(n, rank) * float(integral)


def feature_ledger(model: OneLayerRNN, search: FeatureSearch) -> Ledger:
    """Ledger of the claim that neurons have the rounded weights from which their formulas follow.

    The neurons are those of ``search``. For each, the ledger charges a bit for the sign of the
    input weight and of every weight that its formula contains; for each of the latter the claim
    that it is a whole number, as exactly as it is found, except for the one that only fixes the
    neuron's unit; and the claim that the rest is as small as it is found. The last is priced as if
    all contributions were independent, Gaussian and of one size: the share of m among k in the sum
    of squares is then Beta(m / 2, (k - m) / 2). Unrolling the rounded weights is algebra and free;
    deviations of the activations from the formulas are not priced here.

    Each subcircuit was searched for among all groups of as many neurons or fewer that were not yet
    explained. The thresholds of the search are not priced. A search that found nothing gives an
    empty ledger.
    """
    weights = weights_of(model)
    units = _units(weights, search)
    checks: list[Check] = []
    n_left = model.hidden_size
    for subcircuit in search.subcircuits:
        looked_at = sum(math.comb(n_left, size) for size in range(1, len(subcircuit) + 1))
        n_left -= len(subcircuit)
        for neuron in subcircuit:
            of_neuron = _feature_checks(model, search.features[neuron], units, looked_at)
            checks += of_neuron
            looked_at = 1
    return Ledger(checks, weights)


def _units(weights: Weights, search: FeatureSearch) -> Units:
    sources: list[tuple[int, int | None]] = []
    waiting = dict(search.features)
    while waiting:
        known = dict(sources)
        for feature in waiting.values():
            if feature.from_input:
                source = None
                break
            candidates = [s for s in feature.from_neurons if s in known]
            if candidates:
                # The source is the neuron that has weight 1 or -1 without rounding.
                row = weights.w_hh[feature.neuron]
                gaps = {
                    s: abs(abs(row[s]) * search.features[s].unit / feature.unit - 1)
                    for s in candidates
                }
                source = min(gaps, key=gaps.__getitem__)
                break
        sources.append((feature.neuron, source))
        del waiting[feature.neuron]
    return Units(tuple(sources))


def _feature_checks(
    model: OneLayerRNN, feature: Feature, units: Units, alternatives: int
) -> Iterator[Check]:
    i = feature.neuron
    counted = tuple(feature.from_neurons)
    input_neglected = feature.from_input == 0
    n_neglected = model.hidden_size - len(counted) + input_neglected
    yield Check(
        f"rest of neuron {i}",
        "zero",
        f"neuron {i} receives little beside what its formula takes in",
        neglected_share(i, counted, input_neglected, model.seq_len),
        "<=",
        None,
        Prior(
            stats.beta(n_neglected / 2, len(counted) / 2),
            "contributions independent and Gaussian, all of one size",
        ),
        alternatives=alternatives,
    )
    if feature.from_input:
        yield _sign(f"W_hi[{i}]", weight_entry("w_hi", (i,)), feature.from_input)
    for j, whole in feature.from_neurons.items():
        name = f"W_hh[{i}, {j}]"
        sign = _sign(name, natural_weight(units, i, j), whole)
        yield sign
        if (i, j) not in units.sources:
            yield Check(
                f"size of {name}",
                "equality",
                f"{name} is {whole}, in the units of its neurons",
                natural_weight_gap(units, i, j, abs(whole)),
                "<=",
                None,
                ARC_EQUALITY,
                given=(sign.id,),
                alternatives=abs(whole),
            )


def _sign(name: str, of: BoundMeasure, sign: int) -> Check:
    relation: Literal["<", ">"] = ">" if sign > 0 else "<"
    return Check(f"sign of {name}", "sign", f"{name} {relation} 0", of, relation, 0.0, FAIR_SIGN)


def skeleton_ledger(model: OneLayerRNN) -> Ledger:
    """Ledger of the claim that every class is decided rightly at its mean.

    These are n (n - 1) decisions among n answers. In the prior the right answer is equally likely
    to have any rank among the logits, which is exact if the rows of the readout are exchangeable,
    as in untrained models. Decisions are priced as if they were independent, which is a convention:
    a rule that gives many of them at once would cost less, and untrained models, most of which give
    one answer to all inputs, get n - 1 of them right and hardly ever many more. The inputs are
    determined by the order of their entries and cost nothing.

    Raises
    ------
    ValueError
        If the model has fewer than three inputs, or not one logit for each.
    """
    check_model(model)
    n = model.seq_len
    if n < 3 or model.output_size != n:
        raise ValueError(
            "Classes of inputs need seq_len 3 or more and a logit for each input, got seq_len "
            f"{n} and {model.output_size} outputs"
        )
    places = Prior(stats.uniform(0, n), f"one of {n} answers, without a reason")
    checks = [
        Check(
            f"largest {first}, second {second}",
            "class",
            f"the mean input with its largest at {first} and its second largest at {second} is "
            "answered rightly",
            rank_of_answer(first, second, n),
            "<",
            1.0,
            places,
        )
        for first, second in permutations(range(n), 2)
    ]
    return Ledger(checks, weights_in_range(model))
