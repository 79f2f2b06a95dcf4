"""Approximately isolated subcircuits: what each neuron receives, from where, in natural units.

The weight from neuron j to neuron i, times the size of the activation of j, is what i receives from
j. The size of an activation is its root mean square over all steps but the last, on Gaussian
inputs, because no single weight determines it. Contributions are combined as if they were
independent. Both are the same for any numbering of the neurons and any units of their activations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..weights import Weights
from .formula import Formula, NotInGrammar, unrolled

_LARGEST_COUNT = 2**31  # largest whole weight, so that sums of products are exact


def states(weights: Weights, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute activations after every step, (seq_len, n_inputs, d), on x of (n_inputs, seq_len)."""
    n_inputs, seq_len = x.shape
    found = np.zeros((seq_len, n_inputs, len(weights.w_hi)))
    state = found[0]
    for t in range(seq_len):
        drive = x[:, t, None] * weights.w_hi
        state = np.maximum(state @ weights.w_hh.T + drive if t else drive, 0.0)
        found[t] = state
    return found


@dataclass(frozen=True, eq=False)
class Wiring:
    """Weights of a model together with the sizes of what they carry.

    Attributes
    ----------
    weights
        Weights of the model, in any units.
    received
        Shape (d, d): root mean square of what neuron i receives from neuron j.
    driven
        Shape (d,): root mean square of what each neuron receives from the input.
    passed_on
        Shape (d,): root mean square of each activation over all steps but the last.
    size
        Shape (d,): the same over all steps.
    seq_len
        Number of steps.
    """

    weights: Weights
    received: NDArray[np.float64]
    driven: NDArray[np.float64]
    passed_on: NDArray[np.float64]
    size: NDArray[np.float64]
    seq_len: int

    @classmethod
    def measured(cls, weights: Weights, x: NDArray[np.float64]) -> Wiring:
        """Measure the wiring on inputs ``x`` of shape (n_inputs, seq_len)."""
        activations = states(weights, x)
        passed_on = np.sqrt((activations[:-1] ** 2).sum((0, 1)) / max(x[:, :-1].size, 1))
        return cls(
            weights,
            np.abs(weights.w_hh) * passed_on,
            np.abs(weights.w_hi) * np.sqrt((x**2).mean()),
            passed_on,
            np.sqrt((activations**2).mean((0, 1))),
            x.shape[1],
        )

    def outside_share(self, inside: Sequence[int]) -> NDArray[np.float64]:
        """Share of what each neuron of ``inside`` receives that comes from other neurons."""
        inside = list(inside)
        squares = self.received[inside] ** 2
        all_of_it = squares.sum(1) + self.driven[inside] ** 2
        from_outside = np.delete(squares, inside, axis=1).sum(1)
        with np.errstate(invalid="ignore"):
            return np.sqrt(np.where(all_of_it > 0, from_outside / all_of_it, 1.0))


class Explained(Protocol):
    """Neuron whose activation after step t is taken to be ``unit * formulas[t]``."""

    @property
    def unit(self) -> float: ...  # noqa: D102

    @property
    def formulas(self) -> tuple[Formula, ...]: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Claim:
    """Formula of a neuron of a subcircuit if the weights were whole numbers in natural units.

    Attributes
    ----------
    neuron
        Its number in the model.
    unit
        Its activation is ``unit`` times the formula.
    formulas
        The formula after each step.
    from_input
        Its input weight in natural units, rounded: -1, 0 or 1.
    from_neurons
        Its incoming weights in natural units, rounded, by neuron; zeros are left out.
    rounded_share
        Share of what it receives from within the subcircuit that rounding adds or removes.
    """

    neuron: int
    unit: float
    formulas: tuple[Formula, ...]
    from_input: int
    from_neurons: dict[int, int]
    rounded_share: float


def derived(
    wiring: Wiring,
    group: Sequence[int],
    explained: Mapping[int, Explained],
    negligible: float,
) -> list[Claim]:
    """Derive claims for a group of neurons, from its own weights and those from explained neurons.

    The unit of a neuron is the size of its input weight. If the input makes up less than
    ``negligible`` of what it receives, the input weight is taken to be zero, and the unit is the
    one in which its largest contribution from a neuron of known unit has weight 1 or -1; that
    contribution must not be negligible either.

    Raises
    ------
    NotInGrammar
        If some neuron has no unit, or if the unrolled network leaves the grammar.
    """
    group = list(group)
    sources = [*group, *explained]
    w_hi, w_hh = wiring.weights.w_hi[group], wiring.weights.w_hh[np.ix_(group, sources)]
    received, driven = wiring.received[np.ix_(group, sources)], wiring.driven[group]
    total = np.hypot(np.linalg.norm(received, axis=1), driven)
    without_input = driven < negligible * total

    unit = np.array([*np.where(without_input, 0.0, np.abs(w_hi)), *_units_of(explained)])
    # Units are assigned one by one, the best founded first: a small contribution from a known
    # neuron is no unit for a neuron that mostly receives from another.
    while (unknown := unit[: len(group)] == 0).any():
        from_known = np.where(unit == 0, 0.0, received)
        share = np.where(unknown, from_known.max(1) / total, -np.inf)
        i = int(share.argmax())
        if share[i] < negligible:
            raise NotInGrammar(
                f"neuron {group[i]} has no unit: neither the input nor a neuron of known unit "
                "counts in it"
            )
        source = int(from_known[i].argmax())
        unit[i] = abs(w_hh[i, source]) * unit[source]

    own_unit = unit[: len(group)]
    exact = w_hh * unit / own_unit[:, None]
    whole = np.rint(exact)
    if np.abs(whole).max() > _LARGEST_COUNT:
        raise NotInGrammar(f"a weight is {np.abs(whole).max():.3g} units, too many to be counted")
    whole_hi = np.where(without_input, 0.0, np.sign(w_hi))
    known = [e.formulas for e in explained.values()]
    try:
        steps = unrolled(whole_hi.astype(np.int64), whole.astype(np.int64), wiring.seq_len, known)
    except NotInGrammar as error:
        where = "" if error.neuron is None else f" in neuron {group[error.neuron]}"
        raise NotInGrammar(f"{error}{where}") from None
    lost = np.linalg.norm((exact - whole) * wiring.passed_on[sources] / unit, axis=1) * own_unit
    return [
        Claim(
            neuron=neuron,
            unit=float(own_unit[i]),
            formulas=tuple(step[i] for step in steps),
            from_input=int(whole_hi[i]),
            from_neurons={sources[j]: int(whole[i, j]) for j in np.flatnonzero(whole[i])},
            rounded_share=float(lost[i] / total[i]),
        )
        for i, neuron in enumerate(group)
    ]


def _units_of(explained: Mapping[int, Explained]) -> list[float]:
    return [e.unit for e in explained.values()]
