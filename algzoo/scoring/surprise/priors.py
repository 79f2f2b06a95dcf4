"""Random untrained models in standard form, with which the prices of checks are tested."""

from __future__ import annotations

import numpy as np

from ...structure import Weights


def cauchy_models(
    rng: np.random.Generator, n_models: int, hidden_size: int, output_size: int
) -> Weights:
    """Draw models with independent standard Cauchy weights in standard form, and fair signs W_hi.

    A standard Cauchy number is the ratio of two independent Gaussian ones, which is roughly what a
    weight in standard form is. It is positive half of the time and above 1 in size half of the
    time, and it has no free parameter.
    """

    def cauchy(*shape: int) -> np.ndarray:
        return rng.standard_cauchy((n_models, *shape))

    return Weights(
        rng.choice([-1.0, 1.0], (n_models, hidden_size)),
        cauchy(hidden_size, hidden_size),
        cauchy(output_size, hidden_size),
    )


def initialised_models(
    rng: np.random.Generator, n_models: int, hidden_size: int, output_size: int
) -> Weights:
    """Draw models as PyTorch initialises them, uniform on +-1/sqrt(hidden_size), standardised."""
    bound = hidden_size**-0.5

    def uniform(*shape: int) -> np.ndarray:
        return rng.uniform(-bound, bound, (n_models, *shape))

    w_hi = uniform(hidden_size)
    scale = np.abs(w_hi)
    w_hh = uniform(hidden_size, hidden_size) * scale[:, None, :] / scale[:, :, None]
    return Weights(np.sign(w_hi), w_hh, uniform(output_size, hidden_size) * scale[:, None, :])
