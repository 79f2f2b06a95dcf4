"""Numpy arrays that report their arithmetic to a counter.

The following is counted, at the prices of :mod:`algzoo.estimates.counting.counter`:

* elementwise arithmetic, comparisons, maxima, rounding and the logic of booleans, one for each
  element of the result; an integer power the multiplications of repeated squaring, any other power
  a transcendental function;
* an addition to a product that was not used otherwise is a multiply-add, as it is for
  :class:`~algzoo.estimates.counting.counter.CountedNumber`;
* matrix products of every name, one multiply-add for each product of two elements;
* reductions, one addition, multiplication or comparison less than the line has elements (as many,
  if there is an initial value); a mean also a division, a variance also its squares;
* sorting, also partial, ``n ceil(log2 n)`` comparisons a line; a binary search
  ``ceil(log2(n + 1))`` comparisons;
* linear algebra in closed form: Gaussian elimination with pivots, Cholesky's decomposition, and for
  symmetric eigenvalues half of the customary number of flops (Golub and Van Loan, "Matrix
  Computations", section 8.3: 9 n^3 with vectors, 4/3 n^3 without);
* nothing for signs, absolute values, copies, indexing, selecting, shapes and joining.

Results of comparisons are counted too, so that a sum of booleans costs its additions. Whatever has
no price here is refused with a ``TypeError``; so is everything that would turn the array into plain
numbers midway, such as ``float`` or a function of :mod:`math`. :attr:`CountedArray.values` and
:meth:`CountedArray.item` read the numbers at the end.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray
from scipy import special

if TYPE_CHECKING:
    from .counter import Kind, OperationCounter

Counts = Mapping["Kind", int]

_TWO_COUNTERS = "The arrays report to different counters; one is needed"


class CountedArray(NDArrayOperatorsMixin):
    """Array of real numbers that counts the operations on it; see the module's docstring.

    It is made by :meth:`~algzoo.estimates.counting.counter.OperationCounter.array`. Operators,
    numpy's functions and those of :mod:`scipy.special` that have a price work as on plain arrays,
    and counted and plain arrays can be mixed.

    Raises
    ------
    TypeError
        If ``values`` are not real numbers, integers or booleans.
    """

    # The mixin's __eq__ compares elements, as for every array.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: NDArray[Any], counter: OperationCounter) -> None:
        if values.dtype.kind not in "biuf":
            raise TypeError(f"not priced: arithmetic of type {values.dtype}; only real numbers are")
        self.values = values
        self.counter = counter
        self.is_product = False

    def __repr__(self) -> str:
        return f"CountedArray({self.values!r})"

    # Reading

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.values.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.values.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type."""
        return self.values.dtype

    def item(self) -> Any:
        """The only element as a plain number, which no longer counts."""
        return self.values.item()

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        if self.dtype != bool:
            self._charge({"compare": 1})
        return bool(self.values)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            "not priced: turning a counted array into plain numbers, whose further operations "
            "would not be counted; use numpy's functions, and .values or .item() at the end"
        )

    __array__ = __float__ = __int__ = __index__ = __complex__ = _refuse

    # Indexing, which is free

    def __getitem__(self, key: Any) -> CountedArray:
        return CountedArray(np.asarray(self.values[_plain(key)]), self.counter)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.values[_plain(key)] = _plain(value)
        self.is_product = False

    def __iter__(self) -> Iterator[CountedArray]:
        return (self[i] for i in range(len(self)))

    # Methods of arrays, by the functions of the same name

    @property
    def T(self) -> CountedArray:  # noqa: N802 (numpy's name)
        """Transposed array."""
        return self._wrap(self.values.T)

    def reshape(self, *shape: Any) -> CountedArray:
        """Array with another shape."""
        return self._wrap(self.values.reshape(*shape))

    def swapaxes(self, axis1: int, axis2: int) -> CountedArray:
        """Array with two axes interchanged."""
        return self._wrap(self.values.swapaxes(axis1, axis2))

    def astype(self, dtype: Any) -> CountedArray:
        """Array converted to another number type."""
        return self._wrap(self.values.astype(dtype))

    def copy(self) -> CountedArray:
        """Copy of the array."""
        return self._wrap(self.values.copy())

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.sum``."""
        return np.sum(self, *args, **kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.mean``."""
        return np.mean(self, *args, **kwargs)

    def prod(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.prod``."""
        return np.prod(self, *args, **kwargs)

    def max(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.max``."""
        return np.max(self, *args, **kwargs)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.min``."""
        return np.min(self, *args, **kwargs)

    def any(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.any``."""
        return np.any(self, *args, **kwargs)

    def all(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.all``."""
        return np.all(self, *args, **kwargs)

    def argmax(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.argmax``."""
        return np.argmax(self, *args, **kwargs)

    def argmin(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.argmin``."""
        return np.argmin(self, *args, **kwargs)

    def cumsum(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``np.cumsum``."""
        return np.cumsum(self, *args, **kwargs)

    def dot(self, other: Any) -> Any:
        """Same as ``np.dot``."""
        return np.dot(self, other)

    # numpy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        called = method == "__call__"
        if called and not kwargs and ufunc in _PRICES:
            plain = [one.values if isinstance(one, CountedArray) else one for one in inputs]
            if list not in map(type, plain) and tuple not in map(type, plain):
                return self._elementwise(ufunc, inputs, plain)
        if not (
            (ufunc in _KINDS and method in ("__call__", "outer", "reduce", "accumulate"))
            or (ufunc in _PRODUCTS and called and not {"axes", "axis"} & kwargs.keys())
            or (ufunc is np.power and called)
        ):
            name = ufunc.__name__ + ("" if called else f".{method}")
            raise TypeError(f"not priced: the function {name}; use functions that are")
        function = getattr(ufunc, method)
        if ufunc is np.power and not kwargs:
            # numpy's operator has exact ways for squares, roots and reciprocals; its function
            # takes them in newer versions alone.
            function = operator.pow
        result = self._apply(
            function,
            lambda result: _ufunc_counts(ufunc, method, result, _plain(inputs), kwargs),
            inputs,
            kwargs,
            is_product=called and ufunc in (np.multiply, np.square),
        )
        if ufunc is np.negative and isinstance(inputs[0], CountedArray):
            # Either of the two can be fused, once.
            result.is_product, inputs[0].is_product = inputs[0].is_product, False
        return result

    def _elementwise(
        self, ufunc: np.ufunc, inputs: tuple[Any, ...], plain: list[Any]
    ) -> CountedArray:
        """Do what :meth:`_apply` does, faster, for the simple calls that are most frequent."""
        counter, product = self.counter, None
        for one in inputs:
            if isinstance(one, CountedArray):
                if one.counter is not counter:
                    raise ValueError(_TWO_COUNTERS)
                if product is None and one.is_product:
                    product = one
        result = CountedArray(np.asarray(ufunc(*plain)), counter)
        for kind, times in _PRICES[ufunc]:
            counter.charge(kind, times * result.size)
            if kind == "add" and product is not None:
                self._fuse(product, times * result.size)
        if ufunc in (np.multiply, np.square):
            result.is_product = True
        elif ufunc is np.negative and product is not None:
            # Either of the two can be fused, once.
            result.is_product, product.is_product = True, False
        return result

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if function in _FREE_FUNCTIONS:
            return self._apply(function, lambda result: {}, args, kwargs)
        if function not in _FUNCTIONS:
            name = f"{function.__module__}.{function.__name__}"
            raise TypeError(f"not priced: {name}; use functions that are")
        counts = _FUNCTIONS[function]
        return self._apply(
            function,
            lambda result: counts(result, *_plain(args), **_plain(kwargs)),
            args,
            kwargs,
        )

    def _apply(
        self,
        function: Callable[..., Any],
        counts: Callable[[Any], Counts],
        args: Any,
        kwargs: dict[str, Any],
        *,
        is_product: bool = False,
    ) -> Any:
        """Apply the function to plain numbers, charge its operations, and wrap the result."""
        operands = list(_counted((args, kwargs)))
        if any(operand.counter is not self.counter for operand in operands):
            raise ValueError(_TWO_COUNTERS)
        out = kwargs.get("out")
        outs = out if isinstance(out, tuple) else () if out is None else (out,)
        if not all(isinstance(target, CountedArray) for target in outs):
            raise TypeError("not priced: out= with a plain array, which would no longer count")
        result = function(*_plain(args), **_plain(kwargs))
        self._charge(counts(result), next((x for x in operands if x.is_product), None))
        if outs:
            for target in outs:
                target.is_product = is_product
            return outs[0] if len(outs) == 1 else outs
        wrapped = _map_arrays(self._wrap, result)
        if is_product and isinstance(wrapped, CountedArray):
            wrapped.is_product = True
        return wrapped

    def _charge(self, counts: Counts, product: CountedArray | None = None) -> None:
        for kind, count in counts.items():
            self.counter.charge(kind, count)
        additions = counts.get("add", 0)
        if product is not None and additions:
            self._fuse(product, additions)

    def _fuse(self, product: CountedArray, additions: int) -> None:
        """Count additions to a product as parts of multiply-adds."""
        fused = min(product.size, additions)  # their multiplications were counted already
        product.is_product = False
        self.counter.charge("multiply_add", fused)
        self.counter.charge("multiply", -fused)
        self.counter.charge("add", -fused)

    def _wrap(self, values: NDArray[Any]) -> CountedArray:
        return CountedArray(values, self.counter)


def _plain(value: Any) -> Any:
    """Remove counters, also inside tuples, lists and dictionaries."""
    if isinstance(value, CountedArray):
        return value.values
    if type(value) in (tuple, list):
        return type(value)(map(_plain, value))
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value


def _counted(value: Any) -> Iterator[CountedArray]:
    """Yield all counted arrays, also inside tuples, lists and dictionaries."""
    if isinstance(value, CountedArray):
        yield value
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from _counted(inner)
    elif isinstance(value, dict):
        yield from _counted(list(value.values()))


def _map_arrays(wrap: Callable[[NDArray[Any]], CountedArray], result: Any) -> Any:
    """Make every array and number in the result count; shapes stay as they are."""
    if isinstance(result, (np.ndarray, np.generic)):
        return wrap(np.asarray(result))
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(_map_arrays(wrap, inner) for inner in result))
    if isinstance(result, (tuple, list)):
        return type(result)(_map_arrays(wrap, inner) for inner in result)
    return result


# Elementwise functions: the cost of one element

_FREE_UFUNCS = {np.negative, np.positive, np.absolute, np.fabs, np.conjugate, np.copysign}

_KINDS: dict[np.ufunc, tuple[Kind, ...]] = {
    **dict.fromkeys(_FREE_UFUNCS, ()),
    **dict.fromkeys([np.add, np.subtract], ("add",)),
    **dict.fromkeys(
        [np.multiply, np.square, np.deg2rad, np.radians, np.rad2deg, np.degrees, np.ldexp],
        ("multiply",),
    ),
    **dict.fromkeys(
        [np.divide, np.floor_divide, np.remainder, np.fmod, np.divmod, np.reciprocal], ("divide",)
    ),
    **dict.fromkeys(
        [
            *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
            *(np.maximum, np.minimum, np.fmax, np.fmin, np.sign, np.signbit, np.heaviside),
            *(np.isfinite, np.isinf, np.isnan, np.floor, np.ceil, np.rint, np.trunc),
            *(np.logical_and, np.logical_or, np.logical_xor, np.logical_not),
            *(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert),
        ],
        ("compare",),
    ),
    **dict.fromkeys(
        [
            *(np.sqrt, np.cbrt, np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p),
            *(np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.arctan2),
            *(np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh, np.float_power),
            *(special.ndtr, special.log_ndtr, special.ndtri, special.ndtri_exp),
            *(special.erf, special.erfc, special.erfcx, special.erfinv, special.erfcinv),
            *(special.expit, special.logit, special.log_expit, special.cbrt, special.exp2),
            *(special.exp10, special.expm1, special.log1p, special.cosm1, special.dawsn),
            *(special.gamma, special.gammaln),
        ],
        ("transcendental",),
    ),
    np.hypot: ("multiply", "multiply_add", "transcendental"),
    np.logaddexp: ("compare", "add", "add", "transcendental", "transcendental"),
    special.xlogy: ("compare", "multiply", "transcendental"),
    special.xlog1py: ("compare", "multiply", "transcendental"),
    special.entr: ("compare", "multiply", "transcendental"),
}

# The same prices, ready to be added, for functions with one result.
_PRICES: dict[np.ufunc, list[tuple[Kind, int]]] = {
    ufunc: [(kind, kinds.count(kind)) for kind in dict.fromkeys(kinds)]
    for ufunc, kinds in _KINDS.items()
    if ufunc.nout == 1
}

# The last two since numpy 2.2.
_PRODUCTS = [
    getattr(np, name) for name in ("matmul", "vecdot", "matvec", "vecmat") if hasattr(np, name)
]


def _ufunc_counts(
    ufunc: np.ufunc, method: str, result: Any, inputs: Any, kwargs: dict[str, Any]
) -> Counts:
    size = np.size(result[0] if isinstance(result, tuple) else result)
    if ufunc in _PRODUCTS:
        return {"multiply_add": size * np.shape(inputs[0])[-1]}
    if ufunc is np.power:
        return _power_counts(size, inputs[1])
    operations = size
    if method == "reduce":
        operations = _in_lines(result, *inputs, **kwargs)
    elif method == "accumulate":
        array, axis = (*inputs, kwargs.get("axis", 0))[:2]
        operations = _cumulated(result, array, axis)
    counts: dict[Kind, int] = {}
    for kind in _KINDS[ufunc]:
        counts[kind] = counts.get(kind, 0) + operations
    return counts


def _power_counts(size: int, exponent: Any) -> Counts:
    if np.ndim(exponent) > 0 or float(exponent) != int(exponent):
        return {"transcendental": size}
    power = abs(int(exponent))
    multiplications = power.bit_length() + power.bit_count() - 2 if power else 0
    counts: dict[Kind, int] = {"multiply": size * multiplications}
    if exponent < 0:
        counts["divide"] = size
    return counts


# Functions of whole arrays: their cost, from result and arguments


def _in_lines(
    result: Any, a: Any, axis: Any = None, *unnamed: Any, initial: Any = None, **_: Any
) -> int:
    """Operations that reduce the lines of ``a`` to ``result``."""
    if unnamed:  # one of them may be an initial value; in which place depends on the function
        raise TypeError("not priced: a reduction with arguments after the axis that are not named")
    with_initial = np.size(result) if initial is not None else 0
    return max(np.size(a) - np.size(result), 0) + with_initial


def _cumulated(result: Any, a: Any, axis: int | None = None, *_: Any, **__: Any) -> int:
    lines = 1 if axis is None else np.size(a) // max(np.shape(a)[axis], 1)
    return max(np.size(result) - lines, 0)


def _line_length(a: Any, axis: int | None) -> int:
    return int(np.size(a) if axis is None else np.shape(a)[axis])


def _sorted_lines(result: Any, a: Any, axis: int | None = -1, *_: Any, **__: Any) -> Counts:
    n = _line_length(a, axis)
    return {"compare": np.size(a) * math.ceil(math.log2(n)) if n > 1 else 0}


def _partly_sorted_lines(
    result: Any, a: Any, kth: Any, axis: int | None = -1, *_: Any, **__: Any
) -> Counts:
    return _sorted_lines(result, a, axis)


def _unique(result: Any, a: Any, *args: Any, **kwargs: Any) -> Counts:
    if args or kwargs:
        raise TypeError("not priced: numpy.unique with more than one argument")
    return {"compare": _sorted_lines(result, a, None)["compare"] + max(np.size(a) - 1, 0)}


def _median(result: Any, a: Any, axis: int | None = None, *_: Any, **__: Any) -> Counts:
    lines, even = np.size(result), _line_length(a, axis) % 2 == 0
    return {
        "compare": _sorted_lines(result, a, axis)["compare"],
        "add": lines * even,
        "divide": lines * even,
    }


def _mean(result: Any, a: Any, *args: Any, **kwargs: Any) -> Counts:
    return {"add": _in_lines(result, a, *args, **kwargs), "divide": np.size(result)}


def _var(result: Any, a: Any, *_: Any, **__: Any) -> Counts:
    # The mean; differences from it; their squares, summed; the division.
    lines, size = np.size(result), np.size(a)
    return {
        "add": max(size - lines, 0) + size,
        "multiply_add": size,
        "divide": 2 * lines,
    }


def _std(result: Any, a: Any, *args: Any, **kwargs: Any) -> Counts:
    return {**_var(result, a, *args, **kwargs), "transcendental": np.size(result)}


def _ptp(result: Any, a: Any, *_: Any, **__: Any) -> Counts:
    return {"compare": 2 * _in_lines(result, a), "add": np.size(result)}


def _diff(result: Any, a: Any, n: int = 1, axis: int = -1, *args: Any, **kwargs: Any) -> Counts:
    if n != 1 or args or kwargs:
        raise TypeError("not priced: numpy.diff of a higher order or with further arguments")
    return {"add": np.size(result)}


def _trace(result: Any, a: Any, *args: Any, **kwargs: Any) -> Counts:
    if args or kwargs:
        raise TypeError("not priced: numpy.trace with more than one argument")
    return {"add": np.size(result) * max(min(np.shape(a)[:2]) - 1, 0)}


def _clip(result: Any, a: Any, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> Counts:
    bounds = [a_min, a_max, kwargs.get("min"), kwargs.get("max")]
    return {"compare": np.size(result) * sum(bound is not None for bound in bounds)}


def _searchsorted(result: Any, a: Any, *_: Any, **__: Any) -> Counts:
    return {"compare": np.size(result) * math.ceil(math.log2(np.size(a) + 1))}


def _dot(result: Any, a: Any, b: Any, *_: Any) -> Counts:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return {"multiply": np.size(result)}
    return {"multiply_add": np.size(result) * np.shape(a)[-1]}


def _tensordot(result: Any, a: Any, b: Any, *_: Any, **__: Any) -> Counts:
    # |a| |b| = |result| (contracted elements)^2
    contracted = math.isqrt(np.size(a) * np.size(b) // max(np.size(result), 1))
    return {"multiply_add": np.size(result) * contracted}


def _einsum(result: Any, subscripts: Any, *operands: Any, **kwargs: Any) -> Counts:
    if not isinstance(subscripts, str) or len(operands) > 2:
        raise TypeError(
            "not priced: numpy.einsum without a string of subscripts, or of more than two arrays; "
            "contract two at a time"
        )
    sizes: dict[str, int] = {}
    inputs = subscripts.replace(" ", "").split("->")[0].split(",")
    for letters, operand in zip(inputs, operands, strict=True):
        shape = np.shape(operand)
        before, dots, after = letters.partition("...")
        extra = len(shape) - len(before) - len(after) if dots else 0
        # Broadcast axes count from the last, so that those of both operands meet.
        names = [*before, *(f"...{i}" for i in range(extra, 0, -1)), *after]
        for name, length in zip(names, shape, strict=True):
            sizes[name] = length if sizes.get(name, 1) == 1 else sizes[name]
    combinations = math.prod(sizes.values())
    if len(operands) == 2:
        return {"multiply_add": combinations}
    return {"add": max(combinations - np.size(result), 0)}


def _matrices(a: Any) -> tuple[int, int]:
    """Return how many square matrices ``a`` holds, and their size."""
    return math.prod(np.shape(a)[:-2]), np.shape(a)[-1]


def _elimination(a: Any, right_hand_sides: int = 0) -> dict[Kind, int]:
    many, n = _matrices(a)
    pairs = n * (n - 1) // 2
    return {
        "multiply_add": many * pairs * (2 * n - 1) // 3 + right_hand_sides * 2 * pairs,
        "divide": many * pairs + right_hand_sides * n,
        "compare": many * pairs,  # for the pivots
    }


def _solve(result: Any, a: Any, b: Any) -> Counts:
    return _elimination(a, np.size(result) // max(_matrices(a)[1], 1))


def _inv(result: Any, a: Any) -> Counts:
    return _elimination(a, math.prod(_matrices(a)))


def _det(result: Any, a: Any) -> Counts:
    many, n = _matrices(a)
    return {**_elimination(a), "multiply": many * max(n - 1, 0)}


def _slogdet(result: Any, a: Any) -> Counts:
    many, n = _matrices(a)
    return {**_elimination(a), "transcendental": many * n, "add": many * max(n - 1, 0)}


def _cholesky(result: Any, a: Any, **_: Any) -> Counts:
    many, n = _matrices(a)
    return {
        "multiply_add": many * (n**3 - n) // 6,
        "divide": many * n * (n - 1) // 2,
        "transcendental": many * n,
    }


def _eigh(result: Any, a: Any, *_: Any, **__: Any) -> Counts:
    many, n = _matrices(a)
    return {"multiply_add": many * -(-9 * n**3 // 2)}


def _eigvalsh(result: Any, a: Any, *_: Any, **__: Any) -> Counts:
    many, n = _matrices(a)
    return {"multiply_add": many * -(-2 * n**3 // 3)}


def _norm(result: Any, x: Any, ord: Any = None, *_: Any, **__: Any) -> Counts:  # noqa: A002
    if ord is not None:
        raise TypeError(f"not priced: numpy.linalg.norm of order {ord!r}; only the Euclidean is")
    return {"multiply_add": np.size(x), "transcendental": np.size(result)}


def _reduction(kind: Kind) -> Callable[..., Counts]:
    return lambda result, *args, **kwargs: {kind: _in_lines(result, *args, **kwargs)}


def _cumulation(kind: Kind) -> Callable[..., Counts]:
    return lambda result, *args, **kwargs: {kind: _cumulated(result, *args, **kwargs)}


def _of_each(kind: Kind) -> Callable[..., Counts]:
    return lambda result, *args, **kwargs: {kind: np.size(result)}


_FUNCTIONS: dict[Callable[..., Any], Callable[..., Counts]] = {
    np.sum: _reduction("add"),
    np.count_nonzero: _reduction("add"),
    np.prod: _reduction("multiply"),
    **dict.fromkeys(
        [np.max, np.min, np.amax, np.amin, np.any, np.all, np.argmax, np.argmin],
        _reduction("compare"),
    ),
    np.cumsum: _cumulation("add"),
    np.cumprod: _cumulation("multiply"),
    np.mean: _mean,
    np.var: _var,
    np.std: _std,
    np.ptp: _ptp,
    np.median: _median,
    np.diff: _diff,
    np.trace: _trace,
    np.clip: _clip,
    np.round: _of_each("compare"),
    np.sort: _sorted_lines,
    np.argsort: _sorted_lines,
    np.partition: _partly_sorted_lines,
    np.argpartition: _partly_sorted_lines,
    np.unique: _unique,
    np.searchsorted: _searchsorted,
    np.dot: _dot,
    np.inner: _dot,
    np.vdot: lambda result, a, b: {"multiply_add": np.size(a)},
    np.outer: _of_each("multiply"),
    np.kron: _of_each("multiply"),
    np.tensordot: _tensordot,
    np.einsum: _einsum,
    np.linalg.solve: _solve,
    np.linalg.inv: _inv,
    np.linalg.det: _det,
    np.linalg.slogdet: _slogdet,
    np.linalg.cholesky: _cholesky,
    np.linalg.eigh: _eigh,
    np.linalg.eigvalsh: _eigvalsh,
    np.linalg.norm: _norm,
}

_FREE_FUNCTIONS: set[Callable[..., Any]] = {
    *(np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.squeeze, np.expand_dims),
    *(np.broadcast_to, np.broadcast_arrays, np.atleast_1d, np.atleast_2d, np.atleast_3d),
    *(np.concatenate, np.stack, np.hstack, np.vstack, np.column_stack, np.dstack, np.append),
    *(np.split, np.array_split, np.repeat, np.tile, np.roll, np.flip, np.fliplr, np.flipud),
    *(np.take, np.take_along_axis, np.where, np.select, np.nonzero, np.flatnonzero, np.compress),
    *(np.copy, np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.real),
    *(np.diag, np.diagonal, np.diagflat, np.tril, np.triu, np.insert, np.delete, np.meshgrid),
    *(np.ndim, np.shape, np.size, np.result_type),
}
