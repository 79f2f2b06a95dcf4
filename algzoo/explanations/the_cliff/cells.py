"""The scored models: noisy copies, with noise that lowers the accuracy alike at each size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...estimates.many_inputs.folded_classes import folded_classes
from ...zoo import FAMILIES, SEEDS, Model, best_seed, load_model
from ...zoo.populations import NoisyCopies, ZooModel

HIDDEN_SIZES = (2, 4, 8, 16, 32)
SEQ_LENS = {"2nd_argmax": (4, 5, 6, 8, 10), "argmedian": (5, 7, 11)}  # those with no exact method
COPIES = 16  # of each size
M1610_COPIES = 48
M1610_SD = 0.005

_DROP = 0.03  # of the mean accuracy, by noise
_POINTS = 2**11  # of the estimates by which the noise is chosen
_SCRAMBLE = 2000  # of these; no score rests on it
_LEAST_SD, _GREATEST_SD = 1e-4, 1.0
_HALVINGS = 9


@dataclass(frozen=True)
class Cell:
    """Models that are scored together.

    Attributes
    ----------
    name
        ``family_d_n`` for a size of the map.
    family, hidden_size, seq_len
        Their size.
    seeds
        Training seeds of the bases.
    copies
        Number of noisy copies of each base.
    sd
        Standard deviation of the noise; ``None`` where it is yet to be chosen.
    """

    name: str
    family: str
    hidden_size: int
    seq_len: int
    seeds: tuple[int, ...]
    copies: int
    sd: float | None = None

    def models(self, sd: float) -> list[Model]:
        """Return the noisy copies of the first base, then of the next, and so on."""
        size = self.family, self.hidden_size, self.seq_len
        bases = tuple(ZooModel(*size, seed=seed) for seed in self.seeds)
        copies = NoisyCopies(bases, sd, self.copies)
        return [copies.model(index) for index in range(len(copies))]


def map_cells() -> list[Cell]:
    """A cell for each size of both families for which no exact method is known."""
    return [
        Cell(f"{family}_{d}_{n}", family, d, n, (best_seed(family, d, n),), COPIES)
        for family, lengths in SEQ_LENS.items()
        for n in lengths
        for d in HIDDEN_SIZES
    ]


def m1610_cells() -> list[Cell]:
    """Populations of M16,10: the best seed, the others, and all without noise."""
    size = "2nd_argmax", 16, 10
    best = best_seed(*size)
    others = tuple(seed for seed in SEEDS if seed != best)
    return [
        Cell(f"M16,10 seed {best}", *size, (best,), M1610_COPIES, M1610_SD),
        Cell("M16,10 other seeds", *size, others, M1610_COPIES // len(others), M1610_SD),
        Cell("M16,10 clean", *size, SEEDS, 1, 0.0),
    ]


def cells() -> dict[str, Cell]:
    """All cells by their names."""
    return {cell.name: cell for cell in (*map_cells(), *m1610_cells())}


def chosen_sd(cell: Cell) -> float:
    """Noise that lowers the mean accuracy by 3 points, or by half of its distance to chance.

    It is the smaller of the two, to two digits. The accuracies are estimated with one scramble. The
    noise of all copies grows in proportion, so that bisection finds a crossing.

    Raises
    ------
    ValueError
        If no noise below 1 does as much.
    """
    if cell.sd is not None:
        return cell.sd
    clean = _accuracy(cell, 0.0)
    aim = clean - min(_DROP, (clean - 1 / cell.seq_len) / 2)
    low, high = _LEAST_SD, 2 * _LEAST_SD
    while _accuracy(cell, high) > aim:
        low, high = high, 2 * high
        if high > _GREATEST_SD:
            raise ValueError(f"{cell.name}: no noise below {_GREATEST_SD} takes it to {aim:.3f}")
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if _accuracy(cell, middle) > aim else (low, middle)
    return float(f"{high:.2g}")


def _accuracy(cell: Cell, sd: float) -> float:
    models = cell.models(sd) if sd else cell.models(0.0)[:1]
    return float(np.mean([folded_classes(m, _POINTS, _SCRAMBLE).value for m in models]))


def clean_model(cell: Cell) -> Model:
    """The first base, without noise."""
    size = cell.family, cell.hidden_size, cell.seq_len
    return load_model(*size, seed=cell.seeds[0])


def n_weights(family: str, hidden_size: int, seq_len: int) -> int:
    """Parameters of a model of that size."""
    return sum(p.numel() for p in FAMILIES[family].build(hidden_size, seq_len).parameters())
