"""Group of models on a GPU that repeats a recorded sequence of steps without waiting for Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .recipe import Recipe
from .stacked import Group, Stack, schedule_from


class GraphedGroup(Group):
    """Group whose steps are a CUDA graph on its own stream, so that groups run side by side.

    :meth:`advance` returns before the steps are made.
    """

    def __init__(
        self,
        recipes: Sequence[Recipe],
        device: torch.device,
        stack_type: type[Stack] = Stack,
    ) -> None:
        super().__init__(recipes, device, stack_type)
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._finished = torch.cuda.Event()  # type: ignore[no-untyped-call]
        # A graph reads the same memory at each replay; new values are copied into it.
        self._schedule = torch.empty((self.chunk, 3), device=device)
        self._row = torch.empty(3, device=device)
        self._graph: torch.cuda.CUDAGraph | None = None

    @property
    def ready(self) -> bool:
        """True if the last steps started are made, so that :attr:`chunk` more can start."""
        return bool(self._finished.query())  # type: ignore[no-untyped-call]

    def advance(self) -> None:
        """Start :attr:`chunk` steps."""
        if self._graph is None:
            self._graph = self._recorded()
        with torch.cuda.stream(self._stream):
            self._schedule.copy_(schedule_from(self.recipe, self.step, self.chunk))
            self._graph.replay()
            self._finished.record()
        self.step += self.chunk

    def weights(self) -> list[Tensor]:
        """Return a copy of the weights of every stack, on the CPU, after all steps started."""
        self._stream.synchronize()
        return super().weights()

    def state(self) -> dict[str, Any]:
        """Return a copy of everything that the next step depends on, after all steps started."""
        self._stream.synchronize()
        return super().state()

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` returned."""
        self._stream.synchronize()
        super().load(state)
        self._graph = None  # the recorded graph depends on the states of the generators

    def _recorded(self) -> torch.cuda.CUDAGraph:
        # Kernels are compiled and buffers made in the first steps, which cannot be recorded.
        before = self.state()
        torch.cuda.synchronize(self.device)
        with torch.cuda.stream(self._stream):
            self._schedule.copy_(schedule_from(self.recipe, self.step, self.chunk))
            for _ in range(3):
                self._make_step_with(self._schedule[0])
        self.load(before)
        torch.cuda.synchronize(self.device)
        graph = torch.cuda.CUDAGraph()
        for generator in self.generators:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph, stream=self._stream):
            for row in self._schedule:
                self._make_step_with(row)
        return graph

    def _make_step_with(self, row: Tensor) -> None:
        # The row is always at the same address: Triton recompiles for another alignment.
        self._row.copy_(row)
        self.make_step(self._row)
