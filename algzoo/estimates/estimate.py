"""The record that every estimator returns, and the decorators that declare an estimator."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from numbers import Integral
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, Protocol, TypeVar, get_args

from ..zoo import Model
from .counting.counter import OperationCounter
from .scope import Scope

RunsNetwork = Literal["never", "chosen inputs", "random inputs"]
"""Answers to the question whether an estimator runs the network."""
Exactness = Literal["exact", "converges", "approximate"]
"""Answers to the question whether its result is exact."""
Constants = Literal["none", "from other networks", "from this one"]
"""Answers to the question on which networks its constants were fitted, if it has any."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "runs_network": get_args(RunsNetwork),
    "exact": get_args(Exactness),
    "constants": get_args(Constants),
}
_LONGEST = 60  # characters of an invalid value that a message shows


@dataclass(frozen=True)
class Estimate:
    """Estimated accuracy (or mean squared error) with its cost.

    Attributes
    ----------
    value
        The accuracy, in [0, 1]; for median models the mean squared error.
    operations
        Number of arithmetic operations; a multiply-add counts as one (see
        :mod:`algzoo.estimates.counting.counter`).
    runs_network
        Whether the network was run: ``"never"``, on ``"chosen inputs"`` or on ``"random inputs"``.
    std
        Standard deviation of the error, as the estimator states it; 0 for an exact value, ``None``
        if the estimator states none.
    transcendental
        How many square roots or transcendental functions were evaluated; each is counted in
        ``operations`` at its price of 10.

    Raises
    ------
    ValueError
        If the value is not a finite number, ``operations`` is not a whole number of at least 0, or
        ``runs_network`` is none of the three.

    Examples
    --------
    >>> Estimate(0.25, operations=0, runs_network="never")
    Estimate(value=0.25, operations=0, runs_network='never', std=None, transcendental=0)
    """

    value: float
    operations: int
    runs_network: RunsNetwork
    std: float | None = None
    transcendental: int = 0

    def __post_init__(self) -> None:
        try:
            finite = math.isfinite(self.value)
        except (TypeError, ValueError, RuntimeError):  # the last is what torch raises
            finite = False
        if not finite:
            raise ValueError(f"the value of an Estimate is a finite number, not {_in(self.value)}")
        n = self.operations
        if not isinstance(n, Integral) or isinstance(n, bool) or n < 0:
            raise ValueError(f"the operations of an Estimate are a whole number, not {_in(n)}")
        if self.runs_network not in get_args(RunsNetwork):
            raise ValueError(
                "runs_network of an Estimate is 'never', 'chosen inputs' or 'random inputs', not "
                f"{_in(self.runs_network)}"
            )


