"""Safe distillation: where a model of three inputs and a simpler one answer differently, exactly.

A *distillate* is a model that is understood and does what another one does. It is safe to use in
the place of the other where the two agree, and what it does elsewhere is known. For M4,3 the
distillate is the member of the lambda family with the model's lambda.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from ...estimates.scope import Scope
from ...mechanisms.moments import state_map
from ...structure import Weights, decision_cones, model_with, weights_in_range
from ...structure.geometry.half_spaces import cut, fraction
from ...zoo import DistRNN, Model, handcrafted_2nd_argmax
from ..second_argmax_h4_n3.lambda_family import lambda_of

_SCOPE = Scope("2nd_argmax", inputs=3)
_ROUNDING = 1e-9
_SLIVER = 1e-15  # mass that cuts along an edge leave by rounding


class Answers(NamedTuple):
    """Positions: the right one, that of the model, and that of its distillate."""

    right: int
    model: int
    distillate: int


@dataclass(frozen=True)
class Comparison:
    """Exact probabilities of what two models answer on three standard Gaussian inputs.

    Attributes
    ----------
    masses
        Probability of each combination of answers that occurs.
    """

    masses: Mapping[Answers, float]

    @property
    def differs(self) -> float:
        """Probability that the two answers differ."""
        return self._sum(lambda one: one.model != one.distillate)

    @property
    def model_alone_right(self) -> float:
        """Probability that the model is right and the distillate is not."""
        return self._sum(lambda one: one.model == one.right != one.distillate)

    @property
    def distillate_alone_right(self) -> float:
        """Probability that the distillate is right and the model is not."""
        return self._sum(lambda one: one.distillate == one.right != one.model)

    @property
    def differently_wrong(self) -> float:
        """Probability that both are wrong, with different answers."""
        return self._sum(lambda one: len({one.right, one.model, one.distillate}) == 3)

    def _sum(self, chosen: Callable[[Answers], bool]) -> float:
        return math.fsum(mass for answers, mass in self.masses.items() if chosen(answers))


def distilled(model: Model) -> DistRNN:
    """Return the member of the lambda family with the model's lambda, in float64.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.explanations.second_argmax_h4_n3.lambda_family.lambda_of`.
    """
    return handcrafted_2nd_argmax(3, lam=lambda_of(model), dtype=torch.float64)


def compared(model: Model, distillate: Model) -> Comparison:
    """Compare the answers of two models of three inputs.

    The neurons of both are put side by side in one model, on whose cones both are linear. These and
    the model's answers are found in exact arithmetic. The distillate's answers cut them in float64.

    Raises
    ------
    TypeError, ValueError
        If one of them is not a 2nd-argmax model of three inputs, or if logits of the distillate tie
        on a region.
    """
    for one in (model, distillate):
        _SCOPE.check(one, "a comparison with a distillate")
    first, second = weights_in_range(model), weights_in_range(distillate)
    masses: dict[Answers, float] = {}
    d = len(first.w_hi)
    for cone in decision_cones(_side_by_side(first, second)):
        logits = second.w_oh @ state_map(second, cone.pattern[:, d:])
        rays = cone.rays.tolist()
        for answer in range(3):
            polygon = rays
            for other in {0, 1, 2} - {answer}:
                polygon = cut(polygon, (logits[answer] - logits[other]).tolist())
            if polygon:
                key = Answers(cone.right_answer, cone.answer, answer)
                masses[key] = masses.get(key, 0.0) + fraction(polygon)
    if abs(math.fsum(masses.values()) - 1) > _ROUNDING:
        raise ValueError("Logits of the distillate tie on a region, so that it has no one answer")
    return Comparison({key: mass for key, mass in masses.items() if mass > _SLIVER})


def _side_by_side(first: Weights, second: Weights) -> DistRNN:
    """One model with the neurons of both, of which only the first ones are read."""
    d, e = len(first.w_hi), len(second.w_hi)
    w_hh = np.zeros((d + e, d + e))
    w_hh[:d, :d], w_hh[d:, d:] = first.w_hh, second.w_hh
    w_hi = np.concatenate([first.w_hi, second.w_hi])
    return model_with(Weights(w_hi, w_hh, np.pad(first.w_oh, ((0, 0), (0, e)))))
