"""Results that a chapter states: numbers, tables and figures that are shown, glued and checked.

Everything that a chapter shows goes through :func:`record`, :func:`table` and :func:`show`. Each
stores its plain values in the metadata of the notebook's output, besides what a reader sees.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from IPython.display import display

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

Plain = int | float | str | bool

GLUE_PREFIX = "application/papermill.record/"  # mime prefix that MyST-NB's glue roles read
METADATA_KEY = "algzoo"
DEFAULT_RTOL = 1e-9

# Number of inputs of a share that may be answered differently on another machine. Kernels differ on
# an input that is so near a tie that rounding decides its answer; few inputs are.
FLIPS = 3

# A number that should be 0 is smaller than this after rounding, and no number that a chapter states
# is as small, in its own units.
ROUNDING = 1e-12


def record(
    *,
    rtol: float = DEFAULT_RTOL,
    atol: float = 0.0,
    share_of: int | None = None,
    margin: float | None = None,
    **numbers: Any,
) -> None:
    """State numbers (or short texts) under stable names: they are glued, printed and checked.

    Numbers of NumPy and torch become plain Python ones. On every later run, floats must agree
    within ``atol + rtol * abs(committed)``, everything else exactly.

    Parameters
    ----------
    rtol, atol
        Tolerance of floats.
    share_of
        For shares of random inputs, or means of such shares: the total number of inputs. The
        tolerance is then three inputs, because rounding may decide the answer to a few.
    margin
        For numbers that count what a comparison selects, or shares of that: the relative distance
        of the nearest value from its threshold, as returned by :func:`above` and :func:`below`; 1
        if whole numbers were compared. It is kept with the numbers, as the reason why they are
        exact.
    **numbers
        The values by name.

    Raises
    ------
    TypeError
        If a value is not a single number, truth value or text.
    ValueError
        If a number is not finite, or if the tolerance of a share is given in another way too.
    """
    declared = _declared(rtol, atol, share_of, margin)
    for name, number in numbers.items():
        value = plain_value(name, number)
        metadata = {
            "scrapbook": {"name": name, "mime_prefix": GLUE_PREFIX},
            METADATA_KEY: {"record": name, "value": value, **declared},
        }
        display({GLUE_PREFIX + "text/plain": repr(value)}, raw=True, metadata=metadata)
        print(printed(name, value))


def above(values: ArrayLike, threshold: ArrayLike) -> tuple[NDArray[np.bool_], float]:
    """Select the values that exceed a threshold, and measure how near to it the nearest value is.

    A selection is a property of the model only if no value is so near to the threshold that
    rounding decides on which side it is. The distance belongs in the record of what is counted: see
    ``margin`` of :func:`record`.

    Parameters
    ----------
    values, threshold
        Numbers, of shapes that broadcast.

    Returns
    -------
    selected
        A truth value for each of the values.
    margin
        Distance of the nearest value, as a share of the threshold (or of the largest value if the
        threshold is 0), but at most 1; 1 if all are whole numbers.
    """
    return np.greater(values, threshold), _margin(np.asarray(values), np.asarray(threshold))


def below(values: ArrayLike, threshold: ArrayLike) -> tuple[NDArray[np.bool_], float]:
    """Select the values that are less than a threshold; otherwise like :func:`above`."""
    return np.less(values, threshold), _margin(np.asarray(values), np.asarray(threshold))


def _margin(values: NDArray[Any], threshold: NDArray[Any]) -> float:
    if values.dtype.kind in "biu" and threshold.dtype.kind in "biu":
        return 1.0
    largest = np.abs(values).max(initial=0.0) or 1.0
    unit = np.where(threshold == 0, largest, np.abs(threshold))
    return float((np.abs(values - threshold) / unit).min(initial=1.0))


def without_rounding(number: float, size: float = ROUNDING) -> float:
    """Return the number, or 0 if it is no larger than rounding errors of 0."""
    return 0.0 if abs(number) < size else float(number)


def _declared(
    rtol: float, atol: float, share_of: int | None, margin: float | None
) -> dict[str, float]:
    """Return what is kept with a number for its check: the tolerance and its reason."""
    declared: dict[str, float] = {"rtol": rtol, "atol": atol}
    if share_of is not None:
        if share_of < 1:
            raise ValueError(f"share_of is a number of inputs, at least 1, got {share_of}")
        of_share = {"rtol": 0.0, "atol": FLIPS / share_of}
        if declared not in ({"rtol": DEFAULT_RTOL, "atol": 0.0}, of_share):
            raise ValueError(
                f"A share of {share_of} inputs has the tolerance {FLIPS}/{share_of}, not "
                f"rtol={rtol:g} and atol={atol:g}: leave these out"
            )
        declared = {**of_share, "share_of": int(share_of)}
    if margin is not None:
        declared["margin"] = float(margin)
    return declared


def printed(name: str, value: Plain) -> str:
    """Return the line that :func:`record` prints."""
    return f"{name} = {value:.7g}" if isinstance(value, float) else f"{name} = {value}"


def plain_value(name: str, value: Any) -> Plain:
    """Convert ``value`` to a plain Python number, truth value or text; errors name it ``name``."""
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
    """Column of a table: its heading, the format of its values, and their tolerance.

    The format is Python's, or ``"~2"`` for that many significant digits with powers of ten as
    readers write them. The tolerance is given as for :func:`record`.
    """

    heading: str
    format: str = ""
    rtol: float = DEFAULT_RTOL
    atol: float = 0.0
    share_of: int | None = None
    margin: float | None = None

    def __post_init__(self) -> None:
        for key, value in self.declared.items():
            object.__setattr__(self, key, value)

    @property
    def declared(self) -> dict[str, float]:
        """Tolerance that is kept with its numbers for their check."""
        return _declared(self.rtol, self.atol, self.share_of, self.margin)

    @property
    def align(self) -> str:
        """Markdown's mark for the column's alignment: text to the left, numbers to the right."""
        return "---:" if self.format else ":---"

    def shown(self, value: Plain | None) -> str:
        """Return a value as the table shows it."""
        if value is None:
            return "–"
        if isinstance(value, str):
            return value
        if self.format.startswith("~"):
            return _significant(float(value), int(self.format[1:]))
        return format(value, self.format)


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _significant(value: float, digits: int) -> str:
    """Write a number with that many significant digits: 430, 0.0027 or 1.7 × 10⁻⁵."""
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if value == 0 or not -4 < power < 6:
        return "0" if value == 0 else f"{mantissa} × 10{str(power).translate(_SUPERSCRIPTS)}"
    rounded = float(f"{mantissa}e{power}")
    return f"{rounded:,.{max(digits - 1 - power, 0)}f}"


def table(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
    """Show a table in which every cell is checked on later runs; the first column names the rows.

    ``None`` stands for a cell without a value, which is shown as a dash. A text is shown as it is,
    also in a column of numbers.

    Raises
    ------
    ValueError
        If a row does not have one value for each column, or if two rows have the same name.
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
            "columns": [
                {"heading": column.heading, "format": column.format, **column.declared}
                for column in columns
            ],
            "rows": plain_rows,
        }
    }
    text = markdown_table(columns, plain_rows)
    display({"text/markdown": text, "text/plain": text}, raw=True, metadata=metadata)


