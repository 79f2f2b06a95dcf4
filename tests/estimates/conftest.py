import numpy as np
import pytest

from algzoo.structure import Weights


@pytest.fixture(scope="session")
def inputs_of():
    """The inputs of a tree, shape (*shape, n), by a network that only remembers."""

    def inputs(tree, *shape):
        n = len(tree.inputs)
        keep = np.eye(2 * n, k=-1)
        keep[n] = 0  # two delay lines, of the positive and of the negative parts
        enter = np.zeros(2 * n)
        enter[0], enter[n] = 1, -1
        read = np.concatenate([np.eye(n)[::-1], -np.eye(n)[::-1]], axis=1)
        return tree.logits(Weights(enter, keep, read)).reshape(*shape, n)

    return inputs
