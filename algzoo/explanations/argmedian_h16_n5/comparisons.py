"""Comparisons: which differences of inputs a neuron holds, by measurement.

The feature search (:mod:`algzoo.structure.features`) derives formulas of nearly isolated
subcircuits. In a network that has none, because each neuron receives from many others whose
contributions cancel, a neuron may still hold something simple. Here its activation after the last
step is fitted by least squares with dictionaries of functions of the inputs, on Gaussian inputs;
nothing is derived from weights.

These are the dictionaries; each of the first three contains the one before:

* ``"inputs"``: the inputs themselves;
* ``"distances"``: also abs(x[i] - x[j]) for all pairs. They contain the ReLU of a difference: 2
  ReLU(u) = abs(u) + u;
* ``"prefix orders"``: also the sorted numbers of each prefix x[0..t] of three inputs or more;
* ``"maxima"``: inputs, and maxima over all sets of two inputs or more. Every order statistic of
  every set of inputs is a sum of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...structure.features.ablation import Sample
from ...structure.weights import outputs

Array = NDArray[np.float64]
Dictionary = Literal["inputs", "distances", "prefix orders", "maxima"]

_MOST_INPUTS = 8  # limit for maxima, whose number doubles with each input: 247 for eight


@dataclass(frozen=True)
class Comparison:
    """ReLU of one input minus another number that is closest to a neuron's last activation.

    The other number is a single input, or an order statistic of the remaining inputs, or a mean of
    two.

    Attributes
    ----------
    neuron
        Its number in the model.
    position, sign
        Position i and sign of ``unit * ReLU(sign * (x[i] - other))``.
    other
        Position of the other number if it is an input.
    ranks
        Otherwise the rank of the other number among the remaining inputs, 1 for the largest of
        them; two ranks stand for the mean.
    unit
        The least-squares factor, on the model's own scale.
    r2
        R^2 of the activation about its mean.
    linear_r2
        R^2 of the neuron's drive, before the ReLU, as a linear function of all inputs. If it is
        near 1, the neuron is a half space: the earlier activations that it receives are linear
        where it matters.
    n_candidates
        Number of candidates among which it was chosen.
    """

    neuron: int
    position: int
    sign: int
    other: int | None
    ranks: tuple[int, ...]
    unit: float
    r2: float
    linear_r2: float
    n_candidates: int

    @property
    def text(self) -> str:
        """The comparison in terms of the inputs."""
        if self.other is not None:
            against = f"x{self.other}"
        elif len(self.ranks) == 2:
            against = "median of the others"
        else:
            against = f"no. {self.ranks[0]} of the others"
        terms = (f"x{self.position}", against)
        return "ReLU({} - {})".format(*terms[:: self.sign])

    @property
    def is_median(self) -> bool:
        """True if an input is compared with the median of an even number of others."""
        return len(self.ranks) == 2

    def values(self, x: Array) -> Array:
        """Values, shape (n_inputs,), on inputs of shape (n_inputs, seq_len)."""
        others = _in_order(x, self.position)
        return self.unit * _relu_of_difference(
            x, self.position, self.sign, self.other, self.ranks, others
        )


def comparisons(sample: Sample) -> list[Comparison]:
    """Find for each neuron the comparison that is closest to its last activation.

    The candidates are the differences of two inputs, and of an input and the k-th largest of the
    others, with both signs; if the number of others is even, also the difference of an input and
    their median.
    """
    x = sample.x
    candidates = _candidates(x.shape[1])
    others = [_in_order(x, position) for position in range(x.shape[1])]
    values = np.stack(
        [_relu_of_difference(x, *candidate, others[candidate[0]]) for candidate in candidates]
    )
    products, squares = values @ sample.last, (values**2).sum(axis=1)
    # The reduction of the squared error by a multiple of each candidate.
    best = (products**2 / squares[:, None]).argmax(axis=0)
    linear_r2 = _r2(*_halves(np.c_[x, np.ones(len(x))], drives(sample)))
    found = []
    for neuron, place in enumerate(best):
        activation, unit = sample.last[:, neuron], products[place, neuron] / squares[place]
        deviation = ((activation - activation.mean()) ** 2).sum()
        error = ((activation - unit * values[place]) ** 2).sum()
        position, sign, other, ranks = candidates[place]
        found.append(
            Comparison(
                neuron,
                position,
                sign,
                other,
                ranks,
                float(unit),
                float(1 - error / deviation) if deviation else 1.0,
                float(linear_r2[neuron]),
                len(candidates),
            )
        )
    return found


_Candidate = tuple[int, int, int | None, tuple[int, ...]]  # position, sign, other, ranks


def _candidates(n: int) -> list[_Candidate]:
    found: list[_Candidate] = [(i, 1, j, ()) for i, j in permutations(range(n), 2)]
    ranks = [(rank,) for rank in range(1, n)]
    middle = [(n // 2, n // 2 + 1)] if n % 2 else []
    found += [(i, s, None, r) for i in range(n) for s in (1, -1) for r in (*ranks, *middle)]
    return found


def _in_order(x: Array, position: int) -> Array:
    """The inputs other than that at ``position``, from the smallest, (n_inputs, seq_len - 1)."""
    others: Array = np.sort(np.delete(x, position, axis=1), axis=1)
    return others


def _relu_of_difference(
    x: Array, position: int, sign: int, other: int | None, ranks: tuple[int, ...], others: Array
) -> Array:
    """Values of a candidate; ``others`` are the remaining inputs in order."""
    if other is not None:
        reference = x[:, other]
    else:
        reference = others[:, [-rank for rank in ranks]].mean(axis=1)
    difference: Array = np.maximum(sign * (x[:, position] - reference), 0.0)
    return difference


def drives(sample: Sample) -> Array:
    """Input of each neuron at the last step, before the ReLU, shape (n_inputs, hidden_size)."""
    w_hi, w_hh, _ = sample.weights
    drive: Array = outputs(sample.weights._replace(w_oh=w_hh), sample.x[:, :-1])
    drive += sample.x[:, -1:] * w_hi
    return drive


@dataclass(frozen=True, eq=False)
class StateFit:
    """Fit of the last activations by sums over a dictionary, on one half of a sample.

    Attributes
    ----------
    dictionary
        Its name.
    terms
        Meaning of the rows of ``coefficients``, without the constant: positions of the inputs. One
        position is the input there; several are a distance, an order statistic or a maximum.
    coefficients
        Shape (n_terms + 1, hidden_size); the last row is the constant.
    r2
        R^2 on the other half, shape (hidden_size,).
    accuracy
        Accuracy of the model's readout from the fitted activations, none below zero, on the other
        half.
    intact
        Accuracy of the model there.
    logits_r2
        R^2 of the logits, minus their mean over positions, over all logits and inputs of that half.
    """

    dictionary: Dictionary
    terms: tuple[tuple[int, ...], ...]
    coefficients: Array
    r2: Array
    accuracy: float
    intact: float
    logits_r2: float


def fitted_state(sample: Sample, dictionary: Dictionary) -> StateFit:
    """Fit every neuron's last activation by a dictionary and a constant, by least squares.

    Raises
    ------
    ValueError
        If the dictionary is that of all maxima and there are more than eight inputs.
    """
    n = sample.x.shape[1]
    if dictionary == "maxima" and n > _MOST_INPUTS:
        raise ValueError(
            f"There are too many sets of {n} inputs; maxima are for at most {_MOST_INPUTS}"
        )
    terms, values = _dictionary(sample.x, dictionary)
    fit_on, held_out = _halves(values, sample.last)
    coefficients = np.asarray(np.linalg.lstsq(*fit_on, rcond=None)[0], float)
    fitted = np.maximum(held_out[0] @ coefficients, 0.0)
    half = len(fit_on[0])
    answer = sample.answer[half:]
    readout = sample.weights.w_oh.T - sample.weights.w_oh.mean(axis=0)[:, None]
    logits, said = held_out[1] @ readout, fitted @ readout
    total = (logits**2).sum()
    return StateFit(
        dictionary,
        terms,
        coefficients,
        _r2(fit_on, held_out),
        accuracy=float((said.argmax(axis=1) == answer).mean()),
        intact=float((logits.argmax(axis=1) == answer).mean()),
        logits_r2=float(1 - ((logits - said) ** 2).sum() / total) if total else 1.0,
    )


def distance_coefficients(weights_of_readout: Array, fit: StateFit) -> Array:
    """Coefficients of the distances in the logits, shape (seq_len, n_pairs).

    Logits are linear in the last activations, and so are their fits. The mean of each column is
    subtracted, because a number added to all logits changes no answer: positive entries favour a
    position, negative ones disfavour it.

    Raises
    ------
    ValueError
        If the fit is not by distances.
    """
    if fit.dictionary != "distances":
        raise ValueError(f"The fit is by {fit.dictionary}, not by distances")
    pairs = [place for place, term in enumerate(fit.terms) if len(term) == 2]
    found = weights_of_readout @ fit.coefficients[pairs].T
    centred: Array = found - found.mean(axis=0)
    return centred


def _dictionary(x: Array, dictionary: Dictionary) -> tuple[tuple[tuple[int, ...], ...], Array]:
    """Terms and their values with a constant at the end, shape (n_inputs, n_terms + 1)."""
    n = x.shape[1]
    terms: list[tuple[int, ...]] = [(i,) for i in range(n)]
    columns = list(x.T)
    if dictionary in ("distances", "prefix orders"):
        for i, j in combinations(range(n), 2):
            terms.append((i, j))
            columns.append(np.abs(x[:, i] - x[:, j]))
    if dictionary == "prefix orders":
        for t in range(3, n + 1):
            terms += [tuple(range(t))] * t
            columns += list(np.sort(x[:, :t], axis=1).T)
    if dictionary == "maxima":
        for size in range(2, n + 1):
            for positions in combinations(range(n), size):
                terms.append(positions)
                columns.append(x[:, positions].max(axis=1))
    return tuple(terms), np.stack([*columns, np.ones(len(x))], axis=1)


def _halves(values: Array, targets: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    half = len(values) // 2
    return (values[:half], targets[:half]), (values[half:], targets[half:])


def _r2(fit_on: tuple[Array, Array], held_out: tuple[Array, Array]) -> Array:
    """R^2 of each target on the second half, fitted on the first; 1 for a constant target."""
    coefficients = np.linalg.lstsq(*fit_on, rcond=None)[0]
    values, targets = held_out
    errors = ((targets - values @ coefficients) ** 2).sum(axis=0)
    deviations = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    r2: Array = 1 - errors / np.where(deviations == 0, np.inf, deviations)
    return r2
