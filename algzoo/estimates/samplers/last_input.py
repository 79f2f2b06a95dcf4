"""Sampling of all inputs but the last, which is integrated exactly.

Given the inputs before it, every logit is piecewise linear in the last input x, with a breakpoint
for each neuron, and the right answer is constant on three intervals: it is the position of the
second largest, the last position, or the position of the largest of the earlier inputs. On every
piece the model is right on one interval, between the roots of linear functions, and the probability
of an interval under the normal distribution is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from ...structure import Weights, weights_in_range
from ...zoo import Model
from ..counting.counter import PRICES
from ..estimate import Tally, sampler
from ..scope import SECOND_ARGMAX
from .forward import readouts, standard_error

_BLOCK = 2**8  # prefixes at a time: their arrays fit into a processor's second cache


@sampler("last input", scope=SECOND_ARGMAX, cost="forward passes and O(n d) for each")
def last_input(model: Model, n_samples: int, seed: int) -> Tally:
    """Mean, over ``n_samples`` random prefixes, of the probability that the answer is right.

    ``std`` is the standard error, or ``None`` if all prefixes have the same probability. The
    operations are :func:`last_input_operations`.
    """
    weights = weights_in_range(model)
    prefixes = np.random.default_rng(seed).standard_normal((model.seq_len - 1, n_samples))
    drive = readouts(weights._replace(w_oh=weights.w_hh), prefixes)
    probability = np.concatenate(
        [
            probability_right(
                weights.w_hi, weights.w_oh, drive[:, i : i + _BLOCK], prefixes[:, i : i + _BLOCK]
            )
            for i in range(0, n_samples, _BLOCK)
        ]
    )
    # Rounding of many small pieces may put it a few units of 1e-16 outside.
    value = float(np.clip(probability.mean(), 0, 1))
    pieces = len(weights.w_hi) + 3
    return Tally(
        value,
        last_input_operations(weights, n_samples),
        std=standard_error(probability),
        transcendental=2 * pieces * n_samples,  # a normal probability at either end
    )


def last_input_operations(weights: Weights, n_samples: int) -> int:
    """Operations of :func:`last_input`: of the prefixes, and of integrating over the last input.

    A prefix costs the multiply-adds of n - 1 steps and of another product with W_hh, by ARC's
    convention. All operations of :func:`probability_right` count, in a closed form that equals what
    the counter counts, as a test checks.
    """
    n, d = weights.w_oh.shape
    prefix = (n - 1) * d * (d + 1) + d * d
    breakpoints, pieces = d + 2, d + 3
    integral = (
        (n - 1) * _ceil_log2(n - 1)  # sorting the inputs
        + 2 * d  # where a neuron's breakpoint is
        + breakpoints * _ceil_log2(breakpoints)  # sorting them
        + 2 * n * d  # constants on the first piece, their jumps
        + breakpoints * (2 * n + 1)  # logits and number of active neurons on the others
        + pieces * 2  # which answer is right
        + pieces * n * 4  # margins, their roots, whether they rise
        + pieces * 2 * n  # the interval of all roots, within its piece
        + pieces * 2  # where no neuron is active
        + pieces * (2 + 2 * PRICES["transcendental"])  # normal probabilities
        + (pieces - 1)  # their sum
    )
    # Signs and sizes of the weights into the neurons; slopes on the first piece, their jumps.
    of_model = 4 * d - 1 + 2 * n * d + n
    operations: int = n_samples * (prefix + integral) + of_model
    return operations


def _ceil_log2(n: int) -> int:
    return (n - 1).bit_length()


def probability_right(w_hi: Any, w_oh: Any, drive: Any, prefixes: Any) -> Any:
    """Probability, over the last input x ~ N(0, 1), that the model is right after each prefix.

    The function works with any array type that numpy's functions accept, for counting. If no neuron
    is active, all logits are 0 and the answer is 0. Other logits that are equal for all x, which
    has probability zero for any model with continuous weights, do not count as an error.

    Parameters
    ----------
    w_hi, w_oh
        Weights, shapes (d,) and (n, d).
    drive
        W_hh times the state after the prefix, shape (d, n_prefixes): at the end the neurons hold
        ``ReLU(drive + w_hi x)``.
    prefixes
        Inputs before the last, shape (n - 1, n_prefixes).
    """
    n, d = w_oh.shape
    columns = np.arange(drive.shape[1])
    rises = (w_hi >= 0)[:, None]  # active to the right of its breakpoint, otherwise to the left

    order = np.argsort(prefixes, axis=0)
    position = order[-1:]
    largest = prefixes[position, columns]
    if n > 2:
        second_position = order[-2:-1]
        second = prefixes[second_position, columns]
    else:
        second_position, second = position, np.full_like(largest, -np.inf)

    with np.errstate(divide="ignore", invalid="ignore"):
        never_or_always = np.where(drive > 0, -np.inf, np.inf)
        crossing = np.where((w_hi == 0)[:, None], never_or_always, -drive / w_hi[:, None])
    breakpoints = np.concatenate([crossing, second, largest])
    by_size = np.argsort(breakpoints, axis=0)
    breakpoints = breakpoints[by_size, columns]
    infinite = np.full((1, len(columns)), np.inf)
    left = np.concatenate([-infinite, breakpoints])
    right = np.concatenate([breakpoints, infinite])

    # On a piece the logits are constant + slope x. At the breakpoint of neuron i, |w_i| times its
    # column of W_oh is added to the slopes, whether it becomes active there or inactive.
    # + 0 makes a negative zero positive: below, the sign of a zero would count.
    first_slope = np.einsum("ji,i->j", w_oh, np.where(rises[:, 0], 0, w_hi)) + 0.0
    slope = _on_pieces(first_slope[:, None], (w_oh * np.abs(w_hi))[:, :, None], by_size)
    constant = _on_pieces(
        np.einsum("ji,ip->jp", w_oh, np.where(rises, 0, drive)),
        w_oh[:, :, None] * np.where(rises, drive, -drive),
        by_size,
    )
    n_falling = np.sum(~rises)
    n_active = _on_pieces(
        np.broadcast_to(n_falling, (1, 1)), np.where(rises, 1, -1)[None], by_size
    )[0]

    answer = np.where(left >= largest, position, np.where(left >= second, n - 1, second_position))
    pieces = np.arange(d + 3)[:, None]
    margin = constant[answer, pieces, columns] - constant
    margin_slope = slope[answer, pieces, columns] - slope
    with np.errstate(divide="ignore", invalid="ignore"):
        root = -margin / margin_slope  # nan for the answer itself, which fmax and fmin ignore
    rising = margin_slope >= 0
    lower = np.fmax(left, np.fmax.reduce(np.where(rising, root, -np.inf), axis=0))
    upper = np.fmin(right, np.fmin.reduce(np.where(rising, np.inf, root), axis=0))
    dead = n_active == 0
    lower = np.where(dead, np.where(answer == 0, left, right), lower)
    upper = np.where(dead, right, upper)
    inside = special.ndtr(np.maximum(lower, upper)) - special.ndtr(lower)
    return np.sum(inside, axis=0)


def _on_pieces(first: Any, jumps: Any, by_size: Any) -> Any:
    """Values on all pieces, shape (k, d + 3, n_prefixes), from those on the first.

    Parameters
    ----------
    first
        Shape (k, n_prefixes), or (k, 1) if they are the same for all prefixes.
    jumps
        Jumps at the neurons' breakpoints, (k, d, n_prefixes) or (k, d, 1). There are none at the
        two other breakpoints, where the right answer changes.
    by_size
        Numbers of the breakpoints in increasing order, (d + 2, n_prefixes).
    """
    none = np.zeros_like(jumps, shape=(len(jumps), 2, jumps.shape[2]))
    at_breakpoints = np.concatenate([jumps, none], axis=1)
    column = 0 if jumps.shape[2] == 1 else np.arange(by_size.shape[1])
    in_order = at_breakpoints[:, by_size, column]
    values = [np.broadcast_to(first, (len(first), by_size.shape[1]))]
    for k in range(len(by_size)):  # several times as fast as cumsum
        values.append(values[-1] + in_order[:, k])
    return np.stack(values, axis=1)
