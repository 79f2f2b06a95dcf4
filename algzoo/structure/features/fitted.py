"""Formulas fitted to activations, for neurons whose weights give no formula.

This is not an explanation, because nothing here is derived from weights. It shows how close a
neuron comes to the grammar of :mod:`algzoo.structure.features.formula`, and which terms a derived
formula lacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...zoo import OneLayerRNN
from ..weights import weights_in_range
from .formula import Term, describe_term, values_of_term
from .wiring import states

_ALIKE = 1e-9  # a term that keeps less variance than this, given others, depends on them


@dataclass(frozen=True, eq=False)
class FittedFormula:
    """Sum of terms, fitted by least squares to an activation after the last step.

    Attributes
    ----------
    neuron
        Its number in the model.
    terms
        The first two are chosen together, the others one after the other.
    coefficients
        Coefficients of the terms, on the model's own scale, followed by the constant.
    r2
        R^2 with the first term, the first two, and so on, each with its own coefficients and a
        constant, on inputs that were not used for choosing and fitting.
    text
        The terms with their coefficients.
    """

    neuron: int
    terms: tuple[Term, ...]
    coefficients: NDArray[np.float64]
    r2: NDArray[np.float64]
    text: str

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Activation after the last step, (n_inputs,), on inputs ``x`` of (n_inputs, seq_len)."""
        values = np.full(len(x), self.coefficients[-1])
        for coefficient, term in zip(self.coefficients, self.terms, strict=False):
            values += coefficient * values_of_term(term, x)
        return values


def fitted_formulas(
    model: OneLayerRNN, n_terms: int = 2, *, n_inputs: int = 2**14, seed: int = 0
) -> list[FittedFormula]:
    """Fit to each neuron the sum of ``n_terms`` terms that is close to its last activation.

    The first two terms are the best pair, and each further one improves the fit most. The
    candidates are the inputs, and the maxima of zero and: all inputs, one, all but one, all from
    some age on, all up to some age, and each of these without the newest. Neurons that never fire
    on one half of the inputs have R^2 1 and no term. Half of the Gaussian inputs serve to choose
    and fit, half to measure R^2.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights.weights_in_range`.
    """
    weights = weights_in_range(model)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2 * n_inputs, model.seq_len))
    activations = states(weights, x)[-1]
    terms = _candidates(model.seq_len)
    values = np.array([values_of_term(term, x) for term in terms])
    return [
        _fitted(neuron, activations[:, neuron], terms, values, n_terms)
        for neuron in range(model.hidden_size)
    ]


def _fitted(
    neuron: int,
    activation: NDArray[np.float64],
    terms: list[Term],
    values: NDArray[np.float64],
    n_terms: int,
) -> FittedFormula:
    half = len(activation) // 2
    if not (activation[:half].any() and activation[half:].any()):
        return FittedFormula(neuron, (), np.zeros(1), np.ones(n_terms), "0")
    chosen = _chosen(activation[:half], values[:, :half], n_terms)
    held_out = activation[half:]
    deviation = ((held_out - held_out.mean()) ** 2).sum()
    r2 = []
    for k in range(1, n_terms + 1):
        design = np.stack([*values[chosen[:k]], np.ones(len(activation))], axis=1)
        coefficients = np.linalg.lstsq(design[:half], activation[:half], rcond=None)[0]
        r2.append(1 - ((held_out - design[half:] @ coefficients) ** 2).sum() / deviation)
    picked = tuple(terms[i] for i in chosen)
    last = max(term for term in terms if isinstance(term, int))
    text = " ".join(
        f"{c:+.3g} {describe_term(term, last)}"
        for c, term in zip(coefficients, picked, strict=False)
    )
    return FittedFormula(neuron, picked, coefficients, np.array(r2), text)


def _chosen(
    activation: NDArray[np.float64], values: NDArray[np.float64], n_terms: int
) -> list[int]:
    """Choose the best pair of terms, the better of the two first, then one term after the other."""
    correlation = np.corrcoef(np.concatenate([values, activation[None]]))
    between, r = correlation[:-1, :-1], correlation[:-1, -1]
    chosen = [int((r**2).argmax())]
    if n_terms == 1:
        return chosen
    together = r[:, None] ** 2 + r**2 - 2 * np.outer(r, r) * between
    explained = together / _unless_alike(1 - between**2)
    pair = np.unravel_index(explained.argmax(), explained.shape)
    chosen = sorted((int(i) for i in pair), key=lambda i: -(r[i] ** 2))
    while len(chosen) < n_terms:
        # Partial correlations, given the terms chosen and the constant.
        given = between[np.ix_(chosen, chosen)]
        across = np.linalg.solve(given, between[chosen])
        left = 1 - (across * between[chosen]).sum(0)
        gain = (r - across.T @ r[chosen]) ** 2 / _unless_alike(left)
        chosen.append(int(gain.argmax()))
    return chosen


def _unless_alike(left: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variances that terms keep, given others; infinite if almost none is left."""
    return np.where(left > _ALIKE, left, np.inf)


def _candidates(seq_len: int) -> list[Term]:
    everything = frozenset(range(seq_len))
    maxima = {everything}
    maxima |= {everything - {i} for i in range(seq_len)}
    maxima |= {frozenset({i}) for i in range(seq_len)}
    maxima |= {frozenset(range(i)) for i in range(seq_len)}
    maxima |= {frozenset(range(i, seq_len)) for i in range(seq_len)}
    maxima |= {positions - {seq_len - 1} for positions in maxima}
    ordered = sorted(sorted(positions) for positions in maxima if positions)
    return [*(frozenset(positions) for positions in ordered), *range(seq_len)]
