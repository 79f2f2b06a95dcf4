"""Figures of models of two inputs: their pieces in the plane, and where the answer is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Wedge

from ..structure import Cone
from . import style

NEARLY_EQUAL = 0.01  # a0 and a1 within 1% count as nearly equal: for colours and words only

COLOURS = {
    "nearly equal": style.YELLOW,
    "a0 < a1": style.BLUE,
    "a0 > a1": style.GREEN,
    "tie": style.GREY,
    "ignores x0": style.PLUM,
    "other": style.PLUM,
}


def kind_of_piece(cone: Cone) -> str:
    """What decides in a piece: a key of :data:`COLOURS`."""
    if cone.a0 == 0 and cone.a1 == 0:
        return "tie"
    if cone.a0 == 0:
        return "ignores x0"
    if cone.a0 < 0 or cone.a1 <= 0:
        return "other"
    if abs(cone.a0 / cone.a1 - 1) < NEARLY_EQUAL:
        return "nearly equal"
    return "a0 < a1" if cone.a0 < cone.a1 else "a0 > a1"


def draw_pieces(
    ax: Axes,
    cones: Sequence[Cone],
    wrong: Sequence[tuple[float, float]],
    *,
    labels: bool = True,
) -> None:
    """Draw the unit disk cut into the pieces, and hatched red where the answer is wrong.

    With ``labels``, each piece bears its a0 and a1 as far as it is wide enough.
    """
    for cone in cones:
        first, second = np.degrees(cone.angles)
        colour = COLOURS[kind_of_piece(cone)]
        ax.add_patch(Wedge((0, 0), 1, first, second, facecolor=colour, edgecolor=style.INK, lw=0.8))
        if labels and second - first > 10:
            middle = np.radians((first + second) / 2)
            # Narrow pieces carry their label outside the disk.
            radius = 0.62 if second - first > 40 else 1.24
            ax.text(
                radius * np.cos(middle),
                radius * np.sin(middle),
                f"$a_0$ = {cone.a0:.5g}\n$a_1$ = {cone.a1:.5g}",
                ha="center",
                va="center",
                fontsize=9,
            )
    for first, second in np.degrees(np.array(wrong).reshape(-1, 2)):
        ax.add_patch(
            Wedge((0, 0), 1, first, second, facecolor="none", edgecolor=style.ERROR, hatch="////", lw=0)
        )
    ax.plot([-0.78, 0.78], [-0.78, 0.78], ls="--", lw=1.2, color=style.INK)
    ax.set(xlim=(-1.5, 1.5), ylim=(-1.35, 1.35), aspect="equal")
    ax.axis("off")


def draw_axes_names(ax: Axes) -> None:
    """Name the axes and the dashed line of a map of pieces."""
    ax.annotate("", (1.12, 0), (1.0, 0), arrowprops={"arrowstyle": "->", "color": style.INK})
    ax.annotate("", (0, 1.12), (0, 1.0), arrowprops={"arrowstyle": "->", "color": style.INK})
    ax.text(1.16, 0, "$x_0$", va="center")
    ax.text(0, 1.16, "$x_1$", ha="center", va="bottom")
    ax.text(0.8, 0.8, "$x_0 = x_1$", va="bottom", ha="left")
