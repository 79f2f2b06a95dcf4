"""Search for features: neurons whose activations have a formula that follows from the weights.

The search explains the simplest part of the network first. Each round looks for neurons that
receive little except from the input, from themselves and from neurons already explained. If there
are none, it looks for the smallest group of new neurons that is closed in this sense. Rounding the
weights of such a subcircuit and unrolling it gives each neuron a formula
(:mod:`algzoo.structure.features.formula`), which is then compared with the neuron's activation on
inputs. A formula that fails there is reported and not used.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, section on M16,10, where
one model is taken apart in this way by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...zoo import OneLayerRNN
from ..weights import weights_in_range
from .check import Check, checked, r_squared
from .formula import Formula, NotInGrammar, describe
from .wiring import Claim, Wiring, derived, states


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the search, and how it measures sizes.

    Attributes
    ----------
    max_outside_share
        Largest share of what a neuron receives that may come from outside the subcircuit, both as
        root mean squares. A quarter of the size is a sixteenth of the variance.
    negligible
        A neuron counts as without input if the input makes up a smaller share of what it receives;
        and a neuron that contributes a smaller share does not determine its unit.
    max_new_neurons
        Largest number of neurons in a group that is added as a whole.
    min_r2
        Least R^2 after the last step of a formula that is kept.
    n_inputs
        Number of Gaussian inputs on which sizes are measured, and of further ones on which formulas
        are checked.
    seed
        Seed of both samples.
    """

    max_outside_share: float = 0.25
    negligible: float = 0.1
    max_new_neurons: int = 3
    min_r2: float = 0.85
    n_inputs: int = 2**14
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Feature:
    """Neuron with its formula.

    Attributes
    ----------
    neuron
        Its number in the model.
    text
        The formula after step t, where ``x[t]`` is the newest input.
    unit, formulas
        The activation after step t, on the model's own scale, is ``unit * formulas[t](x)``.
    from_input, from_neurons
        Rounded weights, in natural units, from which the formula was derived.
    outside_share, rounded_share
        Shares of what the neuron receives that come from outside the subcircuit, and that rounding
        adds or removes.
    rule_r2
        Shape (seq_len,): R^2 after each step of the activation that the rounded weights give from
        the actual activations before that step. Nothing is fitted. If this is near 1 and the
        formula's R^2 is not, the rule is right and its errors add up over the steps.
    check
        Comparison of the formula with the activation.
    """

    neuron: int
    text: str
    unit: float
    formulas: tuple[Formula, ...]
    from_input: int
    from_neurons: dict[int, int]
    outside_share: float
    rounded_share: float
    rule_r2: NDArray[np.float64]
    check: Check


@dataclass(frozen=True, eq=False)
class Rejected:
    """Neurons that are nearly isolated, given those explained, but have no formula.

    Attributes
    ----------
    neurons
        The group.
    reason
        Why it has no formula.
    """

    neurons: tuple[int, ...]
    reason: str


@dataclass(frozen=True, eq=False)
class FeatureSearch:
    """Result of a search for features.

    Attributes
    ----------
    subcircuits
        Neurons that each round added, in the order of the rounds. Each group is approximately
        isolated together with those before it.
    features
        Features by neuron, in the same order.
    rejected
        Groups that are isolated enough at the end of the search but have no formula.
    n_groups
        Number of groups examined, the price of the search in the sense of surprise accounting.
    next_group, next_outside_share
        Among the groups that are left and not rejected for their formula, the one nearest to
        isolation, and its outside share; empty and nan if no neuron is left.
    """

    subcircuits: tuple[tuple[int, ...], ...]
    features: dict[int, Feature]
    rejected: tuple[Rejected, ...]
    n_groups: int
    next_group: tuple[int, ...]
    next_outside_share: float


def find_features(model: OneLayerRNN, thresholds: Thresholds | None = None) -> FeatureSearch:
    """Find isolated subcircuits of a recurrent model, and formulas of their neurons.

    The result does not depend on the order of the neurons, except for their numbers, nor on the
    units of their activations.

    Parameters
    ----------
    model
        A recurrent model without biases.
    thresholds
        Thresholds of the search; by default those of :class:`Thresholds`.

    Returns
    -------
    FeatureSearch
        The features by neuron, and the groups that were rejected.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not a recurrent model of this package without biases.

    References
    ----------
    ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, section on M16,10.

    Examples
    --------
    >>> from algzoo import handcrafted_2nd_argmax
    >>> search = find_features(handcrafted_2nd_argmax(10))
    >>> len(search.features)
    22
    """
    return _Search(model, thresholds or Thresholds()).run()


