"""Random Gaussian inputs that meet a condition, however rare it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..estimates.scope import SECOND_ARGMAX
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
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model, or if so few inputs meet the condition that drawing
        them would take too long.
    """
    SECOND_ARGMAX.check(model, "a task of telling mechanisms apart")
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


def inner_of(rays: Floats) -> Floats:
    """Return the unit vector in the middle of the rays of a cone, shape (n,)."""
    inner: Floats = rays.sum(axis=0)
    return np.asarray(inner / np.linalg.norm(inner))


class _Directions:
    """Uniform directions within cones, drawn from boxes that contain them.

    The box of a cone of three inputs is in cylinder coordinates: the angle about an axis and the
    height along it, in which areas on the sphere are areas. The axis is the direction in which the
    cone is thinnest, so that a sliver has a thin box. For two inputs the box is the cone itself.
    """

    def __init__(self, cones: Sequence[Cone]) -> None:
        self.cones = cones
        self.n = cones[0].rays.shape[1]
        self.boxes = [_box(cone.rays) for cone in cones]
        areas = np.array([np.prod(box.high - box.low) for box in self.boxes])
        self.share = areas / areas.sum()

    def inputs(self, n_inputs: int, rng: np.random.Generator) -> Floats:
        """Draw inputs, fewer than ``n_inputs``."""
        found = []
        for i, number in enumerate(rng.multinomial(n_inputs, self.share)):
            box, cone = self.boxes[i], self.cones[i]
            angle, height = rng.uniform(box.low, box.high, (number, 2)).T
            width = np.sqrt(np.maximum(1 - height * height, 0))
            places = np.stack([width * np.cos(angle), width * np.sin(angle), height], axis=1)
            directions = places[:, : self.n] @ box.frame
            found.append(directions[(directions @ cone.normals.T >= 0).all(axis=1)])
        directions = rng.permutation(np.concatenate(found))
        radius = np.linalg.norm(rng.standard_normal(directions.shape), axis=1)
        scaled: Floats = directions * (radius / np.linalg.norm(directions, axis=1))[:, None]
        return scaled


class _Box(NamedTuple):
    """Axes, shape (n, n), and the least and the largest angle and height, each of shape (2,)."""

    frame: Floats
    low: Floats
    high: Floats


def _box(rays: Floats) -> _Box:
    inner = inner_of(rays)
    if rays.shape[1] == 2:
        frame = np.array([inner, [-inner[1], inner[0]]])
        half = math.atan2(abs(float(rays[1] @ frame[1])), float(rays[1] @ inner))
        # Heights are 0, but the box needs an area.
        return _Box(frame, np.array([-half, -0.5]), np.array([half, 0.5]))
    # Along edges as well, because an arc reaches higher than its ends.
    share = np.linspace(0, 1, 65)[:, None, None]
    points = ((1 - share) * rays + share * np.roll(rays, -1, axis=0)).reshape(-1, 3)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    _, _, axes = np.linalg.svd(points - (points @ inner)[:, None] * inner)
    axis = axes[1] - (axes[1] @ inner) * inner
    axis /= np.linalg.norm(axis)
    frame = np.array([inner, np.cross(axis, inner), axis])
    x, y, height = frame @ points.T
    angle = np.arctan2(y, x)
    low = np.array([angle.min(), height.min()])
    high = np.array([angle.max(), height.max()])
    padding = 0.01 * (high - low)
    return _Box(frame, low - padding, high + padding)
