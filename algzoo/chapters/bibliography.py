"""BibTeX entries of the book, of models and of estimators, from the book's one bibliography.

The bibliography is part of the package, so that the command line has it; the book's pages read the
same file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..zoo import FAMILIES, sizes
from ..zoo.populations import ZooModel, read_name

BIBLIOGRAPHY = Path(__file__).parent / "data" / "references.bib"
BOOK = "algzoobook2026"  # key of the book and its package
POST = "algzoo2026"  # key of ARC's post, which introduced the models


@dataclass(frozen=True)
class Cited:
    """Works to cite for something.

    Attributes
    ----------
    note
        One line that says where the thing comes from.
    keys
        Keys of the works in the bibliography.
    """

    note: str
    keys: tuple[str, ...]


@cache
def bibliography() -> dict[str, str]:
    """Return the BibTeX entries by key, in the order of the file.

    The file has letters behind the years of authors with several works in a year, because the
    book's style prints years as they are. They are left out here: BibTeX adds its own.
    """
    text = re.sub(r"year = \{(\d+)[a-z]\}", r"year = {\1}", BIBLIOGRAPHY.read_text("utf-8"))
    entries = re.findall(r"^@\w+\{.*?^\}$", text, flags=re.MULTILINE | re.DOTALL)
    return {entry.partition("{")[2].partition(",")[0]: entry for entry in entries}


def works_for(name: str) -> Cited:
    """Return the works to cite for a model, an estimator, or one work of the bibliography.

    Parameters
    ----------
    name
        A model as :func:`~algzoo.zoo.populations.read_name` reads it; an estimator of the
        catalogue, of which the budget may be left out (``"leaves of pairs"``); or a key.

    Raises
    ------
    ValueError
        If there is no such name; the message has the names that are most like it.
    """
    if name in bibliography():
        return Cited("a work of the bibliography", (name,))
    if name.startswith((*(f"{family}_" for family in FAMILIES), "example_")):
        if isinstance(read_name(name), ZooModel):
            return Cited("weights trained for the book by ARC's recipe", (BOOK, POST))
        return Cited("of the architecture of ARC's models, or one of these", (POST,))
    return _estimator(name)


def citation(works: Iterable[Cited]) -> str:
    """Return the BibTeX entries of several works, each once."""
    keys = dict.fromkeys(key for cited in works for key in cited.keys)
    return "\n\n".join(bibliography()[key] for key in keys)


def _estimator(name: str) -> Cited:
    from ..estimates._catalog import collected  # imported late: SciPy and Numba are slow to load

    entries, _ = collected()
    method, _, budget = name.partition(",")
    for entry in entries:
        if entry.name == name or (not budget and entry.name.partition(",")[0] == method):
            if entry.origin != "algzoo":
                return Cited(f"{entry.source}; of the package {entry.origin}", ())
            return Cited(entry.source, (BOOK, *entry.references))
    known = [entry.name for entry in entries] + [entry.name.partition(",")[0] for entry in entries]
    known += [f"{family.name}_{d}_{n}" for family, d, n in sizes()]
    near = difflib.get_close_matches(name, [*dict.fromkeys(known), *bibliography()], n=3)
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else ("`algzoo models` and `algzoo estimators` list the names")
    )
    raise ValueError(f"No model, estimator or work is called {name!r}: {hint}")
