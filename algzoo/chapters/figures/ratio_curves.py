"""Figure of a study: ratio to random sampling against cost, one panel for each population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ...explanations.second_argmax_h16_n10.study import Scores
from . import style

# Marker and colour by kind of estimator; the markers suffice without colour.
_LOOKS: dict[str, dict[str, Any]] = {
    "skeleton": {"marker": "D", "color": style.INK},
    "offset": {"marker": "P", "color": style.LINE_OCHRE},
    "lines between ties": {"marker": "*", "color": style.LINE_PURPLE, "ls": "-"},
    "lines": {"marker": "X", "color": style.LINE_SKY, "ls": "-"},
    "order anchors; seed-agnostic": {"marker": "s", "color": style.LINE_VERMILLION, "ls": "--"},
    "order anchors; model-specific": {
        "marker": "s",
        "color": style.LINE_VERMILLION,
        "ls": ":",
        "fillstyle": "none",
    },
    "margin surrogate; model-specific": {"marker": "o", "color": style.LINE_GREEN, "ls": ":"},
    "order classes": {"marker": "^", "color": style.LINE_BLUE, "ls": "-"},
    "stratified Sobol": {"marker": "v", "color": style.SAMPLED, "ls": "-"},
}
_FLOOR, _CEILING = 0.03, 30.0  # range of the ratios shown; others are drawn on its edge


def ratio_curves(
    panels: Mapping[str, Mapping[str, Scores]], *, width: float = 8, height: float = 3.6
) -> Figure:
    """Plot ratios R with their intervals against cost in random inputs, both logarithmic.

    ``panels`` holds the scores of each population by the name of the entry. An entry belongs to the
    first curve whose words, as in the legend, are in its name; entries of no curve are left out. A
    ratio out of range is drawn on the edge of the panel. Sizes are in inches.
    """
    style.use_book_style()
    figure, axes = style.new_figure(width, height, columns=len(panels))
    for ax, (title, scores) in zip(axes, panels.items(), strict=True):
        ax.axhline(1, color=style.INK, lw=1)
        for curve, look in _LOOKS.items():
            chosen = [score for name, score in scores.items() if curve == curve_of(name)]
            defined = [(one.samples, one.ratios.iid) for one in chosen if one.ratios.iid]
            points = sorted(defined, key=lambda point: point[0])
            if not points:
                continue
            x = [samples for samples, _ in points]
            y = [min(max(ratio.value, _FLOOR), _CEILING) for _, ratio in points]
            ax.plot(x, y, **{"ls": "", "ms": 5, "lw": 1, **look}, label=curve)
            low = [min(max(ratio.low or ratio.value, _FLOOR), _CEILING) for _, ratio in points]
            high = [min(max(ratio.high or ratio.value, _FLOOR), _CEILING) for _, ratio in points]
            ax.vlines(x, low, high, color=look["color"], lw=1, alpha=0.6)
        ax.set(xscale="log", yscale="log", ylim=(_FLOOR * 0.9, _CEILING * 1.1), title=title)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.set_xlabel("cost in random inputs")
    axes[0].set_ylabel("R, below 1 wins")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def curve_of(name: str) -> str | None:
    """Return the curve with which an entry's name begins and whose split is the entry's."""
    sort, _, split = name.partition("; ")
    for curve in _LOOKS:
        start, _, end = curve.partition("; ")
        if sort.startswith(start) and split == end:
            return curve
    return None
