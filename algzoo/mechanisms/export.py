"""A task in the form that the package ``cupbearer`` expects, with no need for that package.

There, a task has the attributes ``trusted_data``, ``untrusted_train_data``, ``test_data`` and
``model``. Trusted data are a dataset of PyTorch. The other two are mixtures: datasets of normal and
of abnormal samples, the normal ones first, which give a sample with its label, 0 or 1, or the
sample alone if they are for training.

References
----------
E. Jenner et al., ``cupbearer``, a library for mechanistic anomaly detection,
https://github.com/ejnnr/cupbearer: classes ``Task`` and ``MixedData``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import Dataset, TensorDataset

from ..zoo import OneLayerRNN, task_2nd_argmax
from .facts import Floats
from .tasks import Task


class Mixture(Dataset[Any]):
    """Normal samples followed by abnormal ones.

    The attributes have the names of ``cupbearer``'s ``MixedData``.
    """

    def __init__(
        self, normal: TensorDataset, anomalous: TensorDataset, return_anomaly_labels: bool = True
    ) -> None:
        self.normal_data = normal
        self.anomalous_data = anomalous
        self.normal_len = len(normal)
        self.anomalous_len = len(anomalous)
        self.normal_weight = len(normal) / (len(normal) + len(anomalous))
        self.return_anomaly_labels = return_anomaly_labels

    def __len__(self) -> int:
        return self.normal_len + self.anomalous_len

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} samples, got index {index}")
        label = int(index >= self.normal_len)
        data = self.anomalous_data if label else self.normal_data
        sample = data[index - label * self.normal_len]
        return (sample, label) if self.return_anomaly_labels else sample


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportedTask:
    """Task with the attributes of ``cupbearer``'s ``Task``.

    A sample is an input, in the model's number type, with its right answer.
    """

    trusted_data: TensorDataset
    untrusted_train_data: Mixture | None
    test_data: Mixture
    model: OneLayerRNN


def exported(task: Task, *, untrusted: bool = False) -> ExportedTask:
    """Convert a task.

    Parameters
    ----------
    task
        The task.
    untrusted
        Whether every other test input of either class is given to training, without labels, and not
        used in the test.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> from algzoo.mechanisms.tasks import dead_state
    >>> there = exported(dead_state(zoo_2nd_argmax(4, 3)))
    >>> (x, right), label = there.test_data[0]
    >>> x.shape, label, there.test_data[len(there.test_data) - 1][1]
    (torch.Size([3]), 0, 1)
    """

    def data(x: Floats) -> TensorDataset:
        inputs = torch.as_tensor(x).to(task.model.dtype)
        return TensorDataset(inputs, task_2nd_argmax(torch.as_tensor(x)))

    normal, abnormal = task.inputs[~task.labels], task.inputs[task.labels]
    training = None
    if untrusted:
        training = Mixture(data(normal[1::2]), data(abnormal[1::2]), return_anomaly_labels=False)
        normal, abnormal = normal[::2], abnormal[::2]
    return ExportedTask(
        trusted_data=data(task.trusted),
        untrusted_train_data=training,
        test_data=Mixture(data(normal), data(abnormal)),
        model=task.model,
    )
