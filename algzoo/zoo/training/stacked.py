"""Training of many models of one family and length side by side, in plain PyTorch.

Small models leave a GPU idle: one batched product for forty models costs as much as the product for
one. Models of different hidden sizes are padded with zeros to a common width. A padded weight has a
gradient of exactly zero and so stays zero. Every model starts from the weights and sees the inputs
that :func:`train` gives it with the same seed on the same kind of device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..tasks import TASKS
from .recipe import Recipe, own_random_numbers

# Defaults of torch.optim.AdamW.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8

_CHUNK = 64  # steps that a group makes at a time, at most

StateDict = dict[str, Tensor]


@dataclass(frozen=True)
class Layout:
    """Positions of the weights of a padded model in one row of numbers.

    The weights come in the order of the state dict, each as a matrix in row-major order.

    Attributes
    ----------
    shapes
        Shapes of the state dict of a model whose hidden size is the width.
    """

    shapes: dict[str, tuple[int, int]]

    @property
    def sizes(self) -> list[int]:
        """Number of entries of the row that each weight takes."""
        return [rows * columns for rows, columns in self.shapes.values()]

    def padded(self, state: StateDict) -> Tensor:
        """Write the state dict of a model of at most the width as a row, shape (sum of sizes,)."""
        parts = []
        for key, shape in self.shapes.items():
            weight = _in_blocks(key, state[key])
            place = _in_blocks(key, torch.zeros(shape))
            place[:, : weight.shape[1], : weight.shape[2]] = weight
            parts.append(place.flatten())
        return torch.cat(parts)

    def unpadded(self, row: Tensor, model: dict[str, tuple[int, int]]) -> StateDict:
        """Read a state dict with the shapes ``model`` from a row."""
        state = {}
        for key, weight in self.matrices(row.unsqueeze(0)).items():
            rows, columns = model[key]
            blocks = _in_blocks(key, weight.squeeze(0))
            state[key] = blocks[:, : rows // len(blocks), :columns].reshape(rows, columns).clone()
        return state

    def matrices(self, rows: Tensor) -> StateDict:
        """View rows, shape (models, sum of sizes), as one stack of matrices for each weight."""
        parts = torch.split(rows, self.sizes, dim=1)
        return {
            key: part.view(-1, *shape)
            for (key, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def _in_blocks(key: str, weight: Tensor) -> Tensor:
    """View a matrix as the stack of its blocks that are padded separately."""
    # The matrices of queries, keys and values are stacked vertically.
    n_blocks = 3 if key.endswith("in_proj_weight") else 1
    return weight.view(n_blocks, -1, weight.shape[1])


def rnn_outputs(weights: StateDict, x: Tensor) -> Tensor:
    """Compute the outputs of a stack of RNNs, shape (models, batch, output_size).

    ``weights`` are stacks of matrices, ``x`` has shape (models, batch, seq_len).
    """
    w_ih, w_hh = weights["rnn.weight_ih_l0"], weights["rnn.weight_hh_l0"]
    state = torch.relu(x[..., :1] @ w_ih.mT)
    for t in range(1, x.shape[-1]):
        state = torch.relu(torch.baddbmm(x[..., t : t + 1] * w_ih.mT, state, w_hh.mT))
    return state @ weights["linear.weight"].mT


def transformer_outputs(weights: StateDict, x: Tensor, scale: Tensor, n_layers: int) -> Tensor:
    """Compute the outputs of a stack of attention-only transformers (models, batch, output_size).

    ``weights`` are stacks of matrices, ``x`` are tokens of shape (models, batch, seq_len),
    ``scale`` is one over the square root of the hidden size, shape (models,).
    """
    n_models, batch, _ = x.shape
    embed = weights["embed.weight"]
    one_hot = (x.unsqueeze(-1) == torch.arange(embed.shape[1], device=x.device)).to(embed.dtype)

    scale = scale.to(embed.dtype).view(-1, 1, 1, 1)

    def product(vectors: Tensor, matrix: Tensor) -> Tensor:
        """Apply the matrix of each model to its vectors, shape (models, batch, n, in)."""
        flat = vectors.reshape(n_models, -1, vectors.shape[-1])
        return (flat @ matrix.mT).view(n_models, batch, -1, matrix.shape[1])

    residual = product(one_hot, embed.mT) + weights["pos_embed.weight"].unsqueeze(1)
    for layer in range(n_layers):
        query_key_value = weights[f"attns.{layer}.in_proj_weight"]
        to_query, to_key, to_value = query_key_value.chunk(3, dim=1)
        # Only the last position of the last layer's output is read.
        here = residual[:, :, -1:] if layer == n_layers - 1 else residual
        query = product(here, to_query)
        key, value = product(residual, to_key), product(residual, to_value)
        # One fused sum is faster than batched products for matrices this small.
        scores = (query.unsqueeze(3) * key.unsqueeze(2)).sum(-1) * scale
        pattern = scores.softmax(-1)
        read = (pattern.unsqueeze(-1) * value.unsqueeze(2)).sum(3)
        residual = here + product(read, weights[f"attns.{layer}.out_proj.weight"])
    return residual[:, :, -1] @ weights["unembed.weight"].mT


class Stack:
    """Models of one family and length, padded to one width, and their optimizer.

    Attributes
    ----------
    recipes
        Recipes of the models, which differ only in hidden_size and seed.
    weights, first_moment, second_moment
        Weights and moments of AdamW, shape (models, sum of ``layout.sizes``).
    """

    def __init__(
        self,
        recipes: Sequence[Recipe],
        models: Sequence[StateDict],
        streams: Sequence[int],
        width: int,
        device: torch.device,
    ) -> None:
        """Begin with the state dicts ``models``; model i learns from the inputs ``streams[i]``."""
        self.recipes = tuple(recipes)
        self.recipe = self.recipes[0]  # stands for all that they have in common
        self.width = width
        self.layout = Layout(_shapes(replace(self.recipe, hidden_size=width)))
        self.weights = torch.stack([self.layout.padded(state) for state in models]).to(device)
        self.first_moment = torch.zeros_like(self.weights)
        self.second_moment = torch.zeros_like(self.weights)
        self.streams = torch.tensor(streams, device=device)
        rates = [recipe.initial_learning_rate for recipe in recipes]
        self.initial_rates = torch.tensor(rates, device=device)
        sizes = torch.tensor([recipe.hidden_size for recipe in recipes], device=device)
        self._scale = sizes.double().rsqrt()

    def losses(self, weights: Tensor, x: Tensor, target: Tensor) -> Tensor:
        """Compute the loss of each model, shape (models,).

        ``weights`` are rows like :attr:`weights`; ``x`` and ``target`` are the inputs and the right
        answers of all streams, shapes (streams, batch, seq_len) and (streams, batch).
        """
        x, target = x[self.streams], target[self.streams]
        matrices = self.layout.matrices(weights)
        if self.recipe.task_name == "longest_cycle":
            n_layers = self.recipe.n_transformer_layers
            output = transformer_outputs(matrices, x, self._scale, n_layers)
        else:
            output = rnn_outputs(matrices, x)
        if self.recipe.measures_error:
            return (output.squeeze(-1) - target).square().mean(1)
        losses = functional.cross_entropy(output.flatten(0, 1), target.flatten(), reduction="none")
        return losses.view(target.shape).mean(1)

    def gradients(self, x: Tensor, target: Tensor) -> Tensor:
        """Compute the gradient of each model's loss by its own weights, with the shape of these."""
        weights = self.weights.detach().requires_grad_()
        with torch.enable_grad():
            total = self.losses(weights, x, target).sum()
        return torch.autograd.grad(total, weights)[0]

    @torch.no_grad()
    def update(self, gradients: Tensor, schedule: Tensor) -> None:
        """Make a step of AdamW; ``schedule`` is a row of :func:`schedule_from`."""
        multiple, correction_1, root_correction_2 = schedule.unbind()
        rates = (self.initial_rates * multiple).unsqueeze(1)
        self.weights *= 1 - rates * self.recipe.weight_decay
        self.first_moment.lerp_(gradients, 1 - BETA_1)
        self.second_moment.mul_(BETA_2).addcmul_(gradients, gradients, value=1 - BETA_2)
        denominator = self.second_moment.sqrt() / root_correction_2 + EPSILON
        self.weights -= rates / correction_1 * (self.first_moment / denominator)

    def state_dict(self, model: int, weights: Tensor) -> StateDict:
        """Return the state dict of one model, from rows like :attr:`weights`."""
        return self.layout.unpadded(weights[model], _shapes(self.recipes[model]))


