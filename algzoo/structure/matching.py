"""Matching of neurons: which neuron of one recurrent model corresponds to which of another.

Renumbering neurons and measuring their activations in other units changes no output, so two models
can be the same network without having a weight in common. The standard form settles the units. The
remaining unknown is the permutation p that minimises

    norm(W_hh[p, p] - W_hh')^2 / norm(W_hh')^2 + norm(W_oh[:, p] - W_oh')^2 / norm(W_oh')^2

among those that map as many input weights as possible to input weights of the same sign. This
quadratic assignment problem is not solved exactly but searched: a linear assignment of quantities
that do not depend on the numbering is improved by further linear assignments and by exchanging two
neurons.

A transformer without normalisation may be written in any basis of the residual stream, and in any
basis of the queries and keys and of the values of every head. Its products that have tokens and
positions on both sides do not depend on the bases, so transformers are compared by those.

References
----------
Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import nn

from ..zoo import DistTransformer, OneLayerRNN, check_model
from ..zoo.model_check import check_transformer_weights
from ._standard_form import StandardForm, standard_form
from .weights import Weights

Order = NDArray[np.intp]

# Larger than any sum of squares of numbers over the norm of their matrix, for models
# that have anything to do with each other.
_OTHER_SIGN = 1e6


@dataclass(frozen=True, eq=False)
class Match:
    """Two models of one size, compared neuron by neuron and in the same units.

    Attributes
    ----------
    order
        Shape (hidden_size,): neuron ``order[i]`` of the model corresponds to neuron i of the
        reference.
    unit
        Shape (hidden_size,): the activation of the model's neuron divided by that of the
        reference's.
    weights, reference
        Standard forms of both, the model's in the reference's order.
    """

    order: Order
    unit: NDArray[np.float64]
    weights: Weights
    reference: Weights

    @property
    def relative_differences(self) -> Weights:
        """Size of each weight's difference, divided by the size of the reference's weight.

        W_hi is in standard form, so its entry is 0 if the signs agree and 2 if they do not. A
        weight that is zero in both models differs by 0, one that is zero only in the reference by
        infinity.
        """
        pairs = zip(self.weights, self.reference, strict=True)
        return Weights(*(_ratio(abs(ours - theirs), abs(theirs)) for ours, theirs in pairs))

    @property
    def median_relative_difference(self) -> float:
        """Median of the relative differences over the entries of W_hh and W_oh together."""
        _, w_hh, w_oh = self.relative_differences
        return float(np.median(np.concatenate([w_hh.ravel(), w_oh.ravel()])))

    @property
    def largest_w_hh_difference(self) -> float:
        """Largest difference of an entry of W_hh, divided by the reference's largest entry."""
        difference = abs(self.weights.w_hh - self.reference.w_hh).max()
        return float(_ratio(difference, abs(self.reference.w_hh).max()))

    @property
    def n_opposite_inputs(self) -> int:
        """Number of neurons whose input weight has the opposite sign in the reference."""
        return int(np.sum(self.weights.w_hi != self.reference.w_hi))


def match_neurons(model: OneLayerRNN, reference: OneLayerRNN) -> Match:
    """Match the neurons of ``model`` to those of ``reference``.

    Models that are not the same network are matched too; their differences are then large. Neurons
    whose weights all agree are interchangeable, and so are their places in ``order``.

    Raises
    ------
    ValueError
        If the models differ in size, or if a neuron has input weight zero and therefore no unit.
    """
    check_model(model)
    check_model(reference)
    sizes = [(m.hidden_size, m.output_size) for m in (model, reference)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "Only models of one size can be matched, got (hidden_size, output_size) "
            f"{sizes[0]} and {sizes[1]}"
        )
    ours, theirs = _in_units(model, "model"), _in_units(reference, "reference")
    order = _best_order(ours.weights, theirs.weights)
    unit = ours.scale[order] / theirs.scale
    return Match(order, unit, _in_order(ours.weights, order), theirs.weights)


def _in_units(model: OneLayerRNN, name: str) -> StandardForm:
    standard = standard_form(model)
    if standard.zero_inputs:
        raise ValueError(
            f"The {name}'s neurons {', '.join(map(str, standard.zero_inputs))} have input weight "
            "zero and therefore no unit in which they could be compared"
        )
    return standard


def _in_order(weights: Weights, order: Order) -> Weights:
    w_hi, w_hh, w_oh = weights
    return Weights(w_hi[order], w_hh[np.ix_(order, order)], w_oh[:, order])


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide ``part`` by ``whole``, with 0/0 = 0; neither is negative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(part == 0, 0.0, part / whole)


def _best_order(weights: Weights, reference: Weights) -> Order:
    """Search the best permutation; both weights are in standard form."""
    norms = (np.linalg.norm(reference.w_hh) or 1.0, np.linalg.norm(reference.w_oh) or 1.0)
    ours, theirs = (
        Weights(w.w_hi, w.w_hh / norms[0], w.w_oh / norms[1]) for w in (weights, reference)
    )
    order = _assignment(_features(ours), _features(theirs), ours, theirs)
    least = _mismatch(ours, theirs, order)
    while True:
        for candidate in _neighbours(ours, theirs, order):
            mismatch = _mismatch(ours, theirs, candidate)
            if mismatch < least:
                order, least = candidate, mismatch
                break
        else:
            return order


