"""Red teaming: a search for errors, and the exact measure of the linear pieces that they are on.

Whoever searches finds an input, not a probability. For two and three inputs the piece on which an
input lies, a cone, has an exact measure. For more inputs there is none: a piece of ten inputs is
cut out by more than a hundred half-spaces, and is one of very many, so that its measure would have
to be sampled as the event itself could be. Such models are refused.
"""

from __future__ import annotations

import numpy as np

from ...structure.features.wiring import states
from ...structure.weights import Weights, weights_of
from ..few_inputs.linear_tail import tail
from ..scope import Scope
from .event import EventScope, Floats, RareEvent
from .piece import error_piece
from .record import PASSES_WITH_GRADIENT, Account, RareEstimate, check_not_negative, generator

RED_TEAMING = EventScope(("wrong answer",), Scope("2nd_argmax", inputs=(2, 3)))

_SEARCHES = 256  # at most, at a time
_STEPS = 20
_LARGEST, _SMALLEST = 0.5, 0.005  # lengths of the first and of the last step on the unit sphere


def red_teaming(event: RareEvent, budget: int, seed: int) -> RareEstimate:
    """Probability of the event within the linear pieces on which a search has found errors.

    Searches climb the margin on the unit sphere, in 20 steps along the gradient, from 0.5 down to
    0.005 long, and begin anew until the budget is used. Half of them begin at random inputs. The
    others begin next to a tie: two numbers differ by the last bit, because good models err there.
    Every input on the way with a positive margin is an error. The linear piece on which it lies, as
    far as neither answer changes, is cut out of the sphere by exact arithmetic, and the probability
    of the event on it is exact. The estimate is the sum over the different pieces found. It is a
    lower bound of the probability, and 0 if no error was found. The operations of cutting and
    measuring the pieces are counted.

    Raises
    ------
    TypeError
        If the event is not one of a model.
    ValueError
        If it is not the event of a wrong answer of a 2nd-argmax model of two or three inputs, if
        the threshold is negative, if the budget is less than 3, or if the seed is negative.
    """
    of_model = RED_TEAMING.check(event, "red teaming")
    check_not_negative(of_model.threshold, "red teaming")
    account = Account(event, budget, least=PASSES_WITH_GRADIENT)
    rng = generator("red teaming", seed)
    weights = weights_of(of_model.model)
    found: dict[bytes, Floats] = {}
    while account.left >= PASSES_WITH_GRADIENT:
        x = _starts(rng, min(_SEARCHES, account.left // PASSES_WITH_GRADIENT), event.dimension)
        for length in np.geomspace(_LARGEST, _SMALLEST, _STEPS):
            x = x[: account.left // PASSES_WITH_GRADIENT]
            if not len(x):
                break
            score, gradient = account.score_and_gradient(x)
            errs = score + of_model.threshold > 0
            for key, input_ in zip(_piece_keys(weights, x[errs]), x[errs], strict=True):
                found.setdefault(key, input_)
            x = _climbed(x, gradient, length)
            account.charge(5 * x.size, transcendental=2 * len(x))
    pieces = {}
    for input_ in found.values():
        piece = error_piece(weights, input_)
        if piece is not None:
            pieces[piece.key] = piece
    for piece in pieces.values():
        account.charge(piece.operations)
    value = tail([one.lead for one in pieces.values()], of_model.threshold, account.counter)
    return account.estimate(value, hits=len(pieces), runs_network="chosen inputs")


def _starts(rng: np.random.Generator, n: int, dimension: int) -> Floats:
    """Draw unit vectors; in every other one, two numbers differ by the last bit."""
    x = rng.standard_normal((n, dimension))
    x /= np.linalg.norm(x, axis=1)[:, None]
    for row in x[1::2]:
        i, j = rng.permutation(dimension)[:2]
        row[i] = np.nextafter(row[j], rng.choice([-np.inf, np.inf]))
    return np.asarray(x)


def _climbed(x: Floats, gradient: Floats, length: float) -> Floats:
    """Step along the part of the gradient that is tangent to the unit sphere, and back to it."""
    tangent = gradient - (gradient * x).sum(axis=1)[:, None] * x / (x**2).sum(axis=1)[:, None]
    size = np.linalg.norm(tangent, axis=1)[:, None]
    x = x + length * np.divide(tangent, size, out=np.zeros_like(x), where=size > 0)
    return np.asarray(x / np.linalg.norm(x, axis=1)[:, None])


def _piece_keys(weights: Weights, x: Floats) -> list[bytes]:
    """Tell pieces apart, up to rounding: active neurons, answer and order of the inputs."""
    activations = states(weights, x)
    answer = (activations[-1] @ weights.w_oh.T).argmax(axis=1)
    parts = [*(activations > 0), answer[:, None], x.argsort(axis=1)]
    rows = np.concatenate([np.asarray(part, np.uint8) for part in parts], axis=1)
    return [row.tobytes() for row in rows]
