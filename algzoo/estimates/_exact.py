"""One name for the exact accuracy or mean squared error, whichever method gives it."""

from __future__ import annotations

from ..zoo import Model
from .estimate import EXACT, Estimate, estimator
from .few_inputs.median import squared_error
from .few_inputs.three import argmedian_of_three, spherical
from .few_inputs.two import angular
from .functions.exhaustive import exhaustive
from .scope import Scope

_METHODS = (angular, spherical, squared_error, argmedian_of_three)
_BY_DEFINITION = exhaustive.declaration.scope


@estimator(
    "exact",
    scope=Scope("2nd_argmax", inputs=(2, 3))
    | Scope("median", inputs=(2, 3))
    | Scope("argmedian", inputs=3),
    **EXACT,
)
def exact_from_weights(model: Model) -> Estimate:
    """Exact accuracy, for median models mean squared error, on standard Gaussian inputs.

    It is that of :func:`.angular`, :func:`.spherical`, :func:`.squared_error` or
    :func:`.argmedian_of_three`.
    """
    return next(one for one in _METHODS if one.declaration.scope.takes(model))(model)


def exact(model: Model) -> Estimate:
    """Exact accuracy, for median models mean squared error, where a method is known.

    On standard Gaussian inputs for 2nd-argmax and median models of two and three inputs and for
    argmedian models of three, from the weights; for longest cycle over all functions, by running
    the network on each.

    Raises
    ------
    TypeError
        Where ``model`` is no model of this package.
    ValueError
        Where no exact method is known for the model, it does something else than its weights say
        (:func:`~algzoo.zoo.model_check.check_plain`), or a longest-cycle model has more inputs than
        are enumerated (:data:`~algzoo.zoo.model_check.MOST_FUNCTIONS`).
    """
    from_weights = exact_from_weights.declaration.scope
    (from_weights | _BY_DEFINITION).check(model, "exact")
    return (exact_from_weights if from_weights.takes(model) else exhaustive)(model)
