"""Compiled recurrent models on many inputs at once: outputs and their scores.

Inputs lie along the last axis, so that a neuron's states for neighbouring inputs are adjacent in
memory; a tile of them stays in the processor's first cache through all steps. All functions here
release Python's global interpreter lock, so that threads work in parallel. Their results are the
same bits on every machine (:mod:`algzoo.estimates.samplers.compiled`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights
from .compiled import compiled, inlined

TILE = 256  # inputs at a time; two states of 16 neurons for them fill 32 kB
_GROUP = 4  # neurons at a time; a state that was read is used for four sums

Array = NDArray[np.floating]


def padded(weights: Weights) -> tuple[Array, Array, Array]:
    """Pad W_hi, W_hh and W_oh with zeros up to multiples of four, as :func:`run` takes them."""
    return _padded(weights.w_hi[:, np.newaxis], 1), _padded(weights.w_hh), _padded(weights.w_oh)


def _padded(matrix: Array, columns: int = _GROUP) -> Array:
    n, m = matrix.shape
    result = np.zeros((n + -n % _GROUP, m + -m % columns), matrix.dtype)
    result[:n, :m] = matrix
    return result


@compiled
def run(x: Array, w_hi: Array, w_hh: Array, w_oh: Array, outputs: Array) -> None:
    """Write the outputs of a bias-free ReLU network into ``outputs``.

    Parameters
    ----------
    x
        Inputs, shape (seq_len, c); c a multiple of :data:`TILE`.
    w_hi, w_hh, w_oh
        Weights, shapes (d, 1), (d, d) and (o, d), :func:`padded`, all of one type with ``x``.
    outputs
        Shape (o, c).
    """
    seq_len, c = x.shape
    d = w_hi.shape[0]
    zero = x.dtype.type(0)
    state = np.empty((d, TILE), x.dtype)
    new_state = np.empty((d, TILE), x.dtype)
    output = np.empty((w_oh.shape[0], TILE), x.dtype)
    for start in range(0, c, TILE):
        for t in range(seq_len):
            x_t = x[t, start : start + TILE]
            for i in range(d):
                weight = w_hi[i, 0]
                row = new_state[i]
                for k in range(TILE):
                    row[k] = weight * x_t[k]
            if t > 0:  # the state before the first step is zero
                add_product(w_hh, state, new_state)
            for i in range(d):
                row = new_state[i]
                for k in range(TILE):
                    row[k] = max(row[k], zero)
            state, new_state = new_state, state
        output[:] = zero
        add_product(w_oh, state, output)
        outputs[:, start : start + TILE] = output[: len(outputs)]


# This is written out because the compiler does not keep sixteen weights in registers by itself.
@inlined
def add_product(matrix: Array, state: Array, total: Array) -> None:
    """Add ``matrix @ state`` to ``total``."""
    for i in range(0, matrix.shape[0], 4):
        total_0, total_1, total_2, total_3 = total[i], total[i + 1], total[i + 2], total[i + 3]
        for j in range(0, matrix.shape[1], 4):
            a_0, a_1, a_2, a_3 = matrix[i, j], matrix[i, j + 1], matrix[i, j + 2], matrix[i, j + 3]
            b_0, b_1 = matrix[i + 1, j], matrix[i + 1, j + 1]
            b_2, b_3 = matrix[i + 1, j + 2], matrix[i + 1, j + 3]
            c_0, c_1 = matrix[i + 2, j], matrix[i + 2, j + 1]
            c_2, c_3 = matrix[i + 2, j + 2], matrix[i + 2, j + 3]
            d_0, d_1 = matrix[i + 3, j], matrix[i + 3, j + 1]
            d_2, d_3 = matrix[i + 3, j + 2], matrix[i + 3, j + 3]
            row_0, row_1, row_2, row_3 = state[j], state[j + 1], state[j + 2], state[j + 3]
            for k in range(TILE):
                s_0, s_1, s_2, s_3 = row_0[k], row_1[k], row_2[k], row_3[k]
                total_0[k] += a_0 * s_0 + a_1 * s_1 + a_2 * s_2 + a_3 * s_3
                total_1[k] += b_0 * s_0 + b_1 * s_1 + b_2 * s_2 + b_3 * s_3
                total_2[k] += c_0 * s_0 + c_1 * s_1 + c_2 * s_2 + c_3 * s_3
                total_3[k] += d_0 * s_0 + d_1 * s_1 + d_2 * s_2 + d_3 * s_3


@compiled
def ranks_of_answers(x: Array, logits: Array, n: int) -> NDArray[np.int32]:
    """Rank of the number at the answered position, for each of the first ``n`` inputs.

    ``x`` and ``logits`` have the shape (seq_len, c); the answer is the first largest logit. Rank 0
    is the smallest number; the first of equal numbers has the lower rank.
    """
    largest = logits[0].copy()
    answer = np.zeros(len(largest), np.int32)
    value = x[0].copy()  # the number at the answer's position
    for t in range(1, len(x)):
        for k in range(n):
            if logits[t, k] > largest[k]:
                largest[k] = logits[t, k]
                answer[k] = t
                value[k] = x[t, k]
    below = np.zeros(n, np.int32)
    for t in range(len(x)):
        for k in range(n):
            below[k] += (x[t, k] < value[k]) | ((x[t, k] == value[k]) & (t < answer[k]))
    return below


@compiled
def n_right(x: Array, logits: Array, rank: int, n: int) -> int:
    """Count the first ``n`` inputs that are answered with the position of the given rank."""
    below = ranks_of_answers(x, logits, n)
    right = 0
    for k in range(n):
        right += below[k] == rank
    return right


@compiled
def gaps_and_margins(x: Array, logits: Array, n: int) -> tuple[Array, Array]:
    """Compute two differences for each of the first ``n`` inputs, two or more numbers each.

    The first is that of the two largest numbers. The other is the largest logit minus the logit at
    the position of the second largest number; it is 0 where the model answers with this.
    """
    largest, second = np.maximum(x[0, :n], x[1, :n]), np.minimum(x[0, :n], x[1, :n])
    highest = np.maximum(logits[0, :n], logits[1, :n])
    for t in range(2, len(x)):
        for k in range(n):
            second[k] = max(second[k], min(largest[k], x[t, k]))
            largest[k] = max(largest[k], x[t, k])
            highest[k] = max(highest[k], logits[t, k])
    of_second = np.zeros(n, x.dtype)
    for t in range(len(x)):
        for k in range(n):
            of_second[k] = logits[t, k] if x[t, k] == second[k] else of_second[k]
    return largest - second, highest - of_second


@compiled
def errors(x: Array, outputs: Array, rank: int, other_rank: int, n: int) -> NDArray[np.float64]:
    """Output minus right output, for each of the first ``n`` inputs.

    ``x`` has the shape (seq_len, c), ``outputs`` (1, c). The right output is the mean of the
    numbers of the two ranks; rank 0 is the smallest number, and the first of equal numbers has the
    lower rank.
    """
    target = np.zeros(n)
    below = np.empty(n, np.int32)
    for t in range(len(x)):
        below[:] = 0
        for s in range(len(x)):
            for k in range(n):
                below[k] += (x[s, k] < x[t, k]) | ((x[s, k] == x[t, k]) & (s < t))
        for k in range(n):
            if below[k] == rank:
                target[k] += x[t, k] / 2
            if below[k] == other_rank:
                target[k] += x[t, k] / 2
    return outputs[0, :n] - target


@compiled
def squared_errors(
    x: Array, outputs: Array, rank: int, other_rank: int, n: int
) -> tuple[float, float]:
    """Sum the squares of the :func:`errors` of the first ``n`` inputs, and the squares of these."""
    total = 0.0
    total_of_squares = 0.0
    for difference in errors(x, outputs, rank, other_rank, n):
        error = difference**2
        total += error
        total_of_squares += error**2
    return total, total_of_squares
