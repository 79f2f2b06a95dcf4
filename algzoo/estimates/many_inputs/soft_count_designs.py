"""Designs of inputs for :mod:`.soft_count`: a few points in every class, spread evenly together.

A design has T points for each of the n (n - 1) classes of inputs, which are the positions of the
largest and the second largest. Each point has n + 2 coordinates between 0 and 1: one for every
position, for the inputs that are neither, one for the second largest and one for the largest. Every
coordinate takes the midpoints of equal intervals, each once. The assignment of midpoints to points
is found by repeatedly exchanging two values of a coordinate, so that

    sum over pairs of points of W prod over coordinates of (1 + k(u, u') / 5),
    k = 6 ((u - 1/2) (u' - 1/2) + (D^2 - D + 1/6) / 2),  D = abs(u - u'),

becomes small. This is a discrepancy, with weights W = 1 + 3 [same largest] + 3 [same second
largest] + 2 [same class]; no network is involved. Exchanges are kept as long as they raise the sum
by less than a threshold that falls to 0. :func:`write_designs` makes the designs that come with the
package.

References
----------
G. Dueck and T. Scheuer, "Threshold accepting", J. Computational Physics 90, 1990, for the exchange
algorithm.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...zoo.files import write_whole
from ..samplers.compiled import compiled, inlined

DESIGNS = Path(__file__).parents[1] / "data" / "soft_count_designs.json"
SEQ_LEN = 10
N_DESIGNS = {1: 16, 2: 16, 4: 16}  # by the number of points in a class

_EXCHANGES = 300_000
_FIRST_THRESHOLD = 2e-3  # threshold of the sum at the beginning
_GAMMA = 0.2

Array = NDArray[np.float64]


def classes(n: int) -> NDArray[np.int64]:
    """Positions of the largest and the second largest, shape (n (n - 1), 2)."""
    return np.array(list(permutations(range(n), 2)))


def design(per_class: int, number: int) -> Array:
    """Return one of the designs that come with the package, shape (n_points, n + 2).

    The points of a class are adjacent, in the order of :func:`classes`.

    Raises
    ------
    ValueError
        If there is no design with this number.
    """
    if per_class not in N_DESIGNS or not 0 <= number < N_DESIGNS[per_class]:
        raise ValueError(
            f"No design number {number} of {per_class} points in a class; there are, by points in "
            f"a class, {N_DESIGNS}"
        )
    ranks = np.array(_read()[str(per_class)][number])
    values: Array = (ranks.T + 0.5) / ranks.shape[1]
    return values


@cache
def _read() -> Any:
    return json.loads(DESIGNS.read_text("utf-8"))


def write_designs() -> Path:
    """Recompute all designs and replace the file that :func:`design` reads."""
    rows = [
        f'"{per_class}": [\n'
        + ",\n".join(json.dumps(made(per_class, k).tolist()) for k in range(n_designs))
        + "]"
        for per_class, n_designs in N_DESIGNS.items()
    ]
    write_whole(DESIGNS, ("{" + ",\n".join(rows) + "}\n").encode())
    _read.cache_clear()
    return DESIGNS


def made(per_class: int, number: int, exchanges: int = _EXCHANGES) -> NDArray[np.int64]:
    """Compute a design as ranks of the values of each coordinate, shape (n + 2, n_points)."""
    of_points = np.repeat(classes(SEQ_LEN), per_class, axis=0)
    n_points, n_coordinates = len(of_points), SEQ_LEN + 2
    rng = np.random.default_rng([per_class, number])
    keys = rng.random((n_coordinates, n_points))
    ranks = np.argsort(keys, axis=1, kind="stable")
    bits = rng.integers(0, 2**62, (exchanges, 3))
    bounds = np.array([n_coordinates, n_points, n_points])
    _exchange(ranks, _weights(of_points), bits % bounds)
    return ranks


def discrepancy(u: Array, per_class: int) -> float:
    """The sum over all pairs of points of a design of shape (n_points, n + 2)."""
    weights = _weights(np.repeat(classes(u.shape[1] - 2), per_class, axis=0))
    products = np.ones_like(weights)
    for column in u.T:
        products *= 1 + _GAMMA * _kernel(column[:, None], column)
    return float(np.sum(weights * products))


def _kernel(u: Any, v: Any) -> Any:
    d = np.abs(u - v)
    return 6 * ((u - 0.5) * (v - 0.5) + (d * d - d + 1 / 6) / 2)


def _weights(of_points: NDArray[np.int64]) -> Array:
    same = of_points[:, None] == of_points
    weights: Array = 1.0 + 3 * same[:, :, 0] + 3 * same[:, :, 1] + 2 * same.all(axis=2)
    return weights


@compiled
def _exchange(ranks: Any, weights: Any, tries: Any) -> None:
    n_coordinates, n_points = ranks.shape
    products = weights.copy()
    for v in range(n_coordinates):
        for a in range(n_points):
            for b in range(n_points):
                products[a, b] *= _factor(ranks[v, a], ranks[v, b], n_points)
    total = 0.0
    for a in range(n_points):
        for b in range(n_points):
            total += products[a, b]
    of_a, of_b = np.empty(n_points), np.empty(n_points)
    first = _FIRST_THRESHOLD * total / n_points
    for t in range(len(tries)):
        v, a, b = tries[t]
        if a == b:
            continue
        rank_a, rank_b = ranks[v, a], ranks[v, b]
        change = 0.0
        for c in range(n_points):
            if c not in (a, b):  # their product with each other does not change
                at_a = _factor(rank_a, ranks[v, c], n_points)
                at_b = _factor(rank_b, ranks[v, c], n_points)
                of_a[c] = products[a, c] / at_a * at_b
                of_b[c] = products[b, c] / at_b * at_a
                change += of_a[c] - products[a, c] + of_b[c] - products[b, c]
        of_a[b] = of_b[a] = products[a, b]
        of_a[a] = products[a, a] / _factor(rank_a, rank_a, n_points)
        of_a[a] *= _factor(rank_b, rank_b, n_points)
        of_b[b] = products[b, b] / _factor(rank_b, rank_b, n_points)
        of_b[b] *= _factor(rank_a, rank_a, n_points)
        change = 2 * change + of_a[a] - products[a, a] + of_b[b] - products[b, b]
        if change < first * (1 - (t + 1) / len(tries)):
            ranks[v, a], ranks[v, b] = rank_b, rank_a
            for c in range(n_points):
                products[a, c] = products[c, a] = of_a[c]
                products[b, c] = products[c, b] = of_b[c]


@inlined
def _factor(rank: int, other: int, n_points: int) -> float:
    u, v = (rank + 0.5) / n_points, (other + 0.5) / n_points
    d = abs(u - v)
    return 1.0 + _GAMMA * 6.0 * ((u - 0.5) * (v - 0.5) + (d * d - d + 1.0 / 6.0) / 2.0)
