import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from algzoo.estimates import PRICES, OperationCounter

RNG = np.random.default_rng(0)
A = RNG.uniform(0.1, 0.9, (4, 5))
B = RNG.uniform(0.1, 0.9, (4, 5))
SQUARE = A[:, :4] @ A[:, :4].T + np.eye(4)
STACK = np.stack([SQUARE, 2 * SQUARE])


@pytest.fixture
def counter():
    return OperationCounter()


def same(result, expected):
    """Equal to plain numpy's, to the last bit; and every array in it counts."""
    if isinstance(expected, (tuple, list)):
        assert type(result) is type(expected)
        for one, other in zip(result, expected, strict=True):
            same(one, other)
    else:
        np.testing.assert_array_equal(result.values, expected, strict=False)
        assert result.shape == np.shape(expected)
        assert result.dtype == np.asarray(expected).dtype


ELEMENTWISE = [
    (lambda a, b: a + b, 20),
    (lambda a, b: a - b, 20),
    (lambda a, b: 1 - a, 20),
    (lambda a, b: a * b, 20),
    (lambda a, b: a / b, 20),
    (lambda a, b: 1 / a, 20),
    (lambda a, b: a[:, :1] + b[:1], 20),  # of the broadcast result
    (lambda a, b: a < b, 20),
    (lambda a, b: a == b, 20),
    (lambda a, b: np.maximum(a, 0), 20),
    (lambda a, b: np.minimum(a, b), 20),
    (lambda a, b: (a < b) & (a > 0.3), 60),
    (lambda a, b: ~(a < b), 40),
    (lambda a, b: a**2, 20),
    (lambda a, b: np.square(a), 20),
    (lambda a, b: a**3, 40),
    (lambda a, b: a**4, 40),
    (lambda a, b: a**7, 80),
    (lambda a, b: a**1, 0),
    (lambda a, b: a**-1, 20),
    (lambda a, b: a**-2, 40),
    (lambda a, b: a**0.5, 200),
    (lambda a, b: 2.0**a, 200),
    (lambda a, b: np.sqrt(a), 200),
    (lambda a, b: np.exp(a), 200),
    (lambda a, b: np.arctan2(a, b), 200),
    (lambda a, b: np.hypot(a, b), 240),
    (lambda a, b: special.ndtr(a), 200),
    (lambda a, b: special.log_ndtr(a), 200),
    (lambda a, b: special.ndtri(a), 200),
    (lambda a, b: special.erf(a), 200),
    (lambda a, b: np.clip(a, 0.2, 0.6), 40),
    (lambda a, b: np.clip(a, 0.2, None), 20),
    (lambda a, b: np.floor(10 * a), 40),
    (lambda a, b: np.divmod(a, b), 20),
    (lambda a, b: np.add.outer(a[0], b[0]), 25),
]

FREE = [
    lambda a, b: -a,
    lambda a, b: abs(a),
    lambda a, b: np.copysign(a, -b),
    lambda a, b: a.copy(),
    lambda a, b: a.astype(np.float32),
    lambda a, b: a[1],
    lambda a, b: a[:, ::2],
    lambda a, b: a[[0, 2], [1, 1]],
    lambda a, b: a.reshape(2, 10),
    lambda a, b: a.T,
    lambda a, b: a.swapaxes(0, 1),
    lambda a, b: np.moveaxis(a, 0, 1),
    lambda a, b: np.where(np.eye(4, 5) > 0, a, b),
    lambda a, b: np.concatenate([a, b], axis=1),
    lambda a, b: np.stack([a, b]),
    lambda a, b: np.split(a, 2),
    lambda a, b: np.broadcast_arrays(a[:1], b),
    lambda a, b: np.take_along_axis(a, np.zeros((4, 1), int), axis=1),
    lambda a, b: np.repeat(a, 3, axis=0),
    lambda a, b: np.zeros_like(a),
    lambda a, b: np.diagonal(a),
]

