"""The two symmetries of M4,3, kept apart, and the reduced network that they leave.

Neurons are paired. U and V, shape (n_pairs, hidden_size), take the difference and the sum of each
pair, U h and V h. Any W_hh is

    W_hh = U^T W' U + V^T K V + (U^T A V + V^T B U),
    W' = U W_hh U^T / 4,   K = V W_hh V^T / 4,   A = U W_hh V^T / 4,   B = V W_hh U^T / 4,

four parts that are orthogonal to each other.

S1, *antipodal*: exchanging partners has the same effect as changing the sign of the inputs, and
leaves the logits unchanged: W_hi is odd under the exchange, W_hh and W_oh are even, A = B = 0. Then
the model answers x and -x alike.

S2, *reduced form*: in addition to S1, K = 0. Then y = U h is linear in the inputs, because ReLU(z)
- ReLU(-z) = z, the activations of a pair are the positive and the negative part of y, and

    y[t+1] = W' y[t] + W'_hi x[t],   logits = W'_oh abs(y[n]),
    W'_hi = U W_hi / 2,   W'_oh = W_oh V^T / 2.

References
----------
The reduced network is ARC's, from the second estimate in their notes on M4,3 ("AlgZoo:
uninterpreted models with fewer than 1,500 parameters", 2026); the division into S1 and S2 is this
book's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...structure.weights import Weights, model_with, weights_in_range
from ...zoo import DistRNN, Model

Array = NDArray[np.float64]
Pairs = tuple[tuple[int, int], ...]

_MOST_NEURONS = 12  # 10,395 pairings; each further pair multiplies them by an odd number


class Residuals(NamedTuple):
    """Part of each matrix outside a symmetry: its Frobenius norm over that of the matrix."""

    w_hi: float
    w_hh: float
    w_oh: float


@dataclass(frozen=True, eq=False)
class Symmetry:
    """Decomposition of a model's weights along pairs of neurons.

    Attributes
    ----------
    weights
        The model's weights, in its own units.
    pairs
        The pairs of neurons. The first of a pair has the larger input weight, or the lower number
        if these are equal; pairs are ordered by their first neuron.
    """

    weights: Weights
    pairs: Pairs

    @cached_property
    def difference(self) -> Array:
        """U, shape (n_pairs, hidden_size): the first neuron of each pair minus its partner."""
        u = np.zeros((len(self.pairs), 2 * len(self.pairs)))
        for row, (first, partner) in enumerate(self.pairs):
            u[row, first], u[row, partner] = 1, -1
        return u

    @property
    def total(self) -> Array:
        """V, shape (n_pairs, hidden_size): the sum of each pair."""
        return np.abs(self.difference)

    @cached_property
    def reduced(self) -> Weights:
        """W'_hi (n_pairs,), W' (n_pairs, n_pairs) and W'_oh (output_size, n_pairs).

        The least-squares fit of the reduced form.
        """
        u, v = self.difference, self.total
        w_hi, w_hh, w_oh = self.weights
        return Weights(u @ w_hi / 2, u @ w_hh @ u.T / 4, w_oh @ v.T / 2)

    @cached_property
    def k(self) -> Array:
        """K, shape (n_pairs, n_pairs): the antipodal part of W_hh that is not of reduced form."""
        v = self.total
        k: Array = v @ self.weights.w_hh @ v.T / 4
        return k

    @property
    def k_singular_values(self) -> Array:
        """Singular values of K, decreasing."""
        _, sizes, _ = np.linalg.svd(self.k)
        return sizes

    def symmetrised_weights(self, k_rank: int | None = None) -> Weights:
        """Return the antipodal part of the weights, which has S1 exactly, with K cut to a rank.

        Rank 0 is the reduced form, and ``None`` keeps all of K.

        Raises
        ------
        ValueError
            If the rank is negative or larger than K.
        """
        n_pairs = len(self.pairs)
        rank = n_pairs if k_rank is None else k_rank
        if not 0 <= rank <= n_pairs:
            raise ValueError(f"k_rank must be between 0 and {n_pairs}, got {k_rank}")
        u, v = self.difference, self.total
        left, sizes, right = np.linalg.svd(self.k)
        k = (left[:, :rank] * sizes[:rank]) @ right[:rank]
        w_hi, w_hh, w_oh = self.reduced
        return Weights(w_hi @ u, u.T @ w_hh @ u + v.T @ k @ v, w_oh @ v)

    def symmetrised(self, k_rank: int | None = None) -> DistRNN:
        """Return a model with :meth:`symmetrised_weights`, in float64.

        Raises
        ------
        ValueError
            If the rank is negative or larger than K.
        """
        return model_with(self.symmetrised_weights(k_rank))

    @property
    def antipodal_residuals(self) -> Residuals:
        """Part of each matrix outside S1."""
        return self._residuals(None)

    @property
    def reduced_residuals(self) -> Residuals:
        """Part of each matrix outside S2, the reduced form."""
        return self._residuals(0)

    @property
    def antipodal_gaps(self) -> Weights:
        """Deviation of each weight from the one that S1 makes equal or opposite to it.

        It is their difference over the mean of their sizes, which is nearly the log of their ratio;
        0 if both are zero. The shapes are those of the weights; both weights of a pair have the
        same entry.
        """
        opposite = (-1, +1, +1)
        pairs = zip(self.weights, self._exchanged, opposite, strict=True)
        return Weights(
            *(_ratio(abs(w - sign * other), (abs(w) + abs(other)) / 2) for w, other, sign in pairs)
        )

    @property
    def last_state(self) -> Array:
        """F, shape (n_pairs, seq_len): the reduced network's y after all inputs is F x."""
        w_hi, w_hh, w_oh = self.reduced
        columns = [w_hi]
        for _ in range(len(w_oh) - 1):
            columns.insert(0, w_hh @ columns[0])
        return np.stack(columns, axis=1)

    @property
    def _exchanged(self) -> Weights:
        """Weights with every neuron at its partner's place, with the shape of the weights."""
        partner = np.empty(2 * len(self.pairs), dtype=np.intp)
        for first, second in self.pairs:
            partner[[first, second]] = second, first
        w_hi, w_hh, w_oh = self.weights
        return Weights(w_hi[partner], w_hh[np.ix_(partner, partner)], w_oh[:, partner])

    def _residuals(self, k_rank: int | None) -> Residuals:
        norm = np.linalg.norm
        kept = self.symmetrised_weights(k_rank)
        parts = (
            _ratio(norm(w - part), norm(w)) for w, part in zip(self.weights, kept, strict=True)
        )
        return Residuals(*map(float, parts))


