"""Sectors of the last two inputs that are left out because their probability is small."""

from __future__ import annotations

import math

from scipy import special

from ...structure.geometry.solid_angle import scaled
from ...structure.geometry.sweep import Ray
from ...zoo import Model
from ..counting.counter import CountedNumber, OperationCounter, plain

MOST_LEFT_OUT = 0.01  # the largest probability of a sector that may be left out

_LEAST = 1e-4
_FEWEST_NEURONS = 8  # with fewer, finding the small sectors costs as much as it saves


def least_for(model: Model, least: float | None, what: str, number: int) -> float:
    """Return ``least`` or, if it is ``None``, the probability below which leaving out is worth it.

    That is 0 for small models. ``number`` is the budget, and ``what`` is its name.

    Raises
    ------
    ValueError
        If ``least`` is out of range or ``number`` is not positive.
    """
    if least is None:
        least = _LEAST if model.hidden_size >= _FEWEST_NEURONS else 0.0
    if number < 1 or not 0 <= least <= MOST_LEFT_OUT:
        raise ValueError(
            f"{what} must be positive and least from 0 to {MOST_LEFT_OUT}, got {what} {number} and "
            f"least {least}"
        )
    return least


class LeftOut:
    """Sectors that are left out, given the direction of the inputs before, and their probability.

    With r the length of these p inputs, the last input but one over r is distributed as Student's t
    with p degrees of freedom, divided by the square root of p.

    Parameters
    ----------
    n_given
        How many inputs are given: p.
    length
        Length of these inputs where the coordinate a is 1.
    least
        Sectors of less than this probability are left out.
    counter
        Counter of the operations of this test.

    Attributes
    ----------
    total
        Probability of everything that was left out so far.
    """

    def __init__(
        self, n_given: int, length: CountedNumber, least: float, counter: OperationCounter
    ) -> None:
        self.n_given = n_given
        self.length = length / math.sqrt(n_given)
        self.least = least
        self.counter = counter
        self.total = 0.0
        self._below: dict[Ray, CountedNumber] = {}

    def __call__(self, start: Ray, stop: Ray) -> bool:
        """Tell whether the sector between two rays is left out; if so, its probability is added."""
        mass = self._probability_below(stop) - self._probability_below(start)
        if mass < self.least:
            self.total = plain(mass + self.total)
            return True
        return False

    def _probability_below(self, ray: Ray) -> CountedNumber:
        if ray not in self._below:
            self._below[ray] = CountedNumber(self._student(ray), self.counter)
        return self._below[ray]

    def _student(self, ray: Ray) -> float:
        a, b = plain(ray.a), plain(ray.b)
        if a == 0:
            return float(b > 0)
        self.counter.charge("transcendental", 1)
        x, y = (CountedNumber(number, self.counter) for number in scaled(a, b))
        return float(special.stdtr(self.n_given, plain(y / (x * self.length))))