PRODUCTS = [
    (lambda a, b: a @ b.T, 4 * 4 * 5),
    (lambda a, b: a @ b[0], 4 * 5),
    (lambda a, b: a[0] @ b[0], 5),
    (lambda a, b: np.vecdot(a, b), 20),
    (lambda a, b: np.dot(a, b.T), 80),
    (lambda a, b: a.dot(2.0), 20),
    (lambda a, b: np.inner(a, b), 80),
    (lambda a, b: np.outer(a[0], b[0]), 25),
    (lambda a, b: np.vdot(a[0], b[0]), 5),
    (lambda a, b: np.kron(a, b), 400),
    (lambda a, b: np.tensordot(a, b, axes=([1], [1])), 80),
    (lambda a, b: np.tensordot(a, b), 20),
    (lambda a, b: np.tensordot(a, b, axes=0), 400),
    (lambda a, b: np.einsum("ij,kj->ik", a, b), 80),
    (lambda a, b: np.einsum("ij,ij", a, b), 20),
    (lambda a, b: np.einsum("ij,ij->ij", a, b), 20),
    (lambda a, b: np.einsum("i...,j...->...ij", a, b), 80),
    (lambda a, b: np.einsum("...j,...j->...", a[:, None], b), 80),
    (lambda a, b: np.einsum("ij->ji", a), 0),
    (lambda a, b: np.einsum("ij->i", a), 16),
    (lambda a, b: np.einsum("ii->i", a[:, :4]), 0),
    (lambda a, b: np.einsum("ii", a[:, :4]), 3),
]
if hasattr(np, "matvec"):  # since numpy 2.2
    PRODUCTS += [(lambda a, b: np.matvec(a, b[0]), 20), (lambda a, b: np.vecmat(b[:, 0], a), 20)]

LINES = [
    (lambda a, b: a.sum(), 19),
    (lambda a, b: a.sum(axis=1), 16),
    (lambda a, b: np.sum(a, axis=0, keepdims=True), 15),
    (lambda a, b: np.sum(a, axis=0, initial=1.0), 20),
    (lambda a, b: np.add.reduce(a, axis=0), 15),
    (lambda a, b: np.add.accumulate(a, axis=1), 16),
    (lambda a, b: a.cumsum(), 19),
    (lambda a, b: np.cumsum(a, 0), 15),
    (lambda a, b: a.mean(axis=1), 16 + 4),
    (lambda a, b: np.var(a, axis=1), 16 + 4 + 20 + 20 + 4),
    (lambda a, b: np.std(a, axis=1), 16 + 4 + 20 + 20 + 4 + 40),
    (lambda a, b: a.prod(axis=0), 15),
    (lambda a, b: a.max(), 19),
    (lambda a, b: a.min(axis=0), 15),
    (lambda a, b: a.argmax(axis=1), 16),
    (lambda a, b: a.argmin(), 19),
    (lambda a, b: np.fmax.reduce(a, axis=1), 16),
    (lambda a, b: np.ptp(a, axis=1), 32 + 4),
    (lambda a, b: np.diff(a), 16),
    (lambda a, b: np.trace(a), 3),
    (lambda a, b: (a < b).any(axis=0), 20 + 15),
    (lambda a, b: (a < b).sum(axis=1), 20 + 16),  # results of comparisons are counted
    (lambda a, b: np.sort(a), 4 * 5 * 3),
    (lambda a, b: np.argsort(a, axis=0), 5 * 4 * 2),
    (lambda a, b: np.sort(a, axis=None), 20 * 5),
    (lambda a, b: np.partition(a, 2), 4 * 5 * 3),
    (lambda a, b: np.median(a, axis=0), 5 * 4 * 2 + 10),
    (lambda a, b: np.unique(a), 20 * 5 + 19),
    (lambda a, b: np.searchsorted(np.sort(b[0]), a[0]), 15 + 5 * 3),
    (lambda a, b: np.linalg.norm(a, axis=1), 20 + 40),
]


@pytest.mark.parametrize(("compute", "operations"), [*ELEMENTWISE, *PRODUCTS, *LINES])
def test_hand_count(counter, compute, operations):
    with np.errstate(all="raise"):
        same(compute(counter.array(A), counter.array(B)), compute(A, B))
    assert counter.total == operations


@pytest.mark.parametrize("compute", FREE)
def test_free(counter, compute):
    same(compute(counter.array(A), counter.array(B)), compute(A, B))
    assert counter.total == 0


def test_mixed_with_plain_arrays_on_either_side(counter):
    same(A + counter.array(B), A + B)
    same(counter.array(A) @ B.T, A @ B.T)
    same(A @ counter.array(B).T, A @ B.T)
    assert counter.total == 20 + 80 + 80


def eliminated(n, right_hand_sides):
    """Operations of Gaussian elimination with pivots, done step by step."""
    operations = 0
    for k in range(n):
        below = n - 1 - k
        operations += below  # comparisons for the pivot
        operations += below * (1 + below)  # a division, then a row of multiply-adds, each
        # A right-hand side is reduced below, then solved for from the bottom.
        operations += right_hand_sides * (below + below + 1)
    return operations


