"""Figure that compares networks: how isolated their neurons are, and where they err."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from ...structure.features.ablation import BinnedRate
from . import style

_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKS = "osv^D"


def isolation_and_ties(
    shares: Mapping[str, NDArray[np.float64]],
    by_gap: Mapping[str, BinnedRate],
    threshold: float,
    *,
    width: float = 8,
    height: float = 3.4,
) -> Figure:
    """Plot the share from outside of each neuron, and the error rate by distance from a tie.

    Parameters
    ----------
    shares
        Shape (hidden_size,) each, by the name of the network.
    by_gap
        Error rate by how far the second largest input is above the third, by the same names.
    threshold
        Share at which a neuron counts as nearly isolated.
    width, height
        In inches.
    """
    style.use_book_style()
    figure = Figure(figsize=(width, height), layout="constrained")
    left, right = figure.subplots(1, 2)
    for place, (name, of_neurons) in enumerate(shares.items()):
        look = {"marker": _MARKS[place % len(_MARKS)], "color": style.LINES[place]}
        beside = place + 0.5 * (np.arange(len(of_neurons)) / len(of_neurons) - 0.5)
        left.plot(beside, np.sort(of_neurons), ls="", ms=4, **look)
        binned = by_gap[name]
        centres = (binned.edges[1:-2] + binned.edges[2:-1]) / 2  # the outermost bins are very wide
        line = _LINES[place % len(_LINES)]
        right.plot(centres, binned.rate[1:-1], ls=line, lw=1.5, color=look["color"], label=name)
    left.axhline(threshold, color=style.INK, lw=1)
    left.text(-0.4, threshold - 0.02, "nearly isolated", fontsize=9, va="top")
    left.set_xticks(range(len(shares)), list(shares))
    left.set(ylabel="receives from outside", ylim=(0, 1.03))
    right.set(xlabel="second largest minus third", ylabel="error rate")
    right.set(xlim=(0, None), ylim=(0, None))
    right.legend(fontsize=9)
    for ax in (left, right):
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure
