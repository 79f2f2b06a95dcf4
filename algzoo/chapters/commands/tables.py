"""Tables for terminals of any width: columns that do not fit go into a further table below."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from ...scoring import Ratio

_FRAME = 3  # characters of a column besides its text; the table takes one more
_NAMES = 0.3  # share of the width; names that take more are broken into lines


def wide_console() -> Console:
    """Return the terminal; if nothing says how wide the output is, lines may be long."""
    measured = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, markup=False, width=None if measured else 200)


def print_table(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: Sequence[str] = (),
    styles: Sequence[str | None] | None = None,
) -> None:
    """Print a table, in as many parts as are needed to show every value in full.

    Each part begins with the names of the rows, and with their numbers if there are several parts.

    Parameters
    ----------
    console
        Where to print it.
    headings
        One for each column, all different; they may be broken between words.
    rows
        One text for each column. The first is the name of the row, which may be broken into lines;
        the others are not broken.
    left
        Headings of the other left-aligned columns of text. All further columns are aligned to the
        right.
    styles
        Style of each row.
    """
    texts = dict(zip(headings, map(list, zip(*rows, strict=True)), strict=True))
    texts["#"] = [str(number) for number in range(1, len(rows) + 1)]
    least = {
        heading: max(map(cell_len, [*heading.split(), *column]))
        for heading, column in texts.items()
    }
    names, *others = headings
    least[names] = min(least[names], int(_NAMES * console.width))
    parts = _parts([names], others, least, console.width)
    if len(parts) > 1:
        parts = _parts(["#", names], others, least, console.width)
    for part in parts:
        table = Table()
        spare = console.width - _width(part, least)
        for heading in part:
            # A heading stays on one line if there is enough space.
            more = max(0, min(spare, cell_len(heading) - least[heading]))
            spare -= more
            table.add_column(
                heading,
                justify="left" if heading in (names, *left) else "right",
                overflow="fold",
                width=least[heading] + more,
            )
        for row, style in zip(
            zip(*(texts[heading] for heading in part), strict=True),
            styles or [None] * len(rows),
            strict=True,
        ):
            table.add_row(*row, style=style)
        console.print(table)


def _parts(
    keys: list[str], others: Sequence[str], least: dict[str, int], total: int
) -> list[list[str]]:
    """Return the headings of the columns of each part; each begins with ``keys``."""
    parts = [keys]
    for heading in others:
        if parts[-1] != keys and _width([*parts[-1], heading], least) > total:
            parts.append(keys)
        parts[-1] = [*parts[-1], heading]
    return parts


def _width(part: Sequence[str], least: dict[str, int]) -> int:
    """Return the least number of characters that a table of these columns takes."""
    return 1 + sum(least[heading] + _FRAME for heading in part)


def progress_bar() -> Progress:
    """Return a bar on the terminal; it is not drawn if the output goes elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns,
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def ratio_in_words(ratio: Ratio | None) -> str:
    """Return a ratio with its interval, to two digits; a dash if there is none."""
    return "–" if ratio is None else ratio.in_words(2)
