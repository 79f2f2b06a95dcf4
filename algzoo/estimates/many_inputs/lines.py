"""Cubature over lines: the second-largest input moves between its neighbours, integrated exactly.

Given all other inputs, the second largest is a standard Gaussian number between the third and the
largest, T and M. Most errors occur close to the ends of that interval, where it is nearly tied. The
margins of the right logit over all others are evaluated at three points of the interval. Piecewise
linear functions through them give the zeros of each margin, and the Gaussian distribution gives the
probability that all margins are positive. Nothing is fitted.

The other inputs are Sobol points, mapped by the exact distribution of order statistics. Exchanging
the last two inputs gives a second input that is as good and shares all steps but two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from ...structure import weights_in_range
from ...zoo import Model
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..scope import Scope
from .prefix_tree import PrefixTree, prefix_tree

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Numbers = Any  # a numpy array, or one that counts

# Gauss's three nodes on (0, 1): the quantiles between T and M at which margins are evaluated.
_NODES = (1 + np.polynomial.legendre.leggauss(3)[0]) / 2


@dataclass(frozen=True)
class _Lines:
    """Lines of inputs; all but ``tree`` have shape (n_lines,), ``second`` (3, n_lines).

    The inputs of the tree have shape (3, n_lines), in this order.
    """

    tree: PrefixTree
    answer: Indices  # position of the second largest
    largest: Array
    second: Array
    third: Array


@estimator(
    "lines, {rows} points",
    scope=Scope("2nd_argmax", at_least=4),
    budgets=[{"rows": rows} for rows in (64, 128)],
    scrambles=True,
    runs_network="chosen inputs",
    exact="approximate",
    constants="none",
    source="this book, chapter on M16,10; it grew out of the offset formula",
    references=("owen1998",),
    cost="O(points n d^2)",
    fails_when="margins are not linear between the points of a line; more points do not help",
)
def line_cubature(model: Model, rows: int, scramble: int) -> Tally:
    """Accuracy of a 2nd-argmax model by cubature over lines of inputs.

    Margins are piecewise linear here. On the models of the book this causes an error of less than a
    hundredth, which more rows do not reduce.

    Parameters
    ----------
    model
        The model.
    rows
        Points of the Sobol sequence, a power of two; each gives two lines of three inputs.
    scramble
        Seed of the scramble. With one scramble all models see the same inputs, so that their errors
        are correlated.

    Raises
    ------
    ValueError
        If ``rows`` is not a power of two.
    """
    weights = weights_in_range(model)
    if rows < 2 or rows & (rows - 1):
        raise ValueError(f"rows must be a power of two and at least 2, got {rows}")
    lines = _lines(model.seq_len, rows, scramble)
    counter = OperationCounter()
    counter.counts["multiply_add"] += lines.tree.operations(model.hidden_size)
    logits = counter.array(lines.tree.logits(weights).reshape(3, 2 * rows, model.seq_len))
    others = np.array([[k for k in range(model.seq_len) if k != answer] for answer in lines.answer])
    line = np.arange(2 * rows)[:, None]
    margins = logits[:, line, lines.answer[:, None]] - logits[:, line, others]
    value = np.mean(_probability_right(margins, lines))
    return Tally(value.item(), counter)


def _probability_right(margins: Numbers, lines: _Lines) -> Numbers:
    """Probability on each line that all margins, shape (3, n_lines, n - 1), are positive."""
    right: Numbers = 0.0
    ends = ((lines.third, lines.second[1]), (lines.second[1], lines.largest))
    for piece, (start, stop) in enumerate(ends):
        knots = lines.second[piece], lines.second[piece + 1]
        low, high = (
            np.minimum(np.maximum(end, start), stop)
            for end in right_interval(*knots, margins[piece], margins[piece + 1])
        )
        right = right + np.maximum(ndtr(high) - ndtr(low), 0)
    return right / (ndtr(lines.largest) - ndtr(lines.third))


def right_interval(
    here: Array, there: Array, margins_here: Numbers, margins_there: Numbers
) -> tuple[Numbers, Numbers]:
    """Return the interval where linear margins are all positive, as two ends of shape (n_lines,).

    ``here`` and ``there``, of the same shape, are the points at which the margins, of shape
    (n_lines, n_margins), are known. The ends may be infinite, and are in the wrong order if the
    margins are nowhere positive together.
    """
    rise = margins_there - margins_here
    level = rise == 0
    slope = np.where(level, 1.0, rise) / (there - here)[:, None]
    crossing = here[:, None] - margins_here / slope
    # A margin that does not change is positive everywhere or nowhere.
    crossing = np.where(level, np.where(margins_here > 0, -np.inf, np.inf), crossing)
    from_below = (rise > 0) | level
    low = np.max(np.where(from_below, crossing, -np.inf), axis=-1)
    high = np.min(np.where(from_below, np.inf, crossing), axis=-1)
    return low, high


@cache
def _lines(n: int, rows: int, scramble: int) -> _Lines:
    generator = np.random.default_rng(scramble)
    sobol = qmc.Sobol(n, scramble=True, rng=generator).random_base2(rows.bit_length() - 1)
    # A scrambled point may be 0 and so, after a root, may the largest be 1: quantiles are infinite.
    u = np.clip(generator.permutation(sobol), 2.0**-31, 1 - 2.0**-31)
    # Positions of the three largest: the rows take every k-th of all choices, at equal distances.
    positions = np.array(list(permutations(range(n), 3)))
    strata = (np.arange(rows) + generator.random()) / rows
    roles = positions[(strata * len(positions)).astype(int)]

    # The largest of m uniform numbers below c is c u^(1/m).
    levels = np.cumprod(u[:, :3] ** (1 / np.array([n, n - 1, n - 2])), axis=1)
    largest, third = levels[:, 0], levels[:, 2]
    second = third + (largest - third) * _NODES[:, None]
    quantiles = np.empty((3, rows, n))
    row = np.arange(rows)
    for t, (role, values) in enumerate(zip(roles, u, strict=True)):
        rest = [position for position in range(n) if position not in role]
        quantiles[:, t, rest] = third[t] * values[3:]
    for position, values in zip(roles.T, (largest, second, third), strict=True):
        quantiles[:, row, position] = values

    exchanged = [*range(n - 2), n - 1, n - 2]
    x = ndtri(np.concatenate([quantiles, quantiles[..., exchanged]], axis=1))
    answer = np.concatenate([roles[:, 1], np.array(exchanged)[roles[:, 1]]])
    tree = prefix_tree(x.reshape(-1, n))
    return _Lines(tree, answer, *(np.tile(ndtri(v), 2) for v in (largest, second, third)))
