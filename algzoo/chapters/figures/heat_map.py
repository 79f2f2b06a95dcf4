"""Heat map of a table with its numbers in the cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike

from . import style

_DARK = 0.5  # brightness of a cell below which its number is white


def heat_map(
    ax: Axes,
    rows: Sequence[Any],
    columns: Sequence[Any],
    values: ArrayLike,
    text: Callable[[float], str],
    *,
    colours: str,
    scale: Normalize,
) -> None:
    """Draw values (n_rows, n_columns) as coloured cells, the first row at the bottom.

    Parameters
    ----------
    ax
        Where it is drawn.
    rows, columns
        Names of the rows and columns, written at the axes.
    values
        The numbers.
    text
        How a number is written into its cell.
    colours
        Name of a colour map of matplotlib.
    scale
        Maps numbers to the range of the colour map.
    """
    mesh = ax.pcolormesh(np.asarray(values), cmap=colours, norm=scale, ec="white")
    for (row, column), value in np.ndenumerate(np.asarray(values)):
        brightness = float(np.dot(mesh.to_rgba(value)[:3], (0.3, 0.6, 0.1)))
        ink = "white" if brightness < _DARK else style.INK
        place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}
        ax.text(column + 0.5, row + 0.5, text(value), color=ink, **place)
    ax.set_yticks(np.arange(len(rows)) + 0.5, list(map(str, rows)))
    ax.set_xticks(np.arange(len(columns)) + 0.5, list(map(str, columns)))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
