"""Catalogue of all estimators that the installed packages declare."""

from __future__ import annotations

import importlib
import pkgutil
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, get_args

from .estimate import Declaration, Estimate, Exactness, Fit, RunsNetwork
from .samplers.second_argmax import Drawn

GROUP = "algzoo.estimators"


@dataclass(frozen=True, kw_only=True)
class CatalogEntry(Declaration):
    """Row of the catalogue: an estimator with one budget, and the facts that it declares.

    Attributes
    ----------
    estimator
        The function; ``None`` if it exists only with fitted constants. If it has ``scrambles``, it
        uses scramble 0 unless it is called with another ``scramble``.
    fit
        Function that makes the estimator from models and their accuracies, if it has fitted
        constants.
    advice_bits, fit_advice_bits
        Bits of its constants, and of those of the fit.
    summary
        First line of its docstring.
    origin
        Name of the distribution that declares it.
    """

    estimator: Callable[..., Estimate] | None
    fit: Fit | None
    advice_bits: float = 0.0
    fit_advice_bits: float
    summary: str
    origin: str

    def as_record(self) -> dict[str, Any]:
        """Return the facts as a dictionary that can be written as JSON."""
        record = {name: value for name, value in vars(self).items() if isinstance(value, str)}
        fits = self.fit is not None
        return {
            **record,
            "scope": str(self.scope),
            "advice_bits": self.advice_bits,
            "fit_advice_bits": self.fit_advice_bits,
            "scrambles": self.scrambles,
            "fits": fits,
        }


def catalog() -> list[CatalogEntry]:
    """List the estimators of the book and of all other installed packages.

    A package adds its estimators to the catalogue with an entry point of the group
    ``algzoo.estimators``. The entry point names a module or a package with declared functions, one
    such function, or a list of them; see :func:`.estimate.estimator`. Estimators that never run the
    network come first, and among these the exact ones. An entry point that cannot be loaded is left
    out, with a warning.

    Returns
    -------
    list of CatalogEntry
        One entry for each estimator and budget.

    Raises
    ------
    ValueError
        If two rows have the same name; the message says which packages they come from.

    Examples
    --------
    >>> entries = catalog()
    >>> entries[0].name, entries[0].exact, entries[0].runs_network
    ('exact', 'exact', 'never')
    >>> "iid, 1024 inputs" in [entry.name for entry in entries]
    True
    """
    entries, problems = collected()
    for problem in problems:
        warnings.warn(problem, stacklevel=2)
    return list(entries)


@cache
def collected() -> tuple[tuple[CatalogEntry, ...], tuple[str, ...]]:
    """Return the rows of the catalogue, and warnings about entry points that cannot be loaded."""
    entries: dict[str, CatalogEntry] = {}
    problems: list[str] = []
    for point in sorted(entry_points(group=GROUP), key=_origin):
        try:
            rows = _rows_of(point)
        except (Exception, SystemExit) as error:  # a module may call sys.exit when it is imported
            what = " ".join(f"{type(error).__name__}: {error}".split())
            problems.append(f"{_described(point)} is left out: {what}")
            continue
        for row in rows:
            other = entries.setdefault(row.name, row)
            if other is not row:
                raise ValueError(
                    f"two estimators are called {row.name!r}, one of {other.origin} and one of "
                    f"{row.origin}: rename one, or uninstall one of the two packages"
                )
    return tuple(sorted(entries.values(), key=_place)), tuple(problems)


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unnamed distribution"


def _described(point: EntryPoint) -> str:
    return f"entry point {point.name} = {point.value} of {_origin(point)} in group {GROUP}"


def _rows_of(point: EntryPoint) -> list[CatalogEntry]:
    declared = list(_declared_in(point.load()))
    if not declared:
        raise ValueError(
            "it holds no function declared with @estimator, @sampler or @fitted_estimator"
        )
    return [row for one in declared for row in _rows(one, _origin(point))]


def _declared_in(found: Any) -> Iterator[Any]:
    """Yield the declared functions of a module and its submodules, of a list, or the one given."""
    if isinstance(found, ModuleType):
        for value in vars(found).values():
            if _is_declared(value) and value.__module__ == found.__name__:
                yield value
        for info in pkgutil.iter_modules(getattr(found, "__path__", []), f"{found.__name__}."):
            yield from _declared_in(importlib.import_module(info.name))
    elif isinstance(found, list | tuple):
        yield from filter(_is_declared, found)
    elif _is_declared(found):
        yield found


def _is_declared(value: object) -> bool:
    return isinstance(getattr(value, "declaration", None), Declaration)


def _rows(declared: Any, origin: str) -> Iterator[CatalogEntry]:
    for budget in declared.declaration.budgets:
        yield row_at(declared, budget, origin)


def row_at(declared: Any, budget: Mapping[str, Any], origin: str = "algzoo") -> CatalogEntry:
    """The row of a declared function at a budget, whether or not the catalogue has it."""
    declaration: Declaration = declared.declaration
    name = declaration.name.format(**budget)
    fitting: Any = declaration.fit
    fit = fitting and partial(fitting, **budget)
    of_fit = advice_at(fitting.declaration, budget) if fitting else 0.0
    given = {**budget, "scramble": 0} if declaration.scrambles else budget
    one: Any = partial(declared, **given) if given else declared
    if declaration.kind == "sampler":
        one = Drawn(declaration.name.partition(",")[0], declared, budget["n_samples"])
    elif declaration.kind == "fit":
        one, fit, of_fit = None, partial(declared, **budget), advice_at(declaration, budget)
    facts = {
        **vars(declaration),
        "name": name,
        "advice_bits": advice_at(declaration, budget),
        "origin": origin,
        "summary": _summary(declared),
    }
    return CatalogEntry(**{**facts, "estimator": one, "fit": fit, "fit_advice_bits": of_fit})


def advice_at(declaration: Declaration, budget: Mapping[str, Any]) -> float:
    """Return the bits of advice of a declared function at a budget."""
    bits = declaration.advice_bits
    return bits(**budget) if callable(bits) else bits


def _summary(declared: Any) -> str:
    line = (declared.__doc__ or "").partition("\n")[0]
    return re.sub(r":\w+:`~?\.?(?:\w+\.)*(\w+)`", r"`\1`", line).replace("``", "`")


def _place(entry: CatalogEntry) -> tuple[Any, ...]:
    """Return the sort key of a row; numbers in names are compared as numbers."""
    parts = re.split(r"(\d+)", entry.name.lower())
    name = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
    runs_network, exact = get_args(RunsNetwork), get_args(Exactness)
    return runs_network.index(entry.runs_network), exact.index(entry.exact), name
