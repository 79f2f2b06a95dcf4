"""Data of the interactive sphere of M4,3's decisions: areas, labels, largest errors.

``python -m algzoo.chapters.figures.sphere_page`` writes them into the book. A test compares the
book with the result of the code, so that the picture cannot become outdated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...explanations.second_argmax_h4_n3.error_regions import connected_regions
from ...structure import DecisionCone
from ...structure.geometry.pieces import decision_cones
from ...zoo import zoo_2nd_argmax
from ...zoo.files import write_whole
from ..notebooks import repository_root
from . import spherical, style

PLACE = Path("book") / "sphere_4_3.html"
N_LISTED = 10  # number of error regions in the table

_DIGITS = 6  # digits of coordinates: a thousandth of a pixel on a sphere of a thousand
_LATITUDES = (0, 45, -45)  # degrees at which a sector's answer is written


class ErrorRegion(NamedTuple):
    """Connected part of the sphere with one wrong answer and one right answer."""

    cones: list[DecisionCone]

    @property
    def share(self) -> float:
        """Share of the sphere, the probability under a standard Gaussian."""
        return sum(cone.fraction for cone in self.cones)

    @property
    def direction(self) -> NDArray[np.float64]:
        """Unit vector in the region: the middle of the largest of its cones."""
        largest = max(self.cones, key=lambda cone: cone.fraction)
        middle: NDArray[np.float64] = largest.rays.sum(axis=0)
        return middle / np.linalg.norm(middle)

    @property
    def width(self) -> float:
        """Width in radians: its area divided by twice the distance to its farthest point."""
        rays = np.concatenate([cone.rays for cone in self.cones])
        half_length = float(np.arccos(np.clip(rays @ self.direction, -1, 1)).max())
        return self.share * 4 * np.pi / (2 * half_length)


def error_regions(cones: Sequence[DecisionCone]) -> list[ErrorRegion]:
    """Find the regions of wrong answers of a model of three inputs, largest first."""
    wrong = sorted((cone for cone in cones if not cone.is_right), key=_confusion)
    regions = [
        ErrorRegion(region)
        for _, alike in groupby(wrong, _confusion)
        for region in connected_regions(list(alike))
    ]
    return sorted(regions, key=lambda region: -region.share)


def _confusion(cone: DecisionCone) -> tuple[int, int]:
    return cone.answer, cone.right_answer


def sector_labels() -> list[tuple[NDArray[np.float64], int]]:
    """Return unit vectors at which the right answer is written, with the answer."""
    labels = []
    for latitude in np.radians(_LATITUDES):
        for angle in np.radians(np.arange(0, 360, 60)):
            flat = np.array([np.cos(angle), np.sin(angle)]) * np.cos(latitude)
            point = np.array([*flat, np.sin(latitude)]) @ spherical.FRAME
            labels.append((point, int(point.argsort()[1])))
    return labels


def picture(cones: Sequence[DecisionCone]) -> dict[str, Any]:
    """Return the data that the page's script draws, as plain numbers and texts.

    Each of ``cones`` is the model's answer, the right one, whether all logits tie (0 or 1), and the
    coordinates of the corners one after the other.
    """
    return {
        "colours": {
            "answers": spherical.COLOURS,
            "tie": style.GREY,
            "error": style.ERROR,
            "ink": style.INK,
        },
        "frame": _rounded(spherical.FRAME),
        "labels": [[answer, *_rounded(point)] for point, answer in sector_labels()],
        "cones": [
            [c.answer, c.right_answer, int(spherical.is_tie(c)), *_rounded(c.rays.ravel())]
            for c in cones
        ],
    }


def fragment(cones: Sequence[DecisionCone]) -> str:
    """Write the table of the largest error regions and the script's data, as HTML for the page."""
    regions = error_regions(cones)
    listed = regions[:N_LISTED]
    errors = sum(region.share for region in regions)
    covered = sum(region.share for region in listed) / errors
    caption = (
        f"The {len(listed)} largest of {len(regions)} regions of wrong answers; "
        f"together {covered:.0%} of all errors, which take {errors:.2%} of the sphere."
    )
    headings = ("region", "share of the sphere", "answer", "right answer", "around the input")
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    rows = [_row(i, region) for i, region in enumerate(listed, start=1)]
    data = json.dumps(picture(cones), separators=(",", ":")).replace("],[", "],\n[")
    return "\n".join(
        [
            "<!-- Written by python -m algzoo.chapters.figures.sphere_page: do not edit. -->",
            '<div class="pst-scrollable-table-container sphere-errors">',
            '<table class="table" id="sphere-errors">',
            f"<caption>{caption}</caption>",
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *rows,
            "</tbody></table></div>",
            f'<script type="application/json" id="sphere-data">{data}</script>\n',
        ]
    )


def _row(number: int, region: ErrorRegion) -> str:
    answer, right = _confusion(region.cones[0])
    x = ", ".join(f"{value:.2f}".replace("-", "−") for value in region.direction)
    place = " ".join(map(str, _rounded(region.direction)))
    return (
        f'<tr data-direction="{place}" data-width="{region.width:.5f}">'
        f'<th scope="row">{number}</th><td>{region.share:.3%}</td>'
        f"<td>{answer}</td><td>{right}</td><td>({x})</td></tr>"
    )


def _rounded(numbers: NDArray[np.float64]) -> list[Any]:
    rounded: list[Any] = (np.round(numbers, _DIGITS) + 0.0).tolist()  # no minus zero
    return rounded


def write(root: Path) -> None:
    """Write the fragment about the best M4,3 to its place in the book."""
    cones = decision_cones(zoo_2nd_argmax(4, 3))
    write_whole(root / PLACE, fragment(cones).encode())


if __name__ == "__main__":
    write(repository_root())
