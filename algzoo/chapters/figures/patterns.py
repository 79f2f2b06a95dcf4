"""Figure of the activation patterns that random inputs meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...explanations.arcs_post import PatternsMet
from . import style

_MARKERS = "os^vDPX"


def patterns_against_inputs(
    ladder: Mapping[str, Sequence[PatternsMet]], *, width: float = 7, height: float = 4
) -> Figure:
    """Plot the number of patterns met against the number of inputs, both logarithmic.

    ``ladder`` holds what was met by the name of the model. A model whose inputs all have patterns
    of their own is on the dashed diagonal. Sizes are in inches.
    """
    style.use_book_style()
    figure, ax = style.new_figure(width, height)
    for place, (name, met) in enumerate(ladder.items()):
        x = [one.n_inputs for one in met]
        y = [one.n_patterns for one in met]
        color, marker = style.LINES[place % len(style.LINES)], _MARKERS[place % len(_MARKERS)]
        ax.plot(x, y, color=color, marker=marker, ms=5, lw=1.2)
        ax.annotate(name, (x[-1], y[-1]), (6, 0), textcoords="offset points", va="center")
    ends = [x[0], x[-1]]
    ax.add_line(Line2D(ends, ends, color=style.SAMPLED, ls="--", lw=1))
    ax.set(xscale="log", yscale="log", xlabel="random inputs", ylabel="patterns met")
    return figure
