r"""ARC's first estimate of M4,3's accuracy: 18 regions with their most frequent states.

The neurons are numbered so that 0 and 1 have positive input weights, 2 and 3 negative ones. Before
the second ReLU neuron j holds ``z[j] = a[j] x0 + c[j] x1`` where x0 > 0 and ``b[j] x0 + c[j] x1``
where x0 < 0, with

    a[j] = sum over i in (0, 1) of W_hh[j, i] W_hi[i],   b[j] the same over (2, 3),   c = W_hi.

Sixteen inequalities (see :func:`inequalities`) imply that the plane of x0 and x1 falls into four
parts, in which the active neurons are

    R1: 0 and 1, with rows b     R2: 2 and 3, with rows a
    R3: 1 and 3, with rows a     R4: 0 and 2, with rows b.

R1 lies in x0 < x1 and R2 in x0 > x1, which leaves three orders of the inputs in each of them and
six in R3 and R4: 18 regions. In R3 and R4 x2 is hardly ever between x0 and x1; those 4 unlikely
regions are taken to be answered wrongly. In each of the other 14 the state after x2 is taken to be
one of two. A neuron that is active with probability below q or above 1 - q is taken to be always
off or always on. A latent variable Z that is independent of the inputs decides about the others: if
Z = 1 those with positive input weight are on and the rest off, if Z = 0 it is the reverse, and
P(Z = 1) is the mean over these neurons of the probability of their state for Z = 1. In either state
the logits are linear.

So there are 18 volumes cut out by 4 planes, 14 x 4 by 5 (one for each neuron, to have its
probability) and 14 x 2 by 6 (with two comparisons of logits). At 5 k^3 operations for k planes that
is ARC's figure, 71,000; :func:`arc_original` counts those it does, which are fewer, because it
reuses what volumes have in common.

References
----------
ARC's notes on M4,3 ("AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026). The
notes themselves were not available. The regions, the numbers of volumes and the 71,000 are theirs;
the details of the latent variable Z are a reconstruction, whose error is about theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...estimates.counting.counter import OperationCounter, plain
from ...estimates.estimate import Tally, estimator
from ...estimates.scope import Scope
from ...structure import Weights, weights_in_range
from ...structure.geometry.half_spaces import Polygon, cut, fraction, order_polygon
from ...zoo import Model

CLAIMED_OPERATIONS = 18 * 5 * 4**3 + 56 * 5 * 5**3 + 28 * 5 * 6**3  # ARC's 71,000

RARE = 0.2  # q, as ARC has it

M43 = Scope("2nd_argmax", inputs=3, neurons=4)

# Active neurons of each part, whether the rows are a (else b), and on which side of the diagonal
# it lies: sign(x1 - x0), 0 for both.
_PARTS = (((0, 1), False, +1), ((2, 3), True, -1), ((1, 3), True, 0), ((0, 2), False, 0))


@dataclass(frozen=True, eq=False)
class Region:
    """Inputs in one order, within one of the four parts.

    Attributes
    ----------
    right_answer
        Position of the second-largest input.
    polygon
        The region on the sphere; empty if there is none.
    drive
        z after x2 as a linear function of the inputs, shape (4, 3).
    likely
        Whether it is one of the 14 likely regions.
    """

    right_answer: int
    polygon: Polygon
    drive: NDArray[Any]
    likely: bool


@estimator(
    "ARC's first, reconstructed",
    scope=M43,
    runs_network="never",
    exact="approximate",
    constants="none",
    source="ARC's notes on M4,3, 2026; details reconstructed",
    references=("algzoo2026",),
    tuned_on="ARC's figures for noisy copies of M4,3: one of about 30 readings of the description",
    advice_bits=5,
    cost="some 24,000 operations",
    fails_when="no numbering of the neurons satisfies the sixteen inequalities",
)
def arc_original(model: Model, q: float = RARE, *, order: Sequence[int] | None = None) -> Tally:
    """Accuracy of a model like M4,3 by ARC's first estimate, on standard Gaussian inputs.

    ``operations`` are the counted ones, including the search for the neurons' numbering; ARC's own
    figure is :data:`CLAIMED_OPERATIONS`.

    Parameters
    ----------
    model
        2nd-argmax model of four neurons and three inputs.
    q
        Probability below which a state is taken not to occur.
    order
        The numbering, as :func:`numbering` returns it, if it is known: that of M4,3 for its noisy
        copies. The inequalities are then assumed to hold, as ARC assumed them.

    Raises
    ------
    ValueError
        If the sixteen inequalities fail for every numbering of the neurons, or if q is not in (0,
        1/2), or if ``order`` is not a permutation.
    """
    if not 0 < q < 0.5:
        raise ValueError(f"q must lie between 0 and 1/2, got {q}")
    counter = OperationCounter()
    weights = weights_in_range(model)
    w_hi, w_hh, w_oh = (counter.lift(matrix) for matrix in weights)
    if order is None:
        p = _numbering(Weights(w_hi, w_hh, w_oh), weights)
    elif sorted(order) == [0, 1, 2, 3]:
        p = np.array(order)
    else:
        raise ValueError(f"order must hold each neuron 0 to 3 once, got {order}")
    relabelled = Weights(w_hi[p], w_hh[np.ix_(p, p)], w_oh[:, p])
    accuracy: Any = 0.0
    for region in regions(relabelled):
        if region.likely and region.polygon:
            accuracy = accuracy + _right_in(region, relabelled, q, counter)
    return Tally(float(plain(accuracy)), counter)


def numbering(model: Model) -> NDArray[np.intp]:
    """Order of the neurons, shape (4,), in which the sixteen inequalities hold.

    Neuron ``numbering(model)[i]`` is ARC's neuron i. The inequalities compare neuron 0 with 3 and 1
    with 2, which they take to be opposite, and may hold in several orders; the order is then the
    one in which the ratios are farthest from 1.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`arc_original`.
    """
    M43.check(model, "ARC's numbering")
    weights = weights_in_range(model)
    return _numbering(weights, weights)


def inequalities(weights: Weights) -> dict[str, NDArray[Any]]:
    """Numbers that are positive according to ARC's sixteen inequalities.

    They are twelve signs of a, b and c, and four ratios of c to them, each compared with 1: the
    neurons of a pair switch on opposite sides of the diagonal. Leading axes of the weights run over
    models.
    """
    a, b = _rows(weights)
    c = weights.w_hi
    # Products replace ratios, because the denominators are positive by the signs.
    return {
        "a[3] > 0": a[..., 3],
        "a[0] < 0": -a[..., 0],
        "a[2] > 0": a[..., 2],
        "a[1] < 0": -a[..., 1],
        "b[3] > 0": b[..., 3],
        "b[0] < 0": -b[..., 0],
        "b[2] > 0": b[..., 2],
        "b[1] < 0": -b[..., 1],
        "c[0] > 0": c[..., 0],
        "c[3] < 0": -c[..., 3],
        "c[1] > 0": c[..., 1],
        "c[2] < 0": -c[..., 2],
        "c[0] / a[3] < 1": a[..., 3] - c[..., 0],
        "c[0] / b[3] < 1": b[..., 3] - c[..., 0],
        "c[1] / a[2] > 1": c[..., 1] - a[..., 2],
        "c[1] / b[2] > 1": c[..., 1] - b[..., 2],
    }


def regions(weights: Weights) -> Iterator[Region]:
    """Yield the 18 regions of a model whose neurons are numbered as in ARC's notes."""
    a, b = _rows(weights)
    w_hi, w_hh, _ = weights
    for active, rows_a, side in _PARTS:
        rows = a if rows_a else b
        planes = [[rows[j], w_hi[j], 0] for j in active]
        both = list(active)
        after_x2 = np.stack([w_hh[:, both] @ rows[both], w_hh[:, both] @ w_hi[both], w_hi], axis=1)
        for low, middle, high in permutations(range(3)):
            ranks = {low: 0, middle: 1, high: 2}
            if side * (ranks[1] - ranks[0]) < 0:
                continue
            polygon = order_polygon(low, middle, high)
            for plane in planes:
                polygon = cut(polygon, plane)
            yield Region(middle, polygon, after_x2, likely=bool(side) or middle != 2)


