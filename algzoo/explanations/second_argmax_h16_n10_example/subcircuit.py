"""Five neurons of ARC's example of M16,10: units, whole weights, formulas, and what they leave out.

In suitable units the weights that neurons 2, 4, 6, 7 and 1 receive from each other are near whole
numbers. A network of five neurons with exactly these weights holds, after it has read inputs 0 to
t, differences of maxima:

    neuron 2   m(t - 1)
    neuron 4   m(t) - m(t - 1)
    neuron 6   max(m(t - 2), x[t]) - x[t]
    neuron 7   m(t) - x[t]
    neuron 1   max(m(t - 3), x[t - 1], x[t]) - x[t]

where m(t) = max(0, x[0], ..., x[t]), m(-1) = m(-2) = m(-3) = 0 and x[-1] = 0. The chapter has the
proof, by induction from ReLU(a - b) = max(a, b) - b.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, section on M16,10, from
which neurons and whole weights are taken. ARC number steps from one: their x_{t-1} is x[t] here.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights

Array = NDArray[np.float64]

NEURONS = (2, 4, 6, 7, 1)  # in the order in which ARC add them to the subcircuit

# By neuron: the whole weight of the input, and those of the neurons that it receives from.
WHOLE: dict[int, tuple[int, dict[int, int]]] = {
    2: (0, {2: +1, 4: +1}),
    4: (+1, {2: -1, 4: -1}),
    6: (-1, {2: +1}),
    7: (-1, {2: +1, 4: +1}),
    1: (-1, {2: +1, 4: +1, 6: +1, 7: -1}),
}


def units(weights: Weights) -> Array:
    """Units in which the activations of the neurons are measured, shape (hidden_size,).

    The unit is the size of the neuron's input weight, as in standard form, except for neuron 2,
    which receives almost nothing from the input: its unit is the one in which its weight from
    neuron 4 is 1.
    """
    unit: Array = np.abs(weights.w_hi)
    unit[2] = weights.w_hh[2, 4] * unit[4]
    return unit


def in_units(weights: Weights, unit: Array) -> Weights:
    """Weights of the same network if activations are measured in these units."""
    return Weights(weights.w_hi / unit, weights.w_hh * unit / unit[:, None], weights.w_oh * unit)


def whole_network() -> Weights:
    """Network of the five neurons alone, in the order of ``NEURONS``, which outputs its state."""
    w_hi = np.array([float(WHOLE[i][0]) for i in NEURONS])
    w_hh = np.array([[float(WHOLE[i][1].get(j, 0)) for j in NEURONS] for i in NEURONS])
    return Weights(w_hi, w_hh, np.eye(len(NEURONS)))


def formulas(x: Array) -> Array:
    """Values of the formulas after every step, shape (seq_len, n_inputs, 5).

    Parameters
    ----------
    x
        Inputs, shape (n_inputs, seq_len).

    Returns
    -------
    ndarray
        In the order of ``NEURONS`` and in their units.
    """
    n_inputs, seq_len = x.shape
    none = np.zeros((n_inputs, 1))
    top = np.maximum.accumulate(np.hstack([none, none, none, x]), axis=1)  # m(t) is column t + 3
    inputs = np.hstack([none, x])  # x[t] is column t + 1
    values = np.empty((seq_len, n_inputs, len(NEURONS)))
    for t in range(seq_len):
        before, now = inputs[:, t], inputs[:, t + 1]
        three_ago, two_ago, one_ago, top_now = top[:, t : t + 4].T
        values[t] = np.stack(
            [
                one_ago,
                top_now - one_ago,
                np.maximum(two_ago, now) - now,
                top_now - now,
                np.maximum(np.maximum(three_ago, before), now) - now,
            ],
            axis=1,
        )
    return values


def changed(
    weights: Weights,
    neurons: Collection[int] = NEURONS,
    *,
    whole: bool = False,
    cut_off: bool = False,
) -> Weights:
    """Weights of the model after a change of what some of the five neurons receive.

    Parameters
    ----------
    weights
        Weights of the model, in its own units.
    neurons
        The neurons of which the incoming weights are changed.
    whole
        Whether the weights from the input and within the subcircuit become the whole numbers.
    cut_off
        Whether all other weights from neurons become 0.
    """
    unit = units(weights)
    w_hi, w_hh = weights.w_hi.copy(), weights.w_hh.copy()
    for i in neurons:
        from_input, sources = WHOLE[i]
        if cut_off:
            w_hh[i, [j for j in range(len(w_hi)) if j not in sources]] = 0.0
        if whole:
            w_hi[i] = from_input * unit[i]
            for j, weight in sources.items():
                w_hh[i, j] = weight * unit[i] / unit[j]
    return Weights(w_hi, w_hh, weights.w_oh)
