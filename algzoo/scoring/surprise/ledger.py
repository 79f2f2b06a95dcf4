"""Surprise accounting: the bits that the checks of an explanation cost.

A check is a statement about the weights: a pure function that measures something, a threshold, and
a declared prior for the measurement. A check of prior probability p costs ``-log2 p`` bits if it
holds and ``-log2 (1 - p)`` if it fails; a failed check stays in the ledger.

References
----------
ARC, "Formal verification, heuristic explanations and surprise accounting", 2024, and "AlgZoo:
uninterpreted models with fewer than 1,500 parameters", 2026.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights

Kind = Literal["algebra", "sign", "size", "order", "equality", "zero", "class"]
Measure = Callable[[Weights], NDArray[np.float64]]


@dataclass(frozen=True)
class Prior:
    """Declared distribution of a check's measurement: a frozen one of :mod:`scipy.stats`."""

    distribution: Any
    source: str

    @property
    def family(self) -> str:
        """Name of the family of distributions."""
        return str(self.distribution.dist.name)

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters of the distribution, by position or name."""
        positional = {f"arg{i}": float(a) for i, a in enumerate(self.distribution.args)}
        return positional | {k: float(v) for k, v in self.distribution.kwds.items()}


@dataclass(frozen=True)
class Implied:
    """Prior of a statement that follows from the entry it is given, and so costs nothing."""


@dataclass(frozen=True)
class Check:
    """Statement about the weights in standard form, with the price of believing it.

    Attributes
    ----------
    id
        Stable name within its ledger.
    kind
        ``"algebra"``: holds for all weights, costs nothing. ``"sign"``, ``"size"`` (compared with
        1), ``"order"`` (of two numbers), ``"equality"`` (near-equality of two numbers), ``"zero"``
        (near zero), ``"class"`` (a class of inputs gets its answer).
    statement
        The claim, in words or Markdown.
    measure
        Pure function from weights in standard form to the number that the claim is about; leading
        axes of the weights run over models.
    relation, threshold
        The check holds if ``measure(weights) relation threshold``; priors are continuous, so that
        ``<`` and ``<=`` are equally probable. Without a threshold the claim is that the number is
        as small as it is found to be in the explained model, which is how a near-equality is
        claimed.
    prior
        Distribution of the measurement given the entries in ``given``; ``None`` for algebra.
    given
        Ids of the entries on which the prior depends.
    alternatives
        Number of similar statements among which this one was searched for; its log2 is paid as
        well.
    """

    id: str
    kind: Kind
    statement: str
    measure: Measure
    relation: Literal["<", "<=", ">"]
    threshold: float | None
    prior: Prior | Implied | None
    given: tuple[str, ...] = ()
    alternatives: int = 1

    def holds(self, weights: Weights) -> NDArray[np.bool_]:
        """Tell whether the statement is true; shape of the weights' leading axes."""
        assert self.threshold is not None, "the ledger fixes thresholds"
        value = np.asarray(self.measure(weights))
        compare = {"<": np.less, "<=": np.less_equal, ">": np.greater}[self.relation]
        holds: NDArray[np.bool_] = compare(value, self.threshold)
        return holds


@dataclass(frozen=True)
class Entry:
    """Result of a check: the measured value, and the bits paid for the outcome."""

    check: Check
    value: float
    holds: bool
    p: float  # prior probability that the check holds
    bits: float

    def as_record(self) -> dict[str, Any]:
        """Return plain values for a table or a line of JSON."""
        check = self.check
        prior: dict[str, Any] = {}
        if isinstance(check.prior, Implied):
            prior = {"family": "implied", "by": check.given[0]}
        elif check.prior is not None:
            prior = {
                "family": check.prior.family,
                "parameters": check.prior.parameters,
                "source": check.prior.source,
            }
        return {
            "id": check.id,
            "kind": check.kind,
            "statement": check.statement,
            "fn": f"{check.measure.__module__}:{check.measure!r}",
            "value": self.value,
            "relation": check.relation,
            "threshold": check.threshold,
            "prior": prior,
            "given": list(check.given),
            "holds": self.holds,
            "p": self.p,
            "bits": self.bits,
            "alternatives": check.alternatives,
            "search_bits": math.log2(check.alternatives),
        }


