"""What a chapter states: numbers, tables and figures that the book glues and the check compares.

Everything a chapter shows goes through :func:`record`, :func:`table` and :func:`show`. Each leaves
its plain values in the metadata of the notebook's output, beside what a reader sees of them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.display import display

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Plain = int | float | str | bool

GLUE_PREFIX = "application/papermill.record/"  # the mime prefix that MyST-NB's glue roles read
METADATA_KEY = "algzoo"
DEFAULT_RTOL = 1e-9


def record(*, rtol: float = DEFAULT_RTOL, atol: float = 0.0, **numbers: Any) -> None:
    """State numbers (or short texts) under stable names: glued, printed and checked.

    Numbers of NumPy and torch become plain Python ones. On every later run, floats must agree
    within ``atol + rtol * abs(committed)``, everything else exactly.

    Raises
    ------
    TypeError
        Where a value is not a single number, truth value or text.
    ValueError
        Where a number is not finite.
    """
    for name, number in numbers.items():
        value = plain_value(name, number)
        metadata = {
            "scrapbook": {"name": name, "mime_prefix": GLUE_PREFIX},
            METADATA_KEY: {"record": name, "value": value, "rtol": rtol, "atol": atol},
        }
        display({GLUE_PREFIX + "text/plain": repr(value)}, raw=True, metadata=metadata)
        print(printed(name, value))


def printed(name: str, value: Plain) -> str:
    """The line that :func:`record` prints."""
    return f"{name} = {value:.7g}" if isinstance(value, float) else f"{name} = {value}"


def plain_value(name: str, value: Any) -> Plain:
    """``value`` as a plain Python number, truth value or text; errors name it ``name``."""
    if not isinstance(value, (int, float, str)) and hasattr(value, "item"):
        try:
            value = value.item()
        except (ValueError, RuntimeError) as error:
            raise TypeError(f"{name} is not a single number: {error}") from error
    if not isinstance(value, (int, float, str)):
        raise TypeError(
            f"{name} must be a number, a truth value or a text, got {type(value).__name__}"
        )
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}: only finite numbers can be recorded")
        return float(value)  # drops NumPy's subclass
    return value


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, how its values are formatted, and their tolerance."""

    heading: str
    format: str = ""
    rtol: float = DEFAULT_RTOL
    atol: float = 0.0

    @property
    def align(self) -> str:
        """Markdown's mark for the column's alignment: text to the left, numbers to the right."""
        return "---:" if self.format else ":---"


def table(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
    """Show a table whose every cell is checked on later runs; the first column names the rows.

    ``None`` is a cell for which there is no value, shown as a dash.

    Raises
    ------
    ValueError
        Where a row does not have one value for each column, or two rows have the same name.
    """
    plain_rows: list[list[Plain | None]] = []
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"Table {name!r}: {len(columns)} columns, but a row of {len(row)}")
        label = str(row[0])
        plain_rows.append(
            [
                None if value is None else plain_value(f"{name}, {label}, {column.heading}", value)
                for column, value in zip(columns, row, strict=True)
            ]
        )
    labels = [row[0] for row in plain_rows]
    if len(set(labels)) != len(labels):
        raise ValueError(f"Table {name!r}: two rows have the same name")
    metadata = {
        METADATA_KEY: {
            "table": name,
            "columns": [vars(column) for column in columns],
            "rows": plain_rows,
        }
    }
    text = markdown_table(columns, plain_rows)
    display({"text/markdown": text, "text/plain": text}, raw=True, metadata=metadata)


def markdown_table(columns: Sequence[Column], rows: Sequence[Sequence[Plain | None]]) -> str:
    """The table in Markdown."""
    lines = [
        [column.heading for column in columns],
        [column.align for column in columns],
        *(
            [
                "–" if value is None else format(value, column.format)
                for column, value in zip(columns, row, strict=True)
            ]
            for row in rows
        ),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def show(figure: Figure, *, name: str, caption: str, alt: str) -> None:
    """Show a figure with its caption and its description for those who do not see it.

    ``name`` is the label by which pages refer to it. Caption and description are texts like any
    recorded one. The picture is an SVG on white, the same bytes on every run.
    """
    from . import style  # late, for Matplotlib: whoever only reads numbers does not wait for it

    svg = style.as_svg(figure, name)
    svg = svg[svg.index("<svg") :]
    metadata = {
        METADATA_KEY: {"figure": name, "caption": caption, "alt": alt, "digest": digest(svg)},
        "image/svg+xml": {"isolated": True},
    }
    display({"image/svg+xml": svg, "text/plain": f"[Figure] {alt}"}, raw=True, metadata=metadata)


def digest(picture: str) -> str:
    """SHA-256 of a picture: tells a picture that was edited from the one that was drawn."""
    return hashlib.sha256(picture.encode()).hexdigest()
