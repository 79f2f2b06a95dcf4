"""Models whose weights were written by hand.

Source: ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026.
"""

from __future__ import annotations

import torch

from .architectures import DistRNN
from .families import check_choice


def handcrafted_2nd_argmax(seq_len: int) -> DistRNN:
    """Model written by hand that finds the second-largest number; so far for two inputs.

    For two inputs the state after both is ``(ReLU(x1 - x0), ReLU(x0 - x1))``, so that
    ``logits[1] - logits[0] = 2 (x0 - x1)`` everywhere and the accuracy is exactly 1.

    Raises
    ------
    ValueError
        Where no such model is written for ``seq_len``.
    """
    check_choice("seq_len", seq_len, [2], what="handcrafted model")
    model = DistRNN(hidden_size=2, seq_len=2)
    model.load_state_dict(
        {
            "rnn.weight_ih_l0": torch.tensor(
                [
                    [+1.0],  # holds ReLU(x0), then ReLU(x1 - x0)
                    [-1.0],  # holds ReLU(-x0), then ReLU(x0 - x1)
                ]
            ),
            "rnn.weight_hh_l0": torch.tensor([[-1.0, +1.0], [+1.0, -1.0]]),
            "linear.weight": torch.tensor([[+1.0, -1.0], [-1.0, +1.0]]),
        }
    )
    return model
