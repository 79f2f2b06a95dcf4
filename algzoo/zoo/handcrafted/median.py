"""Handcrafted median models of two and three inputs, exact, with weights 0, 1/2 and 1.

References
----------
This book; ARC's package has no handcrafted median model.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..architectures import ScalarRNN
from ..families import check_choice


def handcrafted_median(seq_len: int, *, dtype: torch.dtype = torch.float32) -> ScalarRNN:
    """Make a model that gives the median of two or three numbers exactly.

    Two inputs, hidden_size 2: a number y is ``ReLU(y) - ReLU(-y)``, so the state ``(ReLU(y),
    ReLU(-y))`` determines y, and the next state can hold ``y + x`` in the same way. At the end y is
    the sum of the inputs, and the output is half of it.

    Three inputs, hidden_size 6: the median is the last input, clipped to the interval between the
    smaller and the larger of the other two,

        median = x2 - ReLU(x2 - max(x0, x1)) + ReLU(min(x0, x1) - x2).

    After two inputs max(x0, x1) and min(x0, x1) must be linear functions of the state. After one
    input these functions give max(0, x0) and min(0, x0), as after the inputs 0 and x0, so that the
    second step compares x1 with those; the two neurons without input correct for it.

    Raises
    ------
    ValueError
        If no such model is written for ``seq_len``.
    """
    written = {2: _of_two, 3: _of_three}
    check_choice("seq_len", seq_len, written, what="handcrafted median model")
    return _model(int(seq_len), *written[seq_len](), dtype)


def forgetful_median(gate: float, *, dtype: torch.dtype = torch.float32) -> ScalarRNN:
    """Make a model of two inputs whose input weights are both positive, as for some training seeds.

    It forgets an x0 below 0. If x0 > 0, neuron 0 holds ``ReLU(x0 + x1)`` at the end, and neuron 1
    is zero unless ``x1 > gate * x0``. If x0 < 0, both hold ``ReLU(x1)``, and the readout turns them
    into ``(1/2 - 1/pi) ReLU(x1)``, the best multiple.

    Raises
    ------
    ValueError
        If ``gate`` is not a positive number.
    """
    if not 0 < gate < math.inf:
        raise ValueError(f"gate must be a positive number, got {gate}")
    w_hh = torch.tensor([[1, 0], [-gate, 0]], dtype=torch.float64)
    w_oh = torch.tensor([[1 / 2, -1 / math.pi]], dtype=torch.float64)
    return _model(2, torch.ones(2, 1), w_hh, w_oh, dtype)


def _model(seq_len: int, w_ih: Tensor, w_hh: Tensor, w_oh: Tensor, dtype: torch.dtype) -> ScalarRNN:
    model = ScalarRNN(hidden_size=len(w_hh), seq_len=seq_len).to(dtype)
    model.load_state_dict(
        {"rnn.weight_ih_l0": w_ih, "rnn.weight_hh_l0": w_hh, "linear.weight": w_oh}
    )
    return model


def _of_two() -> tuple[Tensor, Tensor, Tensor]:
    w_ih = torch.tensor(
        [
            [+1.0],  # holds ReLU(x0), then ReLU(x0 + x1)
            [-1.0],  # holds ReLU(-x0), then ReLU(-x0 - x1)
        ]
    )
    w_hh = torch.tensor([[+1.0, -1.0], [-1.0, +1.0]])
    return w_ih, w_hh, torch.tensor([[+0.5, -0.5]])


def _of_three() -> tuple[Tensor, Tensor, Tensor]:
    w_ih = torch.tensor(
        [
            [+1.0],  # holds ReLU(x), x the newest input
            [-1.0],  # holds ReLU(-x)
            [+1.0],  # holds ReLU(x - largest before it)
            [-1.0],  # holds ReLU(smallest before it - x)
            [0.0],  # holds ReLU of the input before the newest
            [0.0],  # holds ReLU of minus that
        ]
    )
    positive, negative, above, below, positive_before, negative_before = torch.eye(6)
    largest = above + below - negative + positive_before
    smallest = positive - above - below - negative_before
    nothing = torch.zeros(6)
    w_hh = torch.stack([nothing, nothing, nothing - largest, smallest, positive, negative])
    w_oh = (positive - negative - above + below)[None]
    return w_ih, w_hh, w_oh
