"""The figures of the chapter on the cliff: R by number of inputs, by size, and against cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ...scoring.compute.scrambles import ScrambleScore
from . import style
from .heat_map import heat_map

Curve = Sequence[tuple[int, ScrambleScore]]  # by the number of inputs

_FLOOR, _CEILING = 1e-4, 10.0  # of the ratios shown; what lies outside stands on the edge
_EXACT_AT = 3
_COLOURS = (*style.LINES[:4], style.INK)
# By rule: colour and marker, so that they are told apart without colour.
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": style.LINE_BLUE, "marker": "o"},
    {"color": style.LINE_VERMILLION, "marker": "s"},
    {"color": style.LINE_GREEN, "marker": "^"},
    {"color": style.LINE_PURPLE, "marker": "D"},
    {"color": style.SAMPLED, "marker": "v", "ls": "--"},
    {"color": style.LINE_OCHRE, "marker": "X", "ls": "--"},
)


def ratio_by_length(
    never: Mapping[int, Curve],
    chosen: Mapping[int, Curve],
    *,
    width: float = 8,
    height: float = 4.6,
) -> Figure:
    """R against the number of inputs, a line for each hidden size, with intervals; inches.

    ``never`` are rules that do not run the network, solid, and begin on the floor at three inputs,
    where the accuracy is exact; ``chosen`` are rules on chosen inputs, dashed. Lines are the
    thicker, the more neurons. A ratio out of range stands on the edge.
    """
    style.use_book_style()
    figure, ax = style.new_figure(width, height)
    ax.axhline(1, color=style.INK, lw=1)
    for number, (d, curve) in enumerate(never.items()):
        look = {"color": _COLOURS[number], "lw": 0.8 + 0.5 * number}
        x, y, low, high = _columns(curve)
        ax.plot([_EXACT_AT, *x], [_FLOOR, *y], marker="o", ms=6, **look, label=f"{d} neurons")
        ax.vlines(x, low, high, color=look["color"], lw=1.2, alpha=0.7)
        x, y, _, _ = _columns(chosen[d])
        ax.plot(x, y, ls="--", marker="s", ms=5, **look)
    ax.plot([], [], color=style.INK, marker="o", ms=6, label="never runs the network")
    ax.plot([], [], color=style.INK, ls="--", marker="s", ms=5, label="chosen inputs")
    lengths = sorted({_EXACT_AT, *(n for curve in never.values() for n, _ in curve)})
    ax.set(yscale="log", ylim=(_FLOOR * 0.8, _CEILING * 1.2), xticks=lengths)
    ax.yaxis.set_major_formatter(FuncFormatter(_plain))
    ax.set(xlabel="inputs n", ylabel="R, below 1 wins")
    ax.set_xlim(left=_EXACT_AT - 0.5)
    place: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "fontsize": 10}
    ax.annotate("exact", (_EXACT_AT, _FLOOR), (2, 8), **place)
    figure.legend(loc="outside lower center", ncols=4, fontsize=10)
    return figure


def ratio_maps(
    hidden_sizes: Sequence[int],
    panels: Mapping[str, tuple[Sequence[int], Sequence[Sequence[float]]]],
    *,
    width: float = 8,
    height: float = 5,
) -> Figure:
    """Heat maps of R by hidden size and number of inputs, two in a row; inches.

    ``panels`` holds by its title the numbers of inputs and R, shape (n_hidden_sizes, n_lengths).
    """
    style.use_book_style()
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(-(-len(panels) // 2), 2, squeeze=False)
    for ax, (title, (lengths, ratios)) in zip(axes.flat, panels.items(), strict=False):
        scale = LogNorm(0.01, 1)
        heat_map(ax, hidden_sizes, lengths, ratios, "{:.2g}".format, colours="Blues_r", scale=scale)
        ax.set_title(title, fontsize=10)
        ax.set(xlabel="inputs n", ylabel="neurons d")
    return figure


def ratio_by_budget(
    panels: Mapping[str, Mapping[str, Sequence[ScrambleScore]]],
    *,
    width: float = 8,
    height: float = 4.6,
) -> Figure:
    """R with its intervals against cost in random inputs, a line for each rule; inches.

    ``panels`` holds by the name of a population its scores by the name of the rule.
    """
    style.use_book_style()
    figure, axes = style.new_figure(width, height, columns=len(panels))
    for ax, (title, rules) in zip(axes, panels.items(), strict=True):
        ax.axhline(1, color=style.INK, lw=1)
        for look, (rule, scores) in zip(_LOOKS, rules.items(), strict=False):
            x, y, low, high = _columns([(round(s.samples), s) for s in scores])
            ax.plot(x, y, **{"ms": 6, "lw": 1.4, **look}, label=rule)
            ax.vlines(x, low, high, color=look["color"], lw=1.2, alpha=0.7)
        ax.set(xscale="log", yscale="log", title=title, xlabel="cost in random inputs")
        ax.yaxis.set_major_formatter(FuncFormatter(_plain))
        ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    axes[0].set_ylabel("R, below 1 wins")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=10)
    return figure


def _columns(curve: Curve) -> tuple[list[int], list[float], list[float], list[float]]:
    """Where it is drawn: places, ratios and the ends of their intervals."""
    scores = [score for _, score in curve]
    ratio, low, high = (
        [min(max(value, _FLOOR), _CEILING) for value in values]
        for values in (
            [score.ratio for score in scores],
            [score.low for score in scores],
            [score.high for score in scores],
        )
    )
    return [place for place, _ in curve], ratio, low, high


def _plain(value: float, _: int) -> str:
    return f"{value:g}"
