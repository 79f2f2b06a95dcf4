"""Handcrafted argmedian models: by the least sum of distances, or by a list of the largest numbers.

The median of n numbers is the one whose distances to the others have the least sum. So

    logits[i] = -sum_j abs(x[i] - x[j])

is right wherever there is no tie. Every distance is a sum of ReLUs of differences of two inputs,
and differences need no unit, no bias and no large weights. So :func:`least_distance_argmedian` is
exact, for any length, with whole-number weights. Its size grows as n^2 / 2: 5 neurons for three
inputs, 14 for five, 65 for eleven.

The other way, that of :func:`algzoo.zoo.handcrafted.lengths.top_two_2nd_argmax`, keeps a list of
the largest numbers so far, down to the median, and how long ago each was read.
:func:`ranking_argmedian` has 2 n + 6 neurons (n odd): 28 for eleven inputs. It is right except
where an input is on the ramp with which a choice is made; ramps are narrow if the weights are
large.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..architectures import DistRNN
from .lengths import GATE

_Row = tuple[float, NDArray[np.float64]]  # the rows of a neuron in W_hi and W_hh

_FIRST_INPUT = 1 / 2  # an input this many gates times the size of the first is taken for the first
_FAR_BELOW = 1 / 32  # an empty place of the list holds this many gates times the first input, below


def least_distance_argmedian(seq_len: int, *, dtype: torch.dtype = torch.float32) -> DistRNN:
    """Make a model that answers with the input of least distance to all others, for any length.

    With n = ``seq_len`` it has (n - 1) (n + 2) / 2 neurons. After the input x[t] they hold, for
    ages a < b from 1 to n - 1 and with x[t] = 0 for t < 0,

        ReLU(x[t] - x[t-a]), ReLU(x[t-a] - x[t])     the newest input compared with each before it,
        ReLU(x[t-a] - x[t-b])                        the inputs before it compared with each other.

    The first two add up to a distance, and their difference is linear. The state therefore
    determines all inputs up to a common summand. Before the last step that number is known too,
    because x[t-n+1] is still 0. So the next comparisons are linear in the state. If n is even, x[i]
    is added to the logits, so that the upper of the two middle numbers wins.

    In real numbers the accuracy is 1 on inputs of which no two are equal.

    Raises
    ------
    ValueError
        If ``seq_len`` is below 2.
    """
    _check_length(seq_len)
    n = seq_len
    ages = range(1, n)
    pairs = [(a, b) for a in ages for b in ages if a < b]
    state = np.eye(2 * (n - 1) + len(pairs))
    above, below = np.zeros((n, len(state))), np.zeros((n, len(state)))
    above[1:], below[1:] = state[: n - 1], state[n - 1 : 2 * n - 2]
    compared = dict(zip(pairs, state[2 * n - 2 :], strict=True))

    # The newest input minus the one of age a; a step later, the newest has age 1.
    less = above - below
    value = less[n - 1] - less  # holds before the last step
    rows: list[_Row] = [
        *((+1, -value[a - 1]) for a in ages),
        *((-1, +value[a - 1]) for a in ages),
        *((0, value[a - 1] - value[b - 1]) for a, b in pairs),
    ]

    distance = np.zeros((n, n, len(state)))
    for a in ages:
        distance[0, a] = above[a] + below[a]
    for (a, b), neuron in compared.items():
        distance[a, b] = 2 * neuron - (less[b] - less[a])
    distance += distance.swapaxes(0, 1)
    tilt = 0 if n % 2 else -less
    of_ages = tilt - distance.sum(axis=1)
    return _model(rows, of_ages[::-1], dtype)


def ranking_argmedian(
    seq_len: int, *, gate: float = GATE, dtype: torch.dtype = torch.float32
) -> DistRNN:
    """Make a model that keeps the k largest numbers so far and their ages, down to the median.

    The median of n numbers is the k-th largest, k = n - n // 2; there are 4 k + 4 neurons. With M_j
    the j-th largest so far, Q_j the number of steps since it was read and R = abs(x[0]), one step
    is

        M_j' = M_j + ReLU(x - M_j) - ReLU(x - M_{j-1}),
        R Q_j' = R (Q_{j-1} + 1) if x > M_{j-1}, else 0 if x > M_j, else R (Q_j + 1).

    Choices are ramps of slope ``gate``, and the logit of age a is 2 a R Q_k - a^2 R, as in
    :func:`algzoo.zoo.handcrafted.lengths.top_two_2nd_argmax`, which is the case k = 2. Errors come
    from inputs on a ramp and from rounding; the default gate suits float32, and 1e6 suits float64.

    Raises
    ------
    ValueError
        If ``seq_len`` is below 2 or ``gate`` is not positive.
    """
    _check_length(seq_len)
    if not gate > 0:
        raise ValueError(f"gate, the slope of a ramp, must be positive, got {gate}")
    k = seq_len - seq_len // 2
    first_input, far = _FIRST_INPUT * gate, _FAR_BELOW * gate
    state = np.eye(4 * k + 4)
    unit, first_up, first_down, last_up, last_down = state[:5]
    lead, over, aged, ramp = np.split(state[5:], [k - 1, 2 * k - 1, 3 * k - 1])

    # Linear functions of the state after a step; the neurons hold ReLUs of them and the next input.
    first = first_up + first_down  # abs(x[0]) after the first step; later 0
    r = unit + first
    rise = over.copy()  # by how much the j-th largest has risen
    rise[1:] -= over[:-1]
    number = np.empty_like(over)
    number[-1] = last_up - last_down + rise[-1] - first_down - far * first
    for j in range(k - 2, -1, -1):
        number[j] = number[j + 1] + lead[j] + rise[j] - rise[j + 1]
    number[0] += far * first
    age = aged - gate * over + ramp
    age[1:] += gate * over[:-1] - ramp[:-1]

    rows: list[_Row] = [
        (0, r),  # R
        (+1, -first_input * r),  # x[0] at the first step, if it is positive; later 0
        (-1, -first_input * r),  # -x[0] at the first step, if it is negative; later 0
        (0, number[-1]),  # the last of the list before this input, if it is positive
        (0, -number[-1]),  # its size, if it is negative
        *((0, number[j] - number[j + 1]) for j in range(k - 1)),  # leads of one over the next
        *((1, -number[j]) for j in range(k)),  # how far x is above each
        *((0, age[j] + r) for j in range(k)),  # R (Q_j + 1)
        *((gate, -gate * number[j] - age[j] - r) for j in range(k)),  # ramps, less R (Q_j + 1)
    ]
    ages = np.arange(seq_len - 1, -1, -1)[:, None]
    return _model(rows, 2 * ages * age[-1] - ages**2 * r, dtype)


def _model(rows: list[_Row], w_oh: NDArray[np.float64], dtype: torch.dtype) -> DistRNN:
    """Model with those rows of W_hi and W_hh."""
    model = DistRNN(hidden_size=len(rows), seq_len=len(w_oh)).to(dtype)
    model.task_name = "argmedian"
    model.load_state_dict(
        {
            "rnn.weight_ih_l0": torch.tensor([[float(w)] for w, _ in rows]),
            "rnn.weight_hh_l0": torch.as_tensor(np.array([weights for _, weights in rows])),
            "linear.weight": torch.as_tensor(w_oh.copy()),
        }
    )
    return model


def _check_length(seq_len: int) -> None:
    if seq_len < 2:
        raise ValueError(f"There is no median of {seq_len} numbers here: seq_len must be 2 or more")
