import numpy as np
import pytest

from algzoo.structure import Weights, weights_of
from algzoo.zoo import zoo_2nd_argmax


@pytest.fixture(scope="session")
def m43():
    """The best bundled M4,3."""
    return zoo_2nd_argmax(4, 3, seed=0)


@pytest.fixture(scope="session")
def noisy_copies(make_rnn):
    """Build copies of a model with independent Gaussian noise on all weights."""

    def make(model, n, sd, seed):
        rng = np.random.default_rng(seed)
        for _ in range(n):
            weights = [w + sd * rng.standard_normal(w.shape) for w in weights_of(model)]
            yield make_rnn(*weights, seq_len=model.seq_len)

    return make


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
