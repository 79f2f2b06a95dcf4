"""Formulas for neurons: sums of inputs and of maxima of zero and some inputs, with whole weights.

The grammar has two kinds of term: an input ``x[i]``, and a maximum ``max(0, x[i] for i in P)``. One
identity expresses the ReLUs of a recurrent network in it: for two terms a and b,

    ReLU(a - b) = max(a, b) - b,

where the maximum of two maxima is the one over both sets, and that of a maximum and an input the
one over the set and the input. Prefix maxima, leave-one-out maxima, delayed inputs and their
differences are all sums of these terms. What the identity does not reach is refused, not
approximated.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, section on M16,10, where
the identity is used by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

# A position stands for the input there, a set of positions for the maximum of zero and the inputs.
Term = int | frozenset[int]


class NotInGrammar(ValueError):  # noqa: N818 (it states a fact, not a mistake)
    """ReLU of something that is not a difference of two terms.

    ``neuron`` is the number of the neuron where it occurs, among those that were unrolled.
    """

    def __init__(self, reason: str, neuron: int | None = None) -> None:
        super().__init__(reason)
        self.neuron = neuron


class Formula:
    """Sum of terms with whole coefficients; immutable, equal if the terms and coefficients are.

    Parameters
    ----------
    coefficients
        Coefficient of each term. Zeros are dropped, and so is ``max(0)``, the empty maximum.
    """

    __slots__ = ("coefficients",)

    def __init__(self, coefficients: Mapping[Term, int] | None = None) -> None:
        kept = {t: c for t, c in (coefficients or {}).items() if c != 0 and t != frozenset()}
        self.coefficients: Mapping[Term, int] = dict(sorted(kept.items(), key=_place))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self.coefficients == other.coefficients

    def __hash__(self) -> int:
        return hash(frozenset(self.coefficients.items()))

    def __bool__(self) -> bool:
        return bool(self.coefficients)

    def __add__(self, other: Formula) -> Formula:
        total = dict(self.coefficients)
        for term, coefficient in other.coefficients.items():
            total[term] = total.get(term, 0) + coefficient
        return Formula(total)

    def __rmul__(self, factor: int) -> Formula:
        return Formula({term: factor * c for term, c in self.coefficients.items()})

    def __sub__(self, other: Formula) -> Formula:
        return self + (-1) * other

    def __repr__(self) -> str:
        return f"Formula({dict(self.coefficients)!r})"

    def terms(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the terms, shape (n_terms, n_inputs), on ``x`` of shape (n_inputs, seq_len)."""
        values = [values_of_term(term, x) for term in self.coefficients]
        return np.array(values).reshape(len(values), len(x))

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values, shape (n_inputs,), on inputs ``x`` of shape (n_inputs, seq_len)."""
        values = np.zeros(len(x))
        for term, coefficient in self.coefficients.items():
            values += coefficient * values_of_term(term, x)
        return values


def maximum(positions: Iterable[int]) -> Formula:
    """Maximum of zero and the inputs at ``positions``, as a formula."""
    return Formula({frozenset(positions): 1})


def input_at(position: int) -> Formula:
    """The input at ``position``, as a formula."""
    return Formula({position: 1})


def relu(formula: Formula) -> Formula:
    """ReLU of a formula, as a formula.

    Raises
    ------
    NotInGrammar
        If the formula is not a multiple of the difference of two terms, and not of one sign
        throughout, as far as can be told from sets that contain each other.
    """
    if _never_negative(formula):
        return formula
    if _never_negative(Formula() - formula):
        return Formula()
    positive = {t: c for t, c in formula.coefficients.items() if c > 0}
    negative = {t: -c for t, c in formula.coefficients.items() if t not in positive}
    if len(positive) > 1 or len(negative) > 1:
        raise NotInGrammar("ReLU of more than two terms")
    (a, factor), (b, other) = (
        next(iter(part.items()), (frozenset[int](), None)) for part in (positive, negative)
    )
    if factor is not None and other is not None and factor != other:
        raise NotInGrammar("ReLU of two terms of unlike coefficients")
    if isinstance(a, int) and isinstance(b, int):
        raise NotInGrammar("ReLU of the difference of two inputs")
    larger = _as_set(a) | _as_set(b)
    return (factor or other or 0) * (Formula({larger: 1}) - Formula({b: 1}))


def unrolled(
    w_hi: NDArray[np.int64],
    w_hh: NDArray[np.int64],
    seq_len: int,
    known: Sequence[Sequence[Formula]] = (),
) -> list[list[Formula]]:
    """Derive the formula of every neuron after every step, in the order [step][neuron].

    The weights are whole numbers, shapes (d,) and (d, d + k); the network starts from zero. The
    last k columns are those of neurons whose formulas are ``known``, in the order [neuron][step].

    Raises
    ------
    NotInGrammar
        Raised by :func:`relu`; the message names the step and the neuron.
    """
    state = [Formula() for _ in range(w_hh.shape[1])]
    steps = []
    for t in range(seq_len):
        following = []
        for i, row in enumerate(w_hh):
            drive = int(w_hi[i]) * input_at(t)
            for weight, formula in zip(row, state, strict=True):
                drive = drive + int(weight) * formula
            try:
                following.append(relu(drive))
            except NotInGrammar as error:
                raise NotInGrammar(f"{error} at step {t}", neuron=i) from None
        steps.append(following)
        state = [*following, *(formulas[t] for formulas in known)]
    return steps


def describe(steps: Sequence[Formula]) -> str:
    """Write one text for the formulas of a neuron after steps 0, 1, 2, ..., in terms of the step t.

    ``x[t]`` is the newest input, and inputs before ``x[0]`` are left out. If no text of this form
    holds after every step, the text is that of the last one, by positions.
    """
    last = len(steps) - 1
    texts, candidates = [], _rules(steps[-1], last)
    for rule in candidates:
        if all(_at_step(rule, t) == formula for t, formula in enumerate(steps)):
            texts = [(coefficient, _lag_text(kind, lags)) for kind, lags, coefficient in rule]
            break
    else:
        texts = [(c, _position_text(term)) for term, c in steps[-1].coefficients.items()]
    if not texts:
        return "0"
    text = " ".join(
        f"{'+' if c > 0 else '-'} {'' if abs(c) == 1 else f'{abs(c)} '}{name}" for c, name in texts
    )
    return text.removeprefix("+ ")


def describe_term(term: Term, last: int) -> str:
    """Write the text of a term after step ``last`` alone: by ages, as in :func:`describe`."""
    if isinstance(term, int):
        return _lag_text("input", frozenset({last - term}))
    ages = frozenset(last - i for i in term)
    others = frozenset(range(last + 1)) - ages
    in_a_row = max(ages) - min(ages) < len(ages)
    if (in_a_row and last not in ages) or len(ages) < len(others):
        return _lag_text("among", ages)
    return _lag_text("without", others)


# A term by ages, 0 for the newest input: ("input", {age}), ("among", ages) or ("without", ages).
_Rule = list[tuple[str, frozenset[int], int]]


def _rules(formula: Formula, last: int) -> list[_Rule]:
    """List ways to describe by ages what ``formula`` is after the last step, short ones first."""
    rules: list[_Rule] = [[]]
    everything = frozenset(range(last + 1))
    for term, coefficient in formula.coefficients.items():
        if isinstance(term, int):
            ways = [("input", frozenset({last - term}))]
        else:
            ages = frozenset(last - i for i in term)
            ways = [("without", everything - ages), ("among", ages)]
            ways.sort(key=lambda way: (len(way[1]), len(_lag_text(*way))))
        rules = [[*rule, (*way, coefficient)] for rule in rules for way in ways]
    return rules


def _at_step(rule: _Rule, t: int) -> Formula:
    total = Formula()
    for kind, ages, coefficient in rule:
        if kind == "input":
            term = sum((input_at(t - age) for age in ages if age <= t), Formula())
        elif kind == "among":
            term = maximum(t - age for age in ages if age <= t)
        else:
            term = maximum(i for i in range(t + 1) if t - i not in ages)
        total = total + coefficient * term
    return total


def _lag_text(kind: str, ages: frozenset[int]) -> str:
    if kind == "input":
        return _runs(ages)
    if kind == "among":
        return f"max(0, {_runs(ages)})"
    newest = next(age for age in count() if age not in ages)
    left_out = frozenset(age for age in ages if age > newest)
    without = f" without {_runs(left_out)}" if left_out else ""
    return f"max(0, x[0..{_age_text(newest)}]{without})"


def _runs(ages: frozenset[int]) -> str:
    """Inputs by age, the oldest first, three or more in a row as a range."""
    texts = []
    left = sorted(ages, reverse=True)
    while left:
        length = next(k for k in count(1) if left[0] - k not in ages)
        if length > 2:
            texts.append(f"x[{_age_text(left[0])}..{_age_text(left[length - 1])}]")
        else:
            texts += [f"x[{_age_text(age)}]" for age in left[:length]]
        left = left[length:]
    return ", ".join(texts)


def _age_text(age: int) -> str:
    return f"t-{age}" if age else "t"


def _position_text(term: Term) -> str:
    if isinstance(term, int):
        return f"x[{term}]"
    return f"max(0, {', '.join(f'x[{i}]' for i in sorted(term))})"


def _place(item: tuple[Term, int]) -> tuple[bool, bool, int, list[int]]:
    """Sort key of terms as they are read: positive first, maxima first, large first."""
    term, coefficient = item
    positions = sorted(_as_set(term))
    return coefficient < 0, isinstance(term, int), -len(positions), positions


def _as_set(term: Term) -> frozenset[int]:
    return frozenset({term}) if isinstance(term, int) else term


def values_of_term(term: Term, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a term, shape (n_inputs,), on inputs ``x`` of shape (n_inputs, seq_len)."""
    if isinstance(term, int):
        return x[:, term]
    largest = np.zeros(len(x))
    for position in term:
        np.maximum(largest, x[:, position], out=largest)
    return largest


def _never_negative(formula: Formula) -> bool:
    """Tell whether each term that is subtracted is covered by a maximum that contains it.

    The test is sound but not complete: the terms are covered one by one, each by the smallest
    maximum that contains it.
    """
    cover = {t: c for t, c in formula.coefficients.items() if c > 0}
    if any(isinstance(term, int) for term in cover):
        return False
    # The largest come first; they are kept in this order.
    for term, left in [(t, -c) for t, c in formula.coefficients.items() if t not in cover]:
        for larger in sorted(cover, key=lambda t: len(_as_set(t))):
            if _as_set(term) <= _as_set(larger):
                used = min(left, cover[larger])
                cover[larger] -= used
                left -= used
        if left:
            return False
    return True