class _Search:
    def __init__(self, model: OneLayerRNN, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
        weights = weights_in_range(model)
        rng = np.random.default_rng(thresholds.seed)
        shape = (thresholds.n_inputs, model.seq_len)
        self.wiring = Wiring.measured(weights, rng.standard_normal(shape))
        self.x = rng.standard_normal(shape)
        self.states = states(weights, self.x)
        self.alive = [int(i) for i in np.flatnonzero(self.wiring.size > 0)]
        self.features: dict[int, Feature] = {}
        self.n_groups = 0
        self.nearest: tuple[float, tuple[int, ...]] = (np.nan, ())

    def run(self) -> FeatureSearch:
        subcircuits: list[tuple[int, ...]] = []
        while True:
            found, rejected = self._round()
            if not found:
                break
            subcircuits.append(tuple(sorted(f.neuron for f in found)))
            self.features |= {f.neuron: f for f in sorted(found, key=lambda f: f.neuron)}
        share, group = self.nearest
        return FeatureSearch(
            tuple(subcircuits), self.features, tuple(rejected), self.n_groups, group, share
        )

    def _round(self) -> tuple[list[Feature], list[Rejected]]:
        """Return new features: of all single neurons that have one, or else of the first group."""
        rejected = []
        self.nearest = (np.nan, ())
        for size in range(1, self.thresholds.max_new_neurons + 1):
            found = []
            for group in self._isolated_groups(size):
                explained = self._explained(group)
                if isinstance(explained, Rejected):
                    rejected.append(explained)
                else:
                    found.append(explained)
            if found:
                found.sort(key=_place)
                return [f for group in found[: None if size == 1 else 1] for f in group], []
        return [], rejected

    def _isolated_groups(self, size: int) -> Iterator[tuple[int, ...]]:
        """Yield groups of new neurons that are isolated together with the explained ones."""
        rest = [i for i in self.alive if i not in self.features]
        for group in combinations(rest, size):
            self.n_groups += 1
            share = float(self._outside_shares(group).max())
            if share <= self.thresholds.max_outside_share:
                yield group
            elif not share >= self.nearest[0]:
                self.nearest = share, group

    def _outside_shares(self, group: tuple[int, ...]) -> NDArray[np.float64]:
        return self.wiring.outside_share([*group, *self.features])[: len(group)]

    def _explained(self, group: tuple[int, ...]) -> list[Feature] | Rejected:
        try:
            claims = derived(self.wiring, group, self.features, self.thresholds.negligible)
        except NotInGrammar as error:
            return Rejected(group, str(error))
        shares = self._outside_shares(group)
        units = {i: f.unit for i, f in self.features.items()} | {c.neuron: c.unit for c in claims}
        features = [
            self._feature(claim, float(share), units)
            for claim, share in zip(claims, shares, strict=True)
        ]
        poor = [f for f in features if not f.check.r2[-1] >= self.thresholds.min_r2]
        if poor:
            return Rejected(group, "; ".join(f"{f.text}: R^2 {f.check.r2[-1]:.2f}" for f in poor))
        return features

    def _feature(self, claim: Claim, outside_share: float, units: dict[int, float]) -> Feature:
        activation = self.states[:, :, claim.neuron]
        drive = claim.from_input * self.x.T
        for source, weight in claim.from_neurons.items():
            drive[1:] += weight / units[source] * self.states[:-1, :, source]
        return Feature(
            neuron=claim.neuron,
            text=describe(claim.formulas),
            unit=claim.unit,
            formulas=claim.formulas,
            from_input=claim.from_input,
            from_neurons=claim.from_neurons,
            outside_share=outside_share,
            rounded_share=claim.rounded_share,
            rule_r2=r_squared(activation / claim.unit, np.maximum(drive, 0.0)),
            check=checked(activation, claim.unit, claim.formulas, self.x),
        )


def _place(group: list[Feature]) -> tuple[float, list[str]]:
    """Return the sort key of a group, most isolated first, independent of the numbering."""
    return round(max(f.outside_share for f in group), 9), sorted(f.text for f in group)