def find_symmetry(model: Model) -> Symmetry:
    """Find the pairing of neurons under which the model is closest to antipodal.

    All pairings are compared by the sum of squares of :attr:`Symmetry.antipodal_residuals`, in the
    model's own units; pass a :func:`~algzoo.structure.standard_form` to compare in standard ones. A
    pairing is always found; the residuals show whether there is a symmetry.

    Raises
    ------
    TypeError
        If ``model`` is not a recurrent model of this package.
    ValueError
        If the number of neurons is odd or above 12, if the outputs are not one for each input, or
        if there are biases.
    """
    weights = weights_in_range(model)
    if model.hidden_size % 2 or model.hidden_size > _MOST_NEURONS:
        raise ValueError(
            f"Neurons are paired, so hidden_size must be even, and at most {_MOST_NEURONS} for "
            f"all pairings to be tried; this model has hidden_size {model.hidden_size}"
        )
    if model.output_size != model.seq_len:
        raise ValueError(
            "The symmetries are those of models with one logit for each input; this one has "
            f"{model.output_size} outputs for {model.seq_len} inputs"
        )
    found = (Symmetry(weights, pairs) for pairs in _pairings(weights.w_hi))
    return min(found, key=lambda symmetry: sum(r**2 for r in symmetry.antipodal_residuals))


def _pairings(w_hi: Array) -> Iterator[Pairs]:
    """Yield all ways to pair the neurons, each pair starting with the larger input weight."""

    def rest(neurons: tuple[int, ...]) -> Iterator[Pairs]:
        if not neurons:
            yield ()
            return
        one, *others = neurons
        for other in others:
            pair = (one, other) if w_hi[one] >= w_hi[other] else (other, one)
            for pairs in rest(tuple(n for n in others if n != other)):
                yield (pair, *pairs)

    for pairs in rest(tuple(range(len(w_hi)))):
        yield tuple(sorted(pairs))


def _ratio(
    part: NDArray[np.float64] | np.floating, whole: NDArray[np.float64] | np.floating
) -> Array:
    """Divide ``part`` by ``whole``, with 0/0 = 0; neither is negative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(part == 0, 0.0, part / whole)
