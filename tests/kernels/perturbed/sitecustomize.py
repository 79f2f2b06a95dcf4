"""Weights that are loaded differ by a part in 10^15, up or down, wherever they become float64.

Python runs this module at its start where it is found first on the path. Float32 weights are not
changed, and neither are weights that were computed from others.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

LOADING = "algzoo.zoo.loading"
SIZE = 1e-15


class _Changed(Loader):
    """Runs a module as its own loader does, then changes it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def exec_module(self, module: Any) -> None:
        self._loader.exec_module(module)
        _perturb_what_is_loaded(module)


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == LOADING else None
        if spec is not None:
            spec.loader = _Changed(spec.loader)
        return spec


def _perturb_what_is_loaded(loading: Any) -> None:
    import torch

    load_into, to_double = loading.load_into, torch.Tensor.double
    loaded: dict[torch.Size, list[torch.Tensor]] = {}

    def remembered(model: torch.nn.Module, *arguments: Any) -> None:
        load_into(model, *arguments)
        for weight in model.parameters():
            loaded.setdefault(weight.shape, []).append(weight.detach().clone())

    def perturbed(tensor: torch.Tensor, *arguments: Any, **named: Any) -> torch.Tensor:
        double = to_double(tensor, *arguments, **named)
        if tensor.dtype != torch.float32:
            return double
        if not any(torch.equal(tensor, weight) for weight in loaded.get(tensor.shape, [])):
            return double
        generator = torch.Generator().manual_seed(0)
        up_or_down = 2 * torch.randint(2, tensor.shape, generator=generator) - 1
        return double * (1 + SIZE * to_double(up_or_down))

    loading.load_into, torch.Tensor.double = remembered, perturbed


sys.meta_path.insert(0, _Finder())
