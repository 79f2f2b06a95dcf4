"""Random inputs for sampling that are the same bits on every machine.

The random bits are those of a bit generator of numpy, which promises never to change them; its
distributions may change from one version to the next. torch's float32 Gaussian numbers differ
between processors, in the last bits of two fifths of them. So the step from bits to Gaussian
numbers is made here, with correctly rounded arithmetic only
(:mod:`algzoo.estimates.samplers.compiled`).

A random whole number gives a uniform u in (-1, 1), and u the Gaussian number

    z = sqrt(2) erfinv(u) = u g(w),   w = -log(1 - u^2).

g is smooth; following Giles, it is replaced by one polynomial in w where w is small and by one in
sqrt(w) where it is large. The coefficients are this book's, fitted to the quantile function of
scipy for the least relative error; with rounding to float32, the relative error of z is less than
5e-7.

References
----------
M. Giles, "Approximating the erfinv function", GPU Computing Gems, Jade Edition, 2011.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined

_TILE = 256  # numbers at a time, so that intermediate arrays stay in the first cache

_f = np.float32

# g(w) for w below _FAR in powers of w - _NEAR_CENTRE, and above it in powers of
# sqrt(w) - _FAR_CENTRE; log(m) / (m - 1) for m from sqrt(1/2) to sqrt(2) in powers of m - 1. Each
# begins with the highest power.
_FAR, _NEAR_CENTRE, _FAR_CENTRE = _f(5.5), _f(2.75), _f(3.5)


def _coefficients(text: str) -> tuple[np.float32, ...]:
    return tuple(map(_f, text.split()))


_NEAR = _coefficients("""
    1.84386456e-08 4.99900207e-07 -3.88303117e-06 -1.24245028e-05 0.000296559319
    -0.00147077225 -0.00712309435 0.345536242 2.21011851
""")
_BEYOND = _coefficients("""
    -0.000273400264 0.000784055269 -0.00102269276 0.00143874909
    -0.00289417238 0.00465717168 1.42463248 4.71708835
""")
_LOG = _coefficients("""
    -0.101068841 0.162225758 -0.172508314 0.199001661
    -0.24969909 0.333350589 -0.500003651 0.999999945
""")

_LOG_2 = _f(np.log(2))
_ROOT_OF_HALF = np.int32(np.array(np.sqrt(0.5), np.float32).view(np.int32))  # its bits
_FRACTION_BITS = np.int32(23)  # bits of the fraction of a float32


def gaussian_inputs(
    shape: tuple[int, int], stream: np.random.SeedSequence, number_type: Any
) -> NDArray[np.floating]:
    """Draw independent standard Gaussian numbers, float32 or float64, below 6.4 in size.

    Numbers of the two types differ only by rounding. ``shape`` must have a multiple of 256 columns.
    """
    numbers = np.empty(shape, number_type)
    _gaussian(_bits(numbers.size, stream), numbers.reshape(-1))
    return numbers


def normal_quantiles(
    whole: NDArray[np.uint32], number_type: Any = np.float64
) -> NDArray[np.floating]:
    """Gaussian quantiles at the probabilities ``(whole + 1/2) / 2^32``; relative error 5e-7.

    Numbers of the two types differ only by rounding.
    """
    size = -(-whole.size // _TILE) * _TILE
    bits, numbers = np.zeros(size, np.uint32), np.empty(size, number_type)
    bits[: whole.size] = whole.reshape(-1) ^ np.uint32(2**31)  # two's complement
    _gaussian(bits, numbers)
    return numbers[: whole.size].reshape(whole.shape)


def uniform_inputs(
    shape: tuple[int, int], stream: np.random.SeedSequence, n_tokens: int
) -> NDArray[np.int64]:
    """Draw whole numbers from 0 to ``n_tokens`` - 1, equally probable up to n_tokens / 2^32."""
    bits = _bits(shape[0] * shape[1], stream).astype(np.uint64)
    return ((bits * np.uint64(n_tokens)) >> np.uint64(32)).astype(np.int64).reshape(shape)


def _bits(size: int, stream: np.random.SeedSequence) -> NDArray[np.uint32]:
    """Random whole numbers below 2^32; ``size`` is even."""
    pairs = np.random.SFC64(stream).random_raw(size // 2)
    return np.asarray(pairs).astype("<u8", copy=False).view("<u4")


@compiled
def _gaussian(bits: Any, numbers: Any) -> None:
    """Write a Gaussian number for each of the random ``bits``."""
    number = numbers.dtype.type
    one_minus_square = np.empty(_TILE, np.float32)
    as_bits = one_minus_square.view(np.int32)
    for start in range(0, len(bits), _TILE):
        drawn = bits[start : start + _TILE]
        z = numbers[start : start + _TILE]
        for i in range(_TILE):
            # In two's complement a whole number and its bitwise complement have the same size.
            whole = np.int32(drawn[i])
            size = whole if whole >= 0 else ~whole
            rest = (_f(2**31 - 1 - size) + _f(0.5)) * _f(2.0**-31)  # 1 - |u|
            one_minus_square[i] = rest * (_f(2.0) - rest)
            u = (number(size) + number(0.5)) * number(2.0**-31)
            z[i] = u if whole >= 0 else -u
        for i in range(_TILE):
            # 1 - u^2 = 2^exponent m, m from sqrt(1/2) to sqrt(2): in floats the bits say so.
            exponent = (as_bits[i] - _ROOT_OF_HALF) >> _FRACTION_BITS
            as_bits[i] -= exponent << _FRACTION_BITS
            m_1 = one_minus_square[i] - _f(1.0)
            w = -(m_1 * _polynomial(_LOG, m_1) + _f(exponent) * _LOG_2)
            here = _polynomial(_NEAR, w - _NEAR_CENTRE)
            there = _polynomial(_BEYOND, np.sqrt(max(w, _f(0.0))) - _FAR_CENTRE)
            z[i] *= number(here if w < _FAR else there)


@inlined
def _polynomial(coefficients: Any, v: Any) -> Any:
    value = coefficients[0]
    for k in range(1, len(coefficients)):
        value = value * v + coefficients[k]
    return value
