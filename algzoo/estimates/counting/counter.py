"""Operation counting: numbers and arrays that count the operations done to them.

The convention is stated here in one place. A multiply-add, an addition (or subtraction), a
multiplication, a division and a comparison (a ReLU is one) cost 1, a square root or transcendental
function 10. A change of sign, an absolute value, copying and drawing a random number are free. A
sampled forward pass is charged only its multiply-adds, which is ARC's convention and favours
sampling: n d (d + 1) + o d for a recurrent model with d neurons, n inputs and o outputs.
:mod:`algzoo.estimates.counting.array` says how operations on whole arrays are counted.

References
----------
ARC's notes on M4,3 (72 operations a sample), for the convention; the price of transcendental
functions is this book's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from .array import CountedArray

VERSION = 1  # of the convention; numbers of operations under two versions cannot be compared

Kind = Literal["multiply_add", "multiply", "add", "divide", "compare", "transcendental"]

PRICES: dict[Kind, int] = {
    "multiply_add": 1,
    "multiply": 1,
    "add": 1,
    "divide": 1,
    "compare": 1,
    "transcendental": 10,
}
"""Operations that an operation of each kind counts for."""


class OperationCounter:
    """Counter of operations on counted numbers and arrays, and of those of torch on tensors."""

    def __init__(self) -> None:
        self._counts: Counter[Kind] = Counter()
        # Operations of counted numbers since the counts were last read. They are very many, and an
        # attribute is faster to increase than an entry. ``fused`` are the multiplications that
        # became part of a multiply-add.
        self.multiplications = self.fused = self.additions = self.divisions = self.comparisons = 0

    @property
    def counts(self) -> Counter[Kind]:
        """How often each kind of operation was done; to count other operations, add to it."""
        counts = self._counts
        counts["multiply"] += self.multiplications - self.fused
        counts["multiply_add"] += self.fused
        counts["add"] += self.additions
        counts["divide"] += self.divisions
        counts["compare"] += self.comparisons
        self.multiplications = self.fused = self.additions = self.divisions = self.comparisons = 0
        return counts

    def charge(self, kind: Kind, count: int) -> None:
        """Add ``count`` operations of a kind."""
        self._counts[kind] += count

    @property
    def total(self) -> int:
        """Operations so far, at :data:`PRICES`."""
        return self.total_at()

    def total_at(self, **prices: int) -> int:
        """Operations so far at other prices, such as ``transcendental=50``; the rest is unchanged.

        Raises
        ------
        ValueError
            If a price is for an unknown kind of operation, or negative.
        """
        for kind, price in prices.items():
            if kind not in PRICES:
                raise ValueError(f"{kind!r} is not a kind of operation; there are {list(PRICES)}")
            if price < 0:
                raise ValueError(f"A price must be at least 0, got {kind}={price}")
        return sum(prices.get(kind, PRICES[kind]) * count for kind, count in self.counts.items())

    def array(self, values: ArrayLike) -> CountedArray:
        """Return the same numbers as an array that counts; much faster than :meth:`lift`.

        Raises
        ------
        TypeError
            If ``values`` are not real numbers, integers or booleans.
        """
        return CountedArray(np.array(values), self)

    def lift(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the same numbers as counted numbers in an array of objects."""
        lifted = np.frompyfunc(lambda value: CountedNumber(value, self), 1, 1)(values)
        return np.asarray(lifted, dtype=object)

    def atan2(self, y: Any, x: Any) -> float:
        """Angle of the point (x, y); one transcendental operation."""
        self.counts["transcendental"] += 1
        # Scaled because a fraction may be too large for a float: bookkeeping, not counted.
        scale = max(abs(plain(x)), abs(plain(y)))
        return math.atan2(plain(y) / scale, plain(x) / scale)

    def sqrt(self, x: Any) -> CountedNumber:
        """Square root; one transcendental operation."""
        self.counts["transcendental"] += 1
        return CountedNumber(math.sqrt(plain(x)), self)

    @contextmanager
    def tensors(self) -> Iterator[None]:
        """Count the multiply-adds of the matrix products that torch does inside the block.

        Attention is computed as plain matrix products there, because its fused kernels are not
        counted.
        """
        fused = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as flops:
                yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fused)
        self.counts["multiply_add"] += flops.get_total_flops() // 2  # torch counts 2 for each


class CountedNumber:
    """Number of any ordered field that reports its arithmetic to a counter.

    An addition is a multiply-add if one operand is a product that was not used otherwise: together
    with its multiplication it costs 1.
    """

    __slots__ = ("counter", "is_product", "value")

    def __init__(self, value: Any, counter: OperationCounter, is_product: bool = False) -> None:
        self.value = value
        self.counter = counter
        self.is_product = is_product

    def __repr__(self) -> str:
        return f"CountedNumber({self.value!r})"

    # Estimates do thousands of these operations each, so the code is written out for speed.

    def _charge_addition(self, other: Any) -> None:
        """Count an addition, or a multiply-add if there is a product to add."""
        if self.is_product:
            self.is_product = False  # used up: its multiplication was counted already
            self.counter.fused += 1
        elif type(other) is CountedNumber and other.is_product:
            other.is_product = False
            self.counter.fused += 1
        else:
            self.counter.additions += 1

    def __add__(self, other: Any) -> CountedNumber:
        self._charge_addition(other)
        if type(other) is CountedNumber:
            other = other.value
        return CountedNumber(self.value + other, self.counter)

    __radd__ = __add__

    def __sub__(self, other: Any) -> CountedNumber:
        self._charge_addition(other)
        if type(other) is CountedNumber:
            other = other.value
        return CountedNumber(self.value - other, self.counter)

    def __rsub__(self, other: Any) -> CountedNumber:
        self._charge_addition(other)
        return CountedNumber(other - self.value, self.counter)

    def __mul__(self, other: Any) -> CountedNumber:
        self.counter.multiplications += 1
        if type(other) is CountedNumber:
            other = other.value
        return CountedNumber(self.value * other, self.counter, True)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> CountedNumber:
        self.counter.divisions += 1
        return CountedNumber(self.value / plain(other), self.counter)

    def __rtruediv__(self, other: Any) -> CountedNumber:
        self.counter.divisions += 1
        return CountedNumber(plain(other) / self.value, self.counter)

    def __neg__(self) -> CountedNumber:
        is_product, self.is_product = self.is_product, False  # either of the two can be fused once
        return CountedNumber(-self.value, self.counter, is_product)

    def __abs__(self) -> CountedNumber:
        return CountedNumber(abs(self.value), self.counter)

    def __lt__(self, other: Any) -> bool:
        self.counter.comparisons += 1
        return bool(self.value < plain(other))

    def __le__(self, other: Any) -> bool:
        self.counter.comparisons += 1
        return bool(self.value <= plain(other))

    def __gt__(self, other: Any) -> bool:
        self.counter.comparisons += 1
        return bool(self.value > plain(other))

    def __ge__(self, other: Any) -> bool:
        self.counter.comparisons += 1
        return bool(self.value >= plain(other))

    def __eq__(self, other: object) -> bool:
        self.counter.comparisons += 1
        return bool(self.value == plain(other))

    def __hash__(self) -> int:
        return hash(self.value)


def plain(number: Any) -> Any:
    """Return the number itself, without its counter if it has one."""
    return number.value if isinstance(number, CountedNumber) else number
