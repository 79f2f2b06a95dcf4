"""Parts that figures of ratios to random sampling share: marks with intervals, and the axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from ...scoring.compute.ratios import Ratio

_TICKS = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 10.0, 30.0)


def with_intervals(
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


def plain_ratios(ax: Axes) -> None:
    """Write out some ratios at the vertical axis instead of powers of ten."""
    low, high = ax.get_ylim()
    ax.set_yticks([tick for tick in _TICKS if low <= tick <= high])
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def method_of(name: str) -> str:
    """Return the name of an entry without its budget, with its split."""
    estimator, semicolon, split = name.partition("; ")
    return estimator.partition(",")[0] + semicolon + split