def _right_in(region: Region, weights: Weights, q: float, counter: OperationCounter) -> Any:
    """Probability of being in a region and right."""
    whole = fraction(region.polygon, counter)
    positive = [w > 0 for w in weights.w_hi]
    on = []
    states_of_z = []  # probability, for each undecided neuron, of its state for Z = 1
    for row, is_positive in zip(region.drive, positive, strict=True):
        p = fraction(cut(region.polygon, row), counter) / whole
        undecided = q < p < 1 - q
        on.append(None if undecided else bool(p > 0.5))
        if undecided:
            states_of_z.append(p if is_positive else 1 - p)
    if not states_of_z:
        return _right_in_state(region, weights, [bool(state) for state in on], counter)
    p_z = sum(states_of_z[1:], start=states_of_z[0]) / len(states_of_z)
    of_z = [
        _right_in_state(
            region,
            weights,
            [
                is_positive == z if state is None else state
                for state, is_positive in zip(on, positive, strict=True)
            ],
            counter,
        )
        for z in (True, False)
    ]
    return p_z * of_z[0] + (1 - p_z) * of_z[1]


def _right_in_state(
    region: Region, weights: Weights, on: list[bool], counter: OperationCounter
) -> Any:
    """Probability of being in a region and right if the state after x2 were the same throughout."""
    logits = weights.w_oh[:, on] @ region.drive[on] if any(on) else np.zeros((3, 3))
    polygon = region.polygon
    for other in range(3):
        if other != region.right_answer:
            polygon = cut(polygon, logits[region.right_answer] - logits[other])
    return fraction(polygon, counter)


