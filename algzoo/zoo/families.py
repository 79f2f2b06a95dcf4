"""The sizes and seeds in which ARC trained each family."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from .architectures import DistRNN, ScalarRNN

FULLY_TRAINED = 2**30  # training sequences
SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Family:
    """A family of recurrent models: every size was trained with every seed."""

    name: str
    architecture: type[DistRNN] | type[ScalarRNN]
    hidden_sizes: tuple[int, ...]
    seq_lens: tuple[int, ...]


FAMILIES = {
    family.name: family
    for family in (
        Family("2nd_argmax", DistRNN, (2, 3, 4, 5, 6, 8, 16, 32), (2, 3, 4, 5, 6, 8, 10)),
        Family("argmedian", DistRNN, (2, 4, 8, 16, 32), (3, 5, 7, 11)),
        Family("median", ScalarRNN, (2, 4, 8, 16, 32), (2, 3, 5, 10)),
    )
}


def check_choice(
    name: str, value: object, choices: Collection[object], *, what: str = "zoo model"
) -> None:
    """Raise a ``ValueError`` that names the value and the choices, unless it is one of them."""
    # True == 1 and 2.0 == 2, yet neither is a size that anybody has.
    if isinstance(value, (bool, float)) or value not in choices:
        listed = ", ".join(map(str, choices))
        raise ValueError(f"No {what} with {name} {value!r}, please choose one of: {listed}")
