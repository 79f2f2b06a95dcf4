"""Prefix trees: the same logits as plain forward passes, every beginning counted once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algzoo.estimates.many_inputs.prefix_tree import prefix_tree
from algzoo.structure import Weights, outputs


def _weights(rng: np.random.Generator, d: int, n: int, *models: int) -> Weights:
    shapes = ((d,), (d, d), (n, d))
    return Weights(*(rng.standard_normal((*models, *shape)) for shape in shapes))


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 6), st.integers(1, 30))
def test_logits_are_those_of_a_forward_pass(seed: int, d: int, n: int, n_inputs: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (n_inputs, n)).astype(float)
    weights = _weights(rng, d, n, 3)
    np.testing.assert_allclose(
        prefix_tree(x).logits(weights), outputs(weights, x), rtol=1e-9, atol=1e-9
    )


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 30))
def test_every_beginning_is_one_node(seed: int, n: int, n_inputs: int) -> None:
    x = np.random.default_rng(seed).integers(0, 2, (n_inputs, n)).astype(float)
    tree = prefix_tree(x)
    begun = [len({tuple(row[: t + 1]) for row in x}) for t in range(n)]
    assert [len(inputs) for inputs in tree.inputs] == begun


def test_operations_of_a_small_tree_by_hand() -> None:
    tree = prefix_tree(np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 2.0], [4.0, 2.0]]))
    # Nodes: 2 at the first step, 3 at the second. Products: 2 by convention, then one for each
    # parent. Readouts: 2 outputs of 5 neurons at 3 leaves.
    assert tree.operations(5) == (2 + 2) * 25 + (2 + 3) * 5 + 3 * 2 * 5


def test_no_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got shape \(0, 3\)"):
        prefix_tree(np.zeros((0, 3)))
