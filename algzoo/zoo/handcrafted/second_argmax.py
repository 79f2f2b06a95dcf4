"""Handcrafted 2nd-argmax models of 2, 3 and 10 inputs.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, and the models that its
package provides under the same name.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..architectures import DistRNN
from ..families import check_choice


def handcrafted_2nd_argmax(
    seq_len: int, *, lam: float | None = None, dtype: torch.dtype = torch.float32
) -> DistRNN:
    """Make a model, written by hand, that finds the second-largest of 2, 3 or 10 numbers.

    Two inputs, hidden_size 2: the state after both is ``(ReLU(x1 - x0), ReLU(x0 - x1))``, so that
    ``logits[1] - logits[0] = 2 (x0 - x1)`` everywhere and the accuracy is exactly 1.

    Three inputs, hidden_size 4: the state holds the absolute values of two differences, which
    distinguish the three orders except in wedges that become narrow as lambda grows; lambda is 100
    in ARC's model, and the accuracy 0.9999. In real numbers the error falls with lambda
    (``lambda_error`` in ``explanations.second_argmax_h4_n3``). But the weights grow with lambda and
    cancel, so rounding to float32 triples the error at 100 and does more beyond.

    Ten inputs, hidden_size 22: logit i is ``max(0, x[i]) + 2 max(0, all inputs but x[i])``. It is
    right if the second-largest number is positive; the accuracy is 0.990.

    Parameters
    ----------
    seq_len
        2, 3 or 10.
    lam
        Positive number lambda of the model of three inputs; 100 by default.
    dtype
        Number type of the weights; they are rounded to it once.

    Returns
    -------
    DistRNN
        The model.

    Raises
    ------
    ValueError
        If no such model is written for ``seq_len``, or if ``lam`` is not a positive number or is
        given for a model that has none.

    Examples
    --------
    >>> import torch
    >>> model = handcrafted_2nd_argmax(3)
    >>> model(torch.tensor([[0.3, 2.0, -1.0]])).argmax(-1)
    tensor([0])
    """
    written = {2: _of_two, 3: _of_three, 10: leave_one_out_weights}
    check_choice("seq_len", seq_len, written, what="handcrafted 2nd argmax model")
    if lam is not None and seq_len != 3:
        raise ValueError(
            f"Only the model of three inputs has a lambda, got lam={lam} for seq_len {seq_len}"
        )
    w_ih, w_hh, w_oh = written[seq_len]() if lam is None else _of_three(lam)
    model = DistRNN(hidden_size=len(w_hh), seq_len=int(seq_len)).to(dtype)
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


def _of_three(lam: float = 100.0) -> tuple[Tensor, Tensor, Tensor]:
    """Return weights by which y, two linear functions of the inputs, survives the ReLUs as +-y.

    At the end ``y = (lam (x2 - x1) + x0 - x1, lam (x2 - x1) + x2 - x0)``.
    """
    if not 0 < lam < math.inf:
        raise ValueError(f"lam must be a positive number, got {lam}")
    step = torch.tensor(
        [
            [lam**2 - 1, -(lam**2 + lam + 1)],
            [lam**2 + lam + 1, -(lam**2 + 2 * lam)],
        ],
        dtype=torch.float64,
    ) / (2 * lam + 1)
    drive = torch.tensor([[lam], [lam + 1]], dtype=torch.float64)
    readout = torch.tensor([[1, 1], [-lam, lam + 1], [lam + 1, -lam]], dtype=torch.float64)
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


def leave_one_out_weights(n: int = 10) -> tuple[Tensor, Tensor, Tensor]:
    """Return W_ih, W_hh and W_oh with which every leave-one-out maximum is a sum of neurons."""
    delayed, others, rise, before, drop = 0, n, 2 * n - 1, 2 * n, 2 * n + 1
    state = torch.eye(2 * n + 2)
    largest = state[rise] + state[before]  # max(0, all inputs so far)
    newest = largest - state[drop]

    w_ih, w_hh = torch.zeros(2 * n + 2, 1), torch.zeros(2 * n + 2, 2 * n + 2)
    # ReLU(x[i]) at the end; each input moves one neuron further down at every step.
    w_hh[delayed : n - 1] = state[delayed + 1 : n]
    w_ih[n - 1] = 1
    # max(0, all inputs but x[i]) - newest in the end; the last of them leaves out the input before
    # the newest, and passes its value to the one above it.
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