def cholesky_operations(n):
    operations = 0
    for j in range(n):
        operations += j + PRICES["transcendental"]  # the diagonal: j squares off, a root
        operations += (n - 1 - j) * (j + 1)
    return operations


@pytest.mark.parametrize(
    ("compute", "operations"),
    [
        (lambda a: np.linalg.solve(a, np.ones(4)), eliminated(4, 1)),
        (lambda a: np.linalg.solve(a, np.ones((4, 3))), eliminated(4, 3)),
        (np.linalg.inv, eliminated(4, 4)),
        (np.linalg.det, eliminated(4, 0) + 3),
        (np.linalg.slogdet, eliminated(4, 0) + 3 + 40),
        (np.linalg.cholesky, cholesky_operations(4)),
        (np.linalg.eigh, 9 * 64 // 2),
        (np.linalg.eigvalsh, 43),  # 2/3 of 64, rounded up
    ],
)
def test_linear_algebra(counter, compute, operations):
    plain = compute(SQUARE)
    result = compute(counter.array(SQUARE))
    assert type(result) is not tuple
    if hasattr(plain, "_fields"):
        assert type(result) is type(plain)
        result, plain = tuple(result), tuple(plain)
    same(result, plain)
    assert counter.total == operations
    if compute in (np.linalg.inv, np.linalg.det, np.linalg.cholesky, np.linalg.eigh):
        compute(counter.array(STACK))
        assert counter.total == 3 * operations


@pytest.mark.parametrize(
    "compute",
    [
        np.linalg.svd,
        np.linalg.eig,
        np.fft.fft,
        np.quantile,
        np.convolve,
        np.isclose,
        np.interp,
        np.modf,
        np.spacing,
        special.owens_t,
        special.hyp2f1,
        special.gammainc,
        lambda a, b: np.add.reduceat(a, [0, 2]),
        lambda a, b: np.add.at(a, [0, 2], b),
        lambda a, b: np.einsum("ij,ij,ij->", a, a, b),
        lambda a, b: np.einsum(a, [0, 1], b, [0, 1]),
        lambda a, b: np.linalg.norm(a, 2),
        lambda a, b: np.sum(a, 0, None, None, False, 1.0),
        lambda a, b: np.diff(a, n=2),
        lambda a, b: np.unique(a, True),
        lambda a, b: np.unique(a, return_counts=True),
        lambda a, b: np.asarray(a),
        lambda a, b: np.array([a, b]),
        lambda a, b: special.logsumexp(a),
        lambda a, b: float(a[0, 0]),
        lambda a, b: int(a[0, 0]),
        lambda a, b: math.exp(a[0, 0]),
        lambda a, b: range(a[0, 0]),
        lambda a, b: np.add(a, b, out=np.empty_like(A)),
        lambda a, b: np.exp(a, out=np.empty_like(A)),
        lambda a, b: a * 1j,
        lambda a, b: a + np.array([Fraction(1)] * 5),
    ],
)
def test_without_a_price_it_is_refused(counter, compute):
    a, b = counter.array(A), counter.array(B)
    n_arguments = getattr(compute, "nin", None)
    arguments = {None: (a, b), 1: (a,), 2: (a, b), 4: (a, b, a, b)}[n_arguments]
    if compute in (np.linalg.svd, np.linalg.eig, np.fft.fft):
        arguments = (a,)
    elif compute is np.interp:
        arguments = (a[0], a[0], a[0])
    with pytest.raises(TypeError, match="not priced"):
        compute(*arguments)


@pytest.mark.parametrize("values", [[1j], ["a"], [None], [Fraction(1, 2)]])
def test_only_real_numbers_are_counted(counter, values):
    with pytest.raises(TypeError, match="not priced: arithmetic of type"):
        counter.array(values)


def test_two_counters_are_not_mixed(counter):
    with pytest.raises(ValueError, match="different counters"):
        counter.array(A) + OperationCounter().array(B)


def test_the_array_is_a_copy_and_can_be_read(counter):
    values = A.copy()
    a = counter.array(values)
    a[0, 0] = 5
    a += 1
    assert values[0, 0] == A[0, 0]
    assert a[0, 0].item() == 6
    assert a.values[1, 1] == A[1, 1] + 1
    assert len(a) == 4
    assert (a.ndim, a.size, a.dtype) == (2, 20, float)
    assert [row.shape for row in a] == [(5,)] * 4
    assert counter.total == 20  # a += 1
    assert repr(a[0, 0]) == "CountedArray(array(6.))"


def test_choosing_by_a_comparison(counter):
    a = counter.array([1.0, 2.0])
    assert a[0] < a[1]
    assert counter.total == 1
    assert a[0]  # a comparison with 0
    assert counter.total == 2
    same(a[a > 1], np.array([2.0]))
    same(a[a.argmax()], np.float64(2.0))
    assert counter.total == 5
    with pytest.raises(ValueError, match="ambiguous"):
        bool(a > 0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(a)


def test_a_product_is_fused_once_as_it_is_for_numbers(counter):
    a, b = counter.array(A), counter.array(B)
    product = a * b
    product + a
    assert counter.counts["multiply_add"] == counter.total == 20
    product - a
    assert counter.total == 40
    -(a * b) + b
    assert counter.total == 60
    abs(a * b) + b  # something was done to it
    assert counter.total == 100
    (a * b).sum(axis=1)  # a dot product for each line
    assert counter.total == 120
    (a[0] * b[0]) + a  # five products, of which each is fused once
    assert counter.total == 140
    product = a * b
    product[0] = 0
    product + a
    assert counter.total == 180
    product = a.copy()
    product *= b
    product += a
    assert counter.total == 200


def test_a_step_of_a_recurrent_network_costs_what_arc_says(counter):
    d = 16
    w_hi, w_hh, x = np.ones(d), np.eye(d), np.ones((1, 7))
    state = counter.array(np.ones((d, 7)))
    counter.array(w_hh) @ state + w_hi[:, None] * counter.array(x)
    assert counter.total == 7 * d * (d + 1)


def test_sensitivity_to_a_price(counter):
    np.exp(counter.array(A)) + 1
    assert counter.total == 220
    assert counter.total_at(transcendental=50) == 1020
    assert counter.total_at(transcendental=5, add=0) == 100
    assert counter.total == 220
    with pytest.raises(ValueError, match="'exponential' is not a kind of operation"):
        counter.total_at(exponential=5)
    with pytest.raises(ValueError, match="at least 0, got add=-1"):
        counter.total_at(add=-1)


NUMBERS = st.floats(-100, 100).filter(lambda x: x == 0 or abs(x) > 1e-3)
BINARY = [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.less, np.matmul]


@given(data=st.data())
def test_results_are_numpys(data):
    """Random expressions on random shapes: the same numbers, or the same refusal by numpy."""
    counter = OperationCounter()
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=3))
    plain = [data.draw(hnp.arrays(float, s, elements=NUMBERS)) for s in shapes.input_shapes]
    counted = [counter.array(x) for x in plain]
    for function in data.draw(st.lists(st.sampled_from(BINARY), min_size=1, max_size=4)):
        with np.errstate(all="ignore"):
            try:
                expected = function(*plain)
            except (ValueError, TypeError):
                return
            before = counter.total
            result = function(*counted)
        same(result, expected)
        if function is not np.matmul:
            # less where it was fused with a product
            assert 0 <= counter.total - before <= np.size(expected)
        plain, counted = [plain[1], np.asarray(expected)], [counted[1], result]


