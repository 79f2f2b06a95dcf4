"""ARC's recipe: everything that decides the weights of a trained model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from ..architectures import DistRNN, DistTransformer, Model, ScalarRNN
from ..families import FAMILIES
from .arguments import whole


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Arguments that decide the weights and the files of a training; see :func:`train`.

    The defaults are those of the zoo.
    """

    task_name: str
    hidden_size: int
    seq_len: int
    n_transformer_layers: int = 2
    n_transformer_heads: int = 1
    bias: bool = False
    discrete_eot: bool = False
    weight_decay: float = 0.001
    lr_base: float = 0.04
    lr_warmup_steps: int = 2**14
    lr_decay_min_mult: float = 0.01
    batch_size: int = 1024
    n_train: int = 2**30
    n_val: int = 2**24
    seed: int = 0
    checkpoints: int = 10
    device: str

    @property
    def n_steps(self) -> int:
        """Number of steps of the optimizer."""
        return self.n_train // self.batch_size

    @property
    def checkpoint_steps(self) -> set[int]:
        """Steps after which the weights are saved."""
        return {0} | {self.n_steps // 2**i for i in range(self.checkpoints + 1)}

    @property
    def measures_error(self) -> bool:
        """True if the model gives one number and is scored by its squared error."""
        return FAMILIES[self.task_name].measures_error

    @property
    def initial_learning_rate(self) -> float:
        """Learning rate before warm-up and decay."""
        return float(self.lr_base / self.hidden_size**0.5)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of the step that follows ``step`` steps."""
        return self.initial_learning_rate * self.learning_rate_multiple(step)

    def learning_rate_multiple(self, step: int) -> float:
        """Return the factor of the learning rate due to warm-up and decay, equal for all sizes."""
        warmup = min(step / self.lr_warmup_steps, 1) if self.lr_warmup_steps else 1.0
        decay = max(self.lr_decay_min_mult ** (2 * step / self.n_steps), self.lr_decay_min_mult)
        return float(warmup * decay)

    def untrained_model(self) -> Model:
        """Make a model whose weights are drawn from torch's default generator."""
        model: Model
        if self.task_name == "longest_cycle":
            model = DistTransformer(
                self.hidden_size,
                self.seq_len,
                n_layers=self.n_transformer_layers,
                n_heads=self.n_transformer_heads,
                bias=self.bias,
            )
        else:
            architecture = ScalarRNN if self.measures_error else DistRNN
            model = architecture(self.hidden_size, self.seq_len, bias=self.bias)
        model.task_name = self.task_name
        return model

    def sequences(
        self, n: int, device: torch.device, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw ``n`` inputs, shape (n, seq_len); the default is torch's own generator."""
        if self.task_name != "longest_cycle":
            return torch.randn(n, self.seq_len, device=device, generator=generator)
        size = self.seq_len
        if not self.discrete_eot:
            return torch.randint(0, size, (n, size), device=device, generator=generator)
        end = size - 1
        tokens = torch.randint(0, end, (n, end), device=device, generator=generator)
        # The end token is a cycle of length one, never longer than the cycles before it.
        return torch.cat([tokens, tokens.new_full((n, 1), end)], -1)


def check_fit(recipe: Recipe) -> None:
    """Raise a ``ValueError`` if arguments that are valid on their own do not fit together."""
    cycles = recipe.task_name == "longest_cycle"
    shortest = 2 if recipe.task_name == "2nd_argmax" or (cycles and recipe.discrete_eot) else 1
    whole("seq_len", recipe.seq_len, at_least=shortest)
    if recipe.batch_size > recipe.n_train:
        raise ValueError(
            f"n_train must be at least batch_size, {recipe.batch_size}, not {recipe.n_train}"
        )
    if cycles and recipe.hidden_size % recipe.n_transformer_heads:
        raise ValueError(
            f"n_transformer_heads must divide hidden_size, {recipe.hidden_size}, "
            f"not be {recipe.n_transformer_heads}"
        )
    if recipe.seed >= 2**63:
        raise ValueError(f"seed must be less than 2**63, not {recipe.seed}")


@contextmanager
def own_random_numbers(seed: int, device: torch.device) -> Iterator[None]:
    """Provide the numbers of ``torch.manual_seed(seed)``; restore the caller's state afterwards."""
    cuda = device.type == "cuda"
    backend = torch.backends.cudnn
    with (
        torch.random.fork_rng(devices=[device] if cuda else []),
        # The fastest algorithms neither repeat their bits nor have the precision of float32.
        backend.flags(
            enabled=backend.enabled, benchmark=False, deterministic=True, allow_tf32=False
        ),
        torch.enable_grad(),
    ):
        # Not torch.manual_seed, which would also seed the GPUs that are not used here.
        torch.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
