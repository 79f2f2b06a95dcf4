"""Iterated expectations: an estimate against the mean of the estimates given one more fact.

If an estimate were an expectation, given what the estimator knows, then it would be the average of
the estimates given one more fact, weighted with the probabilities of what that fact may be. Here
the fact is about the input: its class (the positions of the two largest numbers), the right answer,
or the sign of x0. A discrepancy shows that the estimator is no expectation: it forgets something
that the fact reminds it of, or its shares of the facts are not the true ones.

Estimators take models, not inputs, so that only some can be given a fact. Exact estimates are sums
over cones, each of one class. Samples can be sorted by the fact. The Gaussian closure exists for
all classes together and for each class. Other estimators of the catalogue average over classes by
construction, so that nothing is tested, or take no condition at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...estimates import exact, gaussian_propagation, gaussian_propagation_by_class
from ...estimates.scope import Scope
from ...mechanisms.drawing import inner_of
from ...mechanisms.facts import facts_of_inputs
from ...structure import decision_cones
from ...zoo import OneLayerRNN

_SCOPE = Scope("2nd_argmax", inputs=(2, 3))

Fact = Literal["class", "right answer", "sign of x0"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Iterated:
    """An estimate, and the mean of the estimates given a fact.

    Attributes
    ----------
    estimator, fact
        Their names.
    estimate
        The estimate of the accuracy.
    mean
        Mean of the estimates given the fact, with the true probabilities.
    std
        Standard deviation that the discrepancy has if samples are random; 0 otherwise.
    """

    estimator: str
    fact: Fact
    estimate: float
    mean: float
    std: float = 0.0

    @property
    def discrepancy(self) -> float:
        """The estimate less the mean."""
        return self.estimate - self.mean


def iterated_expectations(
    model: OneLayerRNN, n_samples: int = 2**14, seed: int = 0
) -> list[Iterated]:
    """Test the law of iterated expectations on the estimators that can be given a fact.

    Parameters
    ----------
    model
        A 2nd-argmax model of two or three inputs.
    n_samples, seed
        Number and seed of the inputs that sampling runs the model on.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a 2nd-argmax model of two or three inputs, or there are too few samples
        to see every class.
    """
    _SCOPE.check(model, "iterated expectations")
    found = []
    for fact, of_inputs in _FACTS.items():
        found += [_exact(model, fact, of_inputs), _sampled(model, fact, of_inputs, n_samples, seed)]
    if model.seq_len == 3:
        together, apart = gaussian_propagation(model), gaussian_propagation_by_class(model)
        found.append(Iterated("Gaussian closure", "class", together.value, apart.value))
    return found


def _class(x: Floats) -> NDArray[np.intp]:
    order = x.argsort(axis=1)
    return np.asarray(order[:, -1] * x.shape[1] + order[:, -2])


def _right(x: Floats) -> NDArray[np.intp]:
    return np.asarray(x.argsort(axis=1)[:, -2])


def _sign(x: Floats) -> NDArray[np.intp]:
    return (x[:, 0] > 0).astype(np.intp)


_FACTS: dict[Fact, Callable[[Floats], NDArray[np.intp]]] = {
    "class": _class,
    "right answer": _right,
    "sign of x0": _sign,
}


def _exact(
    model: OneLayerRNN, fact: Fact, of_inputs: Callable[[Floats], NDArray[np.intp]]
) -> Iterated:
    """Exact estimates given the fact: shares of the cones on which it is the same."""
    cones = decision_cones(model)
    facts = of_inputs(np.array([inner_of(cone.rays) for cone in cones]))
    right = np.array([cone.is_right for cone in cones])
    mass = np.array([cone.fraction for cone in cones])
    values = np.unique(facts)
    given = [mass[right & (facts == one)].sum() / mass[facts == one].sum() for one in values]
    # All values of a fact are equally probable.
    return Iterated("exact", fact, exact(model).value, math.fsum(given) / len(values))


def _sampled(
    model: OneLayerRNN,
    fact: Fact,
    of_inputs: Callable[[Floats], NDArray[np.intp]],
    n_samples: int,
    seed: int,
) -> Iterated:
    """Shares of right answers in a sample, of all inputs and of those with each fact."""
    assert model.seq_len is not None
    x = np.random.default_rng(seed).standard_normal((n_samples, model.seq_len))
    right = facts_of_inputs(model, x).is_right
    facts = of_inputs(x)
    values = np.unique(facts)
    n_values = {"class": model.seq_len * (model.seq_len - 1), "sign of x0": 2}
    if len(values) < n_values.get(fact, model.seq_len):
        raise ValueError(f"{n_samples} samples do not have every {fact}; please take more")
    given = np.array([right[facts == one].mean() for one in values])
    # The sample's shares of the facts differ from the true ones by their multinomial deviation.
    std = math.sqrt(float(given.var()) / n_samples)
    return Iterated("iid", fact, float(right.mean()), float(given.mean()), std)
