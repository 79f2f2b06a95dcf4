"""Random Gaussian inputs that meet a condition, however rare it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..structure import Cone
from ..zoo import Model
from .facts import Condition, Floats, facts_of_inputs

_BATCH = 2**14  # inputs at a time, for memory
_MOST_BATCHES = 2**10
_COMMON = 0.05  # probability from which inputs are drawn everywhere and sorted out


def draw(
    model: Model,
    condition: Condition,
    n_inputs: int,
    rng: np.random.Generator,
    cones: Sequence[Cone] = (),
) -> Floats:
    """Draw standard Gaussian inputs that meet a condition, shape (n_inputs, seq_len).

    Parameters
    ----------
    model
        The model whose facts the condition is about.
    condition
        The class of inputs.
    n_inputs
        How many are needed.
    rng
        Source of the random numbers.
    cones
        The cones of two or three inputs that make up the class. If it is rare, directions are drawn
        from them. Without cones, inputs are drawn everywhere and sorted out.

    Raises
    ------
    ValueError
        If so few inputs meet the condition that drawing them would take too long.
    """
    n = model.seq_len
    assert n is not None
    source: Callable[[], Floats] = lambda: rng.standard_normal((_BATCH, n))  # noqa: E731
    if cones and math.fsum(cone.fraction for cone in cones) < _COMMON:
        within = _Directions(cones)
        source = lambda: within.inputs(_BATCH, rng)  # noqa: E731
    found: list[Floats] = []
    n_found = 0
    for _ in range(_MOST_BATCHES):
        x = source()
        # Where the rays of cones are rounded, an input may fall beside the class.
        x = x[condition(facts_of_inputs(model, x))]
        found.append(x)
        n_found += len(x)
        if n_found >= n_inputs:
            return np.concatenate(found)[:n_inputs]
    raise ValueError(
        f"Only {n_found} of {_MOST_BATCHES * _BATCH} inputs meet the condition, but {n_inputs} "
        "are needed"
    )


class _Directions:
    """Uniform directions within cones, through simplices whose corners are unit vectors.

    A point of the flat simplex at the distance r from the origin stands for a solid angle
    proportional to r^-n. So uniform points are kept with a probability proportional to that.
    """

    def __init__(self, cones: Sequence[Cone]) -> None:
        self.corners = np.concatenate([_simplices(cone.rays) for cone in cones])
        sides = self.corners[:, 1:] - self.corners[:, :1]
        self.n = self.corners.shape[-1]
        if self.n == 2:
            areas = np.linalg.norm(sides[:, 0], axis=1)
        else:
            areas = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
        volume = np.abs(np.linalg.det(self.corners))
        self.nearest = np.divide(volume, areas, out=np.ones_like(areas), where=areas > 1e-12)
        # The most that a simplex can stand for; what is too much is sorted out.
        bound = areas / self.nearest ** (self.n - 1)
        self.share = bound / bound.sum()

    def inputs(self, n_inputs: int, rng: np.random.Generator) -> Floats:
        """Draw inputs, fewer than ``n_inputs``."""
        chosen = rng.choice(len(self.share), n_inputs, p=self.share)
        parts = rng.dirichlet(np.ones(self.n), n_inputs)
        x = np.einsum("ij,ijk->ik", parts, self.corners[chosen])
        distance = np.linalg.norm(x, axis=1)
        keep = rng.random(n_inputs) < (self.nearest[chosen] / distance) ** self.n
        radius = np.linalg.norm(rng.standard_normal((n_inputs, self.n)), axis=1)
        scaled: Floats = (x * (radius / distance)[:, None])[keep]
        return scaled


def _simplices(rays: Floats) -> Floats:
    """Cut a cone into simplices, shape (n_simplices, n, n)."""
    if rays.shape[1] == 2:
        return rays[None]
    return np.array([[rays[0], rays[i], rays[i + 1]] for i in range(1, len(rays) - 1)])
