"""Figures of the study of M16,10: ratios to random sampling against cost, and by population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ...explanations.second_argmax_h16_n10_estimates.study import Scores
from . import style
from .ratio_marks import method_of, plain_ratios, with_intervals

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
    Curve("response surfaces", "chosen", "response surfaces", (6, -6)),
    Curve("lines", "chosen", "lines", (-5, -11)),
    Curve("soft count", "chosen", "soft count", (-5, -9)),
    Curve("lines between ties", "chosen", "lines between ties", (2, 14), at_end=True),
    Curve("order classes", "chosen", "order classes", at_end=True),
    Curve("leaves of pairs", "chosen", "leaves of pairs", (7, -5), at_end=True),
    Curve("skeleton; seed-agnostic", "other", "skeleton, fitted", (6, 10)),
    Curve("order anchors; seed-agnostic", "other", "order anchors", (-6, -2)),
    Curve("margin surrogate; seed-agnostic", "other", "surrogate", (6, -6)),
    Curve("skeleton; model-specific", "this", "skeleton, fitted", (-6, -2)),
    Curve("order anchors; model-specific", "this", "order anchors", (-6, 2)),
    Curve("margin surrogate; model-specific", "this", "surrogate", (6, 6)),
    Curve("stratified Sobol", "random", "stratified Sobol", (8, -4), at_end=True),
)
"""What the first figure of the chapter shows."""

SAMPLERS = (
    Curve("iid", "random", "independent", (-6, 10)),
    Curve("antithetic", "random", "antithetic", (6, -2)),
    Curve("Sobol", "random", "Sobol", (-6, -4)),
    Curve("stratified", "random", "stratified", (-6, 0)),
    Curve("tree", "random", "tree"),
    Curve("last input", "random", "last input"),
    Curve("last input by walk", "random", "last input by walk", (6, 0)),
    Curve("stratified Sobol", "random", "stratified Sobol"),
    Curve("folded classes by sampling", "random", "folded classes, sampled", (4, 30)),
    Curve("leaves of pairs by sampling", "random", "leaves of pairs, sampled", (-6, -8)),
    Curve("order classes", "chosen", "order classes", at_end=True),
    Curve("folded classes", "chosen", "folded classes", (7, -4), at_end=True),
    Curve("leaves of pairs", "chosen", "leaves of pairs", (7, 4), at_end=True),
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
        drawn = _of_curve(scores, curve)
        if not drawn:
            continue
        x, found = [one.samples for one in drawn], [one.ratios.iid for one in drawn]
        look = _LOOKS[curve.kind]
        y = with_intervals(ax, x, found, limits, look)
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
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    plain_ratios(ax)
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    return figure


def ratios_by_population(
    everywhere: Mapping[str, Mapping[str, Scores]],
    chosen: Mapping[str, str],
    *,
    limits: tuple[float, float] = (0.01, _CEILING),
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
    limits
        A ratio out of these is drawn on the edge.
    width, height
        In inches.
    """
    style.use_book_style()
    bases: dict[str, list[str]] = {}
    for title in everywhere:
        bases.setdefault(title.rpartition(", sd ")[0], []).append(title)
    levels = sorted({_noise(title) for title in everywhere})
    figure, axes = style.new_figure(width, height, columns=len(bases))
    marks = "osvD^P"
    for ax, (base, titles) in zip(axes, bases.items(), strict=True):
        ax.axhline(1, color=style.INK, lw=1)
        for number, (name, label) in enumerate(chosen.items()):
            ratios = [everywhere[title][name].ratios.iid for title in titles]
            look = {"marker": marks[number], "color": style.LINES[number], "label": label}
            beside = 0.07 * (number - len(chosen) / 2)
            x = [levels.index(_noise(title)) + beside for title in titles]
            with_intervals(ax, x, ratios, limits, look)
        ax.set(yscale="log", title=base, xlabel="noise, sd")
    axes[0].set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    plain_ratios(axes[0])
    axes[0].set_ylabel("R, below 1 beats random sampling")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    return figure


def _noise(title: str) -> float:
    return float(title.rpartition(", sd ")[2])


def _of_curve(scores: Mapping[str, Scores], curve: Curve) -> list[Scores]:
    """Scores of a curve, from the cheapest budget to the dearest."""
    drawn = [one for name, one in scores.items() if method_of(name) == curve.method]
    return sorted((one for one in drawn if one.ratios.iid), key=lambda one: one.samples)


def spelled(scores: Mapping[str, Scores], curve: Curve) -> str:
    """The ratios of a curve in words, from the cheapest budget to the dearest."""
    drawn = [one.ratios.iid for one in _of_curve(scores, curve)]
    return ", ".join(f"{ratio.value:.2g}" for ratio in drawn if ratio) or "not scored"
