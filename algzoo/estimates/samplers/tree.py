"""Sampling on a tree of inputs: samples share their first inputs and the states after them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights, weights_in_range
from ...zoo import Model
from ..estimate import Tally, sampler
from ..scope import SECOND_ARGMAX
from .forward import has_larger

LEAVES_PER_ROOT = 12
"""Number of samples that share a first input.

Chosen once, for all models, on noisy copies of two. On M16,10 the inputs up to step t explain about
.07, .13, .22, .35 and .61 of the variance of being right for t = 5 to 9. The best numbers n_t of
nodes at step t, each at a cost of c_t, have n_t^2 proportional to what step t adds to that share,
divided by c_t. They grow by about 1.3 a step, twelvefold in all; on M4,3 (.01, .08) sixteenfold.
"""

_ONE_THREAD = 2**18  # multiplications of a matrix product for which OpenBLAS uses a single thread


@sampler(
    "tree",
    scope=SECOND_ARGMAX,
    cost="the nodes of a tree, shared by samples",
    tuned_on="noisy copies of M4,3 and (16, 10): the growth of the tree",
)
def tree(model: Model, n_samples: int, seed: int) -> Tally:
    """Accuracy on the leaves of a random tree of inputs.

    A node is an input and the state after it; a sample is a leaf with all inputs on its path. From
    the first step to the last the number of nodes grows by a constant factor at each step, up to
    rounding, and by :data:`LEAVES_PER_ROOT` in all; nodes have nearly equally many children. Every
    sample has the right distribution, so that the estimate is unbiased, but samples depend on each
    other, so that there is no ``std``.

    The operations are :func:`tree_operations`, the multiply-adds of every node computed once.
    """
    weights = weights_in_range(model)
    rng = np.random.default_rng(seed)
    inputs = [rng.standard_normal(n) for n in nodes(model.seq_len, n_samples)]
    answer = tree_outputs(weights, inputs).argmax(axis=0)
    right = float(has_larger(_paths(inputs), answer, 1).mean())
    return Tally(right, tree_operations(weights, n_samples))


def nodes(seq_len: int, n_samples: int) -> list[int]:
    """Numbers of nodes at each step; the last of them is the number of samples."""
    shares = LEAVES_PER_ROOT ** (np.arange(1 - seq_len, 1) / (seq_len - 1))
    return [int(n) for n in np.ceil(n_samples * shares)]


def tree_operations(weights: Weights, n_samples: int) -> int:
    """Multiply-adds of a tree: with n_t nodes at step t, sum_t (n_(t-1) d^2 + n_t d) + n_n o d.

    Children share the product of W_hh with their parent's state. The first step has no parents, but
    by ARC's convention it is charged n_1 d (d + 1).
    """
    n, d = weights.w_oh.shape
    level = nodes(n, n_samples)
    products = sum((level[0], *level[:-1]))
    operations: int = products * d * d + sum(level) * d + n_samples * n * d
    return operations


def tree_outputs(weights: Weights, inputs: list[NDArray[np.float64]]) -> Any:
    """Outputs at the leaves, shape (output_size, n_samples), from the inputs of each step's nodes.

    The function works with any array type that numpy's functions accept, for counting.
    """
    w_hi, w_hh, w_oh = weights
    state = np.zeros((w_hi.shape[0], len(inputs[0])))
    for x in inputs:
        product = _product(w_hh, state)
        parents = _parents(product.shape[1], len(x))
        state = np.take(product, parents, axis=1)  # five times as fast as an index
        state += w_hi[:, None] * x
        np.maximum(state, 0, out=state)
    return _product(w_oh, state)


def _product(matrix: Any, columns: Any) -> Any:
    """Multiply matrices in parts that are too small for libraries to start threads."""
    n = max(_ONE_THREAD // matrix.size, 1)
    parts = [matrix @ columns[:, i : i + n] for i in range(0, columns.shape[1], n)]
    return np.concatenate(parts, axis=1)


def _paths(inputs: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Inputs on the path to each leaf, shape (seq_len, n_samples)."""
    node = np.arange(len(inputs[-1]))
    path = [inputs[-1]]
    for earlier, later in zip(inputs[-2::-1], inputs[:0:-1], strict=True):
        node = _parents(len(earlier), len(later))[node]
        path.append(earlier[node])
    return np.stack(path[::-1])


def _parents(n_parents: int, n_nodes: int) -> NDArray[np.intp]:
    """The parent of each node of a step."""
    return np.arange(n_nodes) * n_parents // n_nodes
