"""Parameters of a chapter: setting one that the chapter does not have is an error.

``papermill -p`` adds a cell with the parameters below the chapter's own, and only logs a warning if
the chapter has no such parameter. :func:`algzoo.chapters.notebooks.execute` refuses before it
starts; a notebook that papermill itself executes is stopped by :func:`refuse_unknown_parameters`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from itertools import pairwise

_INJECTED = "# Parameters\n"  # the beginning of papermill's cell


def refuse_unknown_parameters() -> None:
    """Raise an error if papermill has set a parameter that the running notebook does not have.

    Outside a notebook, and in one that papermill does not execute, nothing is done.

    Raises
    ------
    NameError
        If there is such a parameter; the message names it and those that the notebook has.
    """
    if "IPython" not in sys.modules:  # a running IPython has imported itself
        return
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return
    unknown, known = unknown_parameters(shell.user_ns.get("In", ()))
    if unknown:
        raise NameError(
            f"This chapter has no parameter {', '.join(map(repr, unknown))}; "
            f"its parameters: {', '.join(known)}"
        )


def unknown_parameters(executed: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names that papermill's cell sets and the cell before does not, and the latter's.

    ``executed`` are the sources of the cells that ran, in order. Both lists are empty if none of
    them is papermill's, or if the cell before it holds more than parameters.
    """
    for before, cell in pairwise(executed):
        if cell.startswith(_INJECTED):
            known = _assigned(before)
            unknown = [name for name in _assigned(cell) if name not in known]
            return (unknown, known) if known else ([], [])
    return [], []


def _assigned(source: str) -> list[str]:
    """Return the names that a cell sets, if that is all it does."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic command of IPython
        return []
    names: list[str] = []
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.append(name)
            case _:
                return []
    return names