OPERATIONS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (1 + b * b),
    lambda a, b: -a,
    lambda a, b: abs(a),
    lambda a, b: 3 - a,
]


@given(
    hnp.arrays(float, 5, elements=st.integers(-9, 9).map(float)),
    st.lists(
        st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 9), st.integers(0, 9)), max_size=8
    ),
)
def test_arrays_count_what_numbers_count(x, steps):
    """The same straight-line programme on an array and on lifted numbers, which fuse one by one."""
    of_array, of_numbers = OperationCounter(), OperationCounter()
    array, numbers = [of_array.array(x)], [of_numbers.lift(x)]
    for operation, i, j in steps:
        array.append(operation(array[i % len(array)], array[j % len(array)]))
        numbers.append(operation(numbers[i % len(numbers)], numbers[j % len(numbers)]))
    assert of_array.total == of_numbers.total
    np.testing.assert_array_equal(array[-1].values, [number.value for number in numbers[-1]])


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (2, 3, 4), (5, 2, 1)])
def test_matrix_products_count_what_numbers_count(counter, m, k, n):
    other = OperationCounter()
    counter.array(np.ones((m, k))) @ counter.array(np.ones((k, n)))
    other.lift(np.ones((m, k))) @ other.lift(np.ones((k, n)))
    assert counter.total == other.total == m * k * n
