"""Figures of the study of M16,10: ratios to random sampling against cost, and by population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ...explanations.second_argmax_h16_n10_estimates.study import Scores
from ...scoring.compute.ratios import Ratio
from . import style

Kind = Literal["never", "chosen", "other", "this", "random"]

# Colour and mark by kind of estimator; the marks suffice without colour.
_LOOKS: dict[Kind, dict[str, Any]] = {
    "never": {"marker": "D", "color": style.INK},
    "chosen": {"marker": "o", "color": style.LINE_BLUE},
    "other": {"marker": "s", "color": style.LINE_VERMILLION},
    "this": {"marker": "^", "color": style.LINE_GREEN},
    "random": {"marker": "v", "color": style.SAMPLED},
}
_WORDS: dict[Kind, str] = {
    "never": "never runs the network",
    "chosen": "chosen inputs, no constants",
    "other": "constants from other networks",
    "this": "constants from copies of this network",
    "random": "random inputs",
}
_FLOOR, _CEILING = 0.03, 30.0  # range of the ratios shown; others are drawn on its edge


@dataclass(frozen=True)
class Curve:
    """An estimator at all its budgets.

    Attributes
    ----------
    method
        Its name without the budget; with a split, that follows after a semicolon.
    kind
        Says how it is drawn.
    label
        What is written beside it.
    shift
        Where the label stands, in points from the cheapest budget; from the dearest if ``at_end``.
    """

    method: str
    kind: Kind
    label: str = ""
    shift: tuple[float, float] = (6, 4)
    at_end: bool = False


ESTIMATES = (
    Curve("planes", "never", "planes"),
    Curve("skeleton", "chosen", "skeleton"),
    Curve("offset formula", "chosen", "offset formula"),
    Curve("response surfaces", "chosen", "response surfaces"),
    Curve("lines", "chosen", "lines"),
    Curve("lines between ties", "chosen", "lines between ties", at_end=True),
    Curve("order classes", "chosen", "order classes", at_end=True),
    Curve("leaves of pairs", "chosen", "leaves of pairs", at_end=True),
    Curve("skeleton; seed-agnostic", "other", "skeleton, fitted"),
    Curve("order anchors; seed-agnostic", "other", "order anchors"),
    Curve("margin surrogate; seed-agnostic", "other", "surrogate"),
    Curve("skeleton; model-specific", "this", "skeleton, fitted"),
    Curve("order anchors; model-specific", "this", "order anchors"),
    Curve("margin surrogate; model-specific", "this", "surrogate"),
    Curve("stratified Sobol", "random", "stratified Sobol", at_end=True),
)
"""What the first figure of the chapter shows."""

SAMPLERS = (
    Curve("iid", "random", "independent"),
    Curve("antithetic", "random", "antithetic"),
    Curve("Sobol", "random", "Sobol"),
    Curve("stratified", "random", "stratified"),
    Curve("tree", "random", "tree"),
    Curve("last input", "random", "last input"),
    Curve("last input by walk", "random", "last input by walk"),
    Curve("stratified Sobol", "random", "stratified Sobol"),
    Curve("folded classes by sampling", "random", "folded classes"),
    Curve("leaves of pairs by sampling", "random", "leaves of pairs"),
    Curve("order classes", "chosen", "order classes"),
    Curve("folded classes", "chosen", "folded classes"),
    Curve("leaves of pairs", "chosen", "leaves of pairs"),
)
"""Samplers, and the rules on chosen inputs that are made like them."""


def ratio_curves(
    scores: Mapping[str, Scores],
    curves: Sequence[Curve],
    *,
    limits: tuple[float, float] = (_FLOOR, _CEILING),
    width: float = 8,
    height: float = 5.2,
) -> Figure:
    """Plot ratios R with their intervals against cost in random inputs, both logarithmic.

    ``scores`` holds the scores of a population by the name of the entry. Entries of no curve are
    left out. A ratio out of the limits is drawn on the edge. Sizes are in inches.
    """
    style.use_book_style()
    figure, ax = style.new_figure(width, height)
    ax.axhline(1, color=style.INK, lw=1)
    for curve in curves:
        drawn = [one for name, one in scores.items() if method_of(name) == curve.method]
        drawn = sorted((one for one in drawn if one.ratios.iid), key=lambda one: one.samples)
        if not drawn:
            continue
        x, found = [one.samples for one in drawn], [one.ratios.iid for one in drawn]
        look = _LOOKS[curve.kind]
        y = _with_intervals(ax, x, found, limits, look)
        place = -1 if curve.at_end else 0
        ax.annotate(
            curve.label,
            (x[place], y[place]),
            xytext=curve.shift,
            textcoords="offset points",
            ha="left" if curve.shift[0] >= 0 else "right",
            va="center",
            fontsize=9,
            color=look["color"],
        )
    for kind in dict.fromkeys(curve.kind for curve in curves):
        ax.plot([], [], ls="", ms=5, **_LOOKS[kind], label=_WORDS[kind])
    ax.set(xscale="log", yscale="log", ylim=(limits[0] * 0.93, limits[1] * 1.07))
    ax.set(xlabel="cost in random inputs", ylabel="R, below 1 beats random sampling")
    _plain_ticks(ax)
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure


def ratios_by_population(
    everywhere: Mapping[str, Mapping[str, Scores]],
    chosen: Mapping[str, str],
    *,
    width: float = 8,
    height: float = 3.6,
) -> Figure:
    """Plot ratios R of some entries on several populations, a panel for each base model.

    Parameters
    ----------
    everywhere
        Scores by the name of the entry, by the name of the population: "BASE, sd NOISE".
    chosen
        Names of entries, with what the legend calls them.
    width, height
        In inches.
    """
    style.use_book_style()
    bases: dict[str, list[str]] = {}
    for title in everywhere:
        bases.setdefault(title.rpartition(", sd ")[0], []).append(title)
    figure, axes = style.new_figure(width, height, columns=len(bases))
    marks = "osvD^P"
    for ax, (base, titles) in zip(axes, bases.items(), strict=True):
        ax.axhline(1, color=style.INK, lw=1)
        places = range(len(titles))
        for number, (name, label) in enumerate(chosen.items()):
            ratios = [everywhere[title][name].ratios.iid for title in titles]
            look = {"marker": marks[number], "color": style.LINES[number], "label": label}
            x = [place + 0.07 * (number - len(chosen) / 2) for place in places]
            _with_intervals(ax, x, ratios, (_FLOOR, _CEILING), look)
        ax.set(yscale="log", title=base, xlabel="noise, sd")
        ax.set_xticks(places, [title.rpartition(", sd ")[2] for title in titles])
    _plain_ticks(axes[0], x=False)
    axes[0].set_ylabel("R")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    return figure


def _with_intervals(
    ax: Axes,
    x: Sequence[float],
    found: Sequence[Ratio | None],
    limits: tuple[float, float],
    look: Mapping[str, Any],
) -> list[float]:
    """Draw ratios as a line with marks, and their intervals; return the ratios as drawn."""

    def within(value: float) -> float:
        return min(max(value, limits[0]), limits[1])

    ratios = [one for one in found if one]
    y = [within(one.value) for one in ratios]
    ax.plot(x, y, **{"ms": 5, "lw": 1, **look})
    low = [within(one.low or one.value) for one in ratios]
    high = [within(one.high or one.value) for one in ratios]
    ax.vlines(x, low, high, color=look["color"], lw=1, alpha=0.6)
    return y


def _plain_ticks(ax: Axes, *, x: bool = True) -> None:
    """Write out the numbers at the axes instead of powers of ten."""
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if x:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def method_of(name: str) -> str:
    """Return the name of an entry without its budget, with its split."""
    estimator, semicolon, split = name.partition("; ")
    return estimator.partition(",")[0] + semicolon + split
