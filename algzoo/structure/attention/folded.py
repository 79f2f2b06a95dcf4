"""Folded form of a two-layer attention-only transformer: tables in which inputs are looked up.

The softmax is the only nonlinearity of such a model. So everything that is multiplied before or
after it can be multiplied once: embeddings with queries and keys (the *QK circuits*) and embeddings
with values, outputs and unembedding (the *OV circuits*). The results are tables over *cells*, a
token u at a position k, numbered ``k * input_range + u``:

* scores of the first layer, for every pair of cells;
* scores of the second layer, where query and key may each be the embedding itself or what the first
  layer added to the residual stream: four tables;
* logits of four paths: the embedding directly, through the first layer, through the second, and
  through both.

The tables do not depend on any basis (:func:`algzoo.structure.matching.circuits`). With them an
input is evaluated by look-ups, exponentials and averages.

References
----------
Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...zoo import DistTransformer
from ..matching import circuits

Array = NDArray[np.float64]

PATHS = ("direct", "layer 1", "layer 2", "both layers")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Attention and logits of a folded transformer on a batch of inputs.

    Attributes
    ----------
    first
        Attention of the first layer, shape (n_inputs, seq_len, seq_len): rows are queries.
    second
        Attention of the last position in the second layer, shape (n_inputs, seq_len).
    votes
        Logits that each position would give if the second layer attended to it alone, shape
        (n_inputs, seq_len, output_size), without the last position's own logits.
    by_path
        Logits by path, in the order of :data:`PATHS`, shape (4, n_inputs, output_size).
    """

    first: Any
    second: Any
    votes: Any
    by_path: tuple[Any, Any, Any, Any]

    @property
    def logits(self) -> Any:
        """Logits minus their mean, shape (n_inputs, output_size)."""
        direct, one, two, both = self.by_path
        return direct + one + two + both

    @property
    def own(self) -> Any:
        """Logits that do not come through the second layer, shape (n_inputs, output_size)."""
        return self.by_path[0] + self.by_path[1]


@dataclass(frozen=True, eq=False)
class Folded:
    """Tables of a transformer; cells are numbered ``position * input_range + token``.

    Attributes
    ----------
    seq_len, input_range
        The sizes.
    first_scores
        Shape (cells, cells): query, key.
    second_scores
        Shape (2, 2, cells, cells): the first axis is 0 for a query that is an embedding and 1 for
        one written by the first layer; the second axis is the same for the key.
    logits
        Shape (4, cells, output_size), in the order of :data:`PATHS`.
    """

    seq_len: int
    input_range: int
    first_scores: Any
    second_scores: Any
    logits: Any

    def evaluate(self, functions: ArrayLike, first: Array | None = None) -> Evaluation:
        """Compute attention and logits on inputs.

        Parameters
        ----------
        functions
            Integers of shape (n_inputs, seq_len).
        first
            Attention of the first layer to use in place of the model's, shape (n_inputs, seq_len,
            seq_len).

        Raises
        ------
        ValueError
            If the inputs do not have that shape or are not tokens.
        """
        x = np.asarray(functions)
        tokens = np.issubdtype(x.dtype, np.integer) and np.all((x >= 0) & (x < self.input_range))
        if x.ndim != 2 or x.shape[1] != self.seq_len or not tokens:
            raise ValueError(
                f"Inputs are integers 0 to {self.input_range - 1} of shape (n, {self.seq_len}), "
                f"got {x.dtype} of shape {x.shape}"
            )
        cells = np.arange(self.seq_len) * self.input_range + x
        if first is None:
            first = softmax(self.first_scores[cells[:, :, None], cells[:, None, :]])
        last, at_last = cells[:, -1:], first[:, -1:]
        # Scores of the last position's query with each cell: as the key itself, and as a source
        # that the key's position has read.
        asked = [
            self.second_scores[0, k][last, cells]
            + (at_last @ self.second_scores[1, k][cells[:, :, None], cells[:, None, :]])[:, 0]
            for k in (0, 1)
        ]
        second = softmax(asked[0] + _mixed(first, asked[1]))
        by_cell = [table[cells] for table in self.logits]
        votes = by_cell[2] + first @ by_cell[3]
        read = (second[:, None] @ first)[:, 0]  # how much of each source arrives through both
        by_path = (
            by_cell[0][:, -1],
            _mixed_logits(at_last[:, 0], by_cell[1]),
            _mixed_logits(second, by_cell[2]),
            _mixed_logits(read, by_cell[3]),
        )
        return Evaluation(first, second, votes, by_path)


def fold(model: DistTransformer) -> Folded:
    """Compute the tables of a transformer of two layers, one head and no biases, in float64.

    Raises
    ------
    TypeError
        If ``model`` is not a transformer of this package.
    ValueError
        If it has biases, several heads or a number of layers other than two.
    """
    found = circuits(model)
    if model.n_layers != 2:
        raise ValueError(
            f"Only transformers of two layers can be folded, got n_layers {model.n_layers}"
        )
    cells = model.seq_len * model.input_range
    return Folded(
        model.seq_len,
        model.input_range,
        found[0],
        np.stack(found[1:5]).reshape(2, 2, cells, cells),
        np.stack([table.T for table in found[5:]]),
    )


def softmax(scores: Any) -> Any:
    """Softmax over the last axis."""
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def _mixed(attention: Any, values: Any) -> Any:
    """(n, q, k), (n, k) -> (n, q)."""
    return (attention @ values[..., None])[..., 0]


def _mixed_logits(attention: Any, values: Any) -> Any:
    """(n, k), (n, k, o) -> (n, o)."""
    return (attention[:, None] @ values)[:, 0]
