"""Entrants by name: estimators of the catalogue, or functions in a module."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...estimates._catalog import collected, row_at
from ...estimates.estimate import Declaration
from .challenge import Entrant


class UnknownEstimator(ValueError):  # noqa: N818 (named like its base)
    """There is no estimator under that name; says why, and what names look like."""


def entrants_named(name: str, folder: Path | None = None) -> list[Entrant]:
    """The entrants that a name stands for.

    Parameters
    ----------
    name
        Of a row of the catalogue, or ``package.module:name`` for a function ``model -> Estimate``,
        an :class:`Entrant`, or a list of these.
    folder
        Where modules are looked for, besides where Python is installed; the working directory where
        absent.

    Raises
    ------
    UnknownEstimator
        If there is none.
    """
    entries, problems = collected()
    known = {entry.name: entry for entry in entries}
    if name in known:
        return [Entrant.of(known[name])]
    also = "".join(f" {one}." for one in problems)
    catalogue = f"one of the catalogue, which `algzoo estimators` lists.{also}"
    found = object_named(name, catalogue, folder)
    several = list(found) if isinstance(found, Sequence) else [found]
    return [_entrant(one, name) for one in several]


def object_named(name: str, otherwise: str, folder: Path | None = None) -> Any:
    """What a module has under a name, ``None`` if it has nothing.

    Parameters
    ----------
    name
        ``package.module:name``.
    otherwise
        What else may be named, for the message.
    folder
        As for :func:`entrants_named`.

    Raises
    ------
    UnknownEstimator
        If the name is not of this form, or the module cannot be imported.
    """
    module_name, colon, attribute = name.rpartition(":")
    if not (module_name and colon and attribute):
        raise UnknownEstimator(
            f"No estimator {name!r}: name a function as package.module:function, or {otherwise}"
        )
    file = Path(module_name)
    if file.suffix == ".py" or len(file.parts) > 1:
        raise UnknownEstimator(
            f"{name!r} names a file: give a module, {file.stem}:{attribute}, from the folder that "
            f"holds {file.stem}.py"
        )
    here = str(folder or Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}"
        if isinstance(error, SystemExit):
            what = f"it calls sys.exit({error.code!r})"
        raise UnknownEstimator(
            f"Cannot import {module_name}: {what}. Modules are looked for in {here} and where "
            "Python is installed."
        ) from error
    return getattr(module, attribute, None)


def _entrant(found: Any, name: str) -> Entrant:
    if isinstance(found, Entrant):
        return found
    if not callable(found):
        raise UnknownEstimator(
            f"{name} is {'not there' if found is None else repr(found)}: it must be a function "
            "model -> Estimate, an Entrant, or a list of these"
        )
    declaration = getattr(found, "declaration", None)
    if isinstance(declaration, Declaration) and list(declaration.budgets) == [{}]:
        return Entrant.of(row_at(found, {}, name))
    return Entrant(name, found)
