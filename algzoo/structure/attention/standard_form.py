"""Standard form of attention-only transformers: one set of weights for each function.

Weights can be changed in ways that change no answer:

* the residual stream may be written in any basis (there is no normalisation): d^2 directions;
* in each layer only W_Q^T W_K and W_O W_V count: 2 d^2 directions a layer;
* a vector added to all tokens and subtracted from all positions cancels: d directions;
* a vector added to all rows of the unembedding shifts all logits alike: d directions;
* what the last layer writes across the rows of the unembedding, minus their mean, is not read: d (d
  - r) directions, r = min(d, output_size - 1).

The standard form fixes all of these choices. W_K and W_O are the identity. Tokens sum to zero, and
so do the rows of the unembedding, across which the second layer writes nothing. In the basis of the
residual stream the embedded cells (a token at a position) have second moments 1 along the axes and
0 between them, so that one unit is the typical size of an input along any axis. The axes are the
principal axes of the symmetric part of the first layer's W_Q^T W_K, the most attracting first, each
with the sign that makes the largest embedding along it positive.

A shift of scores common to all keys, which the softmax ignores, is a freedom of the tables
(:mod:`algzoo.structure.attention.folded`), which remove it, but in general not of the weights.

References
----------
The products that count are those of Elhage et al., "A Mathematical Framework for Transformer
Circuits", 2021; the choice of basis is this book's.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ...zoo import DistTransformer, check_model
from .folded import fold

Array = NDArray[np.float64]
Circuit = Literal["QK", "OV"]

_THINNEST = 1e-10  # a direction below this share of the largest counts as absent


def attention_standard_form(model: DistTransformer) -> DistTransformer:
    """Return the model in standard form, in float64, with the same logits up to a common shift.

    It is unique if the principal axes are, that is, for all models except special ones.

    Raises
    ------
    TypeError
        If ``model`` is not a transformer of this package.
    ValueError
        If it has biases, several heads or a number of layers other than two, or if the embeddings
        do not span the residual stream, as with hidden_size above 2 seq_len - 1.
    """
    fold(model)  # raises an error if the model is not of the right kind
    tokens, positions = _array(model.embed.weight), _array(model.pos_embed.weight)
    positions = positions + tokens.mean(axis=0)
    tokens = tokens - tokens.mean(axis=0)
    unembed = _array(model.unembed.weight)
    layers = [_products(model, layer) for layer in range(2)]

    cells = (positions[:, None] + tokens).reshape(-1, model.hidden_size)
    moments, axes = np.linalg.eigh(cells.T @ cells / len(cells))
    if moments[0] <= _THINNEST * moments[-1]:
        raise ValueError(
            f"The embeddings do not span the residual stream of hidden_size {model.hidden_size}: "
            "its directions that only the layers write to have no natural unit"
        )
    to_units = axes * moments**-0.5  # rows @ to_units are in units of the embeddings
    first = np.linalg.solve(to_units, np.linalg.solve(to_units, layers[0][0].T).T)
    _, principal = np.linalg.eigh(first + first.T)
    basis = to_units @ principal[:, ::-1]
    size = np.concatenate([positions, tokens]) @ basis
    largest = size[np.abs(size).argmax(axis=0), np.arange(model.hidden_size)]
    basis = basis * np.sign(largest)

    inverse = np.linalg.inv(basis)
    readout = (unembed - unembed.mean(axis=0)) @ inverse.T
    state = {
        "embed.weight": tokens @ basis,
        "pos_embed.weight": positions @ basis,
        "unembed.weight": readout,
    }
    read = _directions_read(readout)
    identity = np.eye(model.hidden_size)
    for layer, (qk, ov) in enumerate(layers):
        query = math.sqrt(model.hidden_size) * (inverse @ qk @ inverse.T).T
        value = basis.T @ ov @ inverse.T
        if layer == 1:
            value = read.T @ (read @ value)
        state[f"attns.{layer}.in_proj_weight"] = np.concatenate([query, identity, value])
        state[f"attns.{layer}.out_proj.weight"] = identity
    # The model is a new one, because weights of the old one may share memory.
    standard = DistTransformer(model.hidden_size, model.seq_len, model.input_range, n_layers=2)
    standard.double().train(model.training).load_state_dict(
        {key: torch.as_tensor(matrix) for key, matrix in state.items()}
    )
    return standard


def _directions_read(readout: Array) -> Array:
    """Return orthonormal rows that span what a readout minus its mean reads.

    There are at most output_size - 1 of them. The rows of the readout sum to zero up to rounding,
    and what rounding leaves is not a direction.
    """
    _, sizes, rows = np.linalg.svd(readout, full_matrices=False)
    most = min(readout.shape[1], len(readout) - 1)
    read: Array = rows[:most][sizes[:most] > _THINNEST * sizes[0]]
    return read


def gauge_directions(model: DistTransformer) -> int:
    """Count the directions of the weights in which logits change only by a common shift.

    The number is (1 + 2 layers) d^2 + 2 d + d (d - r), as the module's docstring explains. The
    scale of all logits, which changes them but no answer, is not included.

    Raises
    ------
    TypeError, ValueError
        Raised by :func:`~algzoo.zoo.check_model`, or if ``model`` is not a transformer.
    """
    check_model(model)
    if not isinstance(model, DistTransformer):
        raise TypeError(f"A transformer is needed, got {type(model).__name__}")
    d = model.hidden_size
    unread = d - min(d, model.output_size - 1)
    return (1 + 2 * model.n_layers) * d * d + 2 * d + d * unread


def spectra(model: DistTransformer) -> dict[tuple[int, Circuit], Array]:
    """Return singular values of W_Q^T W_K / sqrt(d) and W_O W_V of each layer, in standard form.

    Those of W_O W_V of the second layer beyond output_size - 1 are zero, because the readout does
    not read more. They do not depend on the basis in which the model was written.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`attention_standard_form`.
    """
    standard = attention_standard_form(model)
    found: dict[tuple[int, Circuit], Array] = {}
    for layer in range(2):
        qk, ov = (np.linalg.svd(matrix, compute_uv=False) for matrix in _products(standard, layer))
        if layer == 1:
            ov[model.output_size - 1 :] = 0
        found |= {(layer, "QK"): qk.astype(float), (layer, "OV"): ov.astype(float)}
    return found


def with_rank(model: DistTransformer, layer: int, circuit: Circuit, rank: int) -> DistTransformer:
    """Return the standard form with all but the ``rank`` largest singular values of a circuit zero.

    Rank 0 removes the circuit: all scores are then equal, or nothing is read.

    Raises
    ------
    TypeError
        Under the same conditions as :func:`attention_standard_form`.
    ValueError
        Under the same conditions, or if there is no such layer or the rank is negative.
    """
    if layer not in (0, 1) or rank < 0:
        raise ValueError(f"Layers are 0 and 1, ranks at least 0; got layer {layer}, rank {rank}")
    changed = attention_standard_form(model)
    d = changed.hidden_size
    rows = slice(0, d) if circuit == "QK" else slice(2 * d, None)
    weight = changed.get_parameter(f"attns.{layer}.in_proj_weight")
    with torch.no_grad():
        left, size, right = torch.linalg.svd(weight[rows])
        weight[rows] = left[:, :rank] * size[:rank] @ right[:rank]
    return changed


def _products(model: DistTransformer, layer: int) -> tuple[Array, Array]:
    """W_Q^T W_K / sqrt(d) and W_O W_V of a layer."""
    query, key, value = np.split(_array(model.get_parameter(f"attns.{layer}.in_proj_weight")), 3)
    out = _array(model.get_parameter(f"attns.{layer}.out_proj.weight"))
    return query.T @ key / math.sqrt(model.hidden_size), out @ value


def _array(parameter: torch.Tensor) -> Array:
    return parameter.detach().cpu().double().numpy()
