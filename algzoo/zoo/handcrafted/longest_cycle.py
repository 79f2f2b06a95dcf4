r"""Longest-cycle transformer written by hand, right on all 27 functions of three points.

Write p_0, p_1, p_2 for the corners of an equilateral triangle in the plane, with p_a . p_b = 2/3
where a = b and -1/3 elsewhere. Position j with token t = f(j) is embedded as

    (p_j - p_t / 2,  h_j)       with h = (3, 3, 7),

so that the plane holds an arrow between j and f(j), and the third axis tells the last position. The
last corner lies on the first axis of the plane, so that exchanging the other two changes no logit.

*Layer 1.* The score of key k for query j is ``-16 (x_j . x_k) + h_j h_k``, x being the plane part.
With m_jk the number of arrows between j and k (0, 1 or 2; 2 makes them a cycle of two), the first
term is, for j and k different, ``8 m_jk - 4 [f(j) = f(k)]`` up to a constant, and small where
k = j. The second gives the last position 3 (7 - 3) = 12 more, as much as one and a half arrows.
So the first two positions attend to the last one, unless the two of them are a cycle of two.
The last position has a bonus of 28 for itself, which compensates what a position loses with itself.
So it attends to itself, unless it is in a cycle of two with another. If it has just one arrow to
each of the others, as in a cycle of three, the three scores tie.

*Layer 2.* Attention is uniform and only adds up. Together with what the last position has of its
own, the plane's first axis holds 64 times the mass

    y = a_0l + a_1l + 2 a_ll

of attention that the last position receives in layer 1: 3 or 4 without a cycle of two or three,
2 + 2/3 for a cycle of three, and about 2 or less for a cycle of two.

*Readout.* Three lines in y, each the highest on one of these three ranges.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ..architectures import DistTransformer
from ..families import check_choice

ATTRACTION = 8.0  # score of an arrow between two positions
_TOKEN = 0.5  # size of a token relative to that of a position
_ORDINARY, _LAST = 3.0, 7.0  # values of the third axis at a position
_GAIN = 64.0  # so large that the arrow remaining in the axis that is read out does not matter
_TWO_OR_THREE, _THREE_OR_NONE = 2.35, 2.83  # halfway between the ranges of y


def handcrafted_longest_cycle(
    seq_len: int = 3, *, dtype: torch.dtype = torch.float32
) -> DistTransformer:
    """Make a two-layer transformer of hidden_size 3 that is right on all 27 functions.

    Parameters
    ----------
    seq_len
        3, the only length for which such a model is written.
    dtype
        Number type of the weights; they are rounded to it once.

    Raises
    ------
    ValueError
        If no such model is written for ``seq_len``.
    """
    check_choice("seq_len", seq_len, (3,), what="handcrafted longest cycle model")
    corners = math.sqrt(2 / 3) * np.array(
        [[-1 / 2, math.sqrt(3) / 2], [-1 / 2, -math.sqrt(3) / 2], [1, 0]]
    )
    positions = np.column_stack([corners, [_ORDINARY, _ORDINARY, _LAST]])
    tokens = np.column_stack([-_TOKEN * corners, np.zeros(3)])

    # PyTorch divides scores by the root of the hidden size.
    arrows = -ATTRACTION / _TOKEN
    query = math.sqrt(3) * np.diag([arrows, arrows, 1.0])
    identity, nothing = np.eye(3), np.zeros((3, 3))
    reads_last = np.zeros((3, 3))
    reads_last[0, 2] = _GAIN / (_LAST - _ORDINARY)  # third axis to the first
    adds_up = np.zeros((3, 3))
    adds_up[0, 0] = 3.0  # the mean over three positions to their sum

    # The first axis holds y plus four times the readout of an ordinary position; the third axis at
    # the last position is 7, from which the constants of the three lines are made.
    offset = 4 * _ORDINARY / (_LAST - _ORDINARY)
    low, high = (_GAIN * (y + offset) / _LAST for y in (_TWO_OR_THREE, _THREE_OR_NONE))
    unembed = np.array(
        [
            [+1.0, 0.0, -high],  # no cycle but fixed points: y above both thresholds
            [-1.0, 0.0, +low],  # a cycle of two: below both
            [0.0, 0.0, 0.0],  # a cycle of three: between them
        ]
    )
    model = DistTransformer(3, 3, n_layers=2).to(dtype)
    weights = {
        "embed.weight": tokens,
        "pos_embed.weight": positions,
        "attns.0.in_proj_weight": np.concatenate([query, identity, reads_last]),
        "attns.0.out_proj.weight": identity,
        "attns.1.in_proj_weight": np.concatenate([nothing, nothing, adds_up]),
        "attns.1.out_proj.weight": identity,
        "unembed.weight": unembed,
    }
    model.load_state_dict({key: torch.as_tensor(weight) for key, weight in weights.items()})
    return model
