"""Figures of rare outputs: estimates over truths against the truth, and the phase diagram."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...explanations.rare_outputs import Place, distance
from . import style

_MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
_BOX = (1e-4, 1e4)  # what is further off is drawn at the edge
_ZERO = 2e-6  # where an estimate of 0 is drawn
_NEAR = (2.0, 10.0)  # factors within which an estimate is good, and fair
_FILLS = (style.GREEN, style.YELLOW, "white")


def tails(
    curves: Mapping[str, Sequence[tuple[float, float]]],
    sampled: Mapping[str, Sequence[tuple[float, float]]],
    n_samples: int,
) -> Figure:
    """Draw exact probabilities against thresholds, and shares of random inputs where there are any.

    Parameters
    ----------
    curves, sampled
        By name of the model: pairs of a threshold and a probability. Those sampled are above 0.
    n_samples
        Number of random inputs; below one over it no share can be seen.
    """
    figure, ax = style.new_figure(7, 3.6)
    for (name, points), colour in zip(curves.items(), style.LINES, strict=False):
        ax.plot(*zip(*points, strict=True), color=colour, label=name, lw=1.5)
        ax.plot(*zip(*sampled[name], strict=True), ls="", marker="o", ms=4, color=colour)
    ax.axhline(1 / n_samples, color=style.SAMPLED, lw=0.8, ls="--")
    ax.text(
        0.99,
        1.6 / n_samples,
        f"1 in {n_samples:,}",
        ha="right",
        va="bottom",
        transform=ax.get_yaxis_transform(),
        color=style.SAMPLED,
        fontsize=9,
    )
    ax.set(yscale="log", xlabel="threshold, in units of the model's typical margin")
    ax.set(ylabel="probability to exceed it")
    ax.legend(fontsize=9)
    return figure


def ladder(
    panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], columns: int = 2
) -> Figure:
    """Draw estimates over the truth against the truth, one panel for each kind of task.

    Parameters
    ----------
    panels
        By kind of task and method: pairs of a true probability and the ratio to it.
    columns
        Number of panels in a row.
    """
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(8, 0.7 + 2.5 * rows), layout="constrained")
    axes = np.ravel(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False))
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    looks = {
        name: {"marker": mark, "color": colour}
        for name, mark, colour in zip(names, _MARKS, (*style.LINES, style.ERROR), strict=False)
    }
    for ax, (kind, panel) in zip(axes, panels.items(), strict=False):
        ax.axhspan(1 / _NEAR[0], _NEAR[0], color=style.GREY, lw=0)
        for name, points in panel.items():
            aside = 10 ** (
                0.09 * (names.index(name) - (len(names) - 1) / 2)
            )  # marks would coincide
            truths = [truth * aside for truth, _ in points]
            drawn = [
                min(max(ratio, _BOX[0]), _BOX[1]) if ratio > 0 else _ZERO for _, ratio in points
            ]
            ax.plot(truths, drawn, ls="", ms=4.5, alpha=0.85, **looks[name])
        ax.set(xscale="log", yscale="log", title=kind)
        ax.set_yticks([_ZERO, 1e-4, 1e-2, 1, 1e2, 1e4])
        ax.set_yticklabels(["0", "≤ 10⁻⁴", "0.01", "1", "100", "≥ 10⁴"])
        ax.minorticks_off()
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    axes[0].invert_xaxis()
    for ax in axes[max(len(panels) - columns, 0) : len(panels)]:
        ax.set_xlabel("true probability")
        ax.tick_params(labelbottom=True)
    figure.supylabel("estimate over truth", fontsize=10)
    handles = [axes[0].plot([], [], ls="", ms=5, **looks[name])[0] for name in names]
    figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=9)
    return figure


def phases(places: Sequence[Place], columns: int = 4) -> Figure:
    """Draw the phase diagram, one panel for each method."""
    names = list(dict.fromkeys(place.method for place in places))
    masses = sorted({place.mass for place in places}, reverse=True)
    probabilities = sorted({place.probability for place in places}, reverse=True)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(8, 2.6 * rows), layout="constrained")
    axes = np.ravel(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False))
    for ax, name in zip(axes, names, strict=False):
        for place in places:
            if place.method != name:
                continue
            x, y = masses.index(place.mass), probabilities.index(place.probability)
            grade = sum(distance(place.ratio) > math.log(factor) for factor in _NEAR)
            ax.add_patch(
                Rectangle((x, y), 1, 1, facecolor=_FILLS[grade], edgecolor=style.INK, lw=0.5)
            )
            ax.text(x + 0.5, y + 0.5, _off_by(place.ratio), ha="center", va="center", fontsize=9)
        ax.set(title=name, xlim=(0, len(masses)), ylim=(len(probabilities), 0))
        ax.set_xticks(np.arange(len(masses)) + 0.5, [_exponent(mass) for mass in masses])
        ax.set_yticks(np.arange(len(probabilities)) + 0.5, [_exponent(p) for p in probabilities])
        ax.tick_params(length=0, labelsize=9)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    figure.supxlabel("power of ten of the share of directions that the cone has", fontsize=10)
    figure.supylabel("power of ten of the probability", fontsize=10)
    return figure


def _off_by(ratio: float) -> str:
    """Write by how many powers of ten an estimate is off, nothing if it is within one."""
    if ratio == 0:
        return "0"
    power = math.log10(ratio)
    return "" if abs(power) <= 1 else f"{power:+.0f}".replace("-", "\N{MINUS SIGN}")


def _exponent(value: float) -> str:
    return f"{math.log10(value):.0f}".replace("-", "\N{MINUS SIGN}")
