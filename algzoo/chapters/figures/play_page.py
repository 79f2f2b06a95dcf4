"""Data of the page on which readers play with networks, and its pictures for print.

``python -m algzoo.chapters.figures.play_page`` writes both into the book. A test compares the book
with the result of the code, so that the page cannot become outdated.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Wedge

from ...estimates import exact
from ...explanations.median_h2_n2 import mean_of_two
from ...explanations.second_argmax_h4_n3.lambda_family import lambda_error, lambda_of
from ...structure import Weights, outputs, standard_form, weights_of
from ...zoo import (
    FAMILIES,
    SEEDS,
    OneLayerRNN,
    best_seed,
    handcrafted_2nd_argmax,
    zoo_2nd_argmax,
    zoo_median,
)
from ...zoo.files import write_whole
from ..notebooks import repository_root
from . import planar, spherical, style

PLACE = Path("book") / "play_data.html"
PICTURES = Path("book") / "_static" / "play"

HANDCRAFTED_LAMBDA = 100.0  # of ARC's model

_DIGITS = 6  # significant digits of measured numbers; weights are given in full
_LAMBDAS = (0.1, 100.0)  # range of the slider
_INPUT_SEED = 0
_FIRST_IN_VALLEY = 3  # of the checkpoints, as in the chapter on the median


def data() -> dict[str, Any]:
    """Return what the page's scripts need: weights of models, and what is known about them."""
    return {
        "colours": {
            "pieces": planar.COLOURS,
            "answers": spherical.COLOURS,
            "tie": style.GREY,
            "error": style.ERROR,
            "ink": style.INK,
            "grey": style.SAMPLED,
            "lines": style.LINES,
        },
        "frame": spherical.FRAME.tolist(),
        "plane": _plane(),
        "family": _family(),
        "steps": _steps(),
        "training": _training(),
        "valley": _valley(),
    }


def _plane() -> dict[str, Any]:
    trained = zoo_2nd_argmax(2, 2)
    return {
        "nearly_equal": planar.NEARLY_EQUAL,
        "presets": {
            "trained": _plain(weights_of(trained)),
            "standard form": _plain(standard_form(trained).weights),
            "handcrafted": _plain(weights_of(handcrafted_2nd_argmax(2))),
        },
    }


def _family() -> dict[str, Any]:
    trained = zoo_2nd_argmax(4, 3)
    return {
        "range": _LAMBDAS,
        "handcrafted": HANDCRAFTED_LAMBDA,
        "trained": {"lambda": _rounded(lambda_of(trained)), "error": _error(trained)},
    }


def _steps() -> dict[str, Any]:
    # A bundled model, not ARC's example of the same size, whose weights are not part of the book.
    x = np.random.default_rng(_INPUT_SEED).standard_normal(10)
    return {
        "seed": best_seed("2nd_argmax", 16, 10),
        "weights": _plain(weights_of(zoo_2nd_argmax(16, 10))),
        "inputs": np.round(x, 2).tolist(),
    }


def _training() -> list[dict[str, Any]]:
    checkpoints = []
    for n_seqs in FAMILIES["2nd_argmax"].checkpoints:
        model = zoo_2nd_argmax(4, 3, n_seqs=n_seqs)
        lam = _lambda_if_any(model)
        checkpoints.append(
            {
                "n_seqs": n_seqs,
                "error": _error(model),
                "lambda": None if lam is None else _rounded(lam),
                "formula": None if lam is None else _rounded(lambda_error(lam)),
                "weights": _plain(weights_of(model)),
            }
        )
    return checkpoints


def _lambda_if_any(model: OneLayerRNN) -> float | None:
    try:
        return lambda_of(model)
    except ValueError:  # the model is not like any member of the family
        return None


def _valley() -> dict[str, Any]:
    return {
        "limit": mean_of_two.forgetful_limit(),
        "excess_times_gate": mean_of_two.forgetful_excess(1),
        "runs": [_median_run(seed) for seed in SEEDS],
    }


def _median_run(seed: int) -> dict[str, Any]:
    # A run is stuck if it ends with input weights of one sign.
    is_stuck = abs(np.sign(weights_of(zoo_median(2, 2, seed=seed)).w_hi).sum()) == 2
    checkpoints = []
    for k, n_seqs in enumerate(FAMILIES["median"].checkpoints):
        model = zoo_median(2, 2, seed=seed, n_seqs=n_seqs)
        error = exact(model).value
        checkpoint = {"n_seqs": n_seqs, "error": _rounded(error, 3)}
        if is_stuck and k >= _FIRST_IN_VALLEY:
            checkpoint["gate"] = _rounded(_gate(model))
            checkpoint["excess"] = _rounded(error - mean_of_two.forgetful_limit())
        checkpoints.append(checkpoint | {"weights": _plain(weights_of(model))})
    return {"seed": seed, "stuck": bool(is_stuck), "checkpoints": checkpoints}


def _gate(model: OneLayerRNN) -> float:
    """How strongly x0 keeps the second neuron off, if both input weights have one sign."""
    weights = standard_form(model).weights
    return float(-(weights.w_hi[0] * (weights.w_hh @ weights.w_hi)).min())


def _plain(weights: Weights) -> dict[str, Any]:
    return {name: matrix.tolist() for name, matrix in weights._asdict().items()}


def _error(model: OneLayerRNN) -> float:
    return _rounded(1 - exact(model).value)


def _rounded(number: float, digits: int = _DIGITS) -> float:
    return float(f"{number:.{digits}g}")


