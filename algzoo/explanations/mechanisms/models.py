"""Models instead of inputs: noisy, retrained and tampered copies, told apart by their ledgers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...scoring.surprise.ledger import Kind, Ledger
from ...structure import Weights, model_with, weights_of
from ...zoo import DistRNN, OneLayerRNN

MakeLedger = Callable[[OneLayerRNN], Ledger]


@dataclass(frozen=True)
class Judged:
    """What the ledger of one model says of another.

    Attributes
    ----------
    name
        Name of the other model.
    failed
        Ids of the entries that fail on its weights.
    by_kind
        How many entries fail, by kind; kinds of which none fails are left out.
    margin
        Least relative distance of a measured value from its threshold: see ``Ledger.margin``.
    refusal
        Why the ledger cannot be applied, if it cannot: it is about models of another form.
    """

    name: str
    failed: tuple[str, ...]
    by_kind: Mapping[Kind, int]
    margin: float = 1.0
    refusal: str | None = None


def judged(
    make: MakeLedger, explained: OneLayerRNN, others: Mapping[str, OneLayerRNN]
) -> list[Judged]:
    """Apply the ledger of a model to other models.

    Parameters
    ----------
    make
        Function that makes a model's ledger, such as
        :func:`~algzoo.explanations.second_argmax_h4_n3.ledgers.symmetry_ledger`. It puts the
        weights of every model in standard form and its neurons in order.
    explained
        The model whose ledger is applied. The thresholds of near-equalities are those found in it.
    others
        Models by name.

    Raises
    ------
    ValueError
        If the ledger cannot be made for the explained model itself.
    """
    ledger = make(explained)
    found = []
    for name, other in others.items():
        try:
            weights = make(other).weights
        except ValueError as error:
            found.append(Judged(name, (), {}, refusal=str(error)))
            continue
        there = ledger.on(weights)
        failed = [entry.check for entry in there.entries if not entry.holds]
        by_kind: dict[Kind, int] = {}
        for check in failed:
            by_kind[check.kind] = by_kind.get(check.kind, 0) + 1
        ids = tuple(check.id for check in failed)
        found.append(Judged(name, ids, by_kind, there.margin))
    return found


def part_of(model: OneLayerRNN, neurons: Sequence[int]) -> DistRNN:
    """Return the 2nd-argmax model that has only some neurons of a model, in its number type.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.structure.weights_of`, or if there is no such neuron.
    """
    weights = weights_of(model)
    kept = list(neurons)
    if not kept or not set(kept) <= set(range(len(weights.w_hi))):
        raise ValueError(f"neurons must be from 0 to {len(weights.w_hi) - 1}, got {kept}")
    w_hi, w_hh, w_oh = weights
    return model_with(Weights(w_hi[kept], w_hh[kept][:, kept], w_oh[:, kept]), model.dtype)