@dataclass(frozen=True)
class Audit:
    """Test of a check's price on draws from a joint prior, given the entries before it.

    ``p`` is the declared probability, ``frequency`` how often the check held among the ``draws`` in
    which its ``given`` entries held. ``determined_by`` names an earlier entry, not in ``given``,
    that fixes the outcome: the bits are then paid twice.
    """

    id: str
    p: float
    frequency: float
    draws: int
    determined_by: str | None

    @property
    def passed(self) -> bool:
        """True if the frequency is within 3 standard errors of p and no other entry fixes it."""
        standard_error = math.sqrt(self.p * (1 - self.p) / self.draws) if self.draws else 0.0
        close = abs(self.frequency - self.p) <= 3 * standard_error
        return close and self.determined_by is None

    @property
    def margin(self) -> float:
        """Relative distance of the frequency from where the result of the test would change.

        It is at most 1, and 1 if nothing can vary.
        """
        allowed = 3 * math.sqrt(self.p * (1 - self.p) / self.draws) if self.draws else 0.0
        distance = abs(abs(self.frequency - self.p) - allowed)
        return min(distance / allowed, 1.0) if allowed else 1.0


class Ledger:
    """Checks of an explanation, evaluated on a model's weights.

    A threshold that a check leaves open is set to the value found in ``weights``; :meth:`on` then
    applies the same statements to another model's weights.

    Parameters
    ----------
    checks
        The statements, in order.
    weights
        Weights in standard form of the model that is explained.
    residual_bits
        Surprise that remains given the explanation.

    Raises
    ------
    ValueError
        If two checks have the same id, if an entry in ``given`` does not come before the check, or
        if a prior is missing.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> from algzoo.scoring import Check, Prior
    >>> from algzoo.structure import standard_form
    >>> from scipy import stats
    >>> weights = standard_form(zoo_2nd_argmax(2, 2)).weights
    >>> opposite = Check(
    ...     id="opposite inputs",
    ...     kind="sign",
    ...     statement="the two input weights have opposite signs",
    ...     measure=lambda weights: weights.w_hi[..., 0] * weights.w_hi[..., 1],
    ...     relation="<",
    ...     threshold=0,
    ...     prior=Prior(stats.uniform(-1, 2), source="signs of fair coins"),
    ... )
    >>> ledger = Ledger([opposite], weights)
    >>> ledger.entry("opposite inputs").holds, ledger.explanation_bits
    (True, 1.0)
    """

    def __init__(
        self, checks: Sequence[Check], weights: Weights, residual_bits: float = 0.0
    ) -> None:
        known: set[str] = set()
        for check in checks:
            if check.id in known:
                raise ValueError(f"Two checks are called {check.id!r}")
            if missing := {*check.given} - known:
                raise ValueError(
                    f"Check {check.id!r} is given {sorted(missing)}, which must come before it"
                )
            if isinstance(check.prior, Implied) and len(check.given) != 1:
                raise ValueError(f"Check {check.id!r} must be implied by exactly one entry")
            if (check.prior is None) != (check.kind == "algebra"):
                raise ValueError(f"Check {check.id!r}: algebra, and nothing else, has no prior")
            known.add(check.id)
        self.checks = tuple(
            check
            if check.threshold is not None
            else replace(check, threshold=float(check.measure(weights)))
            for check in checks
        )
        self._as_found = {check.id for check in checks if check.threshold is None}
        self.weights = weights
        self.residual_bits = residual_bits
        self.entries = self._evaluate(weights)

    def _evaluate(self, weights: Weights) -> tuple[Entry, ...]:
        held: dict[str, bool] = {}
        entries = []
        for check in self.checks:
            holds = bool(check.holds(weights))
            p = self._probability(check, held)
            held[check.id] = holds
            bits = _bits(p if holds else 1 - p)
            entries.append(Entry(check, float(check.measure(weights)), holds, p, bits))
        return tuple(entries)

    def _probability(self, check: Check, held: dict[str, bool]) -> float:
        if check.prior is None:
            return 1.0
        if isinstance(check.prior, Implied):
            return float(held[check.given[0]])
        distribution = check.prior.distribution
        p = distribution.sf if check.relation == ">" else distribution.cdf
        return float(p(check.threshold))

    def on(self, weights: Weights) -> Ledger:
        """Apply the same statements, with their thresholds, to another model's weights."""
        put = Ledger(self.checks, weights, self.residual_bits)
        put._as_found = self._as_found
        return put

    def entry(self, check_id: str) -> Entry:
        """Return the entry with that id; raise a ``KeyError`` if there is none."""
        for entry in self.entries:
            if entry.check.id == check_id:
                return entry
        raise KeyError(f"No check {check_id!r}; there are: {[c.id for c in self.checks]}")

    @property
    def margin(self) -> float:
        """Least distance of a measurement from its threshold; if it is tiny, rounding may decide.

        It is a share of the threshold, or absolute if the threshold is 0; at most 1. Algebra, which
        holds for all weights, and entries whose threshold was found in this model are left out.
        """
        nearest = 1.0
        for entry in self.entries:
            threshold = entry.check.threshold
            assert threshold is not None, "the ledger fixes thresholds"
            as_found = entry.check.id in self._as_found and entry.value == threshold
            if entry.check.kind != "algebra" and not as_found:
                nearest = min(nearest, abs(entry.value - threshold) / (abs(threshold) or 1.0))
        return nearest

    @property
    def explanation_bits(self) -> float:
        """Surprise of the explanation: the bits of all entries, failed ones included."""
        return math.fsum(entry.bits for entry in self.entries)

    @property
    def search_bits(self) -> float:
        """Bits for having searched for some of the statements among several."""
        return math.fsum(math.log2(check.alternatives) for check in self.checks)

    @property
    def total_bits(self) -> float:
        """Bits of explanation, search and residual (the surprise given the explanation)."""
        return self.explanation_bits + self.search_bits + self.residual_bits

    def bits_by_kind(self) -> dict[Kind, float]:
        """Bits of the entries, summed by kind."""
        totals: dict[Kind, float] = {}
        for entry in self.entries:
            totals[entry.check.kind] = totals.get(entry.check.kind, 0.0) + entry.bits
        return totals

    def frequencies(self, draws: Weights) -> dict[str, float]:
        """How often each check holds among many models (the leading axis of ``draws``)."""
        return {check.id: float(np.mean(check.holds(draws))) for check in self.checks}

    def audit(self, draws: Weights) -> list[Audit]:
        """Test every price on many draws from a joint prior.

        Near-equalities, to each other or to zero, are left out: their prior is a convention about
        the numbers themselves and does not follow from a joint prior.
        """
        outcomes = {check.id: check.holds(draws) for check in self.checks}
        audits = []
        for place, check in enumerate(self.checks):
            if check.kind in ("equality", "zero"):
                continue
            given = np.ones_like(outcomes[check.id])
            for other in check.given:
                given &= outcomes[other]
            held = outcomes[check.id][given]
            # All entries in ``given`` held; an implied one then certainly does.
            p = self._probability(check, dict.fromkeys(check.given, True))
            determined_by = None
            if 0 < p < 1:
                for earlier in self.checks[:place]:
                    also = outcomes[earlier.id][given]
                    if earlier.id not in check.given and (
                        _constant(held[also]) or _constant(held[~also])
                    ):
                        determined_by = earlier.id
            frequency = float(held.mean()) if held.size else math.nan
            audits.append(Audit(check.id, p, frequency, int(held.size), determined_by))
        return audits


def _bits(p: float) -> float:
    return math.log2(1 / p) if p > 0 else math.inf


def _constant(outcomes: NDArray[np.bool_]) -> bool:
    """Tell whether there are enough outcomes to judge, and all are alike."""
    return outcomes.size >= 30 and bool(outcomes.all() or not outcomes.any())
