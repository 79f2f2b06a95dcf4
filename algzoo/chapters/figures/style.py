"""Common style of all figures: colours by meaning, legible in grey and for the colour-blind."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure

# Fills, after Okabe and Ito, "Color Universal Design", 2008, lightened so that text on them is
# legible. From yellow to green each is darker than the one before, so that they differ in grey too.
YELLOW = "#f9f1aa"  # a0 and a1 nearly equal
GREY = "#dedede"  # the logits tie
BLUE = "#9cd4fd"  # a0 < a1
PLUM = "#deafd3"  # the logits ignore x0, or depend on an input the wrong way round
GREEN = "#62bea1"  # a0 > a1
ERROR = "#a31621"
INK = "#222222"
SAMPLED = "#555555"

# Lines and marks, from the same palette, darkened to a contrast with white of at least 3.
LINE_BLUE = "#0072b2"
LINE_VERMILLION = "#d55e00"
LINE_GREEN = "#00805d"
LINE_PURPLE = "#a8487e"
LINE_OCHRE = "#9a6a00"
LINE_SKY = "#4a97cf"
LINES = (LINE_BLUE, LINE_VERMILLION, LINE_GREEN, LINE_PURPLE, LINE_OCHRE, LINE_SKY, INK)


def use_book_style() -> None:
    """Set the book's style for the figures that follow."""
    mpl.rcParams.update(
        {
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.prop_cycle": cycler(color=LINES),
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
    """Make a figure of that size in inches and its axes: one, or an array with shared scales.

    Unlike a figure of pyplot, it is shown only where :func:`algzoo.chapters.show` is called.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, sharex=True, sharey=True)


def as_svg(figure: Figure, hashsalt: str) -> str:
    """Write the figure as an SVG on white, the same on every run; ``hashsalt`` names it."""
    picture = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": hashsalt, "svg.fonttype": "none"}):
        figure.savefig(
            picture, format="svg", metadata={"Date": None}, facecolor="white", bbox_inches="tight"
        )
    return picture.getvalue()
