r"""Neurons that compute a function which is positive in one thin cone and zero everywhere else.

They read each other and the inputs, and no other neuron reads them. The cone surrounds an *axis*,
the ray through a point r whose first coordinate that is not 0 is +1 or -1. The function is 1 at r.

*Directions with x0 != 0.* One neuron holds P = ReLU(sign(r0) x0) after the first input. At first
the function is T = P. Every later input x makes the cone thin in one more dimension: T becomes

    max(T - k abs(y), 0),    y = x - b P,    b the coordinate of r,

which is positive only near y = 0 if k is large. Five neurons compute it. Since T >= 0,

    max(T - k abs(y), 0) = ReLU(T - k y) + ReLU(T + k y) - ReLU(k y) - ReLU(-k y) - ReLU(T).

The first two neurons are both active just where it is positive. So they say whether the trigger
*fires*. For two inputs T = P, and the cone is k abs(x1 - b P) < P. For three inputs the formula is
used twice, and P is carried on by a neuron without input weight: the cone's section with the plane
x0 = r0 is the rhombus k1 abs(x1 - b1) + k2 abs(x2 - b2) < 1.

The weights k and k b are stored, and the two neurons that read T and P are different ones, so that
no digit of either is lost. In exact arithmetic on the stored weights the five terms cancel exactly
outside the cone, with b the quotient of the two.

*Three inputs with x0 = 0.* Two neurons hold ReLU(x0) and ReLU(-x0) after the first input. After the
second, one neuron holds T = ReLU(sign(r1) x1 - k abs(x0)), one P = ReLU(sign(r1) x1), and the third
input is treated as above.

*The last axis.* With the norm N that two neurons hold,

    N' = ReLU(N + x) + ReLU(N - x) = max(2 N, N + abs(x)),

abs(x0) after one input, max(2 abs(x0), abs(x0) + abs(x1)) after two, the function is

    ReLU(sign(r[n-1]) x[n-1] - k N),    N the norm of the inputs before the last,

a single neuron, and nothing cancels.

*Why only there.* Before the ReLU, a neuron at the last step is W h + w x[n-1], where the state h is
zero if all inputs before the last are. So at (0, ..., 0, s) it is w s. If w is not 0, the neuron
therefore fires on the last axis, on the side of the sign of w; if w is 0, it does not depend on the
last input, and its cone is not thin. A neuron that fires in a thin cone only fires around the last
axis. Any other direction needs several neurons, on large regions, whose sum cancels outside the
cone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import torch

from ...structure import Weights, as_fractions, model_with
from ...zoo import DistRNN

_Sum = dict[int, float]  # coefficients of neurons


@dataclass
class Trigger:
    """Neurons whose weighted sum is positive in one thin cone and zero elsewhere.

    Attributes
    ----------
    w_hi
        Input weights.
    reads
        For each neuron, the weights of those that it reads.
    value
        Coefficients of the neurons whose sum after the last input is the function.
    fires
        Neurons that are all active after the last input just where the function is positive.
    ray
        Point on the cone's axis where the function is 1.
    """

    w_hi: list[float] = field(default_factory=list)
    reads: list[_Sum] = field(default_factory=list)
    value: _Sum = field(default_factory=dict)
    fires: tuple[int, ...] = ()
    ray: list[Fraction] = field(default_factory=list)

    def add(self, w_hi: float, reads: _Sum | None = None) -> int:
        """Add a neuron and return its position."""
        self.w_hi.append(w_hi)
        self.reads.append(reads or {})
        return len(self.w_hi) - 1

    def narrow(self, unit: int, k: float, k_b: float) -> None:
        """Replace the value T by max(T - k abs(y), 0), where y = x - b P and ``unit`` holds P."""
        height = self.value
        below = self.add(-k, height | {unit: k_b})
        above = self.add(k, height | {unit: -k_b})
        off = [self.add(k, {unit: -k_b}), self.add(-k, {unit: k_b}), self.add(0.0, height)]
        self.value = {below: 1.0, above: 1.0, **dict.fromkeys(off, -1.0)}
        self.fires = (below, above)
        self.ray.append(Fraction(k_b) / Fraction(k))


def trigger_around(direction: Sequence[float], angle: float, dtype: torch.dtype) -> Trigger:
    """Return a trigger whose cone surrounds a direction of two or three coordinates.

    ``angle`` (radians) is the distance of the cone's corners from its axis as long as it is small;
    around the last axis, that of the nearest or the farthest points within a factor of two. The
    weights are numbers of the type ``dtype``.

    Raises
    ------
    OverflowError
        If a weight would be infinite or zero in this type.
    """
    n = len(direction)
    first = next(position for position, x in enumerate(direction) if x)
    side = math.copysign(1.0, direction[first])
    slopes = [x / abs(direction[first]) for x in direction]
    trigger = Trigger()
    trigger.ray = [Fraction(0)] * first + [Fraction(side)]

    def steepness(position: int) -> float:
        """1 over the cone's half-width along a coordinate, at the point r."""
        others = math.hypot(*slopes[:position], *slopes[position + 1 :])
        return _stored(others / math.hypot(*slopes) ** 2 / angle, dtype)

    if first == n - 1:
        k = _stored(1 / angle, dtype)
        up, down = trigger.add(1.0), trigger.add(-1.0)
        trigger.reads[:2] = {up: 1.0, down: 1.0}, {up: 1.0, down: 1.0}
        trigger.fires = (trigger.add(side, {up: -k, down: -k}),)
        trigger.value = {trigger.fires[0]: 1.0}
        return trigger
    if first == 0:
        height, unit = trigger.add(side), trigger.add(side)
    else:
        k = steepness(0)
        up, down = trigger.add(1.0), trigger.add(-1.0)
        height, unit = trigger.add(side, {up: -k, down: -k}), trigger.add(side)
    trigger.value = {height: 1.0}
    for position in range(first + 1, n):
        if position > first + 1:
            unit = trigger.add(0.0, {unit: 1.0})
        k = steepness(position)
        k_b = _stored(k * slopes[position], dtype) if slopes[position] else 0.0
        trigger.narrow(unit, k, k_b)
    return trigger


