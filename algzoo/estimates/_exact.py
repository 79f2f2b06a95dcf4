"""The exact accuracy or mean squared error, by whichever method applies to the model."""

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
    """Exact accuracy, or mean squared error of median models, on standard Gaussian inputs.

    The method is :func:`.angular`, :func:`.spherical`, :func:`.squared_error` or
    :func:`.argmedian_of_three`.
    """
    return next(one for one in _METHODS if one.declaration.scope.takes(model))(model)


def exact(model: Model) -> Estimate:
    """Compute the exact accuracy (mean squared error for median models) if a method is known.

    Methods are known for 2nd-argmax and median models of two and three inputs and for argmedian
    models of three inputs, on standard Gaussian inputs; they use only the weights. A longest-cycle
    model is run on all functions.

    Parameters
    ----------
    model
        A model of this package.

    Returns
    -------
    Estimate
        The accuracy in [0, 1], or the mean squared error; its ``std`` is 0.

    Raises
    ------
    TypeError
        If ``model`` is not a model of this package.
    ValueError
        If no exact method is known for the model, if it computes something else than its weights
        say (:func:`~algzoo.zoo.model_check.check_plain`), or if a longest-cycle model has more
        inputs than are enumerated (:data:`~algzoo.zoo.model_check.MOST_FUNCTIONS`).

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> estimate = exact(zoo_2nd_argmax(2, 2))
    >>> print(f"{estimate.value:.6f}, {estimate.operations} operations")
    0.999923, 122 operations
    """
    from_weights = exact_from_weights.declaration.scope
    (from_weights | _BY_DEFINITION).check(model, "exact")
    return (exact_from_weights if from_weights.takes(model) else exhaustive)(model)
