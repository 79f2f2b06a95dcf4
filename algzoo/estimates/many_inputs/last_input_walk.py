"""Exact integration over the last input, by a walk from one event to the next.

Given the inputs before it, every logit is piecewise linear in the last input x, and the right
answer changes twice: below the lower of two earlier inputs it is the position of that input, above
the upper one the position of the upper, and in between it is the last position. For 2nd argmax the
two are the second largest and the largest of the earlier inputs, for argmedian the two in the
middle.

The walk begins at x = -5.25 with all logits and their slopes, and goes from knot to knot; at a knot
a neuron switches or the right answer changes. There it only needs to know which logit is the
largest. On a piece all logits are linear, so that the model is right on the whole piece if it is
right at both ends, and wrong on the whole piece if it gives the same wrong answer at both ends.
Roots are computed only on the other pieces, and the normal distribution function only where the
model begins or ceases to be right. Beyond the ends of the walk, which have a probability of 1.6e-7,
the model counts as right if it is right at the end.

The answer is the first largest logit. If no neuron is active, all logits are 0, and the answer is
0.

This module has the walk for numbers that count their operations, and the cost of walks in closed
form, from the events that :mod:`.last_input_kernel` reports. Finding the two earlier inputs is
free, as arranging inputs is free for every sampler (:mod:`algzoo.estimates.samplers`).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...structure import Weights
from ..counting.counter import PRICES, CountedNumber, OperationCounter, plain

REACH = 5.25  # the walk goes from -REACH to REACH

Answers = tuple[int, int, int]


class Events(NamedTuple):
    """Events on walks, summed over walks.

    Attributes
    ----------
    walks
        Number of walks.
    late
        Neurons that switch above the start.
    active
        Neurons that are active at the start.
    sorting
        Comparisons of sorting the knots, ``m ceil(log2 m)`` for m of them.
    knots, switches
        Knots, and knots at which a neuron switches.
    pieces
        Pieces on which some neuron is active, except those at whose end the last one switches off.
    starts
        Walks at whose start some neuron is active.
    changes
        Changes of the right answer.
    roots, violators
        Pieces at one end of which the model is right, and the logits that are ahead at the other
        end.
    crossings, falling
        Pieces at whose ends the model gives different wrong answers, and the logits there over
        which the lead of the right one does not rise.
    passages
        Crossings with a stretch in between on which the model is right.
    ends
        Ends of the intervals on which the model is right that are not roots.
    """

    walks: int
    late: int
    active: int
    sorting: int
    knots: int
    switches: int
    pieces: int
    starts: int
    changes: int
    roots: int
    violators: int
    crossings: int
    falling: int
    passages: int
    ends: int

    @property
    def normal_probabilities(self) -> int:
        """Number of evaluations of the normal distribution function."""
        return self.roots + 2 * self.passages + self.ends

    def operations(self, n: int, d: int) -> int:
        """Number of operations of the walks of a model with ``n`` outputs and ``d`` neurons.

        It equals what the counter counts for :func:`walk`, as a test checks.
        """
        total: int = (
            self.walks * (2 * d + 4)  # where neurons switch; the two earlier inputs
            + self.late  # whether they switch below the end
            + self.active * (1 + 2 * n)
            + self.sorting
            + self.knots * 3  # its kind, how many neurons are active, and whether any is
            + self.switches * n
            + self.pieces * (2 * n + 2)
            + self.starts * (n - 1)
            + self.changes
            + self.walks  # right or not at the start
            + self.roots * (n + 1)
            + self.violators * 4
            + self.crossings * (5 * (n - 1) + 1)
            + self.falling
            + self.passages * 4
            + self.ends
            + self.walks  # right or not at the end
            + PRICES["transcendental"] * self.normal_probabilities
        )
        return total


class Prepared(NamedTuple):
    """Weights as the walks need them; made by :func:`prepared`."""

    w_hi: NDArray[Any]  # (d,)
    w_oh: NDArray[Any]  # (n, d)
    slopes: NDArray[Any]  # (n, d): slopes of the logits, by active neuron
    rises: list[bool]  # whether a neuron is active above its switch
    flat: list[bool]  # whether a neuron has no input weight


def prepared(weights: Weights, counter: OperationCounter) -> Prepared:
    """Prepare a model's weights for walks that count; :func:`operations_of_weights` is the cost."""
    w_hi, w_oh = counter.lift(weights.w_hi), counter.lift(weights.w_oh)
    slopes = counter.lift(np.vectorize(plain, otypes=[float])(w_oh * w_hi))
    return Prepared(w_hi, w_oh, slopes, [w >= 0 for w in w_hi], [w == 0 for w in w_hi])


def operations_of_weights(n: int, d: int) -> int:
    """Operations on the weights of a model before its first walk: slopes, signs, zeros."""
    return n * d + 2 * d


def walk(
    weights: Prepared, drive: NDArray[Any], low: Any, high: Any, answers: Answers
) -> tuple[float, Events]:
    """Probability, over the last input, that the model is right, and the events on the walk.

    Parameters
    ----------
    weights
        Prepared weights of the model.
    drive
        W_hh times the state after the earlier inputs, shape (d,), in counted numbers: at the end
        the neurons hold ``ReLU(drive + w_hi x)``.
    low, high
        The two inputs at which the right answer changes, in counted numbers.
    answers
        The right answer below ``low``, between the two, and above ``high``.
    """
    return _Walk(weights, drive, low, high, answers).probability()