def markdown_table(columns: Sequence[Column], rows: Sequence[Sequence[Plain | None]]) -> str:
    """Write the table in Markdown."""
    lines = [
        [column.heading for column in columns],
        [column.align for column in columns],
        *(
            [column.shown(value) for column, value in zip(columns, row, strict=True)]
            for row in rows
        ),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def show(figure: Figure, *, name: str, caption: str, alt: str) -> None:
    """Show a figure with its caption, and a description for readers who do not see it.

    ``name`` is the label by which pages refer to it. Caption and description are texts like any
    recorded one. The picture is an SVG on white, the same bytes on every run.
    """
    from .figures import (
        style,  # imported late: Matplotlib is slow to load, and reading numbers does not need it
    )

    svg = style.as_svg(figure, name)
    svg = svg[svg.index("<svg") :]
    metadata = {
        METADATA_KEY: {"figure": name, "caption": caption, "alt": alt, "digest": digest(svg)},
        "image/svg+xml": {"isolated": True},
    }
    display({"image/svg+xml": svg, "text/plain": f"[Figure] {alt}"}, raw=True, metadata=metadata)


def digest(picture: str) -> str:
    """Return the SHA-256 of a picture, which distinguishes an edited picture from the one drawn."""
    return hashlib.sha256(picture.encode()).hexdigest()
