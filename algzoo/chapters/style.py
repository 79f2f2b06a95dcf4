"""One look for all figures: colours by meaning, legible in grey and for the colour-blind."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# After Okabe and Ito, "Color Universal Design", 2008; lightened where text stands on them.
BLUE = "#8ecbf0"  # a0 < a1
GREEN = "#66c2a5"  # a0 > a1
YELLOW = "#f7e57e"  # a0 and a1 nearly equal
GREY = "#d9d9d9"  # the logits tie
PLUM = "#d7a9c8"  # the logits ignore x0, or depend on an input the wrong way round
ERROR = "#c1272d"
INK = "#222222"
SAMPLED = "#555555"


def use_book_style() -> None:
    """Set the book's look for the figures that follow."""
    mpl.rcParams.update(
        {
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.dpi": 100,
            "figure.facecolor": "white",
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial", "sans-serif"],
            "font.size": 10,
            "legend.frameon": False,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


def new_figure(width: float, height: float, *, columns: int = 1) -> tuple[Figure, Any]:
    """A figure of that size in inches and its axes: one, or an array of them sharing both scales.

    Unlike one of pyplot's, the figure is shown where :func:`algzoo.chapters.show` is called and
    nowhere else.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, sharex=True, sharey=True)


def as_svg(figure: Figure, hashsalt: str) -> str:
    """The figure as an SVG on white, the same on every run; ``hashsalt`` names what is in it."""
    picture = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": hashsalt, "svg.fonttype": "none"}):
        figure.savefig(
            picture, format="svg", metadata={"Date": None}, facecolor="white", bbox_inches="tight"
        )
    return picture.getvalue()
