"""Figures of models of two inputs: their pieces in the plane, and where the answer is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Wedge

from ...structure import Cone
from . import style

MIN_LABELLED = 10  # degrees; narrower pieces have no label
NEARLY_EQUAL = 0.01  # a0 and a1 within 1% count as nearly equal: for colours and words only

COLOURS = {
    "nearly equal": style.YELLOW,
    "a0 < a1": style.BLUE,
    "a0 > a1": style.GREEN,
    "tie": style.GREY,
    "ignores x0": style.PLUM,
    "other": style.PLUM,
}
NAMES = {
    "nearly equal": "yellow",
    "a0 < a1": "blue",
    "a0 > a1": "green",
    "tie": "grey",
    "ignores x0": "plum",
    "other": "plum",
}


def kind_of_piece(cone: Cone) -> str:
    """Return the kind of a piece, a key of :data:`COLOURS`."""
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
    """Draw the unit disk cut into the pieces, hatched red where the answer is wrong.

    With ``labels``, each piece that is wide enough is labelled with its a0 and a1.
    """
    for cone in cones:
        first, second = np.degrees(cone.angles)
        colour = COLOURS[kind_of_piece(cone)]
        ax.add_patch(Wedge((0, 0), 1, first, second, facecolor=colour, edgecolor=style.INK, lw=0.8))
        if labels and second - first > MIN_LABELLED:
            _label(ax, cone, np.radians((first + second) / 2), inside=second - first > 60)
    for first, second in np.degrees(np.array(wrong).reshape(-1, 2)):
        ax.add_patch(
            Wedge(
                (0, 0),
                1,
                first,
                second,
                facecolor="none",
                edgecolor=style.ERROR,
                hatch="////",
                lw=0,
            )
        )
    ax.plot([-0.83, 0.83], [-0.83, 0.83], ls="--", lw=1.2, color=style.INK)
    ax.set(xlim=(-1.6, 1.6), ylim=(-1.35, 1.35), aspect="equal")
    ax.axis("off")


def _label(ax: Axes, cone: Cone, middle: float, *, inside: bool) -> None:
    """Write a piece's coefficients into it, or outside the disk beside it."""
    radius = 0.6 if inside else 1.08
    x, y = radius * np.cos(middle), radius * np.sin(middle)
    ax.text(
        x,
        y,
        f"$a_0$ = {cone.a0:.5g}\n$a_1$ = {cone.a1:.5g}",
        ha="center" if inside else "left" if x > 0 else "right",
        va="center" if inside else "bottom" if y > 0 else "top",
        fontsize=9,
    )


def draw_axes_names(ax: Axes) -> None:
    """Name the axes and the dashed line of a map of pieces."""
    ax.annotate("", (1.12, 0), (1.0, 0), arrowprops={"arrowstyle": "->", "color": style.INK})
    ax.annotate("", (0, 1.12), (0, 1.0), arrowprops={"arrowstyle": "->", "color": style.INK})
    ax.text(1.16, 0, "$x_0$", va="center")
    ax.text(0, 1.16, "$x_1$", ha="center", va="bottom")
    ax.text(0.85, 0.85, "$x_0 = x_1$", va="bottom", ha="left")


def describe_pieces(cones: Sequence[Cone]) -> str:
    """Describe the map of pieces in words, for readers who do not see it."""
    parts = []
    for cone in cones:
        first, second = np.degrees(cone.angles)
        kind = kind_of_piece(cone)
        parts.append(f"{first:.0f} to {second:.0f} degrees {NAMES[kind]} ({kind})")
    return (
        f"Unit disk in the plane of x0 and x1, cut into {len(cones)} wedges: "
        f"{', '.join(parts)}. A dashed line marks x0 = x1."
    )