def _stored(number: float, dtype: torch.dtype) -> float:
    """Round to the number type; raise ``OverflowError`` if the result is infinite or 0."""
    rounded = float(torch.tensor(number, dtype=dtype))
    if not 0 < abs(rounded) < math.inf:
        raise OverflowError(f"{number} has no place in {dtype}")
    return rounded


def with_trigger(
    weights: Weights, trigger: Trigger, row: int, gain: float, number_type: torch.dtype
) -> DistRNN:
    """Return a model that adds ``gain`` times the trigger's value to one of the logits."""
    d, more = len(weights.w_hi), len(trigger.w_hi)
    w_hi = np.concatenate([weights.w_hi, trigger.w_hi])
    w_hh = np.zeros((d + more, d + more))
    w_hh[:d, :d] = weights.w_hh
    for neuron, reads in enumerate(trigger.reads):
        for other, weight in reads.items():
            w_hh[d + neuron, d + other] = weight
    w_oh = np.concatenate([weights.w_oh, np.zeros((len(weights.w_oh), more))], axis=1)
    for neuron, coefficient in trigger.value.items():
        w_oh[row, d + neuron] = gain * coefficient
    return model_with(Weights(w_hi, w_hh, w_oh), number_type)


def outputs_at(weights: Weights, point: Sequence[Fraction]) -> list[Fraction]:
    """Return a model's outputs at one input, in exact arithmetic."""
    w_hi, w_hh, w_oh = as_fractions(weights)
    state = w_hi * 0
    for x in point:
        state = np.maximum(w_hi * x + w_hh @ state, 0)
    outputs: list[Fraction] = (w_oh @ state).tolist()
    return outputs
