"""Figures about recurrent 2nd-argmax models: weights, activations, answers and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from ...structure.features.ablation import BinnedRate, Errors
from . import style

Array = NDArray[np.float64]

# White is zero; larger values are darker, also in grey.
_SHADES = LinearSegmentedColormap.from_list(
    "shades", ["white", style.BLUE, "#0b3c5d"]
).with_extremes(bad=style.GREY)


# White is zero; the sign is also written into the fields, for readers who see no colours.
_SIGNED = LinearSegmentedColormap.from_list(
    "signed", [style.LINE_PURPLE, style.PLUM, "white", style.BLUE, style.LINE_BLUE]
)


def weight_map(
    shares: Array, neurons: Sequence[int], blocks: Sequence[tuple[int, int, int]]
) -> Figure:
    """Plot the signed share that each recurrent weight has in what its neuron receives.

    Parameters
    ----------
    shares
        Shape (hidden_size, hidden_size), between -1 and 1: to each neuron (row) from each (column).
    neurons
        All neurons, in the order in which they are drawn.
    blocks
        Blocks to be framed: first row, number of rows, and number of columns from the left.
    """
    figure, ax = style.new_figure(7, 5.6)
    names = [str(i) for i in neurons]
    ordered = shares[np.ix_(neurons, neurons)]
    _matrix(ax, ordered, names, names, 1.0, signed=True)
    for row, column in zip(*np.nonzero(np.abs(ordered) > 0.1), strict=True):
        sign = "+" if ordered[row, column] > 0 else "\N{MINUS SIGN}"
        ax.text(column + 0.5, row + 0.52, sign, ha="center", va="center", fontsize=9)
    for row, n_rows, n_columns in blocks:
        frame = Rectangle((0, row), n_columns, n_rows, fill=False, ec=style.INK, lw=1.8)
        ax.add_patch(frame)
    ax.set(xlabel="from neuron", ylabel="to neuron")
    _scale(ax, "share of what the neuron receives, with its sign")
    return figure


def step_by_step(x: Array, neurons: Sequence[int], activation: Array, formula: Array) -> Figure:
    """Plot activations and formulas of some neurons while one input is read, a panel for each.

    ``x`` has shape (seq_len,), ``activation`` and ``formula`` (seq_len, n_neurons), in the same
    units. The number at each step is the activation minus the formula.
    """
    figure = Figure(figsize=(7.6, 1.35 * len(neurons)), layout="constrained")
    axes = figure.subplots(len(neurons), 1, sharex=True, squeeze=False).ravel()
    steps = np.arange(len(x))
    for ax, neuron, is_, says in zip(axes, neurons, activation.T, formula.T, strict=True):
        ax.bar(steps, says, width=0.7, color=style.BLUE, label="formula")
        ax.plot(steps, is_, ls="", marker="o", ms=5, color=style.INK, label="activation")
        top = max(is_.max(), says.max())
        for t in steps:
            height = max(is_[t], says[t]) + 0.12 * top
            text = f"{is_[t] - says[t]:+.2f}".replace("-", "\N{MINUS SIGN}")
            ax.text(t, height, "0" if text[1:] == "0.00" else text, ha="center", fontsize=9)
        ax.set(ylabel=f"neuron {neuron}", ylim=(0, 1.45 * top))
    axes[0].legend(loc="upper left", bbox_to_anchor=(1, 1))
    axes[-1].set_xticks(steps, [f"{t}\n{number:.2f}" for t, number in enumerate(x)])
    axes[-1].set_xlabel("step t, and below it the input x[t] that is read")
    return figure


def answers(falls: Array, neurons: Sequence[int]) -> Figure:
    """Plot the fall of accuracy by neuron and right answer; ``falls`` is (hidden_size, seq_len)."""
    figure, ax = style.new_figure(6.4, 4.6)
    positions = [str(i) for i in range(falls.shape[1])]
    values = np.maximum(falls, 0)[list(neurons)]
    _matrix(ax, values, [str(i) for i in neurons], positions, float(values.max()) or 1.0)
    ax.set(xlabel="right answer", ylabel="neuron that the readout loses")
    _scale(ax, "accuracy lost")
    return figure


def errors_by_pair(errors: Errors) -> Figure:
    """Plot error rates by the positions of the first two, and of the second and third."""
    figure, axes = style.new_figure(8, 3.7, columns=2)
    positions = [str(i) for i in range(len(errors.first_second))]
    panels = (("largest", errors.first_second.T), ("third largest", errors.second_third))
    largest = float(max(np.nanmax(rates) for _, rates in panels)) or 1.0
    for ax, (other, rates) in zip(axes, panels, strict=True):
        _matrix(ax, rates, positions, positions, largest)
        ax.set(xlabel=f"position of the {other}")
    axes[0].set_ylabel("position of the second largest")
    _scale(axes[1], "error rate")
    return figure


def errors_by_gap(errors: Errors) -> Figure:
    """Plot error rates by the second largest's distance from its neighbours, and by its value."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    panels: tuple[tuple[str, BinnedRate], ...] = (
        ("largest minus second", errors.by_gap_to_first),
        ("second minus third", errors.by_gap_to_third),
        ("second largest", errors.by_second),
    )
    for ax, (name, binned) in zip(axes, panels, strict=True):
        ax.stairs(binned.rate, binned.edges, color=style.LINE_BLUE, lw=2, baseline=None)
        ax.axhline(errors.rate, color=style.SAMPLED, ls=":", lw=1)
        # The outermost bins are very wide and are cut.
        inner = binned.edges[1], binned.edges[-2]
        margin = 0.15 * (inner[1] - inner[0])
        low, high = max(binned.edges[0], inner[0] - margin), inner[1] + margin
        ax.set(xlabel=name, xlim=(low, high))
        ax.locator_params(axis="x", nbins=4)
    highest = max(binned.rate.max() for _, binned in panels)
    axes[0].set(ylabel="error rate", ylim=(0, 1.05 * highest))
    axes[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def _matrix(
    ax: Axes,
    values: Array,
    rows: Sequence[str],
    columns: Sequence[str],
    largest: float,
    *,
    signed: bool = False,
) -> None:
    ax.pcolormesh(
        np.ma.masked_invalid(values),
        cmap=_SIGNED if signed else _SHADES,
        vmin=-largest if signed else 0,
        vmax=largest,
        edgecolors="white",
        linewidth=0.5,
    )
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, fontsize=8)
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=8)
    ax.tick_params(length=0)
    ax.set_ylim(len(rows), 0)


def _scale(ax: Axes, label: str) -> None:
    mesh: Any = ax.collections[0]
    bar = ax.figure.colorbar(mesh, ax=ax, shrink=0.8)
    bar.set_label(label)
    bar.outline.set_visible(False)