def fragment(found: dict[str, Any]) -> str:
    """Write the result of :func:`data` as HTML for the page."""
    written = json.dumps(found, separators=(",", ":")).replace("],[", "],\n[")
    return (
        "<!-- Written by python -m algzoo.chapters.figures.play_page: do not edit. -->\n"
        f'<script type="application/json" id="play-data">{written}</script>\n'
    )


# ---- pictures for print and for browsers without scripts --------------------------------------
def pictures(found: dict[str, Any]) -> dict[str, str]:
    """Draw the pictures of the page from the result of :func:`data`, as SVG, by file name."""
    style.use_book_style()
    drawn = {
        "family": _family_picture(found),
        "steps": _steps_picture(found["steps"]),
        "training": _training_picture(found),
    }
    return {f"{name}.svg": style.as_svg(figure, name) for name, figure in drawn.items()}


def _family_picture(found: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    disk, curve = figure.subplots(1, 2)
    trained = found["family"]["trained"]
    _draw_family(disk, trained["lambda"])
    _draw_formula(curve)
    curve.plot(trained["lambda"], trained["error"], "o", color=style.LINE_VERMILLION, zorder=3)
    curve.text(1.2 * trained["lambda"], 1.2 * trained["error"], "trained")
    return figure


def _draw_family(ax: Axes, lam: float) -> None:
    """Draw the answers of the family's member as a disk of directions, hatched where wrong."""
    for angle in range(0, 360, 60):
        tip = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        answer = int(np.argsort(tip @ spherical.FRAME[:2])[1])
        colour = spherical.COLOURS[answer]
        ax.add_patch(Wedge((0, 0), 1, angle - 30, angle + 30, fc=colour, ec=colour))
        ax.text(0.62 * tip[0], 0.62 * tip[1], f"{answer}", ha="center", va="center")
    half = 90 * lambda_error(lam)  # the error is two wedges of twice this angle, in degrees
    for middle in (30, 210):
        wedge = (0, 0), 1, middle - half, middle + half
        ax.add_patch(Wedge(*wedge, fc=spherical.COLOURS[0], ec=style.ERROR, hatch="/////"))
    ax.add_patch(Circle((0, 0), 1, fc="none", ec=style.INK))
    spherical.draw_orders(ax, 1)
    ax.set(xlim=(-1.5, 1.5), ylim=(-1.3, 1.3), aspect="equal")
    ax.axis("off")


def _draw_formula(ax: Axes) -> None:
    lam = np.geomspace(*_LAMBDAS, 61)
    ax.plot(lam, [lambda_error(one) for one in lam], color=style.INK)
    ax.set(xscale="log", yscale="log", xlabel="$\\lambda$", ylabel="error rate")


def _steps_picture(steps: dict[str, Any]) -> Figure:
    """Draw the sixteen neurons after each input as bars, and the logits."""
    weights = Weights(*(np.array(matrix) for matrix in steps["weights"].values()))
    state, states = np.zeros(len(weights.w_hi)), []
    for x in steps["inputs"]:
        state = np.maximum(weights.w_hh @ state + weights.w_hi * x, 0)
        states.append(state)
    logits = outputs(weights, np.array([steps["inputs"]]))[0]
    figure = Figure(figsize=(8, 8), layout="constrained")
    axes = figure.subplots(len(states) + 1, 1)
    for ax, x, after in zip(axes, steps["inputs"], states, strict=False):
        ax.bar(range(len(after)), after, color=_bar_colours(weights))
        ax.set(ylim=(0, max(map(max, states))), xticks=range(len(after)), yticks=[])
        ax.set_ylabel(f"{x:.2f}".replace("-", "\N{MINUS SIGN}"), rotation=0, ha="right")
        ax.tick_params(labelbottom=False)
    axes[len(states) - 1].tick_params(labelbottom=True)
    axes[0].set_title("input, and the sixteen neurons after it", fontsize=10)
    of_answer = [style.LINE_GREEN if one == logits.max() else style.GREY for one in logits]
    axes[-1].bar(range(len(logits)), logits, color=of_answer)
    axes[-1].set(xticks=range(len(logits)), yticks=[], xlabel="logits; green: the answer")
    return figure


def _bar_colours(weights: Weights) -> list[str]:
    return [style.LINE_BLUE if w > 0 else style.LINE_VERMILLION for w in weights.w_hi]


def _training_picture(found: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    path, valley = figure.subplots(1, 2)
    _draw_formula(path)
    known = [(c["lambda"], c["error"]) for c in found["training"] if c["lambda"] is not None]
    path.plot(*np.transpose(known), "o-", ms=4, lw=0.8, color=style.LINE_VERMILLION)
    path.set(xlim=(0.5, 6), ylim=(0.008, 0.4), title="M$_{4,3}$: along the family")
    path.set_xticks([0.5, 1, 2, 4], labels=["0.5", "1", "2", "4"])
    path.set_xticks([], minor=True)
    gates = np.geomspace(3, 3000, 50)
    valley.plot(gates, found["valley"]["excess_times_gate"] / gates, color=style.INK)
    for run, marker in zip([r for r in found["valley"]["runs"] if r["stuck"]], "o^s", strict=True):
        places = [(c["gate"], c["excess"]) for c in run["checkpoints"] if "gate" in c]
        valley.plot(*np.transpose(places), marker, ms=4, label=f"seed {run['seed']}")
    valley.set(xscale="log", yscale="log", xlabel="gate", title="median: down the valley")
    valley.set(ylabel="mean squared error above the limit")
    valley.legend()
    return figure


def write(root: Path) -> None:
    """Write the data and the pictures to their places in the book."""
    found = data()
    write_whole(root / PLACE, fragment(found).encode())
    for name, picture in pictures(found).items():
        write_whole(root / PICTURES / name, picture.encode())


if __name__ == "__main__":
    write(repository_root())
