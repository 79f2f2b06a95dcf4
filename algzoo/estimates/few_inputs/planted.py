r"""Models with a planted error: a thin cone of known probability in which an added neuron decides.

Three neurons are added to a 2nd-argmax model of n inputs. None of the old neurons reads them, so
that outside the cone every logit is what it was. Two of them, with input weights +1 and -1, read
their sum N and hold ReLU(N + x) and ReLU(N - x), so that

    N' = ReLU(N + x) + ReLU(N - x) = max(2 N, N + abs(x)),

a norm of all inputs so far: abs(x0) after one input, max(2 abs(x0), abs(x0) + abs(x1)) after two.
The third, the *trigger*, is at the end

    ReLU(s x[n-1] - k N),    s = +1 or -1, N the norm of the inputs before the last,

and adds a multiple of it to one logit. It is positive in the cone N < s x[n-1] / k around the last
axis, which is thin if k is large, and zero elsewhere: nothing has to cancel, so that the model in
float32 computes what its weights say. The planted answer wins in the middle of this cone: where
the trigger, times its gain, makes good for the lead of the old answer. That is a share of about
margin / (margin + lead) of the cone's width. So a margin that is small compared with the lead makes
the trigger's cone much wider than the error's.

*Why the last axis.* Before the ReLU, a neuron at the last step is W h + w x[n-1], where the state h
is zero if all inputs before the last are. So at (0, ..., 0, s) it is w s. If w is not 0, the neuron
therefore fires on the last axis, on the side of the sign of w; if w is 0, it does not depend on the
last input, and its cone is not thin. A neuron that fires in a thin cone only fires around the last
axis. Any other direction needs several neurons, on large regions, whose sum cancels outside the
cone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import torch

from ...structure import Weights, as_fractions, weights_of
from ...zoo import DistRNN, Model
from ..scope import Scope
from .margin_tail import margin_tail

_SCOPE = Scope("2nd_argmax", inputs=(2, 3))
_LARGEST = 0.01  # share of inputs; the cone is then still far from the ties with the last input
_ROUNDS = 20  # the search for k takes three to seven
_CLOSE = 0.01  # largest relative difference between the mass that was asked for and that found


@dataclass(frozen=True)
class Planted:
    """Model with a planted error.

    Attributes
    ----------
    model
        The model, with three more neurons than the one that it was made of.
    trigger
        Position of the neuron that fires in the cone.
    answer
        The answer that the trigger supports, the position of the last input for three inputs.
    mass
        Probability that the trigger fires and the planted answer is given, which is wrong, exact
        for the stored weights.
    margin
        Margin of the wrong answer at the unit vector on the axis, exact for the stored weights. It
        is the largest on the unit sphere as long as the old logits are nearly constant in the cone.
    axis
        The unit vector at the centre of the cone.
    """

    model: DistRNN
    trigger: int
    answer: int
    mass: float
    margin: float
    axis: tuple[float, ...]


def plant_cone(model: Model, mass: float, margin: float, side: Literal[1, -1] = 1) -> Planted:
    """Add neurons that make a 2nd-argmax model of two or three inputs err in one thin cone.

    The cone surrounds the last axis. On its positive side the last input is the largest, and the
    planted answer is its position. On the negative side it is the smallest, and the planted answer
    is 0 for two inputs and the last position for three.

    Parameters
    ----------
    model
        A model that gives another answer on this axis. It is not changed.
    mass
        Probability that the trigger fires and the planted answer is given, at most 0.01. The
        weights are rounded to the model's number type, so that the mass differs from this by about
        as much; the exact one is returned.
    margin
        By how much the planted logit exceeds the largest other one at the unit vector on the axis.
    side
        +1 or -1: the direction of the axis.

    Returns
    -------
    Planted
        The model with its exact mass and margin.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs or already gives the planted
        answer on the axis, if ``mass``, ``margin`` or ``side`` is out of range, or if the weights
        would overflow.

    Examples
    --------
    >>> from algzoo.zoo import handcrafted_2nd_argmax
    >>> planted = plant_cone(handcrafted_2nd_argmax(2), mass=1e-9, margin=5.0)
    >>> planted.model.hidden_size, planted.trigger, planted.answer, planted.axis
    (5, 4, 1, (0.0, 1.0))
    >>> f"{planted.mass:.6e}", planted.margin
    ('1.000000e-09', 5.0)
    """
    _SCOPE.check(model, "a planted cone")
    if not 0 < mass <= _LARGEST:
        raise ValueError(f"mass must be positive and at most {_LARGEST}, got {mass}")
    if not 0 < margin < math.inf:
        raise ValueError(f"margin must be a positive number, got {margin}")
    if side not in (1, -1):
        raise ValueError(f"side must be 1 or -1, got {side}")
    weights = weights_of(model)
    n = model.seq_len
    answer = 0 if (n, side) == (2, -1) else n - 1
    w_hi, _, w_oh = as_fractions(weights)
    logits = list(w_oh @ np.maximum(side * w_hi, 0))
    lead = -logits.pop(answer) + max(logits)
    if lead < 0:
        raise ValueError(
            f"The model already gives the answer {answer} on the last axis, on the side {side}; "
            "please choose the other side or another model"
        )
    needed = Fraction(float(margin)) + lead
    if needed > Fraction(torch.finfo(model.dtype).max):
        raise ValueError(f"The margin and the model's own logits are too large for {model.dtype}")
    gain = float(torch.tensor(float(needed), dtype=model.dtype))

    # To first order in the cone's width, the error's cone is a share of the trigger's.
    section = 1 / math.pi if n == 2 else 1.5 / (4 * math.pi)  # mass of the cone N < s x[n-1]
    k = float(Fraction(float(margin)) / needed) * (section / mass) ** (1 / (n - 1))
    slope = 1.0 - n  # of log mass as a function of log k; smaller where the cone is wide
    best: Planted | None = None
    tried: dict[float, float] = {}
    last = 0.0
    for _ in range(_ROUNDS):
        stored = float(torch.tensor(k, dtype=model.dtype))
        if stored in tried or not 0 < stored < math.inf:
            break
        made = _with_trigger(weights, answer, side, stored, gain, model.dtype)
        found = margin_tail(made, 0.0, neurons=[made.hidden_size - 1], answer=answer)
        if best is None or abs(found - mass) < abs(best.mass - mass):
            axis = (*(0.0,) * (n - 1), float(side))
            best = Planted(
                made, made.hidden_size - 1, answer, found, float(Fraction(gain) - lead), axis
            )
        if not found > 0:
            break
        if last and found != tried[last]:
            slope = math.log(found / tried[last]) / math.log(stored / last)
        tried[stored], last = found, stored
        k = stored * (mass / found) ** (1 / min(slope, -0.5))
    if best is None or abs(best.mass / mass - 1) > _CLOSE:
        raise ValueError(
            f"No cone of mass {mass} and margin {margin} was found in {model.dtype}; please choose "
            "another mass, margin or number type"
        )
    return best


def _with_trigger(
    weights: Weights, answer: int, side: int, k: float, gain: float, dtype: torch.dtype
) -> DistRNN:
    d, n = len(weights.w_hi), len(weights.w_oh)
    up, down, trigger = d, d + 1, d + 2
    w_hi = np.concatenate([weights.w_hi, [1, -1, side]])
    w_hh = np.zeros((d + 3, d + 3))
    w_hh[:d, :d] = weights.w_hh
    w_hh[[up, down], up] = w_hh[[up, down], down] = 1
    w_hh[trigger, [up, down]] = -k
    w_oh = np.concatenate([weights.w_oh, np.zeros((n, 3))], axis=1)
    w_oh[answer, trigger] = gain
    model = DistRNN(d + 3, n).to(dtype)
    model.load_state_dict(
        {
            "rnn.weight_ih_l0": torch.as_tensor(w_hi[:, None]),
            "rnn.weight_hh_l0": torch.as_tensor(w_hh),
            "linear.weight": torch.as_tensor(w_oh),
        }
    )
    return model
