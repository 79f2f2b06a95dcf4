"""Handcrafted 2nd-argmax models of any length: by leave-one-out maxima, or by the two largest.

ReLUs can find the second-largest of n numbers in two ways. ARC's model of ten inputs keeps every
maximum that leaves one input out, which takes 2 n + 2 neurons. The other way keeps the two largest
inputs so far and how long ago each was read. It takes 12 neurons for any n, or 8 if numbers below
zero may be ignored. But it needs large weights that cancel: a relative error of 1e-5 in each of
them costs two fifths of the right answers, and with one of 1e-3 the answers are no better than
chance, while ARC's model loses two in a hundred.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray

from ..architectures import DistRNN
from .second_argmax import leave_one_out_weights

GATE = 2.0**13  # best for float32 at n = 10: wedges shrink with it, rounding errors grow
_FIRST_INPUT = 1 / 2  # an input this many gates times the size of the first is taken for the first
_FAR_BELOW = 1 / 32  # the second-largest of one number is this many gates times its size below it


def leave_one_out_2nd_argmax(seq_len: int) -> DistRNN:
    """Make ARC's handcrafted model for any number of inputs, with ``2 seq_len + 2`` neurons.

    Logit i is ``max(0, x[i]) + 2 max(0, all inputs but x[i])``. The accuracy is
    :func:`leave_one_out_accuracy`.

    Raises
    ------
    ValueError
        If ``seq_len`` is below 2.
    """
    _check_length(seq_len)
    w_ih, w_hh, w_oh = leave_one_out_weights(seq_len)
    return _model(w_ih[:, 0].numpy(), w_hh.numpy(), w_oh.numpy(), torch.float32)


def leave_one_out_accuracy(seq_len: int) -> Fraction:
    """Return the exact accuracy of :func:`leave_one_out_2nd_argmax` on inputs of independent signs.

    The model is right if the second-largest of the n numbers is positive. With probability n / 2^n
    exactly one number is positive. Then the logits of all others are equal, the first of them wins,
    and it is the second-largest one time in n - 1. With probability 1 / 2^n none is positive. Then
    all logits are zero, and the first position is right one time in n. So the error is
    (n + 1) / 2^n - n / (2^n (n - 1)) - 1 / (n 2^n). Ties are those of real numbers.

    Raises
    ------
    ValueError
        If ``seq_len`` is below 2.
    """
    _check_length(seq_len)
    n = seq_len
    return 1 - Fraction(1, 2**n) * (n + 1 - Fraction(n, n - 1) - Fraction(1, n))


def top_two_2nd_argmax(
    seq_len: int, *, gate: float = GATE, dtype: torch.dtype = torch.float32
) -> DistRNN:
    """Make a model of 12 neurons that follows the two largest numbers and their ages.

    ``seq_len`` may be any length. Let M and S be the largest and second-largest number so far, P
    and Q the numbers of steps since each was read, and R = abs(x[0]) the unit of everything that
    has to scale with the inputs. One step is

        M' = M + ReLU(x - M),   S' = S + ReLU(x - S) - ReLU(x - M),
        R P' = 0 if x > M else R (P + 1),
        R Q' = R (P + 1) if x > M, else 0 if x > S, else R (Q + 1).

    A choice between 0 and a number a >= 0 is a ramp of slope ``gate``: a - gate ReLU(u) + ReLU(gate
    u - a) is a for u <= 0 and 0 for u >= a / gate. The readout finds the age nearest to Q by
    completing the square: the logit of age a is 2 a R Q - a^2 R.

    Errors come from inputs on a ramp, whose share falls as 1 / ``gate``, and from the rounding of
    differences of numbers of size ``gate``. The default gate suits float32; with
    ``dtype=torch.float64`` a gate of 1e6 is better.

    Raises
    ------
    ValueError
        If ``seq_len`` is below 2 or ``gate`` is not positive.
    """
    _check_length(seq_len)
    _check_gate(gate)
    first_input, far = _FIRST_INPUT * gate, _FAR_BELOW * gate
    state = np.eye(12)
    (unit, first_up, first_down, lead, second_up, second_down) = state[:6]
    (over_first, over_second, age_first, age_second, ramp_first, ramp_second) = state[6:]

    # Linear functions of the state after a step; the neurons hold ReLUs of them and the next input.
    # All are zero before the first input and only then: only that input reaches first_up or _down.
    first = first_up + first_down
    r = unit + first
    s = second_up - second_down + over_second - over_first - first_down - far * first
    m = s + lead + 2 * over_first - over_second + far * first
    r_p = age_first - gate * over_first + ramp_first
    r_q = age_second - gate * over_second + ramp_second + gate * over_first - ramp_first

    rows = [
        (0, r),  # R
        (1, -first_input * r),  # x[0] at the first step, if it is positive; later 0
        (-1, -first_input * r),  # -x[0] at the first step, if it is negative; later 0
        (0, m - s),  # M - S before this input
        (0, s),  # S before this input, if it is positive
        (0, -s),  # -S before this input, if it is negative
        (1, -m),  # how far x is above M
        (1, -s),  # how far x is above S
        (0, r_p + r),  # R (P + 1)
        (0, r_q + r),  # R (Q + 1)
        (gate, -gate * m - r_p - r),  # the ramp at x = M, less R (P + 1)
        (gate, -gate * s - r_q - r),  # the ramp at x = S, less R (Q + 1)
    ]
    ages = np.arange(seq_len - 1, -1, -1)[:, None]
    return _model(*_of_rows(rows), 2 * ages * r_q - ages**2 * r, dtype)


def positive_top_two_2nd_argmax(
    seq_len: int, *, gate: float = GATE, dtype: torch.dtype = torch.float32
) -> DistRNN:
    """Make a model of 8 neurons like :func:`top_two_2nd_argmax` that counts zero as a number.

    M and S start at 0, so signs and a first step are not needed. M and S themselves are the units:
    the neurons hold M P and S Q. The model is wrong if the second-largest number is
    negative.

    Raises
    ------
    ValueError
        If ``seq_len`` is below 2 or ``gate`` is not positive.
    """
    _check_length(seq_len)
    _check_gate(gate)
    state = np.eye(8)
    first, second, over_first, over_second, age_first, age_second, ramp_first, ramp_second = state
    m = first + over_first
    s = second + over_second - over_first
    m_p = age_first - gate * over_first + ramp_first
    s_q = age_second - gate * over_second + ramp_second + gate * over_first - ramp_first
    rows = [
        (0, m),  # M before this input
        (0, s),  # S before this input
        (1, -m),  # how far x is above M
        (1, -s),  # how far x is above S
        (0, m_p + m),  # M (P + 1)
        (0, s_q + s),  # S (Q + 1)
        (gate, -gate * m - m_p - m),  # the ramp at x = M, less M (P + 1)
        (gate, -gate * s - s_q - s),  # the ramp at x = S, less S (Q + 1)
    ]
    ages = np.arange(seq_len - 1, -1, -1)[:, None]
    return _model(*_of_rows(rows), 2 * ages * s_q - ages**2 * s, dtype)


def _of_rows(
    rows: list[tuple[float, NDArray[np.float64]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array([w for w, _ in rows], float), np.array([weights for _, weights in rows])


def _model(
    w_hi: NDArray[np.floating],
    w_hh: NDArray[np.floating],
    w_oh: NDArray[np.floating],
    dtype: torch.dtype,
) -> DistRNN:
    model = DistRNN(hidden_size=len(w_hh), seq_len=len(w_oh)).to(dtype)
    model.load_state_dict(
        {
            "rnn.weight_ih_l0": torch.as_tensor(w_hi)[:, None],
            "rnn.weight_hh_l0": torch.as_tensor(w_hh),
            "linear.weight": torch.as_tensor(w_oh),
        }
    )
    return model


def _check_length(seq_len: int) -> None:
    if seq_len < 2:
        raise ValueError(
            f"There is no second-largest of {seq_len} numbers: seq_len must be 2 or more"
        )


def _check_gate(gate: float) -> None:
    if not gate > 0:
        raise ValueError(f"gate, the slope of a ramp, must be positive, got {gate}")
