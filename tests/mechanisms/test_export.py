"""A task in the form of another package: as its detectors read it."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from algzoo.mechanisms import dead_state, exported
from algzoo.zoo import zoo_2nd_argmax


@pytest.fixture(scope="module")
def task():
    return dead_state(zoo_2nd_argmax(4, 3))


def test_it_has_the_data_of_the_task(task):
    there = exported(task)
    batch, labels = next(iter(DataLoader(there.test_data, batch_size=len(task.inputs))))
    assert np.array_equal(labels.numpy() == 1, task.labels)
    assert np.allclose(batch[0].numpy(), task.inputs, rtol=1e-6)
    assert torch.equal(batch[1], torch.as_tensor(task.inputs.argsort(1)[:, -2]))
    assert there.model(batch[0]).shape == (len(task.inputs), 3)
    assert len(there.trusted_data) == len(task.trusted)
    assert there.untrusted_train_data is None
    assert (there.test_data.normal_weight, there.test_data.normal_len) == (0.5, 1024)


def test_an_untrusted_mixture_has_no_labels_and_nothing_of_the_test(task):
    there = exported(task, untrusted=True)
    training = there.untrusted_train_data
    assert len(training) == len(there.test_data) == len(task.inputs) // 2
    trained = {tuple(x.tolist()) for x, _ in training}
    tested = {tuple(x.tolist()) for (x, _), _ in there.test_data}
    assert len(trained | tested) == len(task.inputs)
    assert training[0][0].shape == (3,)


def test_an_index_out_of_range_is_refused(task):
    data = exported(task).test_data
    with pytest.raises(IndexError, match="There are 2048 samples, got index 2048"):
        data[2048]
