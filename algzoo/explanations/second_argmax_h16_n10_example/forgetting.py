"""How ARC's example forgets small inputs: a sum rule of its weights.

Call an input *small* if it is below the second largest of the numbers read before it and of two
zeros. It cannot be among the two largest in the end. When one is read, the four comparators of
:mod:`.ages` are active and neurons 4, 5 and 9 mostly silent. Write D for the diagonal matrix of the
active neurons. The part of the state that depends on the input is then D W_hi x[t], and the next
step receives W_hh D W_hi x[t] of it. If that product is zero, the input is forgotten.

:func:`carried_on` measures how nearly it is. In most rows of W_hh and W_oh the weights cancel to a
few hundredths, although the single terms are as large as any.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights
from .ages import COMPARATORS

Array = NDArray[np.float64]

SILENT = (4, 5, 9)  # neurons that are mostly silent after a small input
EXEMPT_NEURONS = (5, 9)  # rows of W_hh without the rule; both are silent after a small input
EXEMPT_LOGIT = 9  # the row of W_oh for the newest input, which must see it


def is_small(x: Array) -> NDArray[np.bool_]:
    """Tell which inputs are small when they are read, shape (n_inputs, seq_len), as ``x``."""
    n_inputs, seq_len = x.shape
    largest, second = np.zeros(n_inputs), np.zeros(n_inputs)
    small = np.empty(x.shape, dtype=bool)
    for t in range(seq_len):
        small[:, t] = x[:, t] < second
        second = np.maximum(second, np.minimum(largest, x[:, t]))
        largest = np.maximum(largest, x[:, t])
    return small


def carried_on(weights: Weights, silent: Collection[int] = SILENT) -> tuple[Array, Array]:
    """Sums of W_hh D W_hi and W_oh D W_hi, each over the root of the sum of its squared terms.

    For weights with random signs these ratios are about 1 in size. A number that is added to all
    logits changes no answer, so the sums of W_oh are taken from their mean over all logits except
    that of the newest input.

    Parameters
    ----------
    weights
        Weights of the model, in any units.
    silent
        The neurons that D leaves out.

    Returns
    -------
    to_neurons, to_logits
        Shapes (hidden_size,) and (seq_len,).
    """
    w_hi = weights.w_hi.copy()
    w_hi[list(silent)] = 0.0
    to_neurons, to_logits = weights.w_hh * w_hi, weights.w_oh * w_hi
    to_logits = to_logits - np.delete(to_logits, EXEMPT_LOGIT, axis=0).mean(axis=0)
    return _relative_sums(to_neurons), _relative_sums(to_logits)


def _relative_sums(terms: Array) -> Array:
    sums: Array = terms.sum(axis=1) / np.linalg.norm(terms, axis=1)
    return sums


def perturbed(
    weights: Weights, size: float, rng: np.random.Generator, *, breaks_rule: bool
) -> Weights:
    """Weights with noise on those from the comparators, along the sum rule or across it.

    In each row of W_hh except the exempt ones the four weights from the comparators change by a
    vector whose length is ``size`` times the length of theirs, in units in which the input weights
    are -1.

    Parameters
    ----------
    weights
        Weights of the model, in any units.
    size
        Relative size of the change.
    rng
        Random numbers: the direction of each row's change, or its sign.
    breaks_rule
        True for a change in the same direction for all four weights, which changes their sum by as
        much as possible; False for random directions that do not change the sum.
    """
    columns = list(COMPARATORS)
    scale = np.abs(weights.w_hi[columns])
    w_hh = weights.w_hh.copy()
    rows = [i for i in range(len(w_hh)) if i not in EXEMPT_NEURONS]
    natural = w_hh[np.ix_(rows, columns)] * scale
    if breaks_rule:
        direction = np.ones(natural.shape) * rng.choice([-1.0, 1.0], (len(rows), 1))
    else:
        direction = rng.standard_normal(natural.shape)
        direction -= direction.mean(axis=1, keepdims=True)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = size * np.linalg.norm(natural, axis=1, keepdims=True)
    w_hh[np.ix_(rows, columns)] += length * direction / scale
    return Weights(weights.w_hi, w_hh, weights.w_oh)