def _mismatch(ours: Weights, theirs: Weights, order: Order) -> float:
    """Return the number that the permutation minimises."""
    w_hi, w_hh, w_oh = _in_order(ours, order)
    opposite = np.sum(w_hi != theirs.w_hi)
    squares = np.sum((w_hh - theirs.w_hh) ** 2) + np.sum((w_oh - theirs.w_oh) ** 2)
    return float(_OTHER_SIGN * opposite + squares)


def _neighbours(ours: Weights, theirs: Weights, order: Order) -> list[Order]:
    """List permutations to try next: each neuron at its best place with the rest fixed; swaps."""
    here = np.concatenate([ours.w_oh, ours.w_hh[order], ours.w_hh[:, order].T]).T
    there = np.concatenate([theirs.w_oh, theirs.w_hh, theirs.w_hh.T]).T
    found = [_assignment(here, there, ours, theirs)]
    for i, k in combinations(range(len(order)), 2):
        swapped = order.copy()
        swapped[[i, k]] = order[[k, i]]
        found.append(swapped)
    return found


def _features(weights: Weights) -> NDArray[np.float64]:
    """Properties of each neuron that do not depend on the numbering, shape (hidden_size, ...)."""
    w_hh = weights.w_hh
    parts = [weights.w_oh.T, np.diag(w_hh)[:, None], np.sort(w_hh, axis=1), np.sort(w_hh, axis=0).T]
    return np.concatenate(parts, axis=1)


def _assignment(
    here: NDArray[np.float64], there: NDArray[np.float64], ours: Weights, theirs: Weights
) -> Order:
    """Return the permutation for which the rows of ``here`` are closest to those of ``there``."""
    cost = ((there[:, None] - here) ** 2).sum(-1)
    cost += _OTHER_SIGN * (theirs.w_hi[:, None] != ours.w_hi)
    return np.asarray(linear_sum_assignment(cost)[1], dtype=np.intp)


def circuits(model: DistTransformer) -> list[NDArray[np.float64]]:
    """Compute the attention scores and logits of a transformer's paths, which depend on no basis.

    A path passes the embedding of a token at a position through the values and outputs of some of
    the layers, in order. With L layers there are ``2**L`` paths.

    Returns
    -------
    list of numpy.ndarray
        First, for each layer and each pair of a path as query and a path as key, the scores before
        the softmax, shape (n_inputs, n_inputs), minus their mean over keys; then for each path the
        logits, shape (output_size, n_inputs), minus their mean. What is subtracted has no effect.
        The n_inputs = ``seq_len * input_range`` tokens at their positions are ordered by position,
        then by token.

    Raises
    ------
    TypeError
        If ``model`` is not a transformer of this package.
    ValueError
        If it has biases or several heads, or weights that are not finite, too large or too small.
    """
    if not isinstance(model, DistTransformer):
        raise TypeError(f"A transformer is needed, got {type(model).__name__}")
    if model.bias or model.n_heads != 1:
        raise ValueError(
            "Only transformers of one head and without biases are supported, got "
            f"n_heads {model.n_heads} and bias {model.bias}"
        )
    check_transformer_weights(model)
    positions = _array(model.pos_embed.weight)
    embedded = (positions[:, None] + _array(model.embed.weight)).reshape(-1, model.hidden_size)
    paths = [embedded.T]
    found = []
    for attention in model.attns:
        assert isinstance(attention, nn.MultiheadAttention)
        query, key, value = np.split(_array(attention.in_proj_weight), 3)
        for one in paths:
            for other in paths:
                scores = (query @ one).T @ (key @ other) / np.sqrt(model.hidden_size)
                found.append(scores - scores.mean(axis=1, keepdims=True))
        paths += [_array(attention.out_proj.weight) @ value @ path for path in paths]
    for path in paths:
        logits = _array(model.unembed.weight) @ path
        found.append(logits - logits.mean(axis=0))
    return found


def circuit_differences(model: DistTransformer, reference: DistTransformer) -> NDArray[np.float64]:
    """Return, for each circuit, the norm of the difference divided by that of the reference.

    The circuits are those of :func:`circuits`. The hidden sizes of the two models may differ.

    Raises
    ------
    ValueError
        If the models differ in any other size.
    """
    ours, theirs = circuits(model), circuits(reference)
    sizes = [(m.n_layers, m.input_range, m.seq_len, m.output_size) for m in (model, reference)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "Only transformers that agree in (n_layers, input_range, seq_len, output_size) can be "
            f"compared, got {sizes[0]} and {sizes[1]}"
        )
    norms = [(np.linalg.norm(a - b), np.linalg.norm(b)) for a, b in zip(ours, theirs, strict=True)]
    return np.array([_ratio(np.array(part), np.array(whole)) for part, whole in norms])


def _array(parameter: torch.Tensor) -> NDArray[np.float64]:
    return parameter.detach().cpu().double().numpy()
