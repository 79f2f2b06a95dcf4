"""Figure of a round: R with its interval against cost, one panel for each population."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from ...scoring.compute.entries import Result
from . import style
from .ratio_marks import method_of, plain_ratios, with_intervals

_MARKERS = "o^sDvPX*"
_LIMITS = (0.05, 20.0)  # of R; what is beyond is drawn on the edge


def round_ratios(
    panels: Mapping[str, Mapping[str, Result]], *, width: float = 8, height: float = 4.6
) -> Figure:
    """Plot R and its 95% confidence interval against cost in random inputs, both logarithmic.

    ``panels`` holds the results of each population by the name of the estimator. The budgets of an
    estimator, whose names agree up to the first comma, have one mark and are joined by a line.
    Sizes are in inches.
    """
    style.use_book_style()
    figure, axes = style.new_figure(width, height, columns=len(panels))
    methods = list(
        dict.fromkeys(method_of(name) for results in panels.values() for name in results)
    )
    for ax, (title, results) in zip(axes, panels.items(), strict=True):
        ax.axhline(1, color=style.INK, lw=1)
        for place, method in enumerate(methods):
            found = [
                one for name, one in results.items() if method_of(name) == method and one.ratio
            ]
            found.sort(key=lambda one: one.samples)
            look = {
                "color": style.LINES[place % len(style.LINES)],
                "marker": _MARKERS[place % len(_MARKERS)],
                "label": method,
                "ms": 7,
                "lw": 1.4,
            }
            x = [one.samples for one in found]
            with_intervals(ax, x, [one.ratio for one in found], _LIMITS, look)
        ax.set(xscale="log", yscale="log", title=title, xlabel="cost in random inputs")
        ax.set_ylim(_LIMITS[0] * 0.93, _LIMITS[1] * 1.07)
    plain_ratios(axes[0])
    axes[0].set_ylabel("R, below 1 wins")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=10)
    return figure
