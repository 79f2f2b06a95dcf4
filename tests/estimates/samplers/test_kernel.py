import hashlib

import numpy as np
import pytest
import torch

from algzoo.estimates.samplers import kernel
from algzoo.structure import Weights, weights_of
from algzoo.zoo import TASKS, DistRNN, task_median, zoo_2nd_argmax


@pytest.mark.parametrize(("d", "n"), [(1, 1), (2, 2), (3, 4), (6, 3), (7, 11), (16, 10), (32, 5)])
def test_outputs_are_those_of_the_model(d, n):
    torch.manual_seed(d)
    model = DistRNN(d, n).double()
    x = torch.randn(n, 2 * kernel.TILE, dtype=torch.float64)
    outputs = np.empty(x.shape)
    kernel.run(x.numpy(), *kernel.padded(weights_of(model)), outputs)
    with torch.no_grad():
        assert np.allclose(outputs, model(x.T).T, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("task", "n", "rank"), [("2nd_argmax", 6, 4), ("argmedian", 7, 3)])
def test_answers_are_scored_as_the_task_says(task, n, rank):
    generator = np.random.default_rng(0)
    x, logits = generator.standard_normal((2, n, 1000))
    right = TASKS[task](torch.tensor(x.T)) == torch.tensor(logits.T).argmax(-1)
    assert kernel.n_right(x, logits, rank, 1000) == right.sum()
    assert kernel.n_right(x, logits, rank, 300) == right[:300].sum()


def test_of_equal_numbers_the_first_has_the_lower_rank():
    x = np.array([[1.0], [0.0], [1.0]])
    for rank, answer in enumerate([1, 0, 2]):
        for position in range(3):
            logits = np.zeros((3, 1))
            logits[position] = 1
            assert kernel.n_right(x, logits, rank, 1) == (position == answer)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_errors_are_taken_from_the_median(n):
    generator = np.random.default_rng(n)
    x, outputs = generator.standard_normal((n, 500)), generator.standard_normal((1, 500))
    errors = (outputs[0] - task_median(torch.tensor(x.T)).numpy())[:400] ** 2
    total, squares = kernel.squared_errors(x, outputs, (n - 1) // 2, n // 2, 400)
    assert total == pytest.approx(errors.sum())
    assert squares == pytest.approx((errors**2).sum())


@pytest.mark.parametrize(
    ("number_type", "digest"), [(np.float32, "46beddee5791a47a"), (np.float64, "fee39961a7c18290")]
)
def test_outputs_are_the_same_bits_on_every_machine(number_type, digest):
    """Sums and products are rounded one by one, in one order, whatever the processor can fuse."""
    exact = weights_of(zoo_2nd_argmax(16, 10, seed=0))
    weights = Weights(*(matrix.astype(number_type) for matrix in exact))
    x = np.random.default_rng(0).integers(-1000, 1000, (10, 4 * kernel.TILE)).astype(number_type)
    outputs = np.empty(x.shape, number_type)
    kernel.run(x / 256, *kernel.padded(weights), outputs)
    in_one_order = outputs.astype(outputs.dtype.newbyteorder("<"))
    assert hashlib.sha256(in_one_order).hexdigest()[:16] == digest
