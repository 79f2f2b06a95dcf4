"""Where the estimates of rare outputs fail: the angle of the cone, and how rare the event is in it.

An event of a network without biases lies in cones. Two things make it rare: the cone is thin, or
the margin has to be large, which the length of the input decides. :func:`phase_diagram` varies both
on one model of two inputs, so that each place of the diagram has an exact probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq

from ..estimates.few_inputs.margin_tail import margin_tail
from ..estimates.few_inputs.planted import plant_cone
from ..estimates.rare import METHODS, Method, RareEvent, event_of
from ..zoo import Model, handcrafted_2nd_argmax

MASSES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8)
"""Shares of all directions that the cone of the event has."""

PROBABILITIES = (1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
"""Probabilities of the event."""

TEMPERATURES = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Temperatures that are tried for methods that need one; the best, seen from the truth, counts."""

SHOWN = ("naive", "ITGIS", "MHIS", "QLD", "subset simulation", "cross-entropy", "red teaming")
"""Methods of the diagram: all that run the network and can return more than 0."""

_MARGIN = 5.0  # of the planted answer at the unit vector on the axis


@dataclass(frozen=True)
class Place:
    """One method at one place of the diagram.

    Attributes
    ----------
    mass
        Share of all directions that the cone has.
    probability
        Probability of the event.
    method
        Name of the method.
    ratio
        Median of the estimates over the probability; 0 if the median is.
    """

    mass: float
    probability: float
    method: str
    ratio: float


def threshold_for(model: Model, probability: float) -> float:
    """Return the threshold of the margin that a wrong answer exceeds with this probability.

    Parameters
    ----------
    model
        A 2nd-argmax model of two or three inputs.
    probability
        Less than the probability that the model errs.

    Raises
    ------
    ValueError
        If the probability is not positive, or the model errs less often.
    """
    most = margin_tail(model, 0.0)
    if not 0 < probability < most:
        raise ValueError(f"the probability must be between 0 and {most:g}, got {probability}")

    def excess(threshold: float) -> float:
        return math.log(max(margin_tail(model, threshold), 1e-300) / probability)

    above = 1.0
    while excess(above) > 0:
        above *= 2
    return float(brentq(excess, 0.0, above, rtol=1e-9))


def phase_diagram(
    masses: Sequence[float] = MASSES,
    probabilities: Sequence[float] = PROBABILITIES,
    *,
    budget: int = 2**13,
    n_seeds: int = 3,
    methods: Sequence[str] = SHOWN,
) -> list[Place]:
    """Estimate events in planted cones of two inputs by each method.

    The model is the handcrafted one of two inputs, which never errs, with a cone planted around its
    last axis. In the cone the margin grows from 0 at its borders to 5 times the length of the input
    on its axis.

    Parameters
    ----------
    masses
        Shares of all directions that the cones have.
    probabilities
        Probabilities of the events; those that exceed the mass are left out. One that equals it is
        the event that the model errs.
    budget
        Forward passes of an estimate.
    n_seeds
        Estimates, of which the median counts.
    methods
        Names of methods.
    """
    base = handcrafted_2nd_argmax(2, dtype=torch.float64)
    places = []
    for mass in masses:
        planted = plant_cone(base, mass, _MARGIN)
        for probability in probabilities:
            if probability > mass:
                continue
            threshold = 0.0 if probability == mass else threshold_for(planted.model, probability)
            event = event_of(planted.model, threshold)
            truth = margin_tail(planted.model, threshold)
            for name in methods:
                ratio = _best_ratio(METHODS[name], event, truth, budget, n_seeds)
                places.append(Place(mass, probability, name, ratio))
    return places


def _best_ratio(method: Method, event: RareEvent, truth: float, budget: int, n_seeds: int) -> float:
    """Median estimate over the truth, at the temperature that is best for this very event."""
    settings: Sequence[Mapping[str, float]] = (
        [{"temperature": t} for t in TEMPERATURES] if method.needs_temperature else [{}]
    )
    ratios = [
        float(np.median([method(event, budget, seed, **one).value for seed in range(n_seeds)]))
        / truth
        for one in settings
    ]
    return min(ratios, key=distance)