def _in(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


class Tally(NamedTuple):
    """Result of a declared estimator: the value, and its operations (a counter or a number)."""

    value: float
    operations: OperationCounter | int
    std: float | None = None
    transcendental: int = 0


Estimator = Callable[[Model], Estimate]
"""An estimator: any function from a model to an :class:`Estimate`."""
Fit = Callable[[Sequence[Model], Sequence[float]], Estimator]
P = ParamSpec("P")
E = TypeVar("E")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """Facts about an estimator, for its row in the catalogue.

    Attributes
    ----------
    name
        Name of the row; a parameter in braces stands for the budget: "{n_nodes} angles".
    scope
        The models that it takes.
    runs_network
        Whether the network is run: never, on chosen inputs or on random inputs.
    exact
        Whether the result is exact, converges to the exact value as the budget grows, or is
        approximate.
    constants
        Whether it has no fitted constants, or constants fitted on other networks or on noisy copies
        of this one.
    source
        Where the method comes from.
    references
        Keys of the works that the method uses, besides the book, in the book's bibliography, which
        ``algzoo cite --all`` prints.
    tuned_on
        The models on which its form or its settings were chosen, if any.
    advice_bits
        Bits of what was learned from these models or from those of a fit: 64 for each fitted
        number, and the log2 of the number of alternatives that were tried. A function of the budget
        if it depends on that.
    cost
        How the number of operations grows, with d neurons and n inputs.
    fails_when
        On which networks it is wrong or raises an error.
    since
        First version of its package that has it.
    budgets
        Arguments of each row in the catalogue; without any, it has no row of its own.
    scrambles
        Whether it has a parameter ``scramble``, the seed of a scramble.
    fit
        Function that makes an estimator with constants from models and their accuracies.
    kind
        What was declared: a function of a model (an estimator), of a model, a number of inputs and
        a seed (a sampler), or of models and their accuracies (a fit).
    """

    name: str
    scope: Scope
    runs_network: RunsNetwork
    exact: Exactness
    constants: Constants
    source: str
    cost: str
    fails_when: str
    tuned_on: str = "nothing"
    advice_bits: float | Callable[..., float] = 0.0
    references: Sequence[str] = ()
    since: str = "0.1"
    budgets: Sequence[Mapping[str, Any]] = ({},)
    scrambles: bool = False
    fit: Callable[..., Estimator] | None = None
    kind: Literal["estimator", "sampler", "fit"] = "estimator"

    def __post_init__(self) -> None:
        for fact, choices in _CHOICES.items():
            if (given := getattr(self, fact)) not in choices:
                raise ValueError(f"{fact} is one of {', '.join(choices)}, not {given!r}")

    def __str__(self) -> str:
        return (
            f"For {self.scope}. Runs the network: {self.runs_network}; result: {self.exact}; "
            f"fitted constants: {self.constants}."
        )


class Declared(Protocol[P]):
    """Declared estimator: a function together with its declaration."""

    declaration: Declaration

    def __call__(self, model: Model, /, *args: P.args, **kwargs: P.kwargs) -> Estimate:
        """Estimate the score of a model."""


def estimator(
    name: str, **facts: Any
) -> Callable[[Callable[Concatenate[Model, P], Tally | Estimate]], Declared[P]]:
    """Declare that a function of a model, and perhaps of further parameters, is an estimator.

    The function returns a :class:`Tally`, or the :class:`Estimate` of another estimator. The
    decorated function first refuses models outside the scope, and returns an :class:`Estimate`.

    Parameters
    ----------
    name, facts
        The attributes of :class:`Declaration`.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> from algzoo.estimates import Scope, Tally, estimator
    >>> @estimator(
    ...     "always one half",
    ...     scope=Scope("2nd_argmax", inputs=2),
    ...     runs_network="never",
    ...     exact="approximate",
    ...     constants="none",
    ...     source="a guess",
    ...     cost="none",
    ...     fails_when="the accuracy is not one half",
    ... )
    ... def one_half(model):
    ...     '''Return one half.'''
    ...     return Tally(0.5, 0)
    >>> one_half(zoo_2nd_argmax(2, 2)).value
    0.5
    """

    def declared(function: Callable[Concatenate[Model, P], Tally | Estimate]) -> Declared[P]:
        wrapper: Declared[P] = _wrapped(function, Declaration(name=name, **facts))
        return wrapper

    return declared


# Declared by "exact", and by the methods that it consists of, which have no rows of their own.
EXACT: dict[str, Any] = {
    "runs_network": "never",
    "exact": "exact",
    "constants": "none",
    "source": "this book; for two inputs ARC, 2026",
    "references": ("algzoo2026", "oosterom1983"),
    "cost": "O(d^2) for two inputs, O(d^3) for three",
    "fails_when": "never",
}


def sampler(
    name: str, scope: Scope, **facts: Any
) -> Callable[[Callable[[Model, int, int], Tally | Estimate]], Declared[[int, int]]]:
    """Declare that a function of a model, a number of inputs and a seed is a sampler.

    A sampler runs the network on random inputs and converges. The parameters of the function are
    called ``n_samples`` and ``seed``; those of this decorator are described at :func:`estimator`.
    """
    facts = {
        "runs_network": "random inputs",
        "exact": "converges",
        "constants": "none",
        "source": "this book",
        "cost": "forward passes",
        "fails_when": "errors are rare, so that the relative error of their share is large",
        "budgets": [{"n_samples": 1024}],  # a number at which the samplers differ
        "kind": "sampler",
        **facts,
    }
    return estimator(f"{name}, {{n_samples}} inputs", scope=scope, **facts)


def check_draws(n_samples: int, seed: int) -> None:
    """Raise a ``ValueError`` if ``n_samples`` is less than 1 or ``seed`` is negative."""
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")


def _wrapped(function: Callable[..., Tally | Estimate], declaration: Declaration) -> Any:
    parameters = inspect.signature(function)

    @wraps(function)
    def estimated(model: Model, *args: Any, **kwargs: Any) -> Estimate:
        given = parameters.bind(model, *args, **kwargs)
        given.apply_defaults()
        declaration.scope.check(model, declaration.name.format(**given.arguments))
        check_draws(given.arguments.get("n_samples", 1), given.arguments.get("seed", 0))
        return as_estimate(function(model, *args, **kwargs), declaration.runs_network)

    wrapper: Any = estimated
    wrapper.declaration = declaration
    _document(wrapper, declaration)
    return wrapper


def as_estimate(found: Tally | Estimate, runs_network: RunsNetwork) -> Estimate:
    """Turn a tally into an estimate; an estimate is returned unchanged."""
    if isinstance(found, Estimate):
        return found
    value, operations, std, transcendental = found
    if isinstance(operations, OperationCounter):
        transcendental = operations.counts["transcendental"]
        operations = operations.total
    return Estimate(value, operations, runs_network, std, transcendental)


def _document(function: Any, declaration: Declaration) -> None:
    """Add the scope and the three answers to a docstring, below its first line."""
    first, _, rest = (inspect.getdoc(function) or "").partition("\n")
    function.__doc__ = f"{first}\n\n{declaration}\n{rest}"


@dataclass(frozen=True)
class Fitted:
    """Estimator with fitted constants, for models of one size.

    Attributes
    ----------
    name, scope, runs_network
        As in :class:`Declaration`; the scope is the size of the models of the fit.
    rule
        Function with the constants, from a model to a tally.
    """

    name: str
    scope: Scope
    runs_network: RunsNetwork
    rule: Callable[[Model], Tally | Estimate]

    def __call__(self, model: Model) -> Estimate:
        """Estimate the score of a model.

        Raises
        ------
        TypeError, ValueError
            Raised by :meth:`.Scope.check`, or by the rule.
        """
        self.scope.check(model, self.name)
        return as_estimate(self.rule(model), self.runs_network)


class Fitting(Protocol[P]):
    """Declared fit: a function of models and their accuracies."""

    declaration: Declaration

    def __call__(
        self,
        models: Sequence[Model],
        accuracies: Sequence[float],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Fitted:
        """Return the estimator with constants."""


_Rule = Callable[[Model], Tally | Estimate]
_FitFunction = Callable[Concatenate[Sequence[Model], Sequence[float], P], _Rule]


def fitted_estimator(name: str, **facts: Any) -> Callable[[_FitFunction[P]], Fitting[P]]:
    """Declare a fit: a function of models and their accuracies that returns a rule.

    A rule is a function from a model to a :class:`Tally` or an :class:`Estimate`. The decorated
    function refuses models that are outside the scope or not all of one size, and returns a
    :class:`Fitted` for models of that size. The parameters are those of :func:`estimator`.
    """

    def declared(function: _FitFunction[P]) -> Fitting[P]:
        declaration = Declaration(name=name, kind="fit", **facts)
        wrapper: Fitting[P] = _wrapped_fit(function, declaration)
        return wrapper

    return declared


def fit_of(of: Declared[Any], *, advice_bits: float) -> Callable[[_FitFunction[P]], Fitting[P]]:
    """Declare the fit of an estimator that also works without one; see :func:`fitted_estimator`.

    ``advice_bits`` are those of its constants; other facts are those of the estimator.
    """

    def declared(function: _FitFunction[P]) -> Fitting[P]:
        wrapper: Fitting[P] = _wrapped_fit(
            function, replace(of.declaration, kind="fit", budgets=(), advice_bits=advice_bits)
        )
        of.declaration = replace(of.declaration, fit=wrapper)
        return wrapper

    return declared


def _wrapped_fit(function: Callable[..., _Rule], declaration: Declaration) -> Any:
    parameters = inspect.signature(function)

    @wraps(function)
    def fitted(models: Sequence[Model], accuracies: Sequence[float], **kwargs: Any) -> Fitted:
        given = parameters.bind(models, accuracies, **kwargs)
        given.apply_defaults()
        name = declaration.name.format(**given.arguments)
        if not models or len(models) != len(accuracies):
            raise ValueError(
                f"a fit of {name} needs models and as many accuracies, got {len(models)} models "
                f"and {len(accuracies)} accuracies"
            )
        declaration.scope.check(models[0], name)
        scope = declaration.scope.one_size(models[0])
        for model in models:
            scope.check(model, f"this fit of {name}")
        rule = function(models, accuracies, **kwargs)
        return Fitted(name, scope, declaration.runs_network, rule)

    wrapper: Any = fitted
    wrapper.declaration = declaration
    _document(wrapper, declaration)
    return wrapper
