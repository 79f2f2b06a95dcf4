r"""One number for M4,3: it is a member of the one-parameter family of handcrafted models.

With u = x2 - x1 and v = x0 - x1 the handcrafted model of three inputs reads y0 = lambda u + v and
y1 = lambda u + u - v. If both have the same sign, its largest logit is that of the middle input.
The signs differ in a wedge about u = 0, and label 0 wins there, wrongly, for

    -v / a < u < v / (a + 1),   a = 2 lambda (lambda + 1),   v > 0,

and the same with all signs changed. In the plane of differences of standard Gaussian numbers, the
line u = t v has the angle atan(sqrt(3) t / (2 - t)) from u = 0, so that the two edges of a wedge
lie at ``atan(sqrt(3) / (2 a + 1))`` on either side of it, and 2 a + 1 = (2 lambda + 1)^2:

    error(lambda) = (2 / pi) atan(sqrt(3) / (2 lambda + 1)^2).

This holds in real numbers. The weights grow with lambda and cancel, so that their rounding to
float32 makes the error three times as large at lambda = 100, and to float64 twice at 10,000; it
grows beyond.

References
----------
The model is ARC's, :func:`algzoo.zoo.handcrafted_2nd_argmax`; the formula is this book's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from ...estimates.counting.counter import OperationCounter, plain
from ...estimates.estimate import Tally, estimator
from ...zoo import Model
from .arc_regions import M43
from .symmetry import find_symmetry


def lambda_error(lam: float) -> float:
    """Error rate of the handcrafted model of three inputs on Gaussian inputs, in real numbers.

    Raises
    ------
    ValueError
        If ``lam`` is not positive.
    """
    _check_positive(lam)
    return 2 / math.pi * math.atan2(math.sqrt(3), (2 * lam + 1) ** 2)


def lambda_error_small_angle(lam: float) -> float:
    """Error rate to first order in the slopes 1 / a and 1 / (a + 1) of a wedge's two edges.

    Each edge turns by sqrt(3) / 2 times its slope, out of 2 pi, in which the wedge occurs twice.

    Raises
    ------
    ValueError
        If ``lam`` is not positive.
    """
    _check_positive(lam)
    a = 2 * lam * (lam + 1)
    return math.sqrt(3) / (2 * math.pi) * (1 / a + 1 / (a + 1))


def lambda_fits(model: Model) -> tuple[float, float, float, float]:
    """Four values of lambda, one from each free entry of the reduced network's last state.

    The reduced network of a symmetric model
    (:mod:`algzoo.explanations.second_argmax_h4_n3.symmetry`) ends with y = F x. In the family, each
    row divided by its last entry is (1, -(lambda + 1), lambda) / lambda or (-1, -lambda, lambda +
    1) / (lambda + 1); the row with the positive first entry comes first.

    Raises
    ------
    ValueError
        If ``model`` is not a 2nd-argmax model of four neurons and three inputs, or if its F is not
        like that of any positive lambda.
    """
    M43.check(model, "the lambda family")
    fits = _fits(model, OperationCounter())
    return fits[0], fits[1], fits[2], fits[3]


def lambda_of(model: Model) -> float:
    """Lambda of a model of four neurons and three inputs: the mean of the four fits.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`lambda_fits`.
    """
    return fmean(lambda_fits(model))


@estimator(
    "lambda family",
    scope=M43,
    runs_network="never",
    exact="approximate",
    constants="none",
    source="this book, chapter on M4,3",
    references=("algzoo2026",),
    cost="some 60 operations",
    fails_when="the model is not in the family, for instance with noise on the weights",
)
def lambda_estimate(model: Model) -> Tally:
    """Accuracy of the family's member with the model's lambda.

    The estimate assumes that the model is of the family, and so does not follow a model that noise
    has moved away from it.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`lambda_fits`.
    """
    counter = OperationCounter()
    fits = _fits(model, counter)
    counter.counts["add"] += len(fits) - 1
    counter.counts["divide"] += 1
    # (2 lam + 1)^2, the angle, its factor, and the complement.
    counter.counts["multiply_add"] += 1
    counter.counts["multiply"] += 2
    counter.counts["transcendental"] += 1
    counter.counts["add"] += 1
    return Tally(1 - lambda_error(fmean(fits)), counter)


def _check_positive(lam: float) -> None:
    if not lam > 0:
        raise ValueError(f"lam must be positive, got {lam}")


def _fits(model: Model, counter: OperationCounter) -> list[float]:
    symmetry = find_symmetry(model)
    w_hi, w_hh = (counter.lift(matrix) for matrix in symmetry.weights[:2])
    signs = symmetry.difference
    drive = [_signed_sum(w_hi, row) / 2 for row in signs]
    step = [
        [_signed_sum(w_hh.ravel(), np.outer(row, column).ravel()) / 4 for column in signs]
        for row in signs
    ]
    columns = [drive]
    for _ in range(2):
        columns.insert(0, [row[0] * columns[0][0] + row[1] * columns[0][1] for row in step])
    rows = list(zip(*columns, strict=True))
    for candidate in (rows, rows[::-1]):
        fits = _fits_of_rows(candidate)
        if fits is not None:
            return fits
    raise ValueError(
        "No positive lambda fits the model: the rows of its F are "
        + " and ".join(str([float(f"{plain(x):.3g}") for x in row]) for row in rows)
    )


def _signed_sum(numbers: Any, signs: Any) -> Any:
    """Sum of the numbers whose sign is not zero, each with its sign."""
    terms = [x if sign > 0 else -x for x, sign in zip(numbers, signs, strict=True) if sign]
    return sum(terms[1:], start=terms[0])


def _fits_of_rows(rows: Sequence[Sequence[Any]]) -> list[float] | None:
    (p, q, r), (s, t, u) = rows
    if not (plain(r) and plain(u) and p / r > 0 and q / r < -1 and s / u < 0 and -1 < t / u < 0):
        return None
    fits = [r / p, -r / (q + r), -u / s - 1, -t / (t + u)]
    values = [float(plain(fit)) for fit in fits]
    return values if min(values) > 0 else None
