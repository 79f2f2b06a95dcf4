"""Learning curves of the seeds of one size, as SVG inside a page.

The picture takes its colours from the page's style sheet, so that it follows the dark mode.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 560, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 548, 12, 222  # of the plot inside the picture
_UNTRAINED = 19  # place of the untrained models on the logarithmic axis of training sequences


def learning_curves(
    checkpoints: Sequence[int],
    scores: NDArray[np.float64],
    best: int,
    published: float,
    *,
    measures_error: bool,
) -> str:
    """Draw the score of each seed against the number of training sequences.

    Parameters
    ----------
    checkpoints
        Numbers of training sequences; 0 is drawn as 2^19.
    scores
        Shape (n_seeds, n_checkpoints): accuracies, on a linear scale from 0 to 1, or root mean
        squared errors, on a logarithmic one.
    best
        The seed whose curve stands out.
    published
        ARC's score, a dashed level.
    measures_error
        Whether the scores are errors.

    Returns
    -------
    str
        An SVG element on one line.
    """
    steps = [math.log2(n) if n else _UNTRAINED for n in checkpoints]
    if measures_error:
        low, high = -4.0, math.ceil(math.log10(max(scores.max(), published)))
        ticks = [
            (10.0**k, f"10<tspan dy='-5' font-size='9'>{k}</tspan>") for k in range(-4, high + 1)
        ]
    else:
        low, high = 0.0, 1
        ticks = [(value, f"{value:g}") for value in (0.0, 0.25, 0.5, 0.75, 1.0)]

    def across(step: float) -> float:
        return _LEFT + (step - _UNTRAINED) / (30 - _UNTRAINED) * (_RIGHT - _LEFT)

    def up(value: float) -> float:
        height = math.log10(max(value, 10.0**low)) if measures_error else value
        return _BOTTOM - (height - low) / (high - low) * (_BOTTOM - _TOP)

    def line(seed: int) -> str:
        places = zip(steps, scores[seed], strict=True)
        return " ".join(f"{across(step):.1f},{up(value):.1f}" for step, value in places)

    parts = [
        f"<path class='axis' d='M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}'/>",
        *(
            f"<text x='{_LEFT - 6}' y='{up(value) + 4:.1f}' text-anchor='end'>{text}</text>"
            for value, text in ticks
        ),
        *(
            f"<text x='{across(step):.1f}' y='{_BOTTOM + 18}' text-anchor='middle'>{text}</text>"
            for step, text in (
                (_UNTRAINED, "0"),
                *(
                    (k, f"2<tspan dy='-5' font-size='9'>{k}</tspan>")
                    for k in (20, 22, 24, 26, 28, 30)
                ),
            )
        ),
        f"<text x='{(_LEFT + _RIGHT) / 2}' y='{_HEIGHT - 4}' text-anchor='middle'>"
        "training sequences</text>",
        f"<path class='arcs' d='M{_LEFT} {up(published):.1f}H{_RIGHT}'/>",
        *(
            f"<polyline class='other-seed' points='{line(seed)}'/>"
            for seed in range(len(scores))
            if seed != best
        ),
        f"<polyline class='best-seed' points='{line(best)}'/>",
    ]
    measure = "Root mean squared error" if measures_error else "Accuracy"
    course = ", ".join(f"{value:.3g}" for value in scores[best])
    label = f"{measure} of {len(scores)} seeds during training. Seed {best}, the best: {course}."
    return (
        f"<svg class='learning-curves' role='img' aria-label='{label}' "
        f"viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' height='{_HEIGHT}'>"
        f"{''.join(parts)}</svg>"
    )


def _power(base: int, exponent: int) -> str:
    minus = "\N{MINUS SIGN}" if exponent < 0 else ""
    return f"{base}<tspan dy='-5' font-size='9'>{minus}{abs(exponent)}</tspan>"
