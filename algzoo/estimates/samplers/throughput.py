"""Speed of sampling on this machine, compared with a plain forward pass."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ...zoo import TASKS, DistRNN
from .iid import sampling

_PLAIN_BATCH = 2**14  # ARC's


@dataclass(frozen=True)
class Throughput:
    """Samples per second in both ways on one model, and both estimates."""

    plain: float
    fast: float
    plain_accuracy: float
    fast_accuracy: float

    @property
    def ratio(self) -> float:
        """Samples per second of :func:`sampling`, divided by those of the plain way."""
        return self.fast / self.plain


def throughput(model: DistRNN, *, rounds: int = 8, seconds: float = 1.0) -> Throughput:
    """Measure the speed of :func:`sampling` and of the model's own forward pass with ``argsort``.

    The two take turns, for ``rounds`` rounds of about ``seconds`` each, so that other programs slow
    both down. The median round of each counts, because a round may be disturbed. Both use as many
    threads as torch does.
    """

    def plain(n: int, seed: int) -> float:
        generator = torch.Generator(model.device).manual_seed(seed)
        right = torch.zeros((), dtype=torch.int64, device=model.device)
        with torch.no_grad():
            for _ in range(n // _PLAIN_BATCH):
                size = (_PLAIN_BATCH, model.seq_len)
                x = torch.randn(size, generator=generator, device=model.device)
                right += (model(x).argmax(-1) == TASKS[model.task_name](x)).sum()
        return right.item() / n

    def fast(n: int, seed: int) -> float:
        return sampling(model, n, seed).value

    ways = (plain, fast)
    sizes = [_samples_in(seconds, way) for way in ways]
    rates: list[list[float]] = [[], []]
    totals = [0.0, 0.0]
    for seed in range(rounds):
        for i, (way, n) in enumerate(zip(ways, sizes, strict=True)):
            start = time.perf_counter()
            totals[i] += way(n, seed)
            rates[i].append(n / (time.perf_counter() - start))
    return Throughput(*map(statistics.median, rates), *(total / rounds for total in totals))


def _samples_in(seconds: float, way: Callable[[int, int], float]) -> int:
    """Whole batches that take about as long; the first call, which compiles, is not timed."""
    n = 16 * _PLAIN_BATCH
    way(n, 0)
    start = time.perf_counter()
    way(n, 0)
    batches = 16 * seconds / (time.perf_counter() - start)
    return max(round(batches), 1) * _PLAIN_BATCH
