"""Samplers for argmedian models, beside :func:`~algzoo.estimates.sampling.sampling`.

What :mod:`.samplers` has for 2nd argmax, with the same prices and conventions. The strata of
:func:`stratified_sobol` are the positions of the median.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..structure import Weights, weights_in_range
from ..zoo import Model, OneLayerRNN
from .estimate import Estimate
from .recurrent_models import is_recurrent
from .samplers import Sampler, sobol_points
from .samplers_forward import operations_of_samples, readouts
from .sampling import check_draws, sampling

Array = NDArray[np.float64]


def iid(model: Model, n_samples: int, seed: int) -> Estimate:
    """Accuracy of an argmedian model on ``n_samples`` independent inputs.

    Errors as :func:`antithetic`, and those of sampling itself.
    """
    _checked(model)
    return sampling(model, n_samples, seed)


def antithetic(model: Model, n_samples: int, seed: int) -> Estimate:
    """Accuracy on inputs in pairs x, -x; the last one alone where ``n_samples`` is odd.

    No ``std``.

    Raises
    ------
    ValueError
        Where the model is no recurrent argmedian model of an odd number of inputs, three or more,
        ``n_samples`` is not positive or ``seed`` is negative.
    """
    weights = checked_argmedian(model, n_samples, seed)
    n_pairs = -(-n_samples // 2)
    half = np.random.default_rng(seed).standard_normal((model.seq_len, n_pairs))
    x = np.stack([half, -half], axis=-1).reshape(model.seq_len, 2 * n_pairs)[:, :n_samples]
    return _estimate(weights, x)


def sobol(model: Model, n_samples: int, seed: int) -> Estimate:
    """Accuracy on the first points of Sobol's sequence, scrambled, as Gaussian quantiles.

    A power of two is best for ``n_samples``. No ``std``. Errors as :func:`antithetic`.
    """
    weights = checked_argmedian(model, n_samples, seed)
    rng = np.random.default_rng(seed)
    return _estimate(weights, special.ndtri(sobol_points(model.seq_len, n_samples, rng)))


def stratified_sobol(model: Model, n_samples: int, seed: int) -> Estimate:
    """Accuracy on stratified positions of the median, with magnitudes by Sobol's sequence.

    All positions are equally probable, and have equally many samples; a remainder goes to positions
    chosen at random. The first coordinate of a point gives the median by inverting its distribution
    function, Beta((n + 1) / 2, (n + 1) / 2) of uniform numbers; the others the remaining numbers,
    which are independent given the median once it is drawn which of them lie above. No ``std``.
    Errors as :func:`antithetic`.
    """
    weights = checked_argmedian(model, n_samples, seed)
    n, rng = model.seq_len, np.random.default_rng(seed)
    half = n // 2
    each, remainder = divmod(n_samples, n)
    extra = rng.choice(n, size=remainder, replace=False)
    place = np.concatenate([np.repeat(np.arange(n), each), extra])
    u = sobol_points(n, n_samples, rng)
    middle = special.betaincinv(half + 1, half + 1, u[0])
    above = rng.permuted(np.arange(n - 1)[:, None].repeat(n_samples, 1), axis=0) < half
    others = np.where(above, middle + (1 - middle) * u[1:], middle * u[1:])
    uniform = np.concatenate([middle[None], others])
    columns = np.arange(n_samples)
    uniform[0] = uniform[place, columns]
    uniform[place, columns] = middle
    return _estimate(weights, special.ndtri(uniform))


ARGMEDIAN_SAMPLERS: dict[str, Sampler] = {
    "iid": sampling,
    "antithetic": antithetic,
    "sobol": sobol,
    "stratified_sobol": stratified_sobol,
}


def checked_argmedian(model: Model, n_samples: int, seed: int) -> Weights:
    """Weights of a recurrent argmedian model of an odd number of inputs, three or more.

    Raises
    ------
    ValueError
        Where it is another model, ``n_samples`` is not positive or ``seed`` is negative.
    """
    argmedian = _checked(model)
    check_draws(n_samples, seed)
    return weights_in_range(argmedian)


def _checked(model: Model) -> OneLayerRNN:
    if not is_recurrent(model, "argmedian", 3) or model.seq_len % 2 == 0:
        raise ValueError(
            "This estimator is for recurrent argmedian models of an odd number of "
            f"inputs, three or more, got {type(model).__name__} with task {model.task_name!r} and "
            f"seq_len {model.seq_len}"
        )
    return model


def answers_median(weights: Weights, x: Array) -> NDArray[np.bool_]:
    """Whether the model says the position of the median, on inputs of shape (seq_len, n_inputs)."""
    answer = readouts(weights, x).argmax(axis=0)
    larger = (x > np.take_along_axis(x, answer[None], axis=0)).sum(axis=0)
    right: NDArray[np.bool_] = larger == len(x) // 2
    return right


def _estimate(weights: Weights, x: Array) -> Estimate:
    right = answers_median(weights, x)
    return Estimate(float(right.mean()), operations_of_samples(weights, len(right)), "D")
