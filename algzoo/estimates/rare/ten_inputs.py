"""The book's rules for ten inputs, as estimates of the probability of an error.

They are :func:`~algzoo.estimates.pair_leaves` and :func:`~algzoo.estimates.folded_classes`, which
estimate the accuracy of models of four or more inputs. Both spread prefixes over all orders of the
inputs and integrate exactly over the last input.
"""

from __future__ import annotations

from collections.abc import Callable

from ...zoo import Model
from ..estimate import Estimate
from ..many_inputs.folded_classes import folded_classes
from ..many_inputs.pair_leaves import PAIRS, pair_leaves
from .event import EventScope, RareEvent
from .record import Account, RareEstimate, check_seed

RULES = EventScope(("wrong answer",), PAIRS, zero_only=True)

_FIRST = 8  # points of a first run, which tells what a point costs
_MARGIN = 1.2  # by which a point may cost more than those did


def pairs_rule(event: RareEvent, budget: int, seed: int) -> RareEstimate:
    """One minus the accuracy by leaves of pairs, on as many points as the budget pays for.

    The number of points is a power of two, and the seed is that of their scrambling. A first run
    of eight points tells what a point costs; it is a part of the operations. Unlike
    :func:`~.of_model.event_of`, the rule counts it as an error where all logits are 0 and the model
    answers wrongly by default; trained models of ten inputs have next to no such inputs. The
    probability is 1 minus a sum, so that errors are lost if they are rarer than the rule is exact;
    a result below 0 becomes 0.

    Raises
    ------
    TypeError
        If the event is not one of a model.
    ValueError
        If it is not the event of a wrong answer of a 2nd-argmax model of at least four inputs with
        threshold 0, the budget does not pay for the first run, or the seed is negative.
    """
    return _by_rule(
        event,
        budget,
        seed,
        "the rule of leaves of pairs",
        lambda model, points: pair_leaves(model, 2 ** (points.bit_length() - 1), scramble=seed),
    )


def folded_rule(event: RareEvent, budget: int, seed: int) -> RareEstimate:
    """One minus the accuracy by folded classes, on as many points as the budget pays for.

    The rest is as in :func:`pairs_rule`, but the number of points need not be a power of two.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`pairs_rule`.
    """
    return _by_rule(
        event,
        budget,
        seed,
        "the rule of folded classes",
        lambda model, points: folded_classes(model, points, scramble=seed),
    )


def _by_rule(
    event: RareEvent,
    budget: int,
    seed: int,
    name: str,
    rule: Callable[[Model, int], Estimate],
) -> RareEstimate:
    model = RULES.check(event, name).model
    check_seed(seed)
    first = rule(model, _FIRST)
    account = Account(event, budget, least=-(-first.operations // event.operations))
    account.charge_all(first)
    left = budget * event.operations - first.operations
    points = int(_FIRST * left / (_MARGIN * first.operations))
    accuracy = first
    while points > _FIRST:
        found = rule(model, points)
        if found.operations <= left:
            account.charge_all(found)
            accuracy = found
            break
        points //= 2
    return account.estimate(max(1 - accuracy.value, 0.0), runs_network="chosen inputs")
