"""Recurrent models on prefixes that leave a common path, each at its own step.

A path is a sequence of inputs. A prefix begins like its path and continues with its own inputs from
some step on, so that the states of the beginning are computed once for all prefixes of a path.
Prefixes that leave a path at the same step share the product of W_hh with its state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights
from ..samplers import kernel
from ..samplers.compiled import compiled, inlined

_USUAL = 16  # neurons; for a constant number compilers write the sums out


@dataclass(frozen=True)
class Prefixes:
    """Prefixes in the order of the steps at which they leave their paths.

    Attributes
    ----------
    paths
        Inputs of the paths, shape (m, n_paths).
    inputs
        Inputs of the prefixes, those of the beginnings too, shape (m, n_prefixes).
    path
        The path of each prefix, shape (n_prefixes,).
    begun
        For every step, how many prefixes have left their paths by then, shape (m,).
    """

    paths: NDArray[np.floating]
    inputs: NDArray[np.floating]
    path: NDArray[np.int64]
    begun: NDArray[np.int64]

    def drives(self, weights: Weights) -> NDArray[np.floating]:
        """W_hh times the state after each prefix, shape (d, n_prefixes).

        It is computed in the number type of the inputs.
        """
        d, n_prefixes = len(weights.w_hi), self.inputs.shape[1]
        number_type = self.inputs.dtype
        w_hi, w_hh = (matrix.astype(number_type) for matrix in kernel.padded(weights)[:2])
        drive = np.empty((d, n_prefixes), number_type)
        _drives(self.paths, self.inputs, self.path, self.begun, w_hi, w_hh, drive)
        return drive

    def operations(self, hidden_size: int) -> int:
        """Multiply-adds of :meth:`drives`.

        Every state costs d and its product with W_hh d^2. By ARC's convention the first step is
        charged another d^2, although the state before it is zero.
        """
        d, n_paths = hidden_size, self.paths.shape[1]
        n_prefixes = self.inputs.shape[1]
        path_steps = int(np.count_nonzero(self.begun < n_prefixes))
        states = n_paths * path_steps + int(self.begun.sum())
        first = n_paths * (path_steps > 0) + int(self.begun[0])
        return int(states * d * (d + 1) + first * d * d)


def plain_drives(prefixes: Prefixes, w_hi: Any, w_hh: Any) -> Any:
    """Compute the result of :meth:`Prefixes.drives` with any array type, for counting."""
    n_prefixes = prefixes.inputs.shape[1]
    zero = np.zeros((w_hi.shape[0], 1))
    product = np.matmul(w_hh, np.repeat(zero, prefixes.begun[0], axis=1))
    of_path: Any = None
    if prefixes.begun[0] < n_prefixes:
        of_path = np.matmul(w_hh, np.repeat(zero, prefixes.paths.shape[1], axis=1))
    for t, begun in enumerate(prefixes.begun):
        new = prefixes.path[product.shape[1] : begun]
        if len(new):
            product = np.concatenate([product, of_path[:, new]], axis=1)
        x = prefixes.inputs[t, :begun]
        product = np.matmul(w_hh, np.maximum(product + w_hi[:, None] * x, 0))
        if begun < n_prefixes:
            state = np.maximum(of_path + w_hi[:, None] * prefixes.paths[t], 0)
            of_path = np.matmul(w_hh, state)
    return product


@compiled
def _drives(
    paths: Any, inputs: Any, path: Any, begun: Any, w_hi: Any, w_hh: Any, drive: Any
) -> None:
    m, n_paths = paths.shape
    n_prefixes = inputs.shape[1]
    d = len(w_hi)
    tile = kernel.TILE
    n_path_tiles = (n_paths + tile - 1) // tile
    # Products of W_hh and the states of the paths before each step; at first the state is zero.
    products = np.zeros((m, d, n_path_tiles * tile), inputs.dtype)
    state = np.zeros((d, tile), inputs.dtype)
    new = np.zeros((d, tile), inputs.dtype)
    x = np.zeros(tile, inputs.dtype)
    for start in range(0, n_paths, tile):
        size = min(tile, n_paths - start)
        for t in range(m - 1):
            if begun[t] < n_prefixes:
                _copy(paths[t, start : start + size], x)
                _advance(w_hi, x, products[t, :, start : start + tile], state)
                _product(w_hh, state, products[t + 1, :, start : start + tile])
    for start in range(0, n_prefixes, tile):
        size = min(tile, n_prefixes - start)
        before = 0  # prefixes of this tile that have left their paths
        for t in range(m):
            now = min(max(begun[t] - start, 0), size)
            if now == 0:
                continue
            if before > 0:
                _product(w_hh, state, new)
            leaving = path[start + before : start + now]
            for i in range(d):
                row, of_paths = new[i, before:], products[t, i]
                for k in range(len(leaving)):
                    row[k] = of_paths[np.uint64(leaving[k])]  # numba then sees no negative ones
            _copy(inputs[t, start : start + now], x)
            _advance(w_hi, x, new, state)
            before = now
        _product(w_hh, state, new)
        for i in range(len(drive)):
            _copy(new[i, :size], drive[i, start : start + size])


@inlined
def _copy(numbers: Any, place: Any) -> None:
    """Copy without what numba does for arrays of different shapes."""
    for k in range(len(numbers)):
        place[k] = numbers[k]


@inlined
def _product(matrix: Any, state: Any, total: Any) -> None:
    """Write ``matrix @ state`` into ``total``."""
    zero = state.dtype.type(0)
    if len(matrix) == _USUAL:
        for i in range(_USUAL):
            row, of_row = matrix[i], total[i]
            for k in range(kernel.TILE):
                value = zero
                for j in range(0, _USUAL, 4):  # in the order of ``add_product``
                    value += (
                        row[j] * state[j, k]
                        + row[j + 1] * state[j + 1, k]
                        + row[j + 2] * state[j + 2, k]
                        + row[j + 3] * state[j + 3, k]
                    )
                of_row[k] = value
    else:
        total[:] = zero
        kernel.add_product(matrix, state, total)


@compiled
def _advance(w_hi: Any, x: Any, product: Any, state: Any) -> None:
    """Write ``ReLU(product + w_hi x)`` into ``state``."""
    zero = x.dtype.type(0)
    for i in range(len(w_hi)):
        weight = w_hi[i, 0]
        products, row = product[i], state[i]
        for k in range(len(x)):
            total = products[k] + weight * x[k]
            row[k] = total if total > zero else zero
