"""Figure of a round: R with its interval against cost, one panel for each population."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ...scoring.compute.entries import Result
from . import style

_MARKERS = "o^sDvPX*"
_LEAST, _GREATEST = 0.05, 20.0  # of R; what is beyond is drawn on the edge


def round_ratios(
    panels: Mapping[str, Mapping[str, Result]], *, width: float = 8, height: float = 4.2
) -> Figure:
    """Plot R and its 95% confidence interval against cost in random inputs, both logarithmic.

    ``panels`` holds the results of each population by the name of the estimator. The budgets of an
    estimator, whose names agree up to the first comma, have one mark and are joined by a line.
    Sizes are in inches.
    """
    style.use_book_style()
    figure, axes = style.new_figure(width, height, columns=len(panels))
    kinds = list(dict.fromkeys(_kind(name) for results in panels.values() for name in results))
    for ax, (title, results) in zip(axes, panels.items(), strict=True):
        ax.axhline(1, color=style.INK, lw=1)
        for place, kind in enumerate(kinds):
            found = [one for name, one in results.items() if _kind(name) == kind and one.ratio]
            found.sort(key=lambda one: one.samples)
            look = {
                "color": style.LINES[place % len(style.LINES)],
                "marker": _MARKERS[place % len(_MARKERS)],
            }
            x = [one.samples for one in found]
            y = [_within(one.ratio.value if one.ratio else None) for one in found]
            ax.plot(x, y, **look, lw=1, ms=5, label=kind)
            low = [_within(one.ratio.low if one.ratio else None) for one in found]
            high = [_within(one.ratio.high if one.ratio else None) for one in found]
            ax.vlines(x, low, high, color=look["color"], lw=1, alpha=0.6)
        ax.set(xscale="log", yscale="log", ylim=(_LEAST * 0.9, _GREATEST * 1.1), title=title)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.set_xlabel("cost in random inputs")
    axes[0].set_ylabel("R, below 1 wins")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    return figure


def _kind(name: str) -> str:
    return name.partition(",")[0]


def _within(value: float | None) -> float:
    return min(max(value or _LEAST, _LEAST), _GREATEST)
