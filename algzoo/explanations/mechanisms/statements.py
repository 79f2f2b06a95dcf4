"""Statements of the explanations of M2,2 and M4,3 about the linear piece that an input is on.

They are what the chapters on these models say of every input, put so that it can be checked where
one input is. None is about added neurons or triggers. But each explanation is one of certain
neurons, the first ones of a model to which others were added, and :func:`accounted_for` says that
the logits are theirs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...mechanisms.statements import Piece, Statement
from ...zoo import DistRNN, OneLayerRNN, check_model
from ..second_argmax_h4_n3.symmetry import find_symmetry

_ROUNDING = 1e-6  # share of the terms that are added; above what they leave where they cancel


def m22_statements(model: OneLayerRNN) -> list[Statement]:
    """Statements of the explanation of M2,2.

    Raises
    ------
    ValueError
        If ``model`` does not have two neurons and two inputs, or is not a 2nd-argmax model.
    """
    _check(model, 2, 2)

    def coefficients(piece: Piece) -> tuple[float, float]:
        """The numbers a0 and a1 of the explanation: the difference of logits is a0 x0 - a1 x1."""
        difference = piece.logits[1] - piece.logits[0]
        return float(difference[0]), float(-difference[1])

    return [
        first_kept(2),
        not_by_default(2),
        Statement(
            "Position 1 is named where x1 is small compared with x0: a0 and a1 are positive.",
            lambda piece: min(coefficients(piece)) > 0,
        ),
        accounted_for(2),
    ]


def m43_statements(model: OneLayerRNN) -> list[Statement]:
    """Statements of the explanation of M4,3, about pairs of neurons found in its weights.

    Raises
    ------
    ValueError
        If ``model`` does not have four neurons and three inputs, or is not a 2nd-argmax model.
    """
    _check(model, 4, 3)
    pairs = np.array(find_symmetry(model).pairs)

    def one_of_each_pair(step: int) -> Statement:
        return Statement(
            f"After x{step} exactly one neuron of each pair is active: they hold the positive and "
            "the negative part of one number.",
            lambda piece: bool((piece.active[step][pairs].sum(axis=1) == 1).all()),
        )

    return [
        first_kept(4),
        not_by_default(4),
        *(one_of_each_pair(step) for step in range(3)),
        Statement(
            "Only differences of inputs matter: adding 1 to all of them changes the differences of "
            "logits by less than an eighth of their largest coefficient.",
            _reads_differences,
        ),
        accounted_for(4),
    ]


def first_kept(hidden_size: int) -> Statement:
    """State that one of the first neurons, which are those of the explanation, keeps x0."""
    return Statement(
        "The first input left a trace: a neuron is active after it.",
        lambda piece: bool(piece.active[0, :hidden_size].any()),
    )


def not_by_default(hidden_size: int) -> Statement:
    """State that one of the first neurons is active at the end."""
    return Statement(
        "The answer is not a default: a neuron is active after the last input.",
        lambda piece: bool(piece.active[-1, :hidden_size].any()),
    )


def accounted_for(hidden_size: int) -> Statement:
    """State that the logits are those of the first neurons."""

    def holds(piece: Piece) -> bool:
        rest = np.abs(piece.logits - piece.logits_of(range(hidden_size))).max()
        return bool(rest <= _ROUNDING * piece.size)

    return Statement(
        f"The logits are those of the {hidden_size} neurons that the explanation is about.", holds
    )


def _reads_differences(piece: Piece) -> bool:
    logits: NDArray[np.float64] = piece.logits
    differences = logits - logits[:1]
    return bool(np.abs(differences.sum(axis=1)).max() <= np.abs(differences).max() / 8)


def _check(model: OneLayerRNN, hidden_size: int, seq_len: int) -> None:
    check_model(model)
    size = (model.hidden_size, model.seq_len)
    if not isinstance(model, DistRNN) or size != (hidden_size, seq_len):
        raise ValueError(
            f"These statements are about 2nd-argmax models of hidden_size {hidden_size} and "
            f"seq_len {seq_len}, got hidden_size {size[0]} and seq_len {size[1]}"
        )
