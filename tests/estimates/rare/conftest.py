"""Events whose probability is known."""

import numpy as np
import pytest
from scipy.special import ndtr

from algzoo.estimates.rare import RareEvent, Readout, Region, half_space

NORMAL = np.array([1.5, -2.0, 0.5])


@pytest.fixture(scope="session")
def linear():
    """Build an event that is a half-space of three inputs, with its probability Phi(-sds)."""

    def make(sds):
        return half_space(NORMAL, sds * np.linalg.norm(NORMAL)), float(ndtr(-sds))

    return make


@pytest.fixture(scope="session")
def two_sided():
    """Build the event |normal @ x| > sds |normal|, with its probability 2 Phi(-sds)."""

    def make(sds):
        bound = sds * np.linalg.norm(NORMAL)

        def score_and_gradient(x):
            along = x @ NORMAL
            return np.abs(along) - bound, np.sign(along)[:, None] * NORMAL

        regions = tuple(Region(0, sign * NORMAL[None], np.array([bound])) for sign in (1, -1))
        readout = Readout(lambda x: x, lambda x: np.zeros(len(x), int), regions)
        event = RareEvent(3, lambda x: score_and_gradient(x)[0], score_and_gradient, 3, readout)
        return event, float(2 * ndtr(-sds))

    return make


@pytest.fixture(scope="session")
def sliver():
    """Build the event |x_0 - x_1| < width, with its probability."""

    def make(width):
        def score_and_gradient(x):
            gap = x[:, 0] - x[:, 1]
            return width - np.abs(gap), np.sign(gap)[:, None] * np.array([-1.0, 1.0])

        event = RareEvent(2, lambda x: score_and_gradient(x)[0], score_and_gradient, 2)
        return event, float(1 - 2 * ndtr(-width / np.sqrt(2)))

    return make


@pytest.fixture(scope="session")
def constant_score():
    """Build an event that always happens, or never: its score is a constant."""

    def make(score):
        def score_and_gradient(x):
            return np.full(len(x), score), np.zeros_like(x)

        region = Region(0, np.zeros((1, 2)), np.array([-score]))
        readout = Readout(lambda x: x, lambda x: np.zeros(len(x), int), (region,))
        return RareEvent(2, lambda x: score_and_gradient(x)[0], score_and_gradient, 2, readout)

    return make
