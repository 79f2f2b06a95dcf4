"""Families of models: the sizes, seeds and checkpoints that were trained for each task."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from .architectures import DistRNN, DistTransformer, Model, ScalarRNN

SEEDS = (0, 1, 2, 3, 4)
"""Training seeds of every size."""
CHECKPOINTS = (0, *(2**k for k in range(20, 31)))
"""Numbers of training sequences after which models were saved."""


@dataclass(frozen=True)
class Family:
    """Models for one task, in several sizes, each trained from every seed.

    Attributes
    ----------
    name
        Name of the family and of its task.
    build
        Function that makes an untrained model of the family from hidden_size and seq_len.
    hidden_sizes, seq_lens
        The sizes; all combinations exist.
    trained_to
        Number of training sequences that the longest-trained bundled models have seen; 2**30 if
        their training is complete.
    """

    name: str
    build: Callable[[int, int], Model]
    hidden_sizes: tuple[int, ...]
    seq_lens: tuple[int, ...]
    trained_to: int = CHECKPOINTS[-1]

    @property
    def measures_error(self) -> bool:
        """True if the score is a root mean squared error (lower is better) and not an accuracy."""
        return self.name == "median"

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Numbers of training sequences after which the bundled models were saved."""
        return tuple(n for n in CHECKPOINTS if n <= self.trained_to)

    def sizes(self) -> list[tuple[int, int]]:
        """Return every pair of hidden_size and seq_len."""
        return [(d, n) for d in self.hidden_sizes for n in self.seq_lens]


def _transformer(hidden_size: int, seq_len: int) -> Model:
    return DistTransformer(hidden_size, seq_len, n_layers=2)


FAMILIES = {
    family.name: family
    for family in (
        Family("2nd_argmax", DistRNN, (2, 3, 4, 5, 6, 8, 16, 32), (2, 3, 4, 5, 6, 8, 10)),
        Family("argmedian", DistRNN, (2, 4, 8, 16, 32), (3, 5, 7, 11)),
        Family("median", ScalarRNN, (2, 4, 8, 16, 32), (2, 3, 5, 10)),
        Family("longest_cycle", _transformer, (2, 3, 4, 6, 8), (3, 4, 5, 6), trained_to=2**29),
    )
}
"""The four families by name."""


def sizes() -> Iterator[tuple[Family, int, int]]:
    """Yield every family with each of its sizes, as (family, hidden_size, seq_len)."""
    for family in FAMILIES.values():
        for hidden_size, seq_len in family.sizes():
            yield family, hidden_size, seq_len


def check_choice(
    name: str, value: object, choices: Collection[object], *, what: str = "zoo model"
) -> None:
    """Raise a ``ValueError`` that names the value and the choices, unless it is one of them."""
    # In Python True == 1 and 2.0 == 2, but neither is a valid size.
    if isinstance(value, (bool, float)) or value not in choices:
        listed = ", ".join(map(str, choices))
        raise ValueError(f"No {what} with {name} {value!r}, please choose one of: {listed}")
