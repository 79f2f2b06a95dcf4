r"""ARC's second estimate of M4,3's accuracy: the reduced network, and the rest as noise.

The weights are replaced by those of reduced form that are nearest by least squares
(:mod:`algzoo.explanations.second_argmax_h4_n3.symmetry`), so that y = F x after the last input and
logits = W'_oh abs(y). The remainders of W_hi and W_hh, eps_hi and eps_hh, disturb the four drives
of a step by

    eps_hh h + eps_hi x,   covariance D = eps_hh Cov(h) eps_hh^T + eps_hi eps_hi^T.

If both neurons of a pair were active, y = U h would be disturbed with covariance U D U^T; only one
of them is, and the covariance is halved. (This is right for disturbances that are independent of
each other.) W' propagates the noise, and the logits have noise of covariance

    C_l = W'_oh Cov(noise of y) W'_oh^T + eps_oh Cov(h) eps_oh^T.

Cov(h) is that of the positive and negative parts of a Gaussian y. The noise is taken to be Gaussian
and independent of the inputs; this is the only approximation.

There are 24 subregions: six orders of the inputs by two signs of y. In each, two logit differences
with noise must be positive. Counting two signs and two orders as the planes of each, and 5 k^3
operations for k planes, ARC has 7,680 operations; with the two logits there are six planes. What
ARC did with the last, six-dimensional volume is not known. Here each subregion is cut into
triangles, and each triangle is an orthant probability of five Gaussian numbers, found by one
quadrature (:mod:`algzoo.explanations.second_argmax_h4_n3.orthants`), without sampling.

References
----------
ARC's notes on M4,3, the estimate by George Robinson ("AlgZoo: uninterpreted models with fewer than
1,500 parameters", 2026). The notes themselves were not available; how the noise is propagated is a
reconstruction, whose error is about theirs.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import numpy as np

from ...estimates.counting.counter import OperationCounter, plain
from ...estimates.estimate import Tally, estimator
from ...structure.geometry.half_spaces import Polygon, Vector, cross, cut, height, order_polygon
from ...zoo import Model
from .arc_regions import M43
from .orthants import positive_probability
from .symmetry import Symmetry, find_symmetry

CLAIMED_OPERATIONS = 24 * 5 * 4**3  # ARC's 7,680

# Three pairings of four neurons: for each a difference and its square for every one of 16 pairs of
# weights, three quotients, two additions; once, the squares of 32 weights.
SEARCH_OPERATIONS = 3 * (2 * 16 + 3 + 2) + 32

_NODES = 16  # nodes of the quadrature; the accuracy is then exact to about 1e-5


@estimator(
    "ARC's second, reconstructed",
    scope=M43,
    runs_network="never",
    exact="approximate",
    constants="none",
    source="George Robinson in ARC's notes on M4,3, 2026; details reconstructed",
    references=("algzoo2026", "plackett1954"),
    tuned_on="ARC's figures for noisy copies of M4,3: one of about 30 readings of the description",
    advice_bits=5,
    cost="some 1,300,000 operations",
    fails_when="deviations from the symmetry of M4,3 are large or depend on each other",
)
def arc_symmetric(model: Model) -> Tally:
    """Accuracy of a model like M4,3 by ARC's second estimate, on standard Gaussian inputs.

    ``operations`` are the counted ones, including the search for the pairs of neurons; ARC's own
    figure is :data:`CLAIMED_OPERATIONS`.

    Raises
    ------
    ValueError
        If the reduced network is degenerate.
    """
    symmetry = find_symmetry(model)
    try:
        with np.errstate(divide="raise", invalid="raise"):
            return _estimated(symmetry)
    except (FloatingPointError, ZeroDivisionError, np.linalg.LinAlgError) as error:
        raise ValueError(
            "ARC's second estimate divides by zero for this model, whose reduced network is "
            f"degenerate: {error}"
        ) from error


def _estimated(symmetry: Symmetry) -> Tally:
    counter = OperationCounter()
    counter.counts["add"] += SEARCH_OPERATIONS
    last_state, readout, noise = _reduced_network(symmetry, counter)

    normals, logits, differences = [], [], []
    y = counter.lift(last_state.values)
    for (low, middle, high), signs in product(permutations(range(3)), product((1, -1), repeat=2)):
        polygon = order_polygon(low, middle, high)
        for sign, row in zip(signs, y, strict=True):
            polygon = cut(polygon, [sign * x for x in row])
        of_triangles = [
            bounds for triangle in _triangles(polygon) if (bounds := _inward_normals(triangle))
        ]
        if of_triangles:
            compare = np.delete(np.eye(3)[middle] - np.eye(3), middle, axis=0)
            normals += of_triangles
            logits += len(of_triangles) * [(compare @ readout) @ (last_state.T * signs).T]
            differences += len(of_triangles) * [compare @ noise @ compare.T]

    three = counter.array([[[float(plain(x)) for x in row] for row in rows] for rows in normals])
    accuracy = positive_probability(three, np.stack(logits), np.stack(differences), _NODES).sum()
    return Tally(float(accuracy.item()), counter)


def _reduced_network(symmetry: Symmetry, counter: OperationCounter) -> tuple[Any, Any, Any]:
    """F (2, 3), W'_oh (3, 2) and the covariance C_l of the logits' noise (3, 3), counting."""
    u, v = symmetry.difference, symmetry.total
    w_hi, w_hh, w_oh = (counter.array(matrix) for matrix in symmetry.weights)
    drive, step, readout = u @ w_hi / 2, u @ w_hh @ u.T / 4, w_oh @ v.T / 2
    rest_hi, rest_hh, rest_oh = w_hi - u.T @ drive, w_hh - u.T @ step @ u, w_oh - readout @ v

    of_y = drive[:, None] * drive + _halved(rest_hi, None, u)  # second moments of y
    noise = _halved(rest_hi, None, u)
    columns = [drive]
    for _ in range(2):
        added = _halved(rest_hi, rest_hh @ _rectified(of_y, u) @ rest_hh.T, u)
        of_y = step @ of_y @ step.T + drive[:, None] * drive + added
        noise = step @ noise @ step.T + added
        columns.insert(0, step @ columns[0])
    of_state = _rectified(of_y, u)
    of_logits = readout @ noise @ readout.T + rest_oh @ of_state @ rest_oh.T
    return np.stack(columns, axis=1), readout, of_logits


def _halved(rest_hi: Any, from_state: Any, u: Any) -> Any:
    """U D U^T / 2."""
    disturbance = rest_hi[:, None] * rest_hi
    if from_state is not None:
        disturbance = disturbance + from_state
    return u @ disturbance @ u.T / 2


def _rectified(of_y: Any, u: Any) -> Any:
    """Covariance of ReLU(U^T y), y Gaussian of mean 0 with covariance ``of_y``; shape (4, 4).

    ``E[ReLU(a) ReLU(b)] = sd(a) sd(b) (sqrt(1 - r^2) + r (pi / 2 + asin(r))) / (2 pi)``, for
    correlation r, and ``E[ReLU(a)] = sd(a) / sqrt(2 pi)`` (Cho and Saul, "Kernel methods for deep
    learning", 2009).
    """
    drives = u.T @ of_y @ u
    deviation = np.sqrt(np.stack([drives[i, i] for i in range(len(drives))]))
    sizes = deviation[:, None] * deviation
    r = np.clip(drives / sizes, -1.0, 1.0)
    moments = np.sqrt(np.maximum(1 - r * r, 0.0)) + r * (np.arcsin(r) + np.pi / 2) - 1
    return sizes * moments / (2 * np.pi)


def _triangles(polygon: Polygon) -> list[list[Vector]]:
    """Triangles between the edges of a polygon and a point inside, all of one orientation."""
    if len(polygon) < 3:
        return []
    inner = [sum(x[1:], start=x[0]) for x in zip(*polygon, strict=True)]
    return [[inner, polygon[i - 1], vertex] for i, vertex in enumerate(polygon)]


def _inward_normals(triangle: list[Vector]) -> list[Vector]:
    """Normals of the three planes that bound a triangle, positive inside; none if it is flat."""
    a, b, c = triangle
    normals = [cross(b, c), cross(c, a), cross(a, b)]
    side = height(a, normals[0])
    if side == 0:
        return []
    return normals if side > 0 else [[-n for n in normal] for normal in normals]
