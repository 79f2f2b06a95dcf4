"""The detector of an explanation, which asks which of its statements hold where an input is.

An explanation of a model says how its answers come about. On the linear piece that an input is on,
each of its statements is true or false: an answer does not rest on one that is false there. With
two or three inputs the pieces are known exactly, and so is the probability of each piece, and that
of a statement to be false on standard Gaussian inputs. Two scores follow, both in bits:

* the *surprise of the checks*: the sum, over the statements that are false on the piece, of minus
  the logarithm of the probability that the statement is false in the model that is explained;
* the *surprise of the piece*: minus the logarithm of its probability. It needs no explanation.

Neither is told which inputs are abnormal, and neither looks at an input beyond its piece.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..structure import Weights, cones, weights_in_range
from ..zoo import OneLayerRNN
from .detectors import Detector, Score
from .facts import Booleans, Condition, Floats, facts_of_inputs
from .moments import state_map
from .tasks import members

_LEAST = 2.0**-60  # probability below which rounding decides

Counted = Literal["checks", "piece", "both"]


@dataclass(frozen=True, eq=False)
class Piece:
    """Linear piece of a model.

    Attributes
    ----------
    weights
        The model's weights.
    active
        Whether each neuron is active after each input, shape (seq_len, hidden_size).
    """

    weights: Weights
    active: Booleans

    @property
    def logits(self) -> Floats:
        """The matrix L of the linear map, shape (output_size, seq_len): logits = L x."""
        found: Floats = self.weights.w_oh @ state_map(self.weights, self.active)
        return found

    @property
    def size(self) -> float:
        """Size of the terms that L is the sum of, against which rounding is small."""
        state = np.abs(state_map(self.weights, self.active))
        return float((np.abs(self.weights.w_oh) @ state).max())

    def logits_of(self, neurons: Sequence[int]) -> Floats:
        """Return L as it would be if the model had only these neurons, in the same states."""
        w_hi, w_hh, w_oh = self.weights
        kept = list(neurons)
        part = Weights(w_hi[kept], w_hh[np.ix_(kept, kept)], w_oh[:, kept])
        found: Floats = part.w_oh @ state_map(part, self.active[:, kept])
        return found


@dataclass(frozen=True)
class Statement:
    """Statement of an explanation about the linear piece that an input is on.

    Attributes
    ----------
    text
        What it says, as a sentence.
    holds
        Whether it is true on a piece.
    """

    text: str
    holds: Callable[[Piece], bool]


def ledger_detector(
    statements: Sequence[Statement], explained: OneLayerRNN, counted: Counted = "both"
) -> Detector:
    """Make the detector of an explanation, for models of two or three inputs.

    Parameters
    ----------
    statements
        The statements of the explanation.
    explained
        The model that they are about. The model whose answers are judged may be another one, in
        which something was changed. A statement that is never false in the explained model counts
        60 bits where it is.
    counted
        Which surprise is the score: that of the checks, of the piece, or their sum.

    Raises
    ------
    TypeError, ValueError
        If ``explained`` is not a recurrent model of two or three inputs.
    """
    prices = [_bits(probability) for probability in _Pieces(explained).false(statements)]
    name = {"checks": "ledger, checks", "piece": "surprise of the piece", "both": "ledger"}[counted]

    def fit(model: OneLayerRNN, trusted: Floats) -> Score:
        del trusted  # the law of the inputs is known
        pieces = _Pieces(model)
        of_piece = np.zeros(len(pieces.keys))
        if counted != "checks":
            of_piece += [_bits(mass) for mass in pieces.masses]
        if counted != "piece":
            of_piece += np.asarray(prices) @ pieces.fails(statements)
        known = dict(zip(pieces.keys, of_piece, strict=True))

        def score(x: Floats) -> Floats:
            active = facts_of_inputs(model, x).active
            # On the borders of pieces, which have no probability, there are other patterns.
            return np.array([known.get(_key(one), _bits(0.0)) for one in active])

        return score

    return Detector(name, "explanation", fit)


def failure_rates(
    model: OneLayerRNN, statements: Sequence[Statement], condition: Condition
) -> dict[str, float]:
    """Exact share of a class of inputs on which each statement is false, by its text.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs, or if the class is empty.
    """
    weights = weights_in_range(model)
    chosen = members(model, condition)
    whole = math.fsum(cone.fraction for cone in chosen)
    if not whole:
        raise ValueError("No input of this model is in the class")
    pieces = [(Piece(weights, cone.pattern), cone.fraction) for cone in chosen]
    return {
        one.text: math.fsum(mass for piece, mass in pieces if not one.holds(piece)) / whole
        for one in statements
    }


class _Pieces:
    """All linear pieces of a model, with their exact probabilities."""

    def __init__(self, model: OneLayerRNN) -> None:
        weights = weights_in_range(model)
        masses: dict[bytes, float] = {}
        pieces: dict[bytes, Piece] = {}
        for cone in cones(model):
            key = _key(cone.pattern)
            masses[key] = masses.get(key, 0.0) + cone.fraction
            pieces[key] = Piece(weights, cone.pattern)
        self.keys = list(pieces)
        self.masses = np.array([masses[key] for key in self.keys])
        self.pieces = list(pieces.values())

    def fails(self, statements: Sequence[Statement]) -> Booleans:
        """Whether each statement is false on each piece, shape (n_statements, n_pieces)."""
        found = [not one.holds(piece) for one in statements for piece in self.pieces]
        return np.array(found, dtype=np.bool_).reshape(len(statements), len(self.pieces))

    def false(self, statements: Sequence[Statement]) -> Floats:
        """Return the probability of each statement to be false, shape (n_statements,)."""
        found: Floats = self.fails(statements) @ self.masses
        return found


def _bits(probability: float) -> float:
    return -math.log2(max(probability, _LEAST))


def _key(active: Booleans) -> bytes:
    return np.packbits(active).tobytes()
