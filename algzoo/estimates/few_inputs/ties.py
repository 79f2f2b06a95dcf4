"""Accuracy of 2nd-argmax models of four inputs, with nodes concentrated at ties of x0 and x1.

Given the angle of (x0, x1) the accuracy is exact, as in :mod:`.angle_quadrature`. Good models err
where inputs tie: as a function of the angle, the accuracy jumps at x0 = x1, next to a narrow dip on
one side. So on each of the two half circles between the ties the angle is pi s(v) from the tie,
with s = v^3 (10 - 15 v + 6 v^2) and equidistant nodes v; the weights s' vanish at the ties.

At any angle, sectors of the remaining inputs that have a small probability may be left out. The
effect on the result is bounded, and the bound is returned.
"""

from __future__ import annotations

import math

import numpy as np

from ...zoo import Model
from ..counting.counter import CountedNumber, plain
from ..estimate import Estimate, Tally, as_estimate, estimator
from ..scope import Scope
from .four import Angles
from .left_out import least_for


@estimator(
    "{nodes} angles from either tie",
    scope=Scope("2nd_argmax", inputs=4),
    budgets=[{"nodes": 8}],
    runs_network="never",
    exact="converges",
    constants="none",
    source="this book",
    cost="O(nodes d^2)",
    fails_when="errors are narrow and far from ties",
)
def tie_quadrature(
    model: Model, nodes: int, scramble: int | None = None, least: float | None = None
) -> Tally:
    """Accuracy of a 2nd-argmax model of four inputs, with more angles near x0 = x1.

    The error is not stated. The network is not run on any input, but its states after two steps are
    computed as functions of the angle.

    Parameters
    ----------
    model
        The model.
    nodes
        Number of angles on each half circle; each costs about 3,000 operations for 4 neurons and
        60,000 for 32.
    scramble
        Seed of two uniform offsets of the nodes, one for each half circle; ``None`` puts the nodes
        in the middle of their intervals. The mean over offsets is the accuracy, up to what is left
        out.
    least
        Sectors of less than this probability are left out; 0 leaves out none, and ``None`` stands
        for the choice of :func:`.left_out.least_for`.

    Raises
    ------
    ValueError
        If ``nodes`` is not positive or ``least`` is out of range.
    """
    return _integrated(model, nodes, scramble, least)[0]


def tie_quadrature_with_bound(
    model: Model, nodes: int, scramble: int | None = None, least: float | None = None
) -> tuple[Estimate, float]:
    """Accuracy of :func:`tie_quadrature`, with a bound on the error made by leaving out sectors.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`tie_quadrature`.
    """
    declaration = tie_quadrature.declaration
    declaration.scope.check(model, declaration.name.format(nodes=nodes))
    tally, bound = _integrated(model, nodes, scramble, least)
    return as_estimate(tally, declaration.runs_network), bound


def _integrated(
    model: Model, nodes: int, scramble: int | None, least: float | None
) -> tuple[Tally, float]:
    angles = Angles(model)
    least = least_for(model, least, "nodes", nodes)
    counter = angles.counter
    offsets = [0.5, 0.5] if scramble is None else np.random.default_rng(scramble).random(2)
    wrong, bound = CountedNumber(0.0, counter), 0.0
    for tie, offset in zip((math.pi / 4, 5 * math.pi / 4), offsets, strict=True):
        for k in range(nodes):
            v = (k + float(offset)) / nodes  # v, angles and weights are the same for all models
            angle = tie + math.pi * v**3 * (10 - 15 * v + 6 * v**2)
            weight = 30 * v**2 * (1 - v) ** 2
            share, left_out = angles.accuracy_at(angle, least)
            wrong = wrong + (1 - share) * weight
            bound += weight * left_out
    value = float(plain(1 - wrong / (2 * nodes)))
    return Tally(min(max(value, 0.0), 1.0), counter), bound / (2 * nodes)
