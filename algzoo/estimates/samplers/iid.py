"""The baseline estimator: run the model on independent random inputs and count right answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...structure import Weights, check_not_too_small, may_be_too_large, weights_of
from ...zoo import FAMILIES, TASKS, Model, OneLayerRNN
from ...zoo.model_check import (
    check_can_be_run,
    check_logits_not_too_small,
    check_outputs,
    check_task_has_answers,
    is_plain,
    n_outputs,
)
from ..counting.counter import OperationCounter
from ..estimate import Estimate, check_draws, sampler
from ..scope import ANY
from . import kernel
from .random_inputs import gaussian_inputs, uniform_inputs

_BLOCK = 2**14  # inputs that share a random stream; fixed, because the result depends on it

_COMPILED = {torch.float32: np.float32, torch.float64: np.float64}

# Maps a block of inputs and n to the sum of the first n scores, and the sum of their squares.
_Totals = Callable[[Tensor, int], tuple[float, float]]


@sampler("iid", scope=ANY, source="by definition")
def sampling(model: Model, n_samples: int, seed: int) -> Estimate:
    """Score of a model on ``n_samples`` independent inputs: accuracy, or mean squared error.

    Inputs are standard Gaussian, or uniform over functions for longest cycle. The inputs of one
    seed are the same on every machine, and up to rounding the same for all number types. The model
    is run in its own number type and on its own device; on a CPU it uses as many threads as torch
    does, and the result does not depend on their number. Recurrent models without biases, in
    float32 or float64, give the same result on every CPU. The operations are the multiply-adds of
    the forward passes.

    If a module does not compute what its weights say (because of hooks, its own forward pass,
    pruned or parametrized weights, or replaced parts), it is run as it is, block after block in the
    caller's thread, and its operations are counted while it runs.

    Parameters
    ----------
    model
        A model of this package.
    n_samples
        Number of inputs.
    seed
        Seed of the inputs.

    Returns
    -------
    Estimate
        The score; its ``std`` is the standard error. If all samples are right, or all wrong, the
        standard error is that of one more sample of either kind, because the usual formula would
        claim certainty.

    Raises
    ------
    TypeError
        If ``model`` is not a model of this package.
    ValueError
        If ``n_samples`` is not positive or ``seed`` is negative; if outputs are too large or too
        small for the model's number type (``model.double()`` has a wider one); or if a module that
        is run as it is fails or gives outputs of another shape.

    Examples
    --------
    >>> from algzoo import zoo_2nd_argmax
    >>> estimate = sampling(zoo_2nd_argmax(2, 3), 10_000, seed=0)
    >>> print(f"{estimate.value:.4f} +- {estimate.std:.4f}, {estimate.operations} operations")
    0.4052 +- 0.0049, 240000 operations
    """
    return ensemble_sampling([model], n_samples, seed)[0]


def ensemble_sampling(models: Sequence[Model], n_samples: int, seed: int) -> list[Estimate]:
    """Score many models of one family and length by :func:`sampling` on the same inputs.

    The inputs are drawn once, so the errors of the estimates are not independent.

    Raises
    ------
    TypeError, ValueError
        Under the same conditions as :func:`sampling`, or if the models differ in family, length,
        number type or device.
    """
    check_draws(n_samples, seed)
    if not models:
        return []
    first = models[0]
    for model in models:
        check_can_be_run(model)
        check_task_has_answers(model)
        if _kind(model) != _kind(first):
            raise ValueError(
                f"the models of an ensemble have the same inputs: {_kind(model)} is not "
                f"{_kind(first)} (family, length, number type, device)"
            )
    counters = [None if is_plain(model) else OperationCounter() for model in models]
    totals_of = [
        _totals_of(model) if counter is None else _totals_as_it_is(model, counter)
        for model, counter in zip(models, counters, strict=True)
    ]

    @torch.no_grad()
    def block_totals(block: int) -> list[tuple[float, float]]:
        x = _inputs(first, seed, block)
        n = min(_BLOCK, n_samples - block * _BLOCK)
        return [totals(x, n) for totals in totals_of]

    blocks = range(-(-n_samples // _BLOCK))
    if any(counter is not None for counter in counters):
        # Blocks run one after the other: hooks may keep state and draw their own random numbers.
        of_blocks = [block_totals(block) for block in blocks]
    else:
        with _threads(first.device) as pool:
            of_blocks = list(pool.map(block_totals, blocks))
    # The sum is in the order of the blocks, whichever was ready first.
    totals = np.sum(of_blocks, axis=0)
    return [
        _estimate(
            total,
            total_of_squares,
            n_samples,
            _operations_of_a_sample(model) * n_samples if counter is None else counter.total,
        )
        for model, counter, (total, total_of_squares) in zip(models, counters, totals, strict=True)
    ]


@contextmanager
def _threads(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """Provide as many threads as torch uses, each of which restricts torch to one; one for a GPU.

    On products as small as these, torch's own threads save at most a fifth of the time. If another
    program keeps a core busy, they cost many times the whole, because they wait for each other.
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(n_threads if device.type == "cpu" else 1) as pool:
            yield pool
    finally:
        torch.set_num_threads(n_threads)


def _kind(model: Model) -> tuple[str, int, torch.dtype, torch.device]:
    return model.task_name, model.seq_len, model.dtype, model.device


def _inputs(model: Model, seed: int, block: int) -> Tensor:
    """Draw the inputs of a block, shape (seq_len, _BLOCK), from its own random stream."""
    stream = np.random.SeedSequence(seed, spawn_key=(block,))
    shape = (model.seq_len, _BLOCK)
    if not isinstance(model, OneLayerRNN):
        return torch.as_tensor(uniform_inputs(shape, stream, model.input_range)).to(model.device)
    in_64_bits = model.dtype == torch.float64
    numbers = gaussian_inputs(shape, stream, np.float64 if in_64_bits else np.float32)
    return torch.as_tensor(numbers).to(model.device, model.dtype)


