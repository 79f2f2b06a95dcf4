"""What others published about ARC's example of M16,10, computed from the weights.

Two public repositories and a comment describe the model by inputs with two large numbers:

* *two impulses*: an input that is zero but at two positions. There are n (n - 1) ordered pairs of
  positions. The repository ``mrsirrisrm/alg-zoo`` (``docs/42_mechanistic_accuracy_estimate.md`` and
  ``docs/43_mechanistic_discrimination.md``, with 1 and 0.8 as the two numbers) counts how many are
  answered rightly, and for how many a linear condition on the responses to single impulses holds.
* *the two largest alone*: a Gaussian input with all numbers but the two largest set to zero, from a
  comment under ARC's post on LessWrong.
* *the narrowest gap*: how near the two largest numbers may come, moved symmetrically, before the
  answer is wrong. The README of ``datasci3nce/causal-geometry-algzoo`` takes the share of inputs
  with a smaller gap as a bound on the error.

* *linear by age*: activations that are linear in the largest number, the second largest and the
  newest, with coefficients that depend on how long ago the largest was read. Another comment there
  says that neurons 1, 6, 7 and 8 are of this kind; its formula is not in the text that this book
  has, so which numbers it contains is our reading.

The definitions are those of the sources, where nothing else is said; the code is this book's.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights, outputs
from ...structure.features.wiring import states

Array = NDArray[np.float64]
Positions = NDArray[np.intp]


def pairs(seq_len: int = 10) -> Positions:
    """Ordered pairs (position of the largest, of the second largest), shape (n (n - 1), 2)."""
    return np.array(list(permutations(range(seq_len), 2)), dtype=np.intp)


def two_impulses(second: float, seq_len: int = 10) -> Array:
    """Inputs of :func:`pairs` with 1 at the first position, ``second`` at the other, else 0."""
    positions = pairs(seq_len)
    rows = np.arange(len(positions))
    x = np.zeros((len(positions), seq_len))
    x[rows, positions[:, 0]] = 1.0
    x[rows, positions[:, 1]] = second
    return x


def margins(logits: Array, answers: Positions) -> Array:
    """Logit of the right answer minus the largest other logit, shape (n_inputs,)."""
    rows = np.arange(len(logits))
    others = logits.copy()
    others[rows, answers] = -np.inf
    least: Array = logits[rows, answers] - others.max(axis=1)
    return least


def impulse_responses(weights: Weights) -> Array:
    """Activations after the last step on the input 1 at one position and 0 elsewhere.

    Shape (seq_len, hidden_size), by the position of the 1.
    """
    last: Array = states(weights, np.eye(len(weights.w_oh)))[-1]
    return last


def linear_condition(weights: Weights) -> Array:
    """(W_oh[s] - W_oh[m]) (r[m] - r[s]) for each of :func:`pairs` (m, s), shape (n (n - 1),).

    r are the responses to single impulses. The source counts the pairs for which it is positive. It
    is the same for (m, s) and (s, m), because both factors change their sign.
    """
    r, w_oh = impulse_responses(weights), weights.w_oh
    m, s = pairs(len(w_oh)).T
    condition: Array = ((w_oh[s] - w_oh[m]) * (r[m] - r[s])).sum(axis=1)
    return condition


def superposed_logits(weights: Weights, second: float) -> Array:
    """Logits on :func:`two_impulses` if the responses to the two impulses just added up."""
    x = two_impulses(second, len(weights.w_oh))
    logits: Array = x @ impulse_responses(weights) @ weights.w_oh.T
    return logits


def linear_after_first(weights: Weights, x: Array) -> Array:
    """Logits if the ReLU is dropped from all steps after the first number that is not zero.

    ``x`` has shape (n_inputs, seq_len); the result (n_inputs, output_size).
    """
    state = np.zeros((len(x), len(weights.w_hi)))
    begun = np.zeros(len(x), dtype=bool)
    for column in x.T:
        drive = state @ weights.w_hh.T + column[:, None] * weights.w_hi
        state = np.where(begun[:, None], drive, np.maximum(drive, 0.0))
        begun |= column != 0
    logits: Array = state @ weights.w_oh.T
    return logits


def two_largest_alone(x: Array) -> Array:
    """Inputs with all numbers but the two largest of each set to zero."""
    second = np.partition(x, -2, axis=1)[:, -2, None]
    alone: Array = np.where(x >= second, x, 0.0)
    return alone


def narrowest_gaps(weights: Weights, x: Array, halvings: int = 12) -> Array:
    """Gap between the two largest numbers at which the answer turns wrong, by bisection.

    The two are moved towards their mean, and all else is kept. Inputs that the network answers
    wrongly are left out.

    Parameters
    ----------
    weights
        Weights of the model.
    x
        Inputs, shape (n_inputs, seq_len).
    halvings
        Number of halvings of the interval from 0 to the gap of the input; the source has 12.

    Returns
    -------
    ndarray
        Shape (n_right,): the upper end of the last interval.
    """
    order = np.argsort(-x, axis=1)
    right = outputs(weights, x).argmax(axis=1) == order[:, 1]
    x, first, second = x[right], order[right, 0], order[right, 1]
    rows = np.arange(len(x))
    middle = (x[rows, first] + x[rows, second]) / 2
    low = np.zeros(len(x))
    high: Array = x[rows, first] - x[rows, second]
    for _ in range(halvings):
        gap = (low + high) / 2
        moved = x.copy()
        moved[rows, first] = middle + gap / 2
        moved[rows, second] = middle - gap / 2
        holds = outputs(weights, moved).argmax(axis=1) == second
        low, high = np.where(holds, low, gap), np.where(holds, gap, high)
    return high


def fitted_by_age(x: Array, activations: Array) -> Array:
    """Fit activations by linear functions, one for each position of the largest number.

    Parameters
    ----------
    x
        Inputs, shape (n_inputs, seq_len).
    activations
        Activations after the last step, shape (n_inputs, d).

    Returns
    -------
    ndarray
        Coefficients, shape (seq_len, 4, d): of the largest number, the second largest, the newest
        and 1, by the position of the largest. They are those of least squares.

    Raises
    ------
    ValueError
        If fewer than four inputs have their largest number at some position.
    """
    terms, places = _terms(x)
    counts = np.bincount(places, minlength=x.shape[1])
    if counts.min() < terms.shape[1]:
        raise ValueError(
            f"{counts.min()} inputs have their largest number at position {counts.argmin()}; "
            f"{terms.shape[1]} are needed for a fit"
        )
    fits = [
        np.linalg.lstsq(terms[places == place], activations[places == place], rcond=None)[0]
        for place in range(x.shape[1])
    ]
    return np.stack(fits)


def linear_by_age(coefficients: Array, x: Array) -> Array:
    """Evaluate the functions of :func:`fitted_by_age` on inputs ``x``; shape (n_inputs, d)."""
    terms, places = _terms(x)
    values = np.empty((len(x), coefficients.shape[2]))
    for place, of_place in enumerate(coefficients):
        values[places == place] = terms[places == place] @ of_place
    return values


def _terms(x: Array) -> tuple[Array, Positions]:
    """Largest, second largest, newest and 1, shape (n_inputs, 4); the position of the largest."""
    top = np.sort(x, axis=1)
    return np.stack([top[:, -1], top[:, -2], x[:, -1], np.ones(len(x))], axis=1), x.argmax(axis=1)
