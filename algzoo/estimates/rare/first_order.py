"""Errors to first order in the gaps: the ties of inputs, and slivers beside them.

A good 2nd-argmax model errs next to ties: where two inputs are equal and the right answer passes
from one to the other, the model's answer passes a little before or after. Let m be the logit of the
wrong one of the two minus that of the right one, on one side of the tie x[i] = x[j]. If m > 0 on
the tie, and m falls at the rate r = -dm/ds with the distance s from it, the model errs as far as
s = m / r. To first order the density of the inputs is constant over this width, so that

    P(error) = sum over the sides of all ties of  integral phi(y) m(y) / (r(y) sqrt(2 pi)) dy,

with the standard Gaussian density phi on the tie. For three inputs the tie is a plane. With m
homogeneous, and y at the angle a in the plane, the integral is that of m(a) / r(a) over all angles,
divided by 4 pi; m(a) is p cos(a) + q sin(a) on each linear piece, and r is constant there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...structure.weights import Weights, weights_in_range
from ..few_inputs.two import first_order_error
from ..scope import Scope
from .event import EventScope, Floats, RareEvent
from .record import Account, RareEstimate

FIRST_ORDER = EventScope(("wrong answer",), Scope("2nd_argmax", inputs=(2, 3)), zero_only=True)

_MOST = 0.05  # share of the ties on which the formula may fail to hold
_ZERO = 1e-12  # relative; a smaller number is one only because of rounding


def first_order(event: RareEvent, budget: int = 0, seed: int = 0) -> RareEstimate:
    """Probability that a model of two or three inputs errs, to first order in its gaps at ties.

    The network is not run; budget and seed change nothing. For two inputs it is the error of
    :func:`algzoo.estimates.first_order`. For three, a part of a tie on which the model prefers the
    third input, or on which a sliver of errors would end beyond a neuron's switch, is left out. If
    these are more than a twentieth of the ties, the formula is not for the model.

    Raises
    ------
    TypeError
        If the event is not one of a model.
    ValueError
        If it is not the event of a wrong answer of a 2nd-argmax model of two or three inputs with
        threshold 0, or if the formula does not hold for the model.
    """
    model = FIRST_ORDER.check(event, "first order in the gaps").model
    account = Account(event, budget, least=0)
    if event.dimension == 2:
        error = first_order_error(model)
        account.charge_all(error)
        return account.estimate(error.value, runs_network="never")
    weights = weights_in_range(model)
    total, failing = 0.0, 0.0
    for i, j in itertools.permutations(range(3), 2):
        share, failing_share = _beside_tie(account, weights, i, j)
        total += share
        failing += failing_share / 6
    if failing > _MOST or total > 1:
        raise ValueError(
            f"The first-order formula does not hold on {failing:.1%} of the ties of this model: "
            "there it prefers the third input, or its neurons switch within the sliver of errors"
        )
    return account.estimate(total, runs_network="never")


class _Piece(NamedTuple):
    """Arc of a tie on which the network is linear, on one side of the tie.

    ``drives`` are what the neurons receive at all steps, (n d, n), and ``logits`` (n, n), both as
    linear functions of the inputs.
    """

    start: float
    stop: float
    drives: Floats
    logits: Floats


def _beside_tie(account: Account, weights: Weights, i: int, j: int) -> tuple[float, float]:
    """Probability of errors next to x[i] = x[j] with x[i] > x[j]; share of angles that fail."""
    k = 3 - i - j
    plane, normal = np.zeros((3, 2)), np.zeros(3)
    plane[[i, j], 0] = math.sqrt(0.5)
    plane[k, 1] = 1.0
    normal[[i, j]] = math.sqrt(0.5), -math.sqrt(0.5)
    triple_tie = math.atan2(math.sqrt(0.5), 1.0)
    total, failing = 0.0, 0.0
    for piece in _pieces(account, weights, plane, normal):
        difference = (piece.logits[i] - piece.logits[j]) @ plane
        zeros = _zeros(difference[None], piece.start, piece.stop)
        ties = [a for a in (triple_tie, triple_tie + math.pi) if piece.start < a < piece.stop]
        for start, stop in itertools.pairwise([piece.start, *sorted([*zeros, *ties]), piece.stop]):
            point = plane @ _unit((start + stop) / 2)
            # The second largest is the smaller of two equal ones above the third input.
            wrong, right = (i, j) if point[k] < point[i] else (j, i)
            margin = piece.logits[wrong] - piece.logits[right]
            at_point, rate = float(margin @ point), -float(margin @ normal)
            rounding = _ZERO * float(np.abs(piece.logits).sum())
            account.charge(40 + 4 * len(piece.drives), transcendental=4)
            leads = (piece.logits[k] - piece.logits[[i, j]]) @ point
            if (leads > rounding).all():
                failing += stop - start
            elif at_point > rounding:
                if rate <= 0 or _switches(piece.drives, point, normal, at_point / rate):
                    failing += stop - start
                else:
                    p, q = margin @ plane
                    area = p * (math.sin(stop) - math.sin(start))
                    area -= q * (math.cos(stop) - math.cos(start))
                    total += float(area) / rate
    return total / (4 * math.pi), failing / (2 * math.pi)


def _pieces(account: Account, weights: Weights, plane: Floats, normal: Floats) -> Iterator[_Piece]:
    """Yield the linear pieces of the circle ``plane @ (cos, sin)``, just beside it."""
    n, d = len(plane), len(weights.w_hi)
    arcs = [(0.0, 2 * math.pi, np.zeros((0, n)), np.zeros((d, n)))]
    for t in range(n):
        following = []
        for start, stop, drives, state in arcs:
            drive = weights.w_hh @ state
            drive[:, t] += weights.w_hi
            on_plane = drive @ plane
            flat = np.abs(on_plane).max(axis=1) <= _ZERO * np.abs(drive).sum(axis=1)
            cuts = _zeros(on_plane[~flat], start, stop)
            account.charge(n * d * d + d + 3 * n * d, transcendental=d)
            for a, b in itertools.pairwise([start, *cuts, stop]):
                is_on = np.where(flat, drive @ normal, on_plane @ _unit((a + b) / 2)) > 0
                following.append((a, b, np.vstack([drives, drive]), drive * is_on[:, None]))
        arcs = following
    for start, stop, drives, state in arcs:
        account.charge(n * n * d)
        yield _Piece(start, stop, drives, weights.w_oh @ state)


def _unit(angle: float) -> Floats:
    return np.array([math.cos(angle), math.sin(angle)])


def _zeros(rows: Floats, start: float, stop: float) -> list[float]:
    """Angles between two angles at which p cos + q sin is 0 for a row (p, q)."""
    roots = np.arctan2(-rows[:, 0], rows[:, 1])
    found = {float(root) + turn * math.pi for root in roots for turn in range(-1, 4)}
    return sorted(angle for angle in found if start < angle < stop)


def _switches(drives: Floats, point: Floats, normal: Floats, width: float) -> bool:
    """Tell whether a neuron switches between a point and ``width`` along the normal."""
    here, there = drives @ point, drives @ (point + width * normal)
    certain = _ZERO * np.abs(drives).sum(axis=1)
    return bool(((here * there < 0) & (np.abs(here) > certain)).any())