def _totals_of(model: Model) -> _Totals:
    """Return the function that scores blocks of a plain model."""
    if (
        isinstance(model, OneLayerRNN)
        and model.device.type == "cpu"
        and model.dtype in _COMPILED
        and not model.bias
    ):
        return _compiled(model)

    if not isinstance(model, OneLayerRNN):
        check_logits_not_too_small(model)
    elif not model.bias:
        check_not_too_small(weights_of(model), model.dtype)

    def totals(x: Tensor, n: int) -> tuple[float, float]:
        sequences = x[:, :n].T.contiguous()
        return _scored(model, sequences, model(sequences))

    return totals


def _totals_as_it_is(model: Model, counter: OperationCounter) -> _Totals:
    """Return the same for a module that may do anything; the counter then has its operations."""
    kind = type(model).__name__

    def totals(x: Tensor, n: int) -> tuple[float, float]:
        sequences = x[:, :n].T.contiguous()
        try:
            with counter.tensors():
                outputs = model(sequences)
        except Exception as error:
            line = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            raise ValueError(f"This {kind}, run as it is, raised {line}") from error
        wanted = (n, n_outputs(model))
        found = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        if found != wanted:
            raise ValueError(
                f"A model for {model.task_name} with seq_len {model.seq_len} has outputs of shape "
                f"{wanted} on {n} inputs, this {kind}, run as it is, {found}"
            )
        return _scored(model, sequences, outputs)

    return totals


def _scored(model: Model, sequences: Tensor, outputs: Tensor) -> tuple[float, float]:
    check_outputs(outputs)
    target = TASKS[model.task_name](sequences)
    if FAMILIES[model.task_name].measures_error:
        scores = (outputs.squeeze(-1) - target).double().square()
    else:
        scores = (outputs.argmax(-1) == target).double()
    return scores.sum().item(), scores.square().sum().item()


def compiled_forward(model: OneLayerRNN) -> Callable[[NDArray[np.floating]], NDArray[np.floating]]:
    """Return a recurrent model without biases as a compiled function.

    It maps inputs of the model's number type (float32 or float64), shape (seq_len, c), to outputs
    of shape (output_size, c); c is a multiple of :data:`.kernel.TILE`.
    """
    number_type = _COMPILED[model.dtype]
    exact_weights = weights_of(model)
    check_not_too_small(exact_weights, model.dtype)
    if may_be_too_large(exact_weights, model.seq_len, model.dtype):
        # The bound is loose, and the kernel's ReLU hides nan.
        with torch.no_grad():
            check_outputs(model(_inputs(model, 0, 0).T.contiguous()))
    weights = Weights(*(matrix.astype(number_type) for matrix in exact_weights))
    padded = kernel.padded(weights)

    def forward(x: NDArray[np.floating]) -> NDArray[np.floating]:
        outputs = np.empty((len(weights.w_oh), x.shape[1]), x.dtype)
        kernel.run(x, *padded, outputs)
        return outputs

    return forward


def ranks_of_target(model: OneLayerRNN) -> tuple[int, int]:
    """Ranks of the two numbers whose mean is the right output, or the right one's; 0 is lowest."""
    # In the sorted sequence 0, 1, 2, ... position, number and rank are the same.
    right = float(TASKS[model.task_name](torch.arange(model.seq_len, dtype=torch.float64)))
    return math.floor(right), math.ceil(right)


def _compiled(model: OneLayerRNN) -> _Totals:
    forward = compiled_forward(model)
    rank, other_rank = ranks_of_target(model)

    def totals(inputs: Tensor, n: int) -> tuple[float, float]:
        n_columns = -(-n // kernel.TILE) * kernel.TILE
        x = np.ascontiguousarray(inputs.numpy()[:, :n_columns])
        outputs = forward(x)
        if FAMILIES[model.task_name].measures_error:
            errors: tuple[float, float] = kernel.squared_errors(x, outputs, rank, other_rank, n)
            return errors
        right = float(kernel.n_right(x, outputs, rank, n))
        return right, right

    return totals


def _estimate(total: float, total_of_squares: float, n_samples: int, operations: int) -> Estimate:
    if not math.isfinite(total_of_squares):
        raise ValueError("The model's outputs are too large: its errors squared overflow float64")
    mean = total / n_samples
    variance = max(total_of_squares / n_samples - mean**2, 0.0)
    if variance == 0 and mean in (0, 1):
        share = (total + 1) / (n_samples + 2)
        variance = share * (1 - share)
    std = math.sqrt(variance / n_samples)
    return Estimate(float(mean), operations, "random inputs", std=std)


def operations_of_a_pass(seq_len: int, hidden_size: int, output_size: int) -> int:
    """Multiply-adds of a recurrent forward pass: n d (d + 1) + o d, by ARC's convention."""
    return seq_len * hidden_size * (hidden_size + 1) + output_size * hidden_size


def _operations_of_a_sample(model: Model) -> int:
    """Return the multiply-adds of a forward pass of a plain model."""
    if isinstance(model, OneLayerRNN):  # in closed form: importing torch's counter takes a second
        return operations_of_a_pass(model.seq_len, model.hidden_size, model.output_size)
    counter = OperationCounter()
    n = 2  # a single sequence would go through attention in another order of products
    x = torch.zeros(n, model.seq_len, dtype=torch.int64, device=model.device)
    with torch.no_grad(), counter.tensors():
        model(x)
    return counter.total // n
