"""Comparison of a formula with a neuron's activation: how well it fits, and where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .formula import Formula


@dataclass(frozen=True, eq=False)
class Condition:
    """Condition on the inputs, and how much of a formula's error is where it holds.

    Attributes
    ----------
    text
        The condition, where ``x[t]`` is the newest input.
    probability
        How often it holds.
    error_share
        Share of the summed squared error, after the last step, on inputs where it holds.
    """

    text: str
    probability: float
    error_share: float

    @property
    def concentration(self) -> float:
        """Mean squared error where the condition holds, divided by that over all inputs."""
        return self.error_share / self.probability if self.probability else 0.0


@dataclass(frozen=True, eq=False)
class Check:
    """Comparison of a formula with an activation on Gaussian inputs.

    R^2 is 1 - (sum of squared errors) / (sum of squared deviations of the activation from its
    mean). For a neuron that never fires it is 1 if the formula is 0, and minus infinity otherwise.
    It is not positive for a neuron that fires a little where its formula is 0, which happens at
    first steps.

    Attributes
    ----------
    r2
        Shape (seq_len,): R^2 after each step, with the formula in the unit that fits best at that
        step. Nothing else is fitted.
    r2_as_derived
        Shape (seq_len,): the same with the unit that the weights determine; nothing is fitted.
    r2_of_terms
        Shape (seq_len,): the same with a free coefficient for each term, and a constant.
    r2_about_zero
        Shape (seq_len,): like ``r2``, with deviations from zero instead of from the mean.
    fitted_unit
        Shape (seq_len,): the unit that fits best, divided by the one that the weights determine.
    worst_error
        Largest error after the last step of the formula in the unit that fits best, expressed in
        the unit that the weights determine; the root mean square of the activation there is
        ``typical``.
    worst_input
        Shape (seq_len,): the input on which it occurred.
    typical
        Root mean square of the activation after the last step, in the unit that the weights
        determine.
    conditions
        Conditions on the input, the one where errors are most concentrated first.
    """

    r2: NDArray[np.float64]
    r2_as_derived: NDArray[np.float64]
    r2_of_terms: NDArray[np.float64]
    r2_about_zero: NDArray[np.float64]
    fitted_unit: NDArray[np.float64]
    worst_error: float
    worst_input: NDArray[np.float64]
    typical: float
    conditions: tuple[Condition, ...]


def checked(
    activation: NDArray[np.float64],
    unit: float,
    formulas: Sequence[Formula],
    x: NDArray[np.float64],
) -> Check:
    """Compare ``unit * formulas[t](x)`` with ``activation``, shape (seq_len, n_inputs).

    ``x`` has shape (n_inputs, seq_len).
    """
    columns = []
    for h, formula in zip(activation / unit, formulas, strict=True):
        f = formula(x)
        norm = f @ f
        factor = (h @ f) / norm if norm else 1.0
        terms = np.stack([*formula.terms(x), np.ones(len(x))], axis=1)
        fitted = terms @ np.linalg.lstsq(terms, h, rcond=None)[0]
        about_mean, about_zero = ((h - h.mean()) ** 2).sum(), (h**2).sum()
        columns.append(
            (
                _r2(h - factor * f, about_mean),
                _r2(h - f, about_mean),
                _r2(h - fitted, about_mean),
                _r2(h - factor * f, about_zero),
                factor,
            )
        )
    r2, as_derived, of_terms, about_zero_r2, fitted_unit = np.array(columns).T
    error = activation[-1] / unit - fitted_unit[-1] * formulas[-1](x)
    worst = int(np.abs(error).argmax())
    return Check(
        r2=r2,
        r2_as_derived=as_derived,
        r2_of_terms=of_terms,
        r2_about_zero=about_zero_r2,
        fitted_unit=fitted_unit,
        worst_error=float(error[worst]),
        worst_input=x[worst].copy(),
        typical=float(np.sqrt(((activation[-1] / unit) ** 2).mean())),
        conditions=_conditions(error**2, x),
    )


def r_squared(activation: NDArray[np.float64], said: NDArray[np.float64]) -> NDArray[np.float64]:
    """R^2 of a prediction of an activation, over the last axis; see :class:`Check`."""
    error = activation - said
    return np.array(
        [_r2(e, ((h - h.mean()) ** 2).sum()) for e, h in zip(error, activation, strict=True)]
    )


def _r2(error: NDArray[np.float64], deviation: float) -> float:
    squares = float((error**2).sum())
    if deviation == 0:
        return 1.0 if squares == 0 else -np.inf
    return 1 - squares / deviation


def _conditions(
    squared_error: NDArray[np.float64], x: NDArray[np.float64]
) -> tuple[Condition, ...]:
    n = x.shape[1]
    order = np.argsort(x, axis=1)
    total = squared_error.sum()
    masks = {
        "no input is positive": (x <= 0).all(axis=1),
        "the newest input is positive": x[:, -1] > 0,
        "the newest input is negative": x[:, -1] < 0,
    }
    for rank, name in ((1, "the largest input"), (2, "the second-largest input")):
        if rank <= n:
            for age in range(n):
                masks[f"{name} is x[t-{age}]" if age else f"{name} is x[t]"] = (
                    order[:, -rank] == n - 1 - age
                )
    found = (
        Condition(
            text,
            float(mask.mean()),
            float(squared_error[mask].sum() / total) if total else 0.0,
        )
        for text, mask in masks.items()
    )
    return tuple(sorted(found, key=lambda c: -c.concentration))
