"""Formulas that know how long ago the largest number was read, for six neurons of ARC's example.

Let M and S be the largest and the second largest of the numbers read so far, x the newest, and k
the age of M: how many steps ago it was read. In the units of :mod:`.subcircuit`,

    neurons 1, 6, 7 and 8 (comparators)   S + c(k) (M - S) - x
    neuron 2                              S + c(k) (M - S)
    neuron 4                              M - S if k = 0, otherwise 0

where c is a curve of the neuron. ARC's formulas are of this form, with curves that are 1 everywhere
except at one age, or nowhere, where they are 0. Here the curve is the neuron's response to a single
impulse, the input that is 1 at one position and 0 elsewhere, which has M = 1 and S = 0. So it comes
from the weights, and nothing is fitted.

References
----------
A comment on LessWrong under ARC's post "AlgZoo: uninterpreted models with fewer than 1,500
parameters", 2026, says that neurons 1, 6, 7 and 8 are linear in M and S with coefficients that
depend on k. That one curve suffices, and that it is the response to an impulse, is this book's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights
from ...structure.features.wiring import states

Array = NDArray[np.float64]

COMPARATORS = (1, 6, 7, 8)
NEURONS = (*COMPARATORS, 2, 4)

_WITHOUT_INPUT = NEURONS.index(2)
_JUMPS = NEURONS.index(4)


def impulse_curves(natural: Weights) -> Array:
    """Curves c of ``NEURONS`` by age, shape (seq_len, 6), from the responses to single impulses.

    ``natural`` are the model's weights in the units of :mod:`.subcircuit`. At age 0 the impulse is
    itself the newest input, which the comparators subtract. The last column is 1 at age 0, then 0.
    """
    seq_len = len(natural.w_oh)
    impulses = np.eye(seq_len)[::-1]
    curves: Array = states(natural, impulses)[-1][:, NEURONS].copy()
    curves[0, : len(COMPARATORS)] += 1.0
    curves[:, _JUMPS] = np.arange(seq_len) == 0
    return curves


def fitted_curves(x: Array, activations: Array) -> Array:
    """Curves by age, shape (seq_len, 6), that come closest to activations by least squares.

    Parameters
    ----------
    x
        Inputs, shape (n_inputs, seq_len); every age must occur.
    activations
        Activations of ``NEURONS`` after the last step in their units, shape (n_inputs, 6).
    """
    gap, base, age = _parts(x)
    above = activations - base
    curves = [
        (gap[age == k, None] * above[age == k]).sum(0) / (gap[age == k] ** 2).sum()
        for k in range(x.shape[1])
    ]
    return np.array(curves)


def by_age(curves: Array, x: Array) -> Array:
    """Values of the formulas with these curves, shape (n_inputs, 6), in the order of ``NEURONS``.

    Where a formula is negative, which an activation cannot be, the value is 0.
    """
    gap, base, age = _parts(x)
    values: Array = np.maximum(base + curves[age] * gap[:, None], 0.0)
    return values


def _parts(x: Array) -> tuple[Array, Array, NDArray[np.intp]]:
    """M - S, shape (n_inputs,); what is added to c (M - S), shape (n_inputs, 6); the age of M."""
    top = np.sort(x, axis=1)
    base = np.repeat(top[:, -2:-1], len(NEURONS), axis=1)
    base[:, : len(COMPARATORS)] -= x[:, -1:]
    base[:, _JUMPS] = 0.0
    return top[:, -1] - top[:, -2], base, x.shape[1] - 1 - x.argmax(axis=1)
