r"""Median models of two inputs and two neurons: near the mean, and stuck far from it.

In standard form with W_hi = (+1, -1) exactly one such network computes the mean of its inputs,

    W_hh = [[1, -1], [-1, 1]],    W_oh = (1/2, -1/2):

the slopes of the output where x1 is far above and far below 0 fix W_oh; between them no piece can
have the slope 1/2, so that both neurons must switch together, which fixes W_hh up to one factor on
each side of x0 = 0, and the coefficient of x0 fixes these. Let d be the six deviations of W_oh and
W_hh from there. To first order in d the error of the output is a linear function of them, so that

    E[(output - mean)^2] = d . H d    to second order,

with H the second moments of the output's derivatives. With s = x0 + x1 and w = (W_oh, W_hh), these
are ReLU(s), ReLU(-s) for W_oh and (ReLU(x0), ReLU(-x0)) / 2 where s > 0, minus that where s < 0,
for the rows of W_hh.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...estimates.counting.counter import CountedNumber, OperationCounter, plain
from ...estimates.estimate import Tally, estimator
from ...estimates.scope import Scope
from ...structure import Weights, weights_in_range
from ...zoo import Model

# W_oh[0], W_oh[1], then W_hh by rows.
MEAN = np.array([1 / 2, -1 / 2, 1, -1, -1, 1])

_A = (3 / 8 + 1 / (2 * math.pi)) / 2  # E[s x0; s > 0, x0 > 0] / 2
_B = (1 / 8 - 1 / (2 * math.pi)) / 2  # E[s x0; s > 0, x0 < 0] / -2, up to sign
_C = (3 / 8 + 1 / (4 * math.pi)) / 4  # E[x0^2; s > 0, x0 > 0] / 4
_D = (1 / 8 - 1 / (4 * math.pi)) / 4  # E[x0^2; s > 0, x0 < 0] / 4

SECOND_ORDER_FORM = np.array(
    [
        [1, 0, _A, -_B, 0, 0],
        [0, 1, 0, 0, _B, -_A],
        [_A, 0, _C, 0, 0, 0],
        [-_B, 0, 0, _D, 0, 0],
        [0, _B, 0, 0, _D, 0],
        [0, -_A, 0, 0, 0, _C],
    ]
)


def deviations(weights: Weights) -> NDArray[Any]:
    """The six deviations from the mean, in the order of :data:`MEAN`, shape (..., 6).

    ``weights`` are in standard form with W_hi = (+1, -1).
    """
    w_oh, w_hh = weights.w_oh[..., 0, :], weights.w_hh
    rows = w_hh.reshape(*w_hh.shape[:-2], 4)
    found: NDArray[Any] = np.concatenate([w_oh, rows], axis=-1) - MEAN
    return found


@estimator(
    "second order in the deviations",
    scope=Scope("median", inputs=2, neurons=2),
    runs_network="never",
    exact="approximate",
    constants="none",
    source="this book, chapter on median (2, 2)",
    cost="some 30 operations",
    fails_when="the weights are not near those that compute the mean",
)
def second_order(model: Model) -> Tally:
    """Mean squared error of a median model of two inputs and two neurons, to second order.

    It is accurate if the deviations are small; the omitted terms are of third order in them.

    Raises
    ------
    ValueError
        If the input weights do not have opposite signs.
    """
    weights = weights_in_range(model)
    if not weights.w_hi[0] * weights.w_hi[1] < 0:
        raise ValueError(
            "The second-order formula needs input weights of opposite signs, got "
            f"{weights.w_hi.tolist()}"
        )
    counter = OperationCounter()
    order = [0, 1] if weights.w_hi[0] > 0 else [1, 0]
    (c, c_other), w_hh, (w_oh,) = (
        counter.lift(matrix)
        for matrix in (
            np.abs(weights.w_hi[order]),
            weights.w_hh[np.ix_(order, order)],
            weights.w_oh[:, order],
        )
    )
    ratio = c_other / c
    w = [w_oh[0] * c, w_oh[1] * c_other, w_hh[0, 0], w_hh[0, 1] * ratio, w_hh[1, 0] / ratio]
    d = [one - mean for one, mean in zip([*w, w_hh[1, 1]], MEAN, strict=True)]
    total = CountedNumber(0.0, counter)
    for i, row in enumerate(SECOND_ORDER_FORM):
        for j in np.flatnonzero(row[: i + 1]):
            total += d[i] * d[j] * float(row[j] if i == j else 2 * row[j])
    return Tally(float(plain(total)), counter)


def forgetful_limit() -> float:
    """Limit of the mean squared error of :func:`algzoo.zoo.handcrafted.median.forgetful_median`.

    If x0 < 0 the best multiple of ReLU(x1) leaves ``1/4 - (1/4 - 1/(2 pi))^2``. If x0 > 0 the
    output is right for x0 + x1 > 0 and 0 otherwise, which leaves ``1/16 - 1/(8 pi)``. Together this
    is ``1/4 + 1/(8 pi) - 1/(4 pi^2)``. A finite gate g adds ``1/(3 pi^3 g)`` to first order in 1/g,
    from the wedge 0 < g x0 < x1, in which neuron 1 is active.
    """
    return 1 / 4 + 1 / (8 * math.pi) - 1 / (4 * math.pi**2)


def forgetful_excess(gate: float) -> float:
    """Increase of :func:`forgetful_limit` by a finite gate, to first order in 1 / gate."""
    return 1 / (3 * math.pi**3 * gate)


def least_forgetful_limit() -> float:
    """Least known limit of the mean squared error of models with input weights of one sign.

    Two neurons that are both active wherever x0 > 0, one of them with a large weight and the other
    with nearly its opposite, give any ``k x1 + x0 / 2`` there; if x0 < 0 the output is k ReLU(x1).
    The error ``(k - 1/2)^2 / 2 + 1/4 - k (1/4 - 1/(2 pi)) + k^2 / 4`` is least at ``k = 1/2 - 1/(3
    pi)``, where it is ``3/16 + 1/(4 pi) - 1/(12 pi^2)``.
    """
    return 3 / 16 + 1 / (4 * math.pi) - 1 / (12 * math.pi**2)
