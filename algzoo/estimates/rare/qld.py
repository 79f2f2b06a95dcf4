"""QLD: activations as an independent pair, one direction and the rest.

Wu and Hilton's "quadratic logit decomposition" whitens the final activations and finds the shortest
whitened vector that makes the event, with direction d. An activation u is the sum of its part along
d and of its complement. The two are uncorrelated, and are taken to be independent, so that n
activations give n^2 pairs. The estimate is the share of all pairs that make the event. Where it is
a single half-space of activations, d is its normal, the complement does not matter, and the
estimate is the share of the activations that are in it: nothing is extrapolated.

The code that was published with the paper differs from its text in two lines. One subtracts
A^-1 mean from the activations, where whitening is A^-1 (activation - mean) (A is the Cholesky
factor of the covariance; parentheses are missing). The other adds the part along d to the whole
activation, where the text adds it to the complement, which the code computes and does not use.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import nnls

from .event import Floats, RareEvent, Readout, Region
from .record import Account, RareEstimate, generator

_BATCH = 2**14  # inputs at a time, for memory
_ON_A_FACE = 1e-9  # whitened distance below which an activation counts as on a face
_RIDGE = 1e-5  # added to the variances, in units of their mean; the published code has no units


def qld(event: RareEvent, budget: int, seed: int, *, as_published: bool = False) -> RareEstimate:
    """Share of the pairs of two parts of the activations that make the event.

    The two parts are taken to be independent within each group of inputs.

    Parameters
    ----------
    event, budget, seed
        As for all methods.
    as_published
        Whether to compute what the published code computes.

    Raises
    ------
    ValueError
        If the event has no readout, the budget is less than 2, or the seed is negative.
    """
    if event.readout is None:
        raise ValueError("QLD needs the final activations, but this event has no readout")
    account, rng = Account(event, budget, least=2), generator("QLD", seed)
    activations, groups = _sample(account, event.readout, rng)
    total = 0.0
    for group in sorted({region.group for region in event.readout.regions}):
        members = activations[groups == group]
        if len(members) < 2:
            continue
        whitened = _Whitened(account, members, as_published)
        for region in event.readout.regions:
            if region.group == group:
                total += len(members) / budget * whitened.share_in(account, region)
    return account.estimate(total)


def _sample(
    account: Account, readout: Readout, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.intp]]:
    activations, groups = [], []
    while account.left:
        x = rng.standard_normal((min(account.left, _BATCH), account.event.dimension))
        activations.append(account.activations(readout, x))
        groups.append(readout.group(x))
    return np.concatenate(activations), np.concatenate(groups)


class _Whitened:
    """Activations of one group, whitened: mean + root @ u is an activation."""

    def __init__(self, account: Account, activations: Floats, as_published: bool) -> None:
        n, h = activations.shape
        self.as_published = as_published
        self.mean = activations.mean(axis=0)
        centred = activations - self.mean
        covariance = centred.T @ centred / n
        ridge = _RIDGE * (float(np.trace(covariance)) / h or 1.0)
        self.root = np.linalg.cholesky(covariance + ridge * np.eye(h))
        if as_published:
            self.u = activations - solve_triangular(self.root, self.mean, lower=True)
        else:
            self.u = solve_triangular(self.root, centred.T, lower=True).T
        account.charge(n * h * (2 + h) + n * h * (h + 1) // 2 + h**3, transcendental=h)

    def share_in(self, account: Account, region: Region) -> float:
        """Share of the pairs (part along d, complement) that are in a region."""
        normals = region.matrix @ self.root
        constants = region.matrix @ self.mean - region.offsets
        # Two inputs that switch all neurons off make a pair that is on a face, up to rounding. It
        # is outside if the score is 0 there; a tie of two wrong answers is in one of two regions.
        outwards = np.full(len(constants), -_ON_A_FACE)
        outwards[list(region.closed)] = _ON_A_FACE
        constants = constants + outwards * (np.linalg.norm(normals, axis=1) + np.abs(constants))
        direction = shortest_direction(normals, constants)
        if direction is None:
            return 0.0
        along = self.u @ direction
        rest = self.u if self.as_published else self.u - along[:, None] * direction
        # In the region are r with slope * r > -level for each face.
        level = rest @ normals.T + constants
        slope = normals @ direction
        rising, falling, level_only = slope > 0, slope < 0, slope == 0
        n = len(along)
        lower = np.max(-level[:, rising] / slope[rising], axis=1, initial=-np.inf)
        upper = np.min(-level[:, falling] / slope[falling], axis=1, initial=np.inf)
        possible = (level[:, level_only] > 0).all(axis=1)
        ranks = np.sort(along)
        between = np.searchsorted(ranks, upper, "left") - np.searchsorted(ranks, lower, "right")
        faces, h = normals.shape
        account.charge(n * (2 * h + faces * (h + 1) + 3 * int(np.ceil(np.log2(n)))))
        return float(np.where(possible, np.maximum(between, 0), 0).mean() / n)


def shortest_direction(normals: Floats, constants: Floats) -> Floats | None:
    """Direction of the shortest vector v with normals @ v + constants >= 0.

    If that is 0, the direction is from the nearest face inwards. It is ``None`` if there is no such
    vector. The vector is found by non-negative least squares.

    References
    ----------
    C. Lawson and R. Hanson, "Solving least squares problems", 1974, chapter 23 (least distance
    programming).
    """
    lengths = np.linalg.norm(normals, axis=1)
    faces = lengths > 0
    if np.any(constants[~faces] < 0):
        return None
    if not faces.any():
        return np.asarray(np.eye(normals.shape[1])[0])
    unit = normals[faces] / lengths[faces, None]
    distance = constants[faces] / lengths[faces]
    if (distance >= 0).all():
        return np.asarray(unit[distance.argmin()])
    # Without a common factor of the distances, the problem below is badly scaled.
    goal = -distance / np.abs(distance).max()
    system = np.vstack([unit.T, goal])
    target = np.eye(len(system))[-1]
    residual = system @ nnls(system, target)[0] - target
    vector = residual[:-1]
    length = float(np.linalg.norm(vector))
    if residual[-1] > -1e-12 or length == 0:
        return None
    return np.asarray(vector / length)
