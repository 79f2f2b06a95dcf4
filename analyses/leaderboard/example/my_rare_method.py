"""A worked entry for rare outputs: importance sampling from a Gaussian three times as wide."""

import numpy as np

from algzoo.estimates import Estimate
from algzoo.scoring.rare import RareEntrant


def wide(event, budget, seed, scale=3.0):
    """Importance sampling from a Gaussian that is three times as wide as that of the inputs."""
    rng = np.random.default_rng(seed)
    x = scale * rng.standard_normal((budget, event.dimension))
    hits = x[event.score(x) > 0]
    log_weights = (hits**2).sum(axis=1) * (1 / scale**2 - 1) / 2 + event.dimension * np.log(scale)
    value = float(np.exp(log_weights).sum()) / budget
    # Forward passes and scaling; for each hit the weight, with an exponential function at 10.
    operations = budget * (event.operations + event.dimension) + len(hits) * (event.dimension + 12)
    return Estimate(min(value, 1.0), operations, "random inputs")


entry = RareEntrant("Gaussian three times as wide", wide, tuned_on="nothing")