def _shapes(recipe: Recipe) -> dict[str, tuple[int, int]]:
    """Shapes of the state dict of a model."""
    with own_random_numbers(0, torch.device("cpu")):
        state = recipe.untrained_model().state_dict()
    return {key: (weight.shape[0], weight.shape[1]) for key, weight in state.items()}


def schedule_from(recipe: Recipe, step: int, n_steps: int) -> Tensor:
    """Return the factors of the ``n_steps`` steps after ``step``, shape (n_steps, 3).

    They are the factor of the learning rate due to warm-up and decay, the bias correction of the
    first moment, and the square root of that of the second moment.
    """
    rows = [
        (
            recipe.learning_rate_multiple(s),
            1 - BETA_1 ** (s + 1),
            math.sqrt(1 - BETA_2 ** (s + 1)),
        )
        for s in range(step, step + n_steps)
    ]
    return torch.tensor(rows)


class Group:
    """All models of one family and length, trained on the inputs that :func:`train` would draw.

    On a GPU all models of a seed see the same inputs. On a CPU every model has its own inputs,
    because :func:`train` draws weights and inputs from one generator there.

    Attributes
    ----------
    step
        Number of steps made.
    chunk
        Number of steps that :meth:`advance` makes; every checkpoint is at a multiple of it.
    stacks
        The models, one stack for each width.
    """

    def __init__(
        self,
        recipes: Sequence[Recipe],
        device: torch.device,
        stack_type: type[Stack] = Stack,
    ) -> None:
        """Draw the initial weights. The recipes may differ only in hidden_size and seed."""
        self.recipe = recipes[0]  # stands for all that they have in common
        self.device = device
        self.step = 0
        self.chunk = math.gcd(_CHUNK, *self.recipe.checkpoint_steps)
        drawn = [_first_weights(recipe) for recipe in recipes]
        if device.type == "cuda":
            seeds = list(dict.fromkeys(recipe.seed for recipe in recipes))
            self.generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
            streams = [seeds.index(recipe.seed) for recipe in recipes]
        else:
            self.generators = [generator for _, generator in drawn]
            streams = list(range(len(recipes)))
        members: dict[int, list[int]] = {}
        for number, recipe in enumerate(recipes):
            members.setdefault(_width(recipe), []).append(number)
        self.stacks = [
            stack_type(
                [recipes[i] for i in numbers],
                [drawn[i][0] for i in numbers],
                [streams[i] for i in numbers],
                width,
                device,
            )
            for width, numbers in members.items()
        ]
        self.arguments = {
            **asdict(self.recipe),
            "hidden_size": [recipe.hidden_size for recipe in recipes],
            "seed": [recipe.seed for recipe in recipes],
        }

    @property
    def ready(self) -> bool:
        """True if the last steps started are made, so that :attr:`chunk` more can start."""
        return True

    def advance(self) -> None:
        """Make :attr:`chunk` steps."""
        for row in schedule_from(self.recipe, self.step, self.chunk):
            self.make_step(row)
        self.step += self.chunk

    def make_step(self, schedule: Tensor) -> None:
        """Draw a batch from every stream and learn from it; the step is not counted here."""
        size = self.recipe.batch_size
        x = torch.stack([self.recipe.sequences(size, self.device, g) for g in self.generators])
        target = TASKS[self.recipe.task_name](x)
        for stack in self.stacks:
            stack.update(stack.gradients(x, target), schedule)

    def weights(self) -> list[Tensor]:
        """Return a copy of the weights of every stack, on the CPU."""
        return [stack.weights.to("cpu", copy=True) for stack in self.stacks]

    def state_dicts(self, weights: Sequence[Tensor]) -> list[tuple[Recipe, StateDict]]:
        """Return recipe and state dict of every model, given what :meth:`weights` returned."""
        return [
            (recipe, stack.state_dict(number, rows))
            for stack, rows in zip(self.stacks, weights, strict=True)
            for number, recipe in enumerate(stack.recipes)
        ]

    def state(self) -> dict[str, Any]:
        """Return a copy of everything that the next step depends on."""
        stacks = [(stack.weights, stack.first_moment, stack.second_moment) for stack in self.stacks]
        return {
            "step": self.step,
            "stacks": [[tensor.to("cpu", copy=True) for tensor in stack] for stack in stacks],
            "generators": [generator.get_state() for generator in self.generators],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what :meth:`state` returned."""
        for stack, saved in zip(self.stacks, state["stacks"], strict=True):
            current = (stack.weights, stack.first_moment, stack.second_moment)
            for tensor, value in zip(current, saved, strict=True):
                if tensor.shape != value.shape:  # copy_ would broadcast it
                    raise ValueError(f"{tuple(value.shape)} is not a shape of this group's weights")
                tensor.copy_(value)
        for generator, value in zip(self.generators, state["generators"], strict=True):
            generator.set_state(value)
        self.step = int(state["step"])


def _first_weights(recipe: Recipe) -> tuple[StateDict, torch.Generator]:
    """State dict of the untrained model, and the generator after it was drawn."""
    with own_random_numbers(recipe.seed, torch.device("cpu")):
        state = recipe.untrained_model().state_dict()
        generator = torch.Generator().set_state(torch.get_rng_state())
    return state, generator


def _width(recipe: Recipe) -> int:
    """Width to which a model is padded, a power of two."""
    # Triton's product takes matrices of at least 16 rows; the transformers have none of its.
    least = 8 if recipe.task_name == "longest_cycle" else 16
    return max(least, 1 << (recipe.hidden_size - 1).bit_length())
