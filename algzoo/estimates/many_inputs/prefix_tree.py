"""Trees of inputs with common beginnings, so that a model computes each beginning once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...structure import Weights

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class PrefixTree:
    """Inputs as paths of a tree; made by :func:`prefix_tree`.

    Attributes
    ----------
    parents
        For each step, the number of each node's parent among the nodes of the step before.
    inputs
        For each step, the input that each node reads.
    leaves
        Shape (n_inputs,): for each input, the node of the last step at which it ends.
    """

    parents: tuple[Indices, ...]
    inputs: tuple[Array, ...]
    leaves: Indices

    def logits(self, weights: Weights) -> Array:
        """Outputs on all inputs, shape (..., n_inputs, output_size).

        Leading axes of the weights run over models.
        """
        w_hi, w_hh, w_oh = weights
        state = np.zeros((*w_hi.shape[:-1], 1, w_hi.shape[-1]))
        for parents, inputs in zip(self.parents, self.inputs, strict=True):
            product = state @ w_hh.swapaxes(-1, -2)
            drive = inputs[:, None] * w_hi[..., None, :]
            state = np.maximum(product[..., parents, :] + drive, 0.0)
        result: Array = (state @ w_oh.swapaxes(-1, -2))[..., self.leaves, :]
        return result

    def operations(self, hidden_size: int) -> int:
        """Multiply-adds of :meth:`logits` for one model, with every node computed once.

        Children share the product of W_hh with their parent's state, so that a node costs d and a
        node with children d^2 more; every leaf costs a readout of n d. By ARC's convention the
        first step is charged d^2 as well, although the state before it is zero.
        """
        d, n = hidden_size, len(self.parents)
        nodes = [len(inputs) for inputs in self.inputs]
        products = nodes[0] + sum(nodes[:-1])
        return products * d * d + sum(nodes) * d + nodes[-1] * n * d


def prefix_tree(x: Array) -> PrefixTree:
    """Make the tree of inputs of shape (n_inputs, seq_len); equal beginnings are one path."""
    if x.ndim != 2 or not x.size:
        raise ValueError(f"inputs of shape (n_inputs, seq_len) are needed, got shape {x.shape}")
    parents, inputs = [], []
    node = np.zeros(len(x), dtype=np.intp)
    for column in x.T:
        # Equal floats are the same input; numbered first, they can be compared with the parents.
        _, code = np.unique(column, return_inverse=True)
        _, first, node_now = np.unique(
            np.stack([node, code]), axis=1, return_index=True, return_inverse=True
        )
        parents.append(node[first])
        inputs.append(column[first])
        node = np.asarray(node_now).ravel()
    return PrefixTree(tuple(parents), tuple(inputs), node)
