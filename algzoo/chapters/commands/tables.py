"""Tables for terminals of any width: what does not fit goes into a further table below."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

_FRAME = 3  # characters that a column takes beside its text, and one more at the table's edge


def wide_console() -> Console:
    """The terminal; where nobody says how wide the output is, lines may be long."""
    measured = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if measured else 200)


def print_table(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    n_keys: int = 1,
    left: Sequence[str] = (),
    styles: Sequence[str | None] = (),
) -> None:
    """Print a table, of as many parts as it takes for every value to be legible.

    Parameters
    ----------
    console
        Where to.
    headings
        One for each column; they may be broken between words.
    rows
        One text for each column. The first is broken where it takes more than half of the width,
        the others never.
    n_keys
        How many columns say what a row is about; every part begins with them.
    left
        Headings of the columns of text beside the first; all others are aligned to the right.
    styles
        For each row how it is printed; for none where absent.
    """
    texts = [list(column) for column in zip(headings, *rows, strict=True)]
    widths = [max(map(cell_len, [*heading.split(), *cells])) for heading, *cells in texts]
    widths[0] = min(widths[0], console.width // 2)
    for part in _parts(widths, console.width, n_keys):
        table = Table()
        for column in part:
            aligned = column == 0 or headings[column] in left
            table.add_column(
                headings[column],
                justify="left" if aligned else "right",
                overflow="fold",
                min_width=widths[column],
            )
        for number, row in enumerate(rows):
            style = styles[number] if styles else None
            table.add_row(*(row[column] for column in part), style=style)
        console.print(table, markup=False)


def _parts(widths: Sequence[int], total: int, n_keys: int) -> list[list[int]]:
    """Which columns each part shows."""
    keys = list(range(n_keys))
    parts = [keys.copy()]
    for column in range(n_keys, len(widths)):
        wanted = 1 + sum(widths[shown] + _FRAME for shown in [*parts[-1], column])
        if wanted > total and parts[-1] != keys:
            parts.append(keys.copy())
        parts[-1].append(column)
    return parts
