"""Models whose weights were written by hand.

Source: ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, and the models
that its package gives under the same name.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .architectures import DistRNN
from .families import check_choice


def handcrafted_2nd_argmax(seq_len: int) -> DistRNN:
    """Model written by hand that finds the second-largest of 2, 3 or 10 numbers.

    Two inputs, hidden_size 2: the state after both is ``(ReLU(x1 - x0), ReLU(x0 - x1))``, so that
    ``logits[1] - logits[0] = 2 (x0 - x1)`` everywhere and the accuracy is exactly 1.

    Three inputs, hidden_size 4: the state holds the absolute values of two differences, which tell
    the three orders apart everywhere but in wedges that become narrow as a large weight, 100 here,
    grows. The accuracy is 0.9999.

    Ten inputs, hidden_size 22: one logit is ``max(0, x[i]) + 2 max(0, all inputs but x[i])``. It is
    right where the second-largest number is positive; the accuracy is 0.990.

    Raises
    ------
    ValueError
        Where no such model is written for ``seq_len``.
    """
    written = {2: _of_two, 3: _of_three, 10: _of_ten}
    check_choice("seq_len", seq_len, written, what="handcrafted 2nd argmax model")
    w_ih, w_hh, w_oh = written[seq_len]()
    model = DistRNN(hidden_size=len(w_hh), seq_len=int(seq_len))
    model.load_state_dict(
        {"rnn.weight_ih_l0": w_ih, "rnn.weight_hh_l0": w_hh, "linear.weight": w_oh}
    )
    return model


def _of_two() -> tuple[Tensor, Tensor, Tensor]:
    w_ih = torch.tensor(
        [
            [+1.0],  # holds ReLU(x0), then ReLU(x1 - x0)
            [-1.0],  # holds ReLU(-x0), then ReLU(x0 - x1)
        ]
    )
    w_hh = torch.tensor([[-1.0, +1.0], [+1.0, -1.0]])
    w_oh = torch.tensor([[+1.0, -1.0], [-1.0, +1.0]])
    return w_ih, w_hh, w_oh


def _of_three() -> tuple[Tensor, Tensor, Tensor]:
    """Weights by which y, two linear functions of the inputs, survives the ReLUs as y and -y.

    In the end ``y = (big (x2 - x1) + x0 - x1, big (x2 - x1) + x2 - x0)``.
    """
    big = 100.0
    step = torch.tensor(
        [
            [big**2 - 1, -(big**2 + big + 1)],
            [big**2 + big + 1, -(big**2 + 2 * big)],
        ],
        dtype=torch.float64,
    ) / (2 * big + 1)
    drive = torch.tensor([[big], [big + 1]], dtype=torch.float64)
    readout = torch.tensor([[1, 1], [-big, big + 1], [big + 1, -big]], dtype=torch.float64)
    signs = torch.tensor(
        [
            [+1, 0],  # holds ReLU(y0)
            [0, +1],  # holds ReLU(y1)
            [0, -1],  # holds ReLU(-y1)
            [-1, 0],  # holds ReLU(-y0)
        ],
        dtype=torch.float64,
    )
    return signs @ drive, signs @ step @ signs.T, readout @ signs.abs().T


def _of_ten() -> tuple[Tensor, Tensor, Tensor]:
    """Weights by which every maximum, of 0 and some inputs, is kept as a sum of neurons."""
    n = 10
    delayed, others, rise, before, drop = 0, n, 2 * n - 1, 2 * n, 2 * n + 1
    state = torch.eye(2 * n + 2)
    largest = state[rise] + state[before]  # max(0, all inputs so far)
    newest = largest - state[drop]

    w_ih, w_hh = torch.zeros(2 * n + 2, 1), torch.zeros(2 * n + 2, 2 * n + 2)
    # ReLU(x[i]) in the end, each input one neuron further down at every step.
    w_hh[delayed : n - 1] = state[delayed + 1 : n]
    w_ih[n - 1] = 1
    # max(0, all inputs but x[i]) - newest in the end; the last of them leaves out the input before
    # the newest, and hands on to the one above it.
    w_hh[others : rise - 1] = state[others + 1 : rise] + newest
    w_hh[rise - 1] = state[before]
    w_ih[others:rise] = -1
    # ReLU(newest - largest before it): by how much the maximum has risen.
    w_hh[rise] = -largest
    w_ih[rise] = 1
    # max(0, all inputs but the newest).
    w_hh[before] = largest
    # max(0, all inputs) - newest.
    w_hh[drop] = largest
    w_ih[drop] = -1

    w_oh = state[delayed:n].clone()
    w_oh[:-1] += 2 * (state[others:rise] + newest)
    w_oh[-1] += 2 * state[before]
    return w_ih, w_hh, w_oh