def _rows(weights: Weights) -> tuple[NDArray[Any], NDArray[Any]]:
    """The rows a and b, each of shape (..., 4)."""
    products = weights.w_hh * weights.w_hi[..., None, :]
    return products[..., 0] + products[..., 1], products[..., 2] + products[..., 3]


def _numbering(weights: Weights, plain_weights: Weights) -> NDArray[np.intp]:
    """Return the valid numbering with the largest ratios; ``plain_weights`` are for the message."""
    passing = [
        order for order in permutations(range(4)) if not _failures(weights, order, only_first=True)
    ]
    if passing:
        return np.array(max(passing, key=lambda order: _least_ratio(weights, order)))
    failures = {
        order: _failures(plain_weights, order, only_first=False) for order in permutations(range(4))
    }
    best = min(failures, key=lambda order: len(failures[order]))
    raise ValueError(
        "ARC's first estimate needs sixteen inequalities that hold for no numbering of this "
        f"model's neurons. With neurons {best} as its 0 to 3, most hold, but not "
        + ", ".join(failures[best])
    )


def _least_ratio(weights: Weights, order: tuple[int, ...]) -> Any:
    """Least deviation of the four ratios from 1, each taken as above 1."""
    p = list(order)
    relabelled = Weights(weights.w_hi[p], weights.w_hh[np.ix_(p, p)], weights.w_oh[:, p])
    a, b = _rows(relabelled)
    c = relabelled.w_hi
    return min(a[3] / c[0], b[3] / c[0], c[1] / a[2], c[1] / b[2])


def _failures(weights: Weights, order: tuple[int, ...], *, only_first: bool) -> list[str]:
    """The inequalities that fail with the neurons in that order."""
    p = list(order)
    # The signs of the input weights come first; without them the rest is not computed.
    if only_first and not (
        weights.w_hi[p[0]] > 0
        and weights.w_hi[p[1]] > 0
        and weights.w_hi[p[2]] < 0
        and weights.w_hi[p[3]] < 0
    ):
        return ["signs of c"]
    relabelled = Weights(weights.w_hi[p], weights.w_hh[np.ix_(p, p)], weights.w_oh[:, p])
    failures = []
    for name, value in inequalities(relabelled).items():
        if not value > 0:
            failures.append(name)
            if only_first:
                break
    return failures
