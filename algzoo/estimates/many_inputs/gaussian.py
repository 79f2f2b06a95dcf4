"""Gaussian propagation of the hidden state, and why it fails on 2nd-argmax models.

The pre-activations of every step are taken to be jointly Gaussian with the inputs. Under that
assumption the mean and the full covariance after the ReLU are exact; the result is again taken to
be Gaussian. This loses facts that hold exactly, such as that a neuron is zero or that two neurons
cancel: they reappear as independent noise.

References
----------
"Covariance propagation" in ARC's work on wide random networks; see
:mod:`algzoo.estimates.many_inputs.rectified` for the formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from ...structure import Weights, weights_in_range
from ...zoo import Model
from ..counting.counter import OperationCounter
from ..estimate import Tally, estimator
from ..scope import Scope
from .order_classes import arranged, class_moments, classes, order_statistics
from .rectified import rectified_moments

Array = NDArray[np.float64]
Numbers = Any  # a numpy array, or one that counts

_NODES = 8  # quadrature nodes; the error of a covariance is below 1e-5 of the two deviations
_ROUNDING = 1e-12  # a smaller share of a variance than this is rounding


class Gaussian(NamedTuple):
    """Gaussian distribution of a hidden state together with the inputs.

    Leading axes run over distributions.
    """

    mean: Numbers  # (..., d)
    covariance: Numbers  # (..., d, d)
    with_inputs: Numbers  # (..., d, n)


@dataclass(frozen=True)
class StepErrors:
    """Predicted and sampled moments of every neuron after every step.

    Means and standard deviations of the hidden state, all of shape (n, d).
    """

    predicted_mean: Array
    sampled_mean: Array
    predicted_deviation: Array
    sampled_deviation: Array


_SCOPE = Scope("2nd_argmax", at_least=3)
_FACTS: dict[str, Any] = {
    "scope": _SCOPE,
    "runs_network": "never",
    "exact": "approximate",
    "constants": "none",
    "source": "covariance propagation in ARC's work on wide random networks",
    "references": ("price1958", "mendell1974"),
    "fails_when": "several neurons are exactly zero at once or cancel, as in every trained network",
}


@estimator("Gaussian closure", cost="O(n d^3)", **_FACTS)
def gaussian_propagation(model: Model) -> Tally:
    """Accuracy of a 2nd-argmax model by one Gaussian propagation of independent inputs.

    The result of the propagation is one Gaussian distribution of inputs and logits together. Under
    it, logits are a linear function of the inputs plus noise. For each class of inputs (which is
    largest and which second), the mean and covariance of the logits follow from those of the inputs
    in the class; a Gaussian with these moments gives the probability that the right logit is the
    largest.
    """
    weights = weights_in_range(model)
    counter = OperationCounter()
    n = model.seq_len
    law = propagated(_counted(weights, counter), np.zeros(n), np.eye(n), _NODES)[-1]
    moments = class_moments(n)
    # E[h | x] = E[h] + with_inputs x, because the inputs are standard Gaussian.
    noise = law.covariance - law.with_inputs @ law.with_inputs.T
    mean = law.mean + moments.mean @ law.with_inputs.T
    covariance = noise + law.with_inputs @ moments.covariance @ law.with_inputs.T
    value = _mean_right(counter.array(weights.w_oh), mean, covariance)
    return Tally(value.item(), counter)


@estimator("Gaussian closure by class", cost="O(n^3 d^3)", **_FACTS)
def gaussian_propagation_by_class(model: Model) -> Tally:
    """Accuracy of a 2nd-argmax model by a Gaussian propagation for each class of inputs.

    A class is an ordered pair of positions, of the largest and of the second-largest input. Its
    inputs are replaced by Gaussian ones with their exact means and covariances, and propagated; the
    propagated Gaussian gives the probability that the right logit is the largest.
    """
    weights = weights_in_range(model)
    counter = OperationCounter()
    law = propagated(_counted(weights, counter), *class_moments(model.seq_len), _NODES)[-1]
    value = _mean_right(counter.array(weights.w_oh), law.mean, law.covariance)
    return Tally(value.item(), counter)


def propagated(
    weights: Weights, mean: Numbers, covariance: Numbers, n_nodes: int
) -> list[Gaussian]:
    """Distribution of the hidden state after every step, for Gaussian inputs.

    ``mean`` and ``covariance`` of the inputs have shapes (..., n) and (..., n, n). ``n_nodes`` is
    that of :func:`~algzoo.estimates.many_inputs.rectified.rectified_moments`.
    """
    d, n = len(weights.w_hi), mean.shape[-1]
    batch = mean.shape[:-1]
    start = Gaussian(np.zeros((*batch, d)), np.zeros((*batch, d, d)), np.zeros((*batch, d, n)))
    return _continued(weights, start, 0, mean, covariance, n_nodes)


def _continued(
    weights: Weights,
    law: Gaussian,
    steps_done: int,
    mean: Numbers,
    covariance: Numbers,
    n_nodes: int,
) -> list[Gaussian]:
    """Distributions after each of the remaining steps, from that of the state before them."""
    w_hi, w_hh, _ = weights
    column = w_hi[:, None]
    laws = []
    for t in range(steps_done, mean.shape[-1]):
        # Before the ReLU: z = W_hh h + w x_t
        z_mean = law.mean @ w_hh.T + mean[..., t, None] * w_hi
        z_with_inputs = w_hh @ law.with_inputs + column * covariance[..., t, None, :]
        # Cov(z, x_t) w^T has the terms of x_t; the remaining terms are Cov(z, h) W_hh^T.
        z_with_state = w_hh @ law.covariance + column * law.with_inputs[..., None, :, t]
        z_covariance = z_with_state @ w_hh.T + z_with_inputs[..., :, t, None] * w_hi
        state_mean, state_covariance, gate = rectified_moments(z_mean, z_covariance, n_nodes)
        law = Gaussian(state_mean, state_covariance, z_with_inputs * gate[..., None])
        laws.append(law)
    return laws


def _mean_right(w_oh: Numbers, mean: Numbers, covariance: Numbers) -> Numbers:
    """Mean over the classes of the probability that the logit of the second is the largest."""
    n = len(w_oh)
    second = classes(n)[:, 1]
    others = np.array([[k for k in range(n) if k != answer] for answer in second])
    margins = (w_oh[:, None] - w_oh)[second[:, None], others]  # (n_classes, n - 1, d)
    margin_mean = (margins @ mean[..., None])[..., 0]
    margin_covariance = margins @ covariance @ margins.swapaxes(-1, -2)
    return np.mean(all_positive(margin_mean, margin_covariance))


def all_positive(mean: Numbers, covariance: Numbers) -> Numbers:
    """Approximate the probability that Gaussian numbers of shape (..., m) are all positive.

    The conditions are imposed one after the other, the least probable first. After each the rest is
    again taken to be Gaussian, with its mean and covariance under the conditions so far. The result
    is exact for independent numbers; otherwise its error is typically below a hundredth, and .05
    for two equal numbers.

    References
    ----------
    N. Mendell and R. Elston, "Multifactorial traits", Biometrics 30, 1974.
    """
    m = mean.shape[-1]
    diagonal = np.arange(m)
    variance = covariance[..., diagonal, diagonal]
    smallest = _ROUNDING * (variance + mean * mean) + np.finfo(float).tiny
    order = np.argsort(mean / np.sqrt(np.maximum(variance, smallest)), axis=-1)
    mean, smallest = (np.take_along_axis(x, order, axis=-1) for x in (mean, smallest))
    covariance = np.take_along_axis(covariance, order[..., :, None], axis=-2)
    covariance = np.take_along_axis(covariance, order[..., None, :], axis=-1)
    probability = 1.0
    for k in range(m):
        deviation = np.sqrt(np.maximum(covariance[..., 0, 0], smallest[..., k]))
        a = mean[..., 0] / deviation
        probability = probability * ndtr(a)
        # A standard Gaussian number above -a has mean h and variance 1 - h (h + a).
        h = np.exp(a * a * -0.5 - log_ndtr(a)) * (1 / math.sqrt(2 * math.pi))
        slope = covariance[..., 1:, 0] / deviation[..., None]
        lost = slope * (h * (h + a))[..., None]
        mean = mean[..., 1:] + slope * h[..., None]
        covariance = covariance[..., 1:, 1:] - lost[..., :, None] * slope[..., None, :]
    return probability


# Why it fails


def step_errors(
    model: Model, largest: int, second: int, n_samples: int, generator: np.random.Generator
) -> StepErrors:
    """Predicted and sampled moments of every neuron after every step, within one class.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`gaussian_propagation`, or if the two positions are not a
        class.
    """
    _SCOPE.check(model, "the look at Gaussian propagation")
    weights = weights_in_range(model)
    n = model.seq_len
    pairs = classes(n).tolist()
    if [largest, second] not in pairs:
        raise ValueError(
            f"largest and second must be two positions from 0 to {n - 1}, got {largest} and "
            f"{second}"
        )
    number = pairs.index([largest, second])
    moments = class_moments(n)
    laws = propagated(weights, moments.mean[number], moments.covariance[number], _NODES)
    uniform = generator.random((n, n_samples))
    states = list(_states(weights, arranged(order_statistics(uniform))[number]))
    variances = [np.diagonal(law.covariance) for law in laws]
    return StepErrors(
        predicted_mean=np.array([law.mean for law in laws]),
        sampled_mean=np.array([state.mean(0) for state in states]),
        predicted_deviation=np.sqrt(np.maximum(variances, 0)),
        sampled_deviation=np.array([state.std(0) for state in states]),
    )


def accuracy_closed_from(model: Model, n_samples: int, generator: np.random.Generator) -> Array:
    """Accuracy by class if the first steps are exact and the others propagated, shape (n + 1,).

    Element t takes mean and covariance of the state after t steps, and its covariances with the
    inputs, from ``n_samples`` inputs of every class, and propagates the remaining steps. Element 0
    is the estimate itself, and in element n only the logits are taken to be Gaussian.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`gaussian_propagation`.
    """
    _SCOPE.check(model, "the look at Gaussian propagation")
    weights = weights_in_range(model)
    n = model.seq_len
    moments = class_moments(n)
    x = arranged(order_statistics(generator.random((n, n_samples))))
    result = [gaussian_propagation_by_class(model).value]
    x_centred = x - x.mean(1, keepdims=True)
    for t, state in enumerate(_states(weights, x)):
        mean = state.mean(1)
        centred = state - mean[:, None]
        law = Gaussian(
            mean,
            centred.swapaxes(-1, -2) @ centred / n_samples,
            centred.swapaxes(-1, -2) @ x_centred / n_samples,
        )
        law = [law, *_continued(weights, law, t + 1, *moments, _NODES)][-1]
        result.append(float(_mean_right(weights.w_oh, law.mean, law.covariance)))
    return np.array(result)


def accuracy_on_gaussian_inputs(
    model: Model, n_samples: int, generator: np.random.Generator, *, others_only: bool
) -> float:
    """Share of right answers of the network itself if the inputs of each class are made Gaussian.

    It is measured on ``n_samples`` inputs of every class and shows what is lost before any ReLU is
    approximated. All inputs together have the means and covariances of the class. With
    ``others_only`` the largest and second keep their distribution, and each of the others is
    Gaussian with its conditional mean and variance given the second, but no longer bounded by it.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`gaussian_propagation`.
    """
    _SCOPE.check(model, "the look at Gaussian propagation")
    weights = weights_in_range(model)
    n = model.seq_len
    if others_only:
        values = order_statistics(generator.random((n, n_samples)))
        s = values[1]
        hazard = np.exp(-(s**2) / 2 - log_ndtr(s)) / math.sqrt(2 * math.pi)
        deviation = np.sqrt(1 - s * hazard - hazard**2)
        values[2:] = deviation * generator.standard_normal((n - 2, n_samples)) - hazard
        x = arranged(values)
    else:
        moments = class_moments(n)
        z = generator.standard_normal((n_samples, n))
        x = moments.mean[:, None] + z @ np.linalg.cholesky(moments.covariance).swapaxes(-1, -2)
    answers = (_states(weights, x)[-1] @ weights.w_oh.T).argmax(-1)
    return float((answers == classes(n)[:, 1, None]).mean())


def _states(weights: Weights, x: Array) -> list[Array]:
    """Hidden states after every step, each (..., d), on inputs (..., n)."""
    state = np.zeros((*x.shape[:-1], len(weights.w_hi)))
    states = []
    for t in range(x.shape[-1]):
        state = np.maximum(state @ weights.w_hh.T + x[..., t, None] * weights.w_hi, 0)
        states.append(state)
    return states


def _counted(weights: Weights, counter: OperationCounter) -> Weights:
    lifted: list[Any] = [counter.array(matrix) for matrix in weights]
    return Weights(*lifted)
