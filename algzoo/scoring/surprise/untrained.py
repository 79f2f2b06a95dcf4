"""The price of an accuracy without an explanation: the same law for every chapter.

Before we look at the weights, we expect a network to do what untrained networks of its size do,
which is to be right by chance. How far such networks are from chance is measured on 256 of them.
The law is Student's t on the scale of logit(accuracy), around chance. It is the predictive
distribution of a normal variable whose standard deviation is known from that many draws only. A
normal law in its place would claim to know probabilities of 2^-1000 from 256 networks, and its
price would follow the square of a spread that is not known to better than one part in twenty.

Median models are scored by a mean squared error, and the scale is its logarithm. Chance is then
the error of an output that is always 0, the mean of all right answers.

References
----------
Geisser, "Predictive inference", 1993, for the predictive distribution of a normal variable. That
surprise is measured against chance is ARC's idea ("Formal verification, heuristic explanations and
surprise accounting", 2024); the law is this book's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special, stats

from ...estimates.samplers.iid import ensemble_sampling
from ...zoo import FAMILIES, Model, check_model
from ...zoo.training.recipe import own_random_numbers
from .residual import log_probability

N_NETWORKS = 256  # untrained networks, with the seeds 0 to 255
N_INPUTS = 2**12  # random inputs on which each is run, the same for all


@dataclass(frozen=True)
class UntrainedLaw:
    """Predictive law of the score of a network of which only the size is known.

    Attributes
    ----------
    chance
        Centre of the law: one over the number of answers, or for median models the mean squared
        error of an output that is always 0.
    spread
        Root mean square distance of untrained networks from chance, on the law's scale.
    measures_error
        True if the score is a mean squared error. The scale is then its logarithm, otherwise the
        logit of an accuracy.
    n_networks
        Number of untrained networks; the degrees of freedom of the law.
    """

    chance: float
    spread: float
    measures_error: bool = False
    n_networks: int = N_NETWORKS

    def bits(self, score: float, tolerance: float) -> float:
        """Return -log2 of the probability of a score within ``tolerance`` of ``score``.

        Raises
        ------
        ValueError
            If ``tolerance`` is not positive, or if ``score`` is not possible: an accuracy outside 0
            to 1, or a negative mean squared error.
        """
        highest = math.inf if self.measures_error else 1.0
        if not (0 <= score <= highest and tolerance > 0):
            raise ValueError(
                f"A score from 0 to {highest:g} and a positive tolerance are needed, got {score} "
                f"and {tolerance}"
            )
        edges = np.clip([score - tolerance, score + tolerance], 0.0, highest)
        low, high = self._distance(edges) / self.spread
        return -log_probability(low, high, stats.t(self.n_networks)) / math.log(2)

    def _distance(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return _distance(scores, self.chance, self.measures_error)


def untrained_law(model: Model) -> UntrainedLaw:
    """Measure the law on untrained networks of the same family and size as ``model``.

    Their weights are drawn as at the start of training, with the seeds 0 to 255, and each network
    is run on the same 4096 random inputs. For k right answers among n, the logit is that of
    (k + 1/2) / (n + 1), which is finite. The spread is at least what n inputs can resolve at
    chance. Only the size of ``model`` is used, not its weights.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.zoo.check_model`, if there is only one answer, or if untrained
        networks of the family have other matrices than ``model``.
    """
    check_model(model)
    family, n_answers = FAMILIES[model.task_name], model.seq_len
    if n_answers < 2 and not family.measures_error:
        raise ValueError(
            f"With seq_len {n_answers} there is one answer, which no network can get wrong"
        )
    networks = []
    for seed in range(N_NETWORKS):
        with own_random_numbers(seed, torch.device("cpu")):
            network = family.build(model.hidden_size, model.seq_len).double()
        network.task_name = model.task_name
        networks.append(network)
    if _shapes(networks[0]) != _shapes(model):
        raise ValueError(
            f"The untrained networks of the family {family.name} have the matrices "
            f"{_shapes(networks[0])}, this model has {_shapes(model)}"
        )
    if family.measures_error:
        with torch.no_grad():
            silent = family.build(model.hidden_size, model.seq_len).double()
            for parameter in silent.parameters():
                parameter.zero_()
        zero, *errors = ensemble_sampling([silent, *networks], N_INPUTS, 0)
        chance, scores = zero.value, np.array([e.value for e in errors])
        assert zero.std is not None, "a sampled estimate has a standard error"
        resolved = zero.std / zero.value
    else:
        shares = np.array([e.value for e in ensemble_sampling(networks, N_INPUTS, 0)])
        chance, scores = 1 / n_answers, (shares * N_INPUTS + 0.5) / (N_INPUTS + 1)
        resolved = 1 / math.sqrt(N_INPUTS * chance * (1 - chance))
    distances = _distance(scores, chance, family.measures_error)
    spread = max(float(np.sqrt((distances**2).mean())), resolved)
    return UntrainedLaw(chance, spread, family.measures_error)


def _distance(
    scores: NDArray[np.float64], chance: float, measures_error: bool
) -> NDArray[np.float64]:
    """Distance of scores from chance, on the scale of the law."""
    if measures_error:
        with np.errstate(divide="ignore"):
            distance: NDArray[np.float64] = np.log(scores / chance)
    else:
        distance = special.logit(scores) - special.logit(chance)
    return distance


def _shapes(model: Model) -> dict[str, tuple[int, ...]]:
    return {name: tuple(p.shape) for name, p in model.named_parameters()}
