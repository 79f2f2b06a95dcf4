"""Matrices of weights on a page: as numbers if they are small, otherwise as a picture.

The pictures are SVG inside the page, and take their colours from its style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...structure import weights_of
from ...zoo import DistTransformer, Model
from ...zoo.architectures import AttentionOnlyTransformer

Array = NDArray[np.float64]

_MOST_ROWS, _MOST_COLUMNS = 11, 6  # of a matrix that is written in numbers
_CELL = 14  # side of the field of an entry, in pixels
_FULL = 0.9  # share of the entries that are drawn in proportion to their size
_LINE = 0.1  # width of the lines of hollow squares, in fields
_LEAST_SIDE = 0.04  # smaller squares, in fields, are left out


def matrices_of(model: Model) -> dict[str, Array]:
    """Return the matrices of a model by their names in formulas.

    They are W_hi as a column, W_hh and W_oh of a recurrent model. Of a transformer they are the
    embeddings, the products W_Q^T W_K / sqrt(d) and W_O W_V of each layer, and the unembedding.
    """
    if not isinstance(model, AttentionOnlyTransformer):
        w_hi, w_hh, w_oh = weights_of(model)
        return {"W_{hi}": w_hi[:, None], "W_{hh}": w_hh, "W_{oh}": w_oh}
    state = {key: weight.detach().double().numpy() for key, weight in model.state_dict().items()}
    found = {"E": state["embed.weight"], "P": state["pos_embed.weight"]}
    for layer in range(model.n_layers):
        query, key, value = np.split(state[f"attns.{layer}.in_proj_weight"], 3)
        found[f"QK_{layer}"] = query.T @ key / math.sqrt(model.hidden_size)
        found[f"OV_{layer}"] = state[f"attns.{layer}.out_proj.weight"] @ value
    return {**found, "U": state["unembed.weight"]}


def explained(model: Model) -> str:
    """Say in Markdown what the matrices of :func:`matrices_of` are."""
    if isinstance(model, DistTransformer):
        return (
            "$E$ and $P$ embed values and positions, a row each; $QK_l = W_Q^T W_K / \\sqrt d$ and "
            "$OV_l = W_O W_V$ are the products that count in layer $l$; $U$ is the readout."
        )
    return (
        "$W_{hi}$ has a weight from the input to each neuron, $W_{hh}$ a row for each neuron, and "
        "$W_{oh}$ a row for each output."
    )


def are_small(matrices: Mapping[str, Array]) -> bool:
    """Tell whether matrices are written in numbers."""
    shapes = [matrix.shape for matrix in matrices.values()]
    return all(rows <= _MOST_ROWS and columns <= _MOST_COLUMNS for rows, columns in shapes)


def matrices_text(matrices: Mapping[str, Array]) -> str:
    """Write matrices in Markdown: as formulas if all are small, otherwise as pictures."""
    if are_small(matrices):
        return "\n\n".join(
            f"$$\n{name} = {_in_brackets(matrix)}\n$$" for name, matrix in matrices.items()
        )
    # Markdown ends a block of HTML at an empty line, so that there must be none.
    return "\n".join(
        [
            "<div class='weight-pictures'>",
            *(_picture(name, matrix) for name, matrix in matrices.items()),
            "</div>",
        ]
    )


def number(value: float) -> str:
    """Write a weight with three significant digits, without an exponent where that is short."""
    if value == 0:
        return "0"
    if value == round(value) and abs(value) < 1e5:
        return f"{value:.0f}"
    exponent = math.floor(math.log10(abs(float(f"{value:.3g}"))))
    if -4 <= exponent < 5:
        return f"{float(f'{value:.3g}'):.{max(2 - exponent, 0)}f}"
    return f"{value / 10.0**exponent:.2f} \\times 10^{{{exponent}}}"


def _in_brackets(matrix: Array) -> str:
    rows = (" & ".join(map(number, row)) for row in matrix)
    return "\\begin{pmatrix} " + " \\\\ ".join(rows) + " \\end{pmatrix}"


def _picture(name: str, matrix: Array) -> str:
    """Draw a field for each entry, with a square of the entry's size: hollow where it is below 0.

    The area of a square is in proportion to the entry. Squares are full from a size that a tenth of
    the entries exceed, so that single entries that are much larger do not hide all others.
    """
    n_rows, n_columns = matrix.shape
    sizes = np.abs(matrix[matrix != 0])
    largest, full = (float(sizes.max()), float(np.quantile(sizes, _FULL))) if sizes.size else (0, 1)
    filled: list[str] = []
    hollow: list[str] = []
    for (row, column), weight in np.ndenumerate(matrix):
        side = 0.9 * math.sqrt(min(abs(weight) / full, 1))
        if side < _LEAST_SIDE:
            continue
        if weight < 0:
            side = max(side - _LINE, _LEAST_SIDE)
        x, y = column + (1 - side) / 2, row + (1 - side) / 2
        square = f"M{x:.2f} {y:.2f}h{side:.2f}v{side:.2f}h-{side:.2f}z"
        (filled if weight > 0 else hollow).append(square)
    letters, _, index = name.replace("{", "").replace("}", "").partition("_")
    caption = f"{letters}<sub>{index}</sub>" if index else letters
    size = f"largest weight {_rounded(largest)}"
    if full < largest:
        size = f"full squares from {_rounded(full)}, {size}"
    label = (
        f"{letters} {index}, {n_rows} by {n_columns}: {len(filled)} squares for weights above 0, "
        f"{len(hollow)} for weights below 0; {size}"
    )
    return (
        f"<figure><svg role='img' aria-label='{label}' viewBox='0 0 {n_columns} {n_rows}' "
        f"width='{n_columns * _CELL}' height='{n_rows * _CELL}'>"
        f"<path class='above-zero' d='{''.join(filled)}'/>"
        f"<path class='below-zero' d='{''.join(hollow)}'/></svg>"
        f"<figcaption>{caption}: a square for each weight, hollow below 0; {size}</figcaption>"
        "</figure>"
    )


def _rounded(size: float) -> str:
    """Two significant digits, without an exponent."""
    rounded = float(f"{size:.2g}")
    if rounded >= 10 or rounded == round(rounded):
        return f"{rounded:,.0f}"
    return f"{rounded:.{1 - math.floor(math.log10(rounded))}f}"
