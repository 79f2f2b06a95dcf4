"""The exact probability of an error of a model of two or three inputs."""

from __future__ import annotations

from ...zoo import OneLayerRNN
from .._exact import exact as exact_score
from ..few_inputs.decisions import decisions
from ..few_inputs.linear_tail import tail
from ..scope import Scope
from .event import EventScope, RareEvent
from .record import Account, RareEstimate, check_not_negative

EXACT = EventScope(("wrong answer",), Scope("2nd_argmax", inputs=(2, 3)))


def exact(event: RareEvent, budget: int = 0, seed: int = 0) -> RareEstimate:
    """Exact probability that a model of two or three inputs errs by more than a threshold.

    The network is not run; budget and seed change nothing. The operations are those of the exact
    accuracy (:func:`algzoo.estimates.exact`), which finds the same linear pieces. For a threshold
    above 0, those of a quadrature on each piece with errors are added.

    Raises
    ------
    TypeError
        If the event is not one of a model.
    ValueError
        If it is not the event of a wrong answer of a 2nd-argmax model of two or three inputs, or
        if the threshold is negative.
    """
    of_model = EXACT.check(event, "exact")
    model, threshold = of_model.model, of_model.threshold
    check_not_negative(threshold, "exact")
    assert isinstance(model, OneLayerRNN)
    account = Account(event, budget, least=0)
    account.charge_all(exact_score(model))
    wrong = (one.lead for one in decisions(model) if one.answer != one.right)
    value = tail(wrong, threshold, account.counter if threshold else None)
    return account.estimate(value, std=0.0, runs_network="never")
