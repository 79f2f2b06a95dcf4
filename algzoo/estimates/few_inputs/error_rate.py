"""Exact error rate of a 2nd-argmax model of two or three inputs, by a margin and by a tie.

Every error is of one of two kinds. Either a wrong logit exceeds the right one: the model *prefers*
the wrong answer. Or the largest logits are equal and ``argmax`` names the first of them, which is
wrong. Equal logits have probability 0 unless they are equal on a whole cone. A trained model has
such a cone if inputs exist for which no neuron is active: all logits are then 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ...zoo import Model, OneLayerRNN
from ..scope import Scope
from .decisions import decisions
from .linear_tail import share

_SCOPE = Scope("2nd_argmax", inputs=(2, 3))


class ErrorRate(NamedTuple):
    """Probability of an error, in two parts.

    Attributes
    ----------
    by_margin
        Probability that a wrong logit exceeds the right one: ``margin_tail(model, 0)``.
    by_tie
        Probability that the right logit is one of the largest, but ``argmax`` names another one
        because it comes first.
    """

    by_margin: float
    by_tie: float

    @property
    def total(self) -> float:
        """Probability of an error, which is 1 minus the accuracy."""
        return self.by_margin + self.by_tie


def error_rate(model: Model) -> ErrorRate:
    """Return the probability that a 2nd-argmax model of two or three Gaussian inputs errs.

    The probability is a sum of angles or of areas on the sphere, none of which is negative.
    Unlike 1 minus the accuracy, a small probability keeps its digits: the relative error is below
    1e-12.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> rate = error_rate(zoo_2nd_argmax(4, 3))  # which has a cone without an active neuron
    >>> f"{rate.by_margin:.6f} + {rate.by_tie:.6f} = {rate.total:.6f}"
    '0.013728 + 0.001662 = 0.015390'
    """
    _SCOPE.check(model, "the error rate")
    assert isinstance(model, OneLayerRNN)
    shares: dict[bool, list[float]] = {True: [], False: []}
    for decision in decisions(model):
        if decision.answer != decision.right:
            shares[any(decision.lead.gradient)].append(share(decision.lead.rays))
    return ErrorRate(math.fsum(shares[True]), math.fsum(shares[False]))