def distance(ratio: float) -> float:
    """Return how far a ratio is from 1: the logarithm of the factor, infinite if it is 0."""
    return abs(math.log(ratio)) if ratio > 0 else math.inf


def within_factor(places: Sequence[Place], factor: float = 2.0) -> dict[str, list[Place]]:
    """Return the places at which each method is right within a factor."""
    return {
        name: [
            place
            for place in places
            if place.method == name and distance(place.ratio) <= math.log(factor)
        ]
        for name in dict.fromkeys(place.method for place in places)
    }


@dataclass(frozen=True)
class Pull:
    """What a method that prefers a large margin is drawn to.

    Attributes
    ----------
    largest_inside
        Largest margin of a wrong answer at a unit vector, among random directions in the event.
    typical
        Mean size of the margin at random unit vectors.
    length, length_weighted
        Mean length of a random input, and the same weighted by exp(margin / temperature).
    """

    largest_inside: float
    typical: float
    length: float
    length_weighted: float


def pull(event: RareEvent, temperature: float, n_inputs: int = 2**20, seed: int = 0) -> Pull:
    """Measure what a method that prefers a large margin is drawn to.

    Parameters
    ----------
    event
        The event of a wrong answer, with threshold 0.
    temperature
        The unit in which margins are weighted; above 0.
    n_inputs, seed
        Number and seed of the random inputs, some of which have to be in the event.

    Raises
    ------
    ValueError
        If none of the inputs is in the event.
    """
    x = np.random.default_rng(seed).standard_normal((n_inputs, event.dimension))
    length = np.linalg.norm(x, axis=1)
    margin = event.score(x)
    at_unit = margin / length  # the margin is positively homogeneous
    if at_unit.max() <= 0:
        raise ValueError(f"none of {n_inputs} random inputs is in the event")
    weight = np.exp((margin - margin.max()) / temperature)
    return Pull(
        float(at_unit.max()),
        float(np.abs(at_unit).mean()),
        float(length.mean()),
        float((weight * length).sum() / weight.sum()),
    )


def towards(event: RareEvent, direction: Sequence[float], n_inputs: int, seed: int = 0) -> float:
    """Return the share of random inputs from which the gradient leads nearer to a direction.

    The gradient counts as leading nearer if the part of it that turns the input has a positive
    product with the part of the direction that does.

    Parameters
    ----------
    event
        The event; its score is piecewise linear.
    direction
        A vector, for instance the axis of the cone in which the event happens.
    n_inputs, seed
        Number and seed of the inputs.
    """
    x = np.random.default_rng(seed).standard_normal((n_inputs, event.dimension))
    _, gradient = event.score_and_gradient(x)
    unit = x / np.linalg.norm(x, axis=1)[:, None]
    aim = np.asarray(direction, float)
    aim = aim / np.linalg.norm(aim)

    def turning(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(vectors - (vectors * unit).sum(axis=1)[:, None] * unit)

    product = (turning(gradient) * turning(np.broadcast_to(aim, x.shape))).sum(axis=1)
    return float((product > 0).mean())


def n_right(ratios: NDArray[np.float64], factor: float = 2.0) -> int:
    """Return how many ratios of estimates to truths are within a factor of 1."""
    return sum(distance(ratio) <= math.log(factor) for ratio in ratios.tolist())


def thin_places(places: Sequence[Place]) -> tuple[int, int]:
    """Return how many estimates are about thin cones, and how many of these are 0.

    A cone is thin here if at most one direction in ten thousand is in it, and its event is rarer.
    """
    thin = [place for place in places if place.mass <= 1e-4 and place.probability < 1e-4]
    return len(thin), sum(place.ratio == 0 for place in thin)


def tail_curve(
    model: Model, thresholds: Sequence[float], margins: NDArray[np.float64]
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Return thresholds with exact probabilities, and every fourth with a share of random inputs.

    Probabilities below 1e-30 and shares of 0 are left out. ``margins`` are those of the random
    inputs.
    """
    exact = [(t, margin_tail(model, t)) for t in thresholds]
    shares = [(t, float((margins > t).mean())) for t in thresholds[::4]]
    return [(t, p) for t, p in exact if p > 1e-30], [(t, p) for t, p in shares if p > 0]
