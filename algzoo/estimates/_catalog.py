"""The catalogue: every estimator that an installed package declares."""

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
    """A row of the catalogue: an estimator at one budget, and the facts that it declares.

    Attributes
    ----------
    estimator
        ``None`` where it is nothing without fitted constants. Where there are ``scrambles``, it
        meets scramble 0 unless it is called with another ``scramble``.
    fit
        Makes the estimator from models and their accuracies, where it has fitted constants.
    summary
        The first line of its documentation.
    origin
        The distribution that declares it.
    """

    estimator: Callable[..., Estimate] | None
    fit: Fit | None
    summary: str
    origin: str

    def as_record(self) -> dict[str, Any]:
        """What it says of itself, ready for JSON."""
        record = {name: value for name, value in vars(self).items() if isinstance(value, str)}
        fits = self.fit is not None
        return {**record, "scope": str(self.scope), "scrambles": self.scrambles, "fits": fits}


def catalog() -> list[CatalogEntry]:
    """Every estimator of the book and of the packages that are installed beside it.

    A package has its estimators in the catalogue by an entry point of the group
    ``algzoo.estimators``, which names a module or a package with declared functions, one such
    function or a list of them; see :func:`.estimate.estimator`. First come those that never run the
    network, and among these the exact ones. One that cannot be loaded is left out, with a warning.

    Raises
    ------
    ValueError
        Where two rows have the same name; says where both come from.
    """
    entries, problems = collected()
    for problem in problems:
        warnings.warn(problem, stacklevel=2)
    return list(entries)


@cache
def collected() -> tuple[tuple[CatalogEntry, ...], tuple[str, ...]]:
    """What :func:`catalog` returns, and what is to be said of entry points that failed."""
    entries: dict[str, CatalogEntry] = {}
    problems: list[str] = []
    for point in sorted(entry_points(group=GROUP), key=_origin):
        try:
            rows = _rows_of(point)
        except Exception as error:
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
        raise ValueError("it holds nothing that @estimator, @sampler or @fitted_estimator declares")
    return [row for one in declared for row in _rows(one, _origin(point))]


def _declared_in(found: Any) -> Iterator[Any]:
    """Declared functions of a module and of those in it, of a list, or the function itself."""
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
    fit = declaration.fit and partial(declaration.fit, **budget)
    given = {**budget, "scramble": 0} if declaration.scrambles else budget
    one: Any = partial(declared, **given) if given else declared
    if declaration.kind == "sampler":
        one = Drawn(declaration.name.partition(",")[0], declared, budget["n_samples"])
    elif declaration.kind == "fit":
        one, fit = None, partial(declared, **budget)
    facts = {**vars(declaration), "origin": origin, "summary": _summary(declared)}
    return CatalogEntry(**{**facts, "name": name, "estimator": one, "fit": fit})


def _summary(declared: Any) -> str:
    line = (declared.__doc__ or "").partition("\n")[0]
    return re.sub(r":\w+:`~?\.?(?:\w+\.)*(\w+)`", r"`\1`", line).replace("``", "`")


def _place(entry: CatalogEntry) -> tuple[Any, ...]:
    """Where it stands in the catalogue; numbers in names count as such."""
    parts = re.split(r"(\d+)", entry.name.lower())
    name = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
    runs_network, exact = get_args(RunsNetwork), get_args(Exactness)
    return runs_network.index(entry.runs_network), exact.index(entry.exact), name
