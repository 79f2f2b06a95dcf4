"""Connected regions of the sphere that consist of cones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from ...structure.geometry.cone import Cone

AnyCone = TypeVar("AnyCone", bound=Cone)

# Radians. Rays are rounded once, so that equal directions differ by far less.
_TOLERANCE = 1e-9


def connected_regions(cones: Sequence[AnyCone]) -> list[list[AnyCone]]:
    """Group cones of three inputs into connected regions, the one with the largest area first.

    Two cones are connected if they share a part of an edge; a corner is not enough.

    Raises
    ------
    ValueError
        If the cones have another number of inputs.
    """
    if not cones:
        return []
    for cone in cones:
        if cone.rays.shape[1] != 3:
            raise ValueError(
                f"Regions consist of cones of three inputs, got cones of {cone.rays.shape[1]}"
            )
    n_regions, of_cone = connected_components(_have_an_edge_in_common(cones), directed=False)
    regions = [
        [cone for cone, i in zip(cones, of_cone, strict=True) if i == region]
        for region in range(n_regions)
    ]
    return sorted(regions, key=lambda region: -sum(cone.fraction for cone in region))


def _have_an_edge_in_common(cones: Sequence[Cone]) -> NDArray[np.bool_]:
    """Tell whether cones share a part of an edge, shape (n_cones, n_cones).

    Each edge is an arc shorter than pi; two on one great circle overlap if their midpoints are
    closer than half the sum of their lengths.
    """
    owner = np.repeat(np.arange(len(cones)), [len(cone.rays) for cone in cones])
    start = np.concatenate([cone.rays for cone in cones])
    stop = np.concatenate([np.roll(cone.rays, -1, axis=0) for cone in cones])
    normal = np.cross(start, stop)
    sine = np.linalg.norm(normal, axis=1)
    long_enough = sine > _TOLERANCE
    owner, start, stop, normal, sine = (
        array[long_enough] for array in (owner, start, stop, normal, sine)
    )
    normal = normal / sine[:, None]
    length = np.arctan2(sine, (start * stop).sum(axis=1))
    middle = start + stop
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)

    # The plane of the longer edge is the more precise of the two.
    longer = length[:, None] >= length
    off_plane = np.maximum(np.abs(normal @ start.T), np.abs(normal @ stop.T))
    on_one_circle = np.where(longer, off_plane, off_plane.T) < _TOLERANCE
    chord = np.linalg.norm(middle[:, None] - middle, axis=-1)
    apart = 2 * np.arcsin(np.minimum(chord / 2, 1))
    overlap = on_one_circle & (apart < (length[:, None] + length) / 2 - _TOLERANCE)
    common = np.zeros((len(cones), len(cones)), dtype=bool)
    first, second = np.nonzero(overlap)
    common[owner[first], owner[second]] = True
    return common
