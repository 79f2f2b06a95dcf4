"""Figure of the challenge: error against compute, with random sampling as the line to beat."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...scoring import Leaderboard, Row
from . import style

_MARKERS = {"never": "o", "chosen inputs": "^", "random inputs": "X"}  # by runs_network
_DASHES = {"zero-shot": "-", "seed-agnostic": "--", "model-specific": ":"}
_FILLS = {"zero-shot": "full", "seed-agnostic": "none", "model-specific": "left"}
_ROUNDING = 1e-12  # errors below this are rounding and would compress the scale of the others


def error_vs_compute(leaderboard: Leaderboard, *, width: float = 8, height: float = 6) -> Figure:
    """Plot root mean squared errors against operations, both logarithmic; sizes in inches.

    The figure shows random sampling, with the band that contains 95% of measurements of it on as
    many models; prior-shrunk sampling; the measured samplers as small dots; and a curve for each
    estimator. The marker of a curve says whether the estimator runs the network, dashes and filling
    say which split it was fitted on, and a number at its cheaper end is its number in the legend.
    Vertical bars are 95% confidence intervals, those of R in units of the error. An estimator
    without error, up to rounding, is on the lower edge. Rows that were not scored are left out.
    """
    style.use_book_style()
    figure, ax = style.new_figure(width, height)
    rows = [row for row in leaderboard if row.failure is None]
    budgets = [row.operations or 0.0 for row in rows]
    budgets += [sampler.operations for sampler in leaderboard.samplers]
    budgets.append(float(leaderboard.population.operations_of_a_sample))
    _baselines(ax, leaderboard, min(budgets) / 2, max(budgets) * 2)
    curves: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        curves.setdefault((row.name, row.split), []).append(row)
    names = list(dict.fromkeys(name for name, _ in curves))
    for number, ((name, split), of_curve) in enumerate(curves.items(), start=1):
        label = f"{number}: {name}" if split == "zero-shot" else f"{number}: {name}, {split}"
        colour = style.LINES[names.index(name) % len(style.LINES)]
        _curve(ax, of_curve, colour, _DASHES[split], label)
    _numbers(ax, curves.values())
    ax.set(xscale="log", yscale="log", xlabel="operations", ylabel="root mean squared error")
    runs = [
        Line2D([], [], ls="", marker=marker, color=style.INK, label=f"runs the network: {where}")
        for where, marker in _MARKERS.items()
        if any(row.runs_network == where for row in rows)
    ]
    handles = [*ax.get_legend_handles_labels()[0], *runs]
    ax.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, fontsize=10
    )
    return figure


def _baselines(ax: Any, leaderboard: Leaderboard, least: float, greatest: float) -> None:
    population = leaderboard.population
    operations = np.geomspace(least, greatest, 200)
    k = operations / population.operations_of_a_sample
    sampling = np.sqrt(population.mean_sample_variance / k)
    low, high = population.sampling_band
    ax.fill_between(operations, low * sampling, high * sampling, color=style.GREY, lw=0)
    ax.plot(operations, sampling, color=style.SAMPLED, label="random sampling")
    if population.variance:
        shrunk = 1 / (1 / population.variance + k / population.mean_sample_variance)
        ax.plot(
            operations, np.sqrt(shrunk), color=style.SAMPLED, ls="-.", lw=1, label="prior-shrunk"
        )
    if leaderboard.samplers:
        ax.plot(
            [sampler.operations for sampler in leaderboard.samplers],
            [sampler.rms for sampler in leaderboard.samplers],
            ls="",
            marker=".",
            ms=6,
            color=style.SAMPLED,
            label="variance-reduced samplers",
        )


def _curve(ax: Any, rows: list[Row], colour: str, dashes: str, label: str) -> None:
    points = sorted(
        (row.operations or 0.0, row.rms or 0.0, row.runs_network or "never") for row in rows
    )
    drawn = [point for point in points if point[1] > _ROUNDING]
    ax.plot(
        [operations for operations, _, _ in drawn],
        [rms for _, rms, _ in drawn],
        color=colour,
        ls=dashes,
        label=label,
    )
    for row in rows:
        if row.rms and row.rms > _ROUNDING and row.ratio and row.ratio.low and row.ratio.high:
            low, high = (
                row.rms * math.sqrt(end / row.ratio.value)
                for end in (row.ratio.low, row.ratio.high)
            )
            ax.vlines(row.operations, low, high, color=colour, lw=1.4, alpha=0.7)
    for operations, rms, where in points:
        place: dict[str, Any] = {"marker": _MARKERS[where], "color": colour, "ls": "", "ms": 8}
        place["fillstyle"] = _FILLS[rows[0].split]
        if rms > _ROUNDING:
            ax.plot(operations, rms, **place)
        else:
            ax.plot(operations, 0, **place, transform=ax.get_xaxis_transform(), clip_on=False)


def _numbers(ax: Any, curves: Iterable[list[Row]]) -> None:
    """Number the cheaper ends of curves, side by side if several are close."""
    numbered: list[tuple[float, float]] = []
    for number, rows in enumerate(curves, start=1):
        operations, rms = min((row.operations or 0.0, row.rms or 0.0) for row in rows)
        at_edge = rms <= _ROUNDING
        place = math.log10(operations or 1.0), -math.inf if at_edge else math.log10(rms)
        n_close = sum(
            abs(x - place[0]) < 0.15 and (y == place[1] or abs(y - place[1]) < 0.15)
            for x, y in numbered
        )
        numbered.append(place)
        ax.annotate(
            str(number),
            (operations, 0 if at_edge else rms),
            (9 * n_close, 7),
            xycoords=ax.get_xaxis_transform() if at_edge else "data",
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=10,
        )
