r"""Models with a planted cone: a thin cone of known probability in which added neurons decide.

Neurons are added to a 2nd-argmax model of two or three inputs. Together they are the *trigger*
(:mod:`~algzoo.estimates.few_inputs.planted_neurons`): a function that is positive in one thin cone
and zero elsewhere, and that is added, times a gain, to one logit. No other neuron reads them, so
that outside the cone every logit is what it was.

The planted answer is given in the middle of the trigger's cone, where the trigger, times its gain,
exceeds the lead of the old answer. This is a share of about margin / (margin + lead) of the cone's
width. So a margin that is small compared with the lead makes the trigger's cone much wider
than the cone of the planted answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from ...structure import Weights, weights_of
from ...zoo import DistRNN, Model
from ..scope import Scope
from .decisions import decisions
from .linear_tail import share
from .planted_neurons import Trigger, outputs_at, trigger_around, with_trigger

_SCOPE = Scope("2nd_argmax", inputs=(2, 3))
_LARGEST = 0.1  # share of inputs
_ROUNDS = 40  # the search for the angle takes three to ten
_CLOSE = 0.01  # largest relative difference between the mass that was asked for and that found


@dataclass(frozen=True)
class Planted:
    """Model with a planted cone.

    Attributes
    ----------
    model
        The model, with more neurons than the one that it was made of: three more around the last
        axis, otherwise 7 for two inputs and 9 or 13 for three.
    trigger
        Positions of neurons. The trigger fires where all of them are active after the last input.
    answer
        The answer that the trigger supports.
    mass
        Probability that the trigger fires and the planted answer is given and wrong, exact for the
        stored weights; given and right, if it is the right one on the axis.
    margin
        By how much the planted logit exceeds the largest other one at the unit vector on the axis,
        exact for the stored weights. It is the largest such margin on the unit sphere as long as
        the old logits are nearly constant in the cone.
    axis
        The unit vector at the centre of the cone.
    """

    model: DistRNN
    trigger: tuple[int, ...]
    answer: int
    mass: float
    margin: float
    axis: tuple[float, ...]


def plant_cone(
    model: Model,
    mass: float,
    margin: float,
    direction: Sequence[float] | None = None,
    answer: int | None = None,
) -> Planted:
    """Add neurons that decide a 2nd-argmax model's answer in one thin cone, and nothing elsewhere.

    Unless ``answer`` says otherwise, the planted answer is a wrong one, and the model errs in the
    cone. The probability of such an error is ``mass``. That of an error by more than t is
    ``margin_tail(planted.model, t, neurons=planted.trigger, answer=planted.answer)``.

    Parameters
    ----------
    model
        A 2nd-argmax model of two or three inputs. It is not changed.
    mass
        Probability that the trigger fires and the planted answer is given and wrong, at most 0.1.
        The weights are rounded to the model's number type, so that the mass differs from this by
        about as much; the exact one is returned.
    margin
        By how much the planted logit exceeds the largest other one at the unit vector on the axis.
    direction
        Vector along the axis, of any length, one number an input. By default it is the last axis,
        (0, ..., 0, 1). Its quotients are rounded to the model's number type.
    answer
        The planted answer. It may be the one that the model gives already: the trigger then only
        raises its margin. If it is the right one on the axis, ``mass`` is the probability that the
        trigger fires and this answer is given and right. By default the planted answer is a wrong
        one that the model does not give on the axis; of two such, the one with the larger logit.

    Returns
    -------
    Planted
        The model with its exact mass and margin.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs, if ``mass``, ``margin``,
        ``direction`` or ``answer`` is out of range, if every wrong answer is given already on the
        axis or none is wrong there, if the model's own margin is larger than ``margin``, or if the
        weights would overflow.

    Notes
    -----
    Around the last axis or its opposite a single neuron is the trigger, and the model in float32
    computes what its weights say. Around any other axis, terms cancel outside the cone. They do so
    exactly in exact arithmetic, but only up to rounding when the model runs, and rounding turns
    answers next to ties. The thinner the cone, the larger are the terms. On planted copies of five
    models with a margin of 5, rounding turned as many answers as were planted at masses from 1e-5
    to 1e-3 (two inputs) and from 1e-6 to 1e-5 (three inputs) in float32, and at 1e-11 to 1e-9 and
    below 1e-11 in float64. So run a thin cone in float64 (``model.double()``), and below 1e-8 and
    1e-11 only around the last axis. Where all logits are 0 the first position is the answer, and
    any rounding error may change it: in float32 on 2e-4 of the inputs of the bundled model of four
    neurons and three inputs.

    Examples
    --------
    >>> from algzoo.zoo import handcrafted_2nd_argmax
    >>> planted = plant_cone(handcrafted_2nd_argmax(2), mass=1e-9, margin=5.0)
    >>> planted.model.hidden_size, planted.trigger, planted.answer, planted.axis
    (5, (4,), 1, (0.0, 1.0))
    >>> f"{planted.mass:.6e}", planted.margin
    ('1.000000e-09', 5.0)
    >>> planted = plant_cone(handcrafted_2nd_argmax(3), 1e-9, 5.0, direction=[1.0, -2.0, 2.0])
    >>> planted.model.hidden_size, planted.trigger, planted.answer
    (17, (12, 13), 2)
    >>> f"{planted.mass:.6e}", round(planted.margin, 6)
    ('1.000000e-09', 5.0)
    """
    _SCOPE.check(model, "a planted cone")
    assert isinstance(model, DistRNN)
    if not 0 < mass <= _LARGEST:
        raise ValueError(f"mass must be positive and at most {_LARGEST}, got {mass}")
    if not 0 < margin < math.inf:
        raise ValueError(f"margin must be a positive number, got {margin}")
    n = model.seq_len
    vector = np.array([0.0] * (n - 1) + [1.0] if direction is None else direction, dtype=float)
    if vector.shape != (n,) or not np.isfinite(vector).all() or not vector.any():
        raise ValueError(f"direction must be {n} finite numbers, not all 0, got {direction}")
    if answer is not None and answer not in range(n):
        raise ValueError(f"answer must be from 0 to {n - 1}, got {answer}")
    weights = weights_of(model)
    best: Planted | None = None
    search = _Search(mass * (math.pi if n == 2 else 2 * math.pi), n - 1)
    smallest_step = torch.finfo(model.dtype).eps / 4
    try:
        for _ in range(_ROUNDS):
            trigger = trigger_around(vector.tolist(), math.exp(search.log_angle), model.dtype)
            made = _planted(model, weights, trigger, margin, answer)
            if best is None or abs(made.mass - mass) < abs(best.mass - mass):
                best = made
            if not made.mass > 0 or abs(search.step(math.log(made.mass / mass))) < smallest_step:
                break
    except (OverflowError, ZeroDivisionError):  # the angle or the gain has left the number type
        pass
    if best is None or abs(best.mass / mass - 1) > _CLOSE:
        raise ValueError(
            f"No cone of mass {mass} and margin {margin} was found in {model.dtype}; please choose "
            "another mass, margin, direction or number type"
        )
    return best


class _Search:
    """Search for the angle at which the mass is the wanted one; the mass grows with the angle."""

    def __init__(self, power_of_angle: float, dimensions: int) -> None:
        self.dimensions = dimensions
        self.log_angle = math.log(power_of_angle) / dimensions
        self.ends = {-1: -math.inf, +1: math.inf}  # the wanted angle is between them
        self.last: tuple[float, float] | None = None

    def step(self, excess: float) -> float:
        """Choose the next angle, given the log of the mass over the wanted one; return the step."""
        here = self.log_angle
        self.ends[1 if excess > 0 else -1] = here
        slope = float(self.dimensions)  # smaller for a wide cone, larger beyond a tie
        if self.last and here != self.last[0] and excess != self.last[1]:
            slope = (excess - self.last[1]) / (here - self.last[0])
        self.last = (here, excess)
        self.log_angle = here - excess / max(slope, 0.5)
        if not self.ends[-1] < self.log_angle < self.ends[1]:
            self.log_angle = (self.ends[-1] + self.ends[1]) / 2
        return self.log_angle - here


def _planted(
    model: DistRNN, weights: Weights, trigger: Trigger, margin: float, answer: int | None
) -> Planted:
    """Return the model with a trigger; raise ``OverflowError`` if the gain is too large."""
    logits = outputs_at(weights, trigger.ray)
    if answer is None:
        answer = _wrong_answer(trigger.ray, logits)
    lead = max(logit for i, logit in enumerate(logits) if i != answer) - logits[answer]
    length = math.hypot(*map(float, trigger.ray))
    needed = Fraction(margin) * Fraction(length) + lead
    if needed <= 0:
        raise ValueError(
            f"The model already gives the answer {answer} there, with the margin "
            f"{float(-lead) / length:.6g}; please choose a larger margin or another answer"
        )
    if needed > Fraction(torch.finfo(model.dtype).max):
        raise OverflowError
    gain = float(torch.tensor(float(needed), dtype=model.dtype))
    made = with_trigger(weights, trigger, answer, gain, model.dtype)
    fires = tuple(model.hidden_size + neuron for neuron in trigger.fires)
    is_right = trigger.ray[answer] == sorted(trigger.ray)[-2]
    mass = math.fsum(
        share(decision.lead.rays)
        for decision in decisions(made)
        if decision.answer == answer
        and (decision.right == answer) == is_right
        and all(decision.active[neuron] for neuron in fires)
    )
    axis = tuple(float(x) / length for x in trigger.ray)
    return Planted(made, fires, answer, mass, float(Fraction(gain) - lead) / length, axis)


def _wrong_answer(ray: Sequence[Fraction], logits: Sequence[Fraction]) -> int:
    """Return the position with the largest logit that is neither right nor the model's answer."""
    second = sorted(ray)[-2]
    wrong = [position for position, x in enumerate(ray) if x != second]
    given = max(range(len(logits)), key=logits.__getitem__)
    if not wrong:
        raise ValueError("All inputs are equal on the axis, so that no answer is wrong there")
    others = [position for position in wrong if position != given]
    if not others:
        raise ValueError(
            f"The model already gives the only wrong answer, {given}, on the axis; please choose "
            "another direction or another model"
        )
    return max(others, key=logits.__getitem__)
