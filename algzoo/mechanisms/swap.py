r"""A tampered model whose hidden states have the law of the untampered model's.

For three inputs, neurons are added that make a model treat (x0, x1, x2) as (x1, x0, x2) if (x0, x1)
is in one of two wedges of the plane, each the mirror image of the other. The model then names the
wrong one of the first two inputs. But a Gaussian does not change when two of its numbers are
exchanged, and nor do the two wedges together. So the old neurons' states have the same law as
before, on the wedges and elsewhere: not only the mean and the covariance are the same.

*The neurons.* With x0 > 0 and t = x1 / x0, the old neurons need another drive after x1,

    D(t) = W_hh (h(t, 1) - h(1, t)) x0,   h(x0, x1) the state after two inputs,

for t in a wedge, and no change elsewhere. D is piecewise linear. A narrow ramp on either side makes
it continuous, and so it is a sum of hinges c ReLU(x1 - t x0). For each hinge there is a neuron with
input weight 1 that reads ReLU(x0) with weight -t and ReLU(-x0) with the weight -2^20. The sums of c
and of c t are 0, exactly, because the t and the slopes of D are rounded to multiples of powers of
two. So the hinges cancel beyond a wedge, also for x0 < 0, where all of them are equal, and after
the first input, when each holds ReLU(x0).

*What is left at the end.* The two neurons that hold ReLU(x0) and ReLU(-x0) are read by themselves
with the weight -2^20, so that they are 0 after x1. Hence all added neurons hold ReLU(x2) or
ReLU(-x2) after x2, and the law of the whole last state is unchanged. There are two exceptions,
whose probability is :attr:`Swapped.exceptions`: the ramps, and abs(x1) > 2^20 abs(x0).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..estimates.scope import Scope
from ..structure import Weights, model_with, weights_in_range
from ..zoo import DistRNN, Model
from .facts import Booleans, Condition, Facts, Floats

_SCOPE = Scope("2nd_argmax", inputs=3)
_RAMP = 2.0**-20  # width in t
_PLACES, _SLOPES = 2.0**24, 2.0**22  # places t and slopes of D are multiples of 1 over these
_STEEP = 2.0**20
_CENTRE = math.atan(0.5)  # direction of the middle of the wedge below the diagonal
_LARGEST = 0.1


@dataclass(frozen=True, eq=False)
class Swapped:
    """Model that exchanges the first two inputs in two wedges.

    Attributes
    ----------
    model
        The tampered model, in float64.
    idle
        The same model, with added neurons that nothing reads: it computes what the old one does.
    acts
        The condition that the input is in one of the wedges, ramps included.
    exceptions
        Bound on the probability of inputs at which the law of the last states may differ.
    """

    model: DistRNN
    idle: DistRNN
    acts: Condition
    exceptions: float


def plant_swap(model: Model, mass: float) -> Swapped:
    """Add neurons that exchange the first two of three inputs in two wedges.

    Parameters
    ----------
    model
        A 2nd-argmax model of three inputs. It is not changed.
    mass
        Probability of the wedges, at most 0.1. The exact one, which differs by about 1e-7, is the
        sum over the cones that meet ``acts``.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of three inputs, or if ``mass`` is out of range.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> swapped = plant_swap(zoo_2nd_argmax(4, 3), mass=0.01)
    >>> swapped.exceptions < 2e-6
    True
    """
    _SCOPE.check(model, "a planted swap")
    if not 1e-5 <= mass <= _LARGEST:
        raise ValueError(f"mass must be between 1e-5 and {_LARGEST}, got {mass}")
    weights = weights_in_range(model)
    places: list[float] = []
    changes: list[Floats] = []
    wedges = []
    below = [math.tan(_CENTRE + sign * mass * math.pi / 2) for sign in (-1, +1)]
    for low, high in (below, (1 / below[1], 1 / below[0])):
        here, slopes = _hinges(weights, _rounded(low, _PLACES), _rounded(high, _PLACES))
        d = len(weights.w_hi)
        wedges.append((d + 2 + len(places), d + 1 + len(places) + len(here)))
        places += here
        changes += slopes
    exceptions = 4 * _RAMP / (2 * math.pi) + 2 / (math.pi * _STEEP)
    return Swapped(
        _with_neurons(weights, places, np.transpose(changes)),
        _with_neurons(weights, places, np.zeros((len(weights.w_hi), len(places)))),
        lambda facts: _in_wedges(facts, wedges),
        exceptions,
    )


def _hinges(weights: Weights, low: float, high: float) -> tuple[list[float], list[Floats]]:
    """Places t of the hinges of one wedge, and the coefficients c of each, one for each neuron."""
    start = weights.w_hh @ np.maximum(weights.w_hi, 0)
    kinks = []
    for a, w in zip(start, weights.w_hi, strict=True):
        kinks += [-a / w] if w else []
        kinks += [-w / a] if a else []
    inner = {_rounded(t, _PLACES) for t in kinks if low < t < high} - {low, high}
    places = [low - _RAMP, low, *sorted(inner), high, high + _RAMP]
    values = [np.zeros(len(start)), *(_change(weights, t) for t in places[1:-1])]
    slopes = [
        np.round((after - before) / (right - left) * _SLOPES) / _SLOPES
        for (before, after), (left, right) in zip(pairwise(values), pairwise(places), strict=False)
    ]
    # The last ramp leads back to exactly 0; its width is a power of two.
    reached = sum(
        slope * (right - left)
        for slope, (left, right) in zip(slopes, pairwise(places), strict=False)
    )
    slopes.append(-np.asarray(reached) / _RAMP)
    nothing = np.zeros(len(start))
    return places, [after - before for before, after in pairwise([nothing, *slopes, nothing])]


def _change(weights: Weights, t: float) -> Floats:
    """D(t): the change of the drive of each neuron, for x0 = 1."""

    def state(x0: float, x1: float) -> Floats:
        first = np.maximum(weights.w_hi * x0, 0)
        second: Floats = np.maximum(weights.w_hh @ first + weights.w_hi * x1, 0)
        return second

    change: Floats = weights.w_hh @ (state(t, 1.0) - state(1.0, t))
    return change


def _rounded(number: float, multiple: float) -> float:
    return round(number * multiple) / multiple


def _with_neurons(weights: Weights, places: Sequence[float], changes: Floats) -> DistRNN:
    """The model with two neurons that hold the first input, and with the hinges."""
    d, size = len(weights.w_hi), len(weights.w_hi) + 2 + len(places)
    up, down, hinges = d, d + 1, slice(d + 2, size)
    w_hi = np.concatenate([weights.w_hi, [1, -1], np.ones(len(places))])
    w_hh = np.zeros((size, size))
    w_hh[:d, :d] = weights.w_hh
    w_hh[up : down + 1, up : down + 1] = -_STEEP
    w_hh[hinges, up] = -np.asarray(places)
    w_hh[hinges, down] = -_STEEP
    w_hh[:d, hinges] = changes
    return model_with(Weights(w_hi, w_hh, np.pad(weights.w_oh, ((0, 0), (0, size - d)))))


def _in_wedges(facts: Facts, wedges: Sequence[tuple[int, int]]) -> Booleans:
    """Whether the first hinge of a wedge is active after x1, and its last hinge is not."""
    after = facts.active[:, 1]
    found: Booleans = np.any([after[:, first] & ~after[:, last] for first, last in wedges], axis=0)
    return found
