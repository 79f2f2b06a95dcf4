"""Figures of models of three inputs: their cones on the sphere, and where the answer is wrong.

Both halves of the sphere are drawn as disks, in Lambert's equal-area projection along (1, 1, 1).
Inputs that differ by a number added to all three are on one radius, so that the six orders of the
inputs are sectors, and so are the cones of a model that reads only differences. The lower half is
drawn as seen through the upper one, so that opposite inputs have the same place in both disks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from ...structure import Cone, DecisionCone
from . import style

Side = Literal[1, -1]  # sign of x0 + x1 + x2
Point = tuple[float, float]

COLOURS = (style.YELLOW, style.BLUE, style.GREEN)  # colours of answers 0, 1 and 2
NAMES = ("yellow", "blue", "green")

_STEP = 0.1  # radians; the longest chord that is drawn for an arc
# x1 - x0 is rightward, x2 minus the mean of the others upward, the sum towards the viewer.
FRAME = np.array([[-1, 1, 0], [-1, -1, 2], [1, 1, 1]]) / np.sqrt([[2], [6], [3]])


def project(points: NDArray[np.float64], side: Side) -> NDArray[np.float64]:
    """Project points of a closed half of the unit sphere to the unit disk; (n, 3) to (n, 2)."""
    along = side * points @ FRAME.T
    # Half of the sphere has area 2 pi, the disk pi, so areas are halved.
    places: NDArray[np.float64] = along[:, :2] / np.sqrt(1 + np.clip(along[:, 2:], 0, 1))
    return places


def outline(cone: Cone, side: Side) -> NDArray[np.float64]:
    """Return the outline, in the unit disk, of the part of a cone on one half of the sphere.

    Shape (n, 2), counterclockwise in the upper half; (0, 2) if there is no such part.
    """
    heights = side * cone.rays @ FRAME[2]
    kept: list[NDArray[np.float64]] = []
    for i, (ray, height) in enumerate(zip(cone.rays, heights, strict=True)):
        j = (i + 1) % len(heights)
        if height >= 0:
            kept.append(ray)
        if height * heights[j] < 0:
            crossing = ray * abs(heights[j]) + cone.rays[j] * abs(height)
            kept.append(crossing / np.linalg.norm(crossing))
    if len(kept) < 3:
        return np.empty((0, 2))
    following = kept[1:] + kept[:1]
    arcs = [_arc(start, stop) for start, stop in zip(kept, following, strict=True)]
    return project(np.concatenate(arcs), side)


def _arc(start: NDArray[np.float64], stop: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points on the shorter arc of a great circle, without the last."""
    angle = np.arctan2(np.linalg.norm(np.cross(start, stop)), start @ stop)
    n = max(int(np.ceil(angle / _STEP)), 1)
    share = np.arange(n)[:, None] / n
    between = np.sin((1 - share) * angle) * start + np.sin(share * angle) * stop
    return between / np.linalg.norm(between, axis=1, keepdims=True) if n > 1 else start[None]


def is_tie(cone: Cone) -> bool:
    """Tell whether all logits are equal on a cone, as when no neuron is active."""
    return bool((cone.outputs == cone.outputs[0]).all())


def draw_answers(
    ax: Axes,
    cones: Sequence[DecisionCone],
    side: Side,
    *,
    centre: Point = (0, 0),
    magnified: float = 1,
) -> None:
    """Draw one half of the sphere, coloured by answer: grey for ties, hatched red where wrong.

    With ``magnified`` above 1, the disk shows only the points closest to its centre.
    """
    disk = _disk(ax, centre)
    of_colour: dict[str, list[NDArray[np.float64]]] = {}
    wrong = []
    for cone in cones:
        places = outline(cone, side)
        if len(places):
            colour = style.GREY if is_tie(cone) else COLOURS[cone.answer]
            of_colour.setdefault(colour, []).append(places * magnified + centre)
            if not cone.is_right:
                wrong.append(places * magnified + centre)
    for colour, outlines in of_colour.items():
        # The edge has the same colour, because viewers leave a white line between two areas.
        _add_areas(ax, outlines, disk, fc=colour, ec=colour, lw=0.4)
    _add_areas(ax, wrong, disk, fc="none", ec=style.ERROR, hatch="/////", lw=0.4, zorder=3)


def draw_pieces(ax: Axes, cones: Sequence[Cone], side: Side, *, centre: Point = (0, 0)) -> None:
    """Draw the borders of the linear pieces on one half of the sphere."""
    disk = _disk(ax, centre)
    outlines = [outline(cone, side) for cone in cones]
    places = [one + centre for one in outlines if len(one)]
    _add_areas(ax, places, disk, fc="none", ec=style.INK, lw=0.5)


def draw_orders(ax: Axes, side: Side, *, centre: Point = (0, 0), labels: bool = True) -> None:
    """Draw dashed lines where two inputs are equal; ``labels`` name the order in each sector."""
    for angle in np.radians([30, 90, 150]):
        tip = np.array([np.cos(angle), np.sin(angle)])
        ends = np.stack([centre - tip, centre + tip])
        ax.plot(*ends.T, ls="--", lw=0.8, color=style.INK, zorder=2)
    for angle in np.radians(np.arange(0, 360, 60)) if labels else []:
        tip = np.array([np.cos(angle), np.sin(angle)])
        low, middle, high = np.argsort(side * tip @ FRAME[:2])
        x, y = centre + 1.06 * tip
        text = f"$x_{low}<\\mathbf{{x_{middle}}}<x_{high}$"
        level = abs(tip[1]) < 0.1
        across = "left" if x > centre[0] else "right"
        along = "center" if level else "bottom" if y > centre[1] else "top"
        ax.text(x, y, text, ha=across, va=along, fontsize=9)


def describe(cones: Sequence[DecisionCone]) -> str:
    """Describe the map of answers in words, for readers who do not see it."""
    parts = []
    for answer, name in enumerate(NAMES):
        share = sum(cone.fraction for cone in cones if cone.answer == answer)
        wrong = sum(c.fraction for c in cones if c.answer == answer and not c.is_right)
        parts.append(f"answer {answer} ({name}) on {share:.2%}, wrongly on {wrong:.2%}")
    ties = sum(cone.fraction for cone in cones if is_tie(cone))
    return f"{'; '.join(parts)} of all inputs; all logits tie on {ties:.2%}"


def _add_areas(
    ax: Axes, outlines: Sequence[NDArray[np.float64]], disk: Circle, **look: Any
) -> None:
    """Draw areas that look the same as one path, which takes a tenth of the bytes."""
    if not outlines:
        return
    paths = [Path(np.concatenate([places, places[:1]]), closed=True) for places in outlines]
    areas = PathPatch(Path.make_compound_path(*paths), **look)
    ax.add_patch(areas)
    areas.set_clip_path(disk)


def _disk(ax: Axes, centre: Point) -> Circle:
    """Draw the rim of a disk."""
    disk = Circle(centre, 1, fc="none", ec=style.INK, lw=1, zorder=4)
    ax.add_patch(disk)
    ax.set_aspect("equal")
    ax.axis("off")
    return disk
