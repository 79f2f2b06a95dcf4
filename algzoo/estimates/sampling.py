"""The baseline: run the model on random inputs and count."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from ..zoo import FAMILIES, TASKS, Model, OneLayerRNN
from .estimate import Estimate
from .operations import OperationCounter

_BATCH = 2**16  # fixed, so that the result depends on n_samples and seed alone


def sampling(model: Model, n_samples: int, seed: int) -> Estimate:
    """Score of ``model`` on ``n_samples`` independent inputs: accuracy, or mean squared error.

    Inputs are standard Gaussian, uniform over functions for longest cycle. The model is run as it
    is, in its own number type; operations are the multiply-adds of its forward passes.

    ``std`` is the standard error. Where every sample is right, or every one wrong, it is that of
    one more sample of either kind, for the usual formula would claim certainty.

    Raises
    ------
    ValueError
        Where ``n_samples`` is not positive.
    """
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples}")
    generator = torch.Generator(device=model.device).manual_seed(seed)
    counter = OperationCounter()
    total = total_of_squares = 0.0
    done = 0
    with torch.no_grad(), _one_thread():
        while done < n_samples:
            x = _inputs(model, min(_BATCH, n_samples - done), generator)
            with counter.tensors():
                outputs = model(x)
            scores = _scores(outputs, x, model.task_name)
            total += scores.sum().item()
            total_of_squares += scores.square().sum().item()
            done += len(x)
    mean = total / n_samples
    variance = max(total_of_squares / n_samples - mean**2, 0.0)
    if variance == 0 and mean in (0, 1):
        share = (total + 1) / (n_samples + 2)
        variance = share * (1 - share)
    return Estimate(mean, counter.total, "D", std=math.sqrt(variance / n_samples))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread inside the block.

    On products as small as these a second one saves a fifth of the time at best, and costs many
    times the whole where another program keeps its core busy, for the threads wait for each other.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _inputs(model: Model, n: int, generator: torch.Generator) -> Tensor:
    size = (n, model.seq_len)
    if isinstance(model, OneLayerRNN):
        return torch.randn(size, generator=generator, dtype=model.dtype, device=model.device)
    return torch.randint(model.input_range, size, generator=generator, device=model.device)


def _scores(outputs: Tensor, x: Tensor, task_name: str) -> Tensor:
    target = TASKS[task_name](x)
    if FAMILIES[task_name].measures_error:
        return (outputs.squeeze(-1) - target).double().square()
    return (outputs.argmax(-1) == target).double()
