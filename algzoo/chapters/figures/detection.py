"""The figure of the chapter on mechanisms: the AUROC of every detector on every task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from . import style

# From below chance, over white at 1/2, to certainty; the last colour is light enough for black ink.
_COLOURS = LinearSegmentedColormap.from_list("auroc", [style.YELLOW, "white", style.BLUE])


def auroc_map(
    values: Mapping[str, Sequence[float]],
    tasks: Sequence[str],
    *,
    n_controls: int,
    width: float = 8,
    height: float = 6,
) -> Figure:
    """Show the AUROC of detectors (rows) on tasks (columns), with the values; inches.

    Parameters
    ----------
    values
        For each detector, one value for each task.
    tasks
        Names of the tasks, the controls last.
    n_controls
        How many are controls; a line separates them from the others.
    width, height
        Size in inches.
    """
    style.use_book_style()
    figure, ax = style.new_figure(width, height)
    grid = np.array(list(values.values()))
    ax.pcolormesh(grid, cmap=_COLOURS, vmin=0, vmax=1, edgecolors="white", lw=0.5)
    for row, of_row in enumerate(grid):
        for column, value in enumerate(of_row):
            text = f"{value:.2f}".removeprefix("0") if value < 0.995 else "1"
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=9)
    ax.axvline(len(tasks) - n_controls, color=style.INK, lw=1.5)
    ax.set_yticks(np.arange(len(grid)) + 0.5, list(values), fontsize=9)
    ax.set_xticks(np.arange(len(tasks)) + 0.5, tasks, rotation=60, ha="left", fontsize=9)
    ax.tick_params(length=0)
    ax.xaxis.tick_top()
    ax.invert_yaxis()
    ax.grid(visible=False)
    for side in ax.spines.values():
        side.set_visible(False)
    return figure
