import hashlib
from pathlib import Path

import numba
import numpy as np
import pytest

from algzoo.estimates.samplers import compiled as module
from algzoo.estimates.samplers import kernel as recurrent_kernel
from algzoo.estimates.samplers import random_inputs


@pytest.mark.parametrize(
    "function", [recurrent_kernel.run, recurrent_kernel.n_right, random_inputs._gaussian]
)
def test_compiled_code_on_disk_is_never_that_of_another_source(function):
    """What a killed process of an older source has left there has another name."""
    source = Path(function.py_func.__code__.co_filename).read_bytes()
    assert function.__qualname__.endswith(hashlib.sha256(source).hexdigest()[:16])


def test_without_a_place_for_compiled_code_it_is_compiled_all_the_same(monkeypatch):
    njit = numba.njit

    def no_place(function, *, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    def double(x):
        return 2 * x

    monkeypatch.setattr(numba, "njit", no_place)
    assert module.compiled(double)(3) == 6


def test_products_and_sums_are_rounded_one_by_one():
    """Fused, x x - 1 is 2^-26 + 2^-54 for x = 1 + 2^-27; else its last term is lost."""

    def square_less_one(x, result):
        for i in range(len(x)):
            result[i] = x[i] * x[i] - 1.0

    x, result = np.full(64, 1 + 2.0**-27), np.empty(64)
    module.compiled(square_less_one)(x, result)
    assert (result == 2.0**-26).all()


def test_sums_keep_their_order():
    def total(x):
        result = np.float32(0)
        for value in x:
            result += value
        return result

    x = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    expected = np.float32(0)
    for value in x:
        expected += value
    assert module.compiled(total)(x) == expected