class _Walk:
    def __init__(
        self, model: Prepared, drive: NDArray[Any], low: Any, high: Any, answers: Answers
    ) -> None:
        self.model = model
        self.answers = answers
        self.counter: OperationCounter = low.counter
        self.met = dict.fromkeys(Events._fields, 0)
        self.met["walks"] = 1
        self.total: Any = CountedNumber(0.0, self.counter)
        n, d = model.w_oh.shape
        self.value = np.full(n, CountedNumber(0.0, self.counter))
        self.slope = self.value
        self.n_active = 0
        knots = []
        for i in range(d):
            switch = self._switch(i, drive[i])
            late = switch > -REACH
            self.met["late"] += late
            if late and switch < REACH:
                knots.append((plain(switch), i))
            if late != model.rises[i]:
                self.n_active += 1
                at_start = drive[i] + model.w_hi[i] * -REACH
                self.value = self.value + model.w_oh[:, i] * at_start
                self.slope = self.slope + model.slopes[:, i]
        self.met["active"] = self.n_active
        self.met["switches"] = len(knots)
        self.answer = answers[0]
        for number, threshold in enumerate((low, high)):
            above_start, below_end = threshold > -REACH, threshold < REACH
            if above_start and below_end:
                knots.append((plain(threshold), -1 - number))
            elif not above_start:
                self.answer = answers[number + 1]
        m = len(knots)
        self.met["knots"] = m
        self.met["sorting"] = m * (m - 1).bit_length() if m else 0
        self.counter.charge("compare", self.met["sorting"])
        self.knots = [(CountedNumber(x, self.counter), kind) for x, kind in sorted(knots)]

    def _switch(self, i: int, drive: Any) -> Any:
        if self.model.flat[i]:
            return CountedNumber(-math.inf if drive > 0 else math.inf, self.counter)
        return -drive / self.model.w_hi[i]

    def probability(self) -> tuple[float, Events]:
        """Return the result; this can be called once."""
        x: Any = CountedNumber(-REACH, self.counter)
        self.says = 0
        if self.n_active:
            self.met["starts"] += 1
            self.says = self._largest(self.value)
        self.right = self._is_right()
        for knot, kind in self.knots:
            self.counter.charge("compare", 2)
            self.counter.charge("add", 1)
            step = 0 if kind < 0 else 1 if self.model.rises[kind] else -1
            if self.n_active and self.n_active + step:
                self._piece(x, knot)
            self.n_active += step
            x = knot
            if kind < 0:
                self.met["changes"] += 1
                self.answer = self.answers[-kind]
                self._turn(self._is_right(), x)
            elif self.n_active:
                change = self.model.slopes[:, kind]
                self.slope = self.slope + change if step > 0 else self.slope - change
            else:
                self.counter.charge("add", len(self.value))  # as for any other switch
                # From here on the logits are set to 0, without rounding errors.
                self.value = self.slope = np.full(len(self.value), CountedNumber(0.0, self.counter))
                self.says = 0
                self._turn(self.answer == 0, x)
        if self.n_active:
            self._piece(x, REACH)
        return plain(self.total + (1.0 if self.right else 0.0)), Events(**self.met)

    def _is_right(self) -> bool:
        self.counter.charge("compare", 1)
        return self.says == self.answer

    def _largest(self, value: NDArray[Any]) -> int:
        best = 0
        for j in range(1, len(value)):
            if value[j] > value[best]:
                best = j
        return best

    def _turn(self, now: bool, x: Any) -> None:
        if now != self.right:
            self.right = now
            self.met["ends"] += 1
            self._end_at(x)

    def _end_at(self, x: Any) -> None:
        """Record that the model begins to be right at ``x``, or ceases to be."""
        self.total = self.total - self._phi(x) if self.right else self.total + self._phi(x)

    def _phi(self, x: Any) -> float:
        self.counter.charge("transcendental", 1)
        return float(special.ndtr(plain(x)))

    def _piece(self, x: Any, stop: Any) -> None:
        self.met["pieces"] += 1
        there = self.value + self.slope * (stop - x)
        before, self.says = self.says, self._largest(there)
        will_be_right = self._is_right()
        self.counter.charge("compare", 1)  # with the answer before
        if will_be_right != self.right:
            self.right = will_be_right
            self._end_at(x + self._root(self.value if will_be_right else there))
        elif not self.right and self.says != before:
            self._crossing(x, stop)
        self.value = there

    def _root(self, where_wrong: NDArray[Any]) -> Any:
        """Point where the model begins or ceases to be right, from the start of the piece."""
        self.met["roots"] += 1
        root = None
        for j in range(len(where_wrong)):
            if j != self.answer and where_wrong[j] >= where_wrong[self.answer]:
                self.met["violators"] += 1
                rise = self.slope[self.answer] - self.slope[j]
                crossing = -(self.value[self.answer] - self.value[j]) / rise
                self.counter.charge("compare", 1)
                if root is None or (plain(crossing) > plain(root)) == self.right:
                    root = crossing
        return root

    def _crossing(self, x: Any, stop: Any) -> None:
        """Treat a piece at whose ends the model gives different wrong answers."""
        self.met["crossings"] += 1
        first, last = 0.0, plain(stop) - plain(x)
        for j in range(len(self.value)):
            if j == self.answer:
                continue
            lead = self.value[self.answer] - self.value[j]
            rise = self.slope[self.answer] - self.slope[j]
            if rise > 0:
                root = -lead / rise
                first = plain(root) if root > first else first
            else:
                self.met["falling"] += 1
                if rise < 0:
                    root = -lead / rise
                    last = plain(root) if root < last else last
                elif lead <= 0:
                    last = -math.inf
        if CountedNumber(first, self.counter) < last:
            self.met["passages"] += 1
            self.total = self.total - self._phi(x + first)
            self.total = self.total + self._phi(x + last)
