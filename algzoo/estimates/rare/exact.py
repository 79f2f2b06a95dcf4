"""Methods that deduce the probability of a rare event from the weights: exact, and first order."""

from __future__ import annotations

from ...zoo import OneLayerRNN
from .._exact import exact as exact_score
from ..few_inputs.decisions import decisions
from ..few_inputs.linear_tail import charge_tail
from ..few_inputs.margin_tail import margin_tail
from ..few_inputs.two import first_order_error
from ..scope import Scope
from .event import EventScope, RareEvent
from .record import Account, RareEstimate

EXACT = EventScope(("wrong answer",), Scope("2nd_argmax", inputs=(2, 3)))
FIRST_ORDER = EventScope(("wrong answer",), Scope("2nd_argmax", inputs=2), zero_only=True)


def exact(event: RareEvent, budget: int = 0, seed: int = 0) -> RareEstimate:
    """Exact probability that a model of two or three inputs errs by more than a threshold.

    The network is not run; budget and seed change nothing. The operations are those of the exact
    accuracy (:func:`algzoo.estimates.exact`), which finds the same linear pieces. For a threshold
    above 0, those of a quadrature on each piece with errors are added, negligible pieces included.

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
    value = margin_tail(model, threshold)
    account = Account(event, budget, least=0)
    account.charge_all(exact_score(model))
    if threshold and isinstance(model, OneLayerRNN):
        wrong = (one.lead for one in decisions(model) if one.answer != one.right)
        charge_tail(account.counter, wrong, threshold)
    return account.estimate(value, std=0.0, runs_network="never")


def first_order(event: RareEvent, budget: int = 0, seed: int = 0) -> RareEstimate:
    """Probability that a model of two inputs errs, to first order in its gaps at the ties.

    It is the error of :func:`algzoo.estimates.first_order`, which takes all errors to be slivers at
    the line x0 = x1. The network is not run; budget and seed change nothing.

    Raises
    ------
    TypeError
        If the event is not one of a model.
    ValueError
        If it is not the event of a wrong answer of a 2nd-argmax model of two inputs with threshold
        0, or if the formula does not hold for the model.
    """
    of_model = FIRST_ORDER.check(event, "first order in the gaps")
    error = first_order_error(of_model.model)
    account = Account(event, budget, least=0)
    account.charge_all(error)
    return account.estimate(error.value, runs_network="never")
