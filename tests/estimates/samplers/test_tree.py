import numpy as np
import pytest
import torch

from algzoo.estimates import OperationCounter
from algzoo.estimates.samplers.tree import (
    _paths,
    _product,
    nodes,
    tree,
    tree_operations,
    tree_outputs,
)
from algzoo.structure import Weights, weights_of
from algzoo.zoo import zoo_2nd_argmax

SIZES = [(2, 2), (4, 3), (16, 10)]


def test_nodes_grow_twelvefold():
    assert nodes(2, 1200) == [100, 1200]
    assert nodes(3, 1200) == [100, 347, 1200]
    level = nodes(10, 12_000)
    assert (level[0], level[-1]) == (1000, 12_000)
    ratios = np.divide(level[1:], level[:-1])
    np.testing.assert_allclose(ratios, 12 ** (1 / 9), rtol=2e-3)
    assert nodes(10, 1) == [1] * 10


@pytest.mark.parametrize(("d", "n"), SIZES)
@pytest.mark.parametrize("n_samples", [1, 7, 100, 180])
def test_leaves_are_the_models_answers_on_their_paths(d, n, n_samples):
    model = zoo_2nd_argmax(d, n).double()
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal(size) for size in nodes(n, n_samples)]
    paths = _paths(inputs)
    assert paths.shape == (n, n_samples)
    with torch.no_grad():
        expected = model(torch.from_numpy(paths.T)).numpy().T
    leaves = tree_outputs(weights_of(model), inputs)
    np.testing.assert_allclose(leaves, expected, rtol=1e-9, atol=1e-9)
    for t, level in enumerate(inputs):
        assert set(paths[t]) == set(level)  # no node is without a leaf
        shared = np.unique(paths[: t + 1], axis=1).shape[1]
        assert shared == len(level)  # samples that share a node share all before it


@pytest.mark.parametrize(("d", "n"), SIZES)
@pytest.mark.parametrize("n_samples", [1, 7, 100])
def test_operations_are_those_counted(d, n, n_samples):
    counter = OperationCounter()
    weights = weights_of(zoo_2nd_argmax(d, n))
    inputs = [np.ones(size) for size in nodes(n, n_samples)]
    tree_outputs(Weights(*map(counter.array, weights)), inputs)
    # ReLUs are free in ARC's convention, for every sampler.
    assert counter.total_at(compare=0) == tree_operations(weights, n_samples)
    assert tree(zoo_2nd_argmax(d, n), n_samples, 0).operations == tree_operations(
        weights, n_samples
    )


@pytest.mark.parametrize(("d", "n"), SIZES)
def test_a_single_sample_costs_what_arc_says(d, n):
    weights = weights_of(zoo_2nd_argmax(d, n))
    assert tree_operations(weights, 1) == n * d * (d + 1) + n * d


@pytest.mark.parametrize("n", [1, 1023, 1024, 1025, 5000])
def test_products_in_parts_are_those_of_whole_matrices(n):
    rng = np.random.default_rng(0)
    matrix, columns = rng.standard_normal((16, 16)), rng.standard_normal((16, n))
    product = np.einsum("ij,jk->ik", matrix, columns)
    np.testing.assert_allclose(_product(matrix, columns), product, rtol=0, atol=1e-13)
