"""Training of one model with ARC's recipe, on a CPU or a GPU; a killed run can be continued.

References
----------
ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026, and the README of its
repository.
"""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ..architectures import Model
from ..families import check_choice
from ..files import locked
from ..tasks import TASKS
from .arguments import existing_device, number, results_folder, whole
from .progress import progress_bar
from .recipe import Recipe, check_fit, own_random_numbers
from .resume import damaged, read_resume_file, write_resume_file, write_tensors

_log = logging.getLogger(__name__)


@dataclass
class _Training:
    recipe: Recipe
    model: Model
    optimizer: torch.optim.Optimizer
    step: int = 0  # steps made


def train(
    task_name: str,
    *,
    hidden_size: int,
    seq_len: int,
    n_transformer_layers: int = Recipe.n_transformer_layers,
    n_transformer_heads: int = Recipe.n_transformer_heads,
    bias: bool = Recipe.bias,
    discrete_eot: bool = Recipe.discrete_eot,
    weight_decay: float = Recipe.weight_decay,
    lr_base: float = Recipe.lr_base,
    lr_warmup_steps: int = Recipe.lr_warmup_steps,
    lr_decay_min_mult: float = Recipe.lr_decay_min_mult,
    batch_size: int = Recipe.batch_size,
    n_train: int = Recipe.n_train,
    n_val: int = Recipe.n_val,
    seed: int = Recipe.seed,
    checkpoints: int = Recipe.checkpoints,
    log_every: int = 1024,
    folder: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    save_every: int = 4096,
    progress: bool = True,
) -> Model:
    """Train a model of any size from its seed; the defaults are the recipe of the zoo.

    The optimizer is AdamW on fresh random sequences. The loss is the cross-entropy, or the mean
    squared error for the median.

    The weights after 0, ``n_steps``, ``n_steps / 2``, ``n_steps / 4``, ... steps are written to
    ``{task_name}_{hidden_size}_{seq_len}_{sequences seen}_{seed}.pth``, each file a state dict. If
    a run was killed and is started again with the same arguments, it continues from its resume file
    ``{task_name}_{hidden_size}_{seq_len}_{n_train}_{seed}.resume.pt``; on a CPU with as many
    threads it ends with the same bits as if it had never been killed. The resume file is removed at
    the end, so that a finished run that is started again trains again and replaces its files. No
    file is ever seen half-written. If two processes write the same files at the same time, the
    second is refused.

    The caller's random number generators keep their states.

    Parameters
    ----------
    task_name
        ``"2nd_argmax"``, ``"argmedian"``, ``"median"`` or ``"longest_cycle"``.
    hidden_size, seq_len
        Any size; those of the zoo are in :data:`algzoo.zoo.FAMILIES`.
    n_transformer_layers, n_transformer_heads, discrete_eot
        Longest cycle only. With ``discrete_eot`` a sequence consists of ``seq_len - 1`` random
        tokens and the end token ``seq_len - 1``.
    bias
        Whether the layers have biases.
    weight_decay, lr_base, lr_warmup_steps, lr_decay_min_mult
        Settings of AdamW. The learning rate starts from ``lr_base / sqrt(hidden_size)``, times
        ``step / lr_warmup_steps`` at first, and decays to ``lr_decay_min_mult`` of it by half-way.
    batch_size, n_train
        Number of sequences in a step and in all; ``n_steps = n_train // batch_size``.
    n_val
        Number of sequences on which the trained model is scored at the end.
    seed
        Seed of the initial weights and of the sequences, as with ``torch.manual_seed(seed)``.
    checkpoints
        How often ``n_steps`` is halved.
    log_every
        Number of steps between two updates of the progress bar.
    folder
        Where the files go; by default the folder that the environment variable ``RESULTS_DIR``
        names, or the working directory.
    device
        Where to train; by default on a GPU if there is one, otherwise on the CPU.
    save_every
        Number of steps between two writings of the resume file.
    progress
        Whether to show a progress bar on standard error. It shows loss and accuracy (root mean
        squared error for the median) of the last batch, and at the end those of the validation,
        which are also logged, by :mod:`logging`.

    Returns
    -------
    Model
        The trained model.

    Raises
    ------
    ValueError
        If an argument is invalid, or if the resume file is damaged or belongs to a training with
        other arguments; the message names it.
    OSError
        If a file cannot be written, or another process is training this model in this folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = train(
    ...         "2nd_argmax",
    ...         hidden_size=2,
    ...         seq_len=2,
    ...         n_train=2**12,
    ...         folder=folder,
    ...         device="cpu",
    ...         progress=False,
    ...     )
    >>> model.hidden_size, model.seq_len
    (2, 2)
    """
    check_choice("name", task_name, TASKS, what="task")
    place = existing_device(device)
    recipe = Recipe(
        task_name=task_name,
        hidden_size=whole("hidden_size", hidden_size, at_least=1),
        seq_len=whole("seq_len", seq_len, at_least=1),
        n_transformer_layers=whole("n_transformer_layers", n_transformer_layers, at_least=0),
        n_transformer_heads=whole("n_transformer_heads", n_transformer_heads, at_least=1),
        bias=bool(bias),
        discrete_eot=bool(discrete_eot),
        weight_decay=number("weight_decay", weight_decay),
        lr_base=number("lr_base", lr_base),
        lr_warmup_steps=whole("lr_warmup_steps", lr_warmup_steps, at_least=0),
        lr_decay_min_mult=number("lr_decay_min_mult", lr_decay_min_mult, at_most=1),
        batch_size=whole("batch_size", batch_size, at_least=1),
        n_train=whole("n_train", n_train, at_least=1),
        n_val=whole("n_val", n_val, at_least=0),
        seed=whole("seed", seed, at_least=0),
        checkpoints=whole("checkpoints", checkpoints, at_least=0),
        device=place.type,
    )
    check_fit(recipe)
    log_every = whole("log_every", log_every, at_least=1)
    save_every = whole("save_every", save_every, at_least=1)
    results = results_folder(folder)

    name = f"{task_name} {hidden_size} {seq_len}, seed {seed}"
    # The checkpoint before the first step has the same name for every n_train.
    lock_file = results / f"{task_name}_{hidden_size}_{seq_len}_{seed}.lock"

    with (
        locked(lock_file, f"training {name}, in this folder"),
        own_random_numbers(recipe.seed, place),
        progress_bar(shown=progress) as bar,
    ):
        task = bar.add_task(name, total=recipe.n_steps, text="")
        training = _start(recipe, place)
        resume_file = results / _file_name(recipe, recipe.n_train, "resume.pt")
        if resume_file.exists():
            _resume(training, resume_file, place)
        else:
            _save_checkpoint(training, results)
        while training.step < recipe.n_steps:
            loss, output, answer = _make_step(training, place)
            if training.step in recipe.checkpoint_steps:
                _save_checkpoint(training, results)
            # After the checkpoint: what the resume file counts as done must be there.
            if training.step % save_every == 0:
                write_resume_file(_resume_state(training, place), resume_file)
            if training.step % log_every == 0:
                score = _described(recipe, _scores(recipe, output, answer).mean().item())
                text = f"loss {loss.item():.4g}, {score}"
                bar.update(task, completed=training.step, text=text)
        if recipe.n_val:
            text = f"validated: {_described(recipe, _validated(training, place))}"
            bar.update(task, completed=training.step, text=text)
            _log.info("%s %s", name, text)
        resume_file.unlink(missing_ok=True)
    return training.model


def _start(recipe: Recipe, device: torch.device) -> _Training:
    # Drawn on the CPU whatever the device, so that a seed means the same weights everywhere.
    model = recipe.untrained_model().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    return _Training(recipe, model, optimizer)


def _make_step(training: _Training, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Make one step; return loss, outputs and right answers of its batch."""
    recipe, optimizer = training.recipe, training.optimizer
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate(training.step)
    x = recipe.sequences(recipe.batch_size, device)
    output, answer = training.model(x), TASKS[recipe.task_name](x)
    if recipe.measures_error:
        loss = functional.mse_loss(output.squeeze(-1), answer)
    else:
        loss = functional.cross_entropy(output, answer)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    training.step += 1
    return loss.detach(), output.detach(), answer


def _scores(recipe: Recipe, output: Tensor, answer: Tensor) -> Tensor:
    """Return the squared error of each sequence, or 1 if its answer is right and 0 if not."""
    if recipe.measures_error:
        return (output.squeeze(-1) - answer).double() ** 2
    return (output.argmax(-1) == answer).double()


@torch.no_grad()
def _validated(training: _Training, device: torch.device) -> float:
    """Mean score on ``n_val`` fresh sequences."""
    recipe = training.recipe
    total = torch.zeros((), dtype=torch.float64, device=device)
    for start in range(0, recipe.n_val, recipe.batch_size):
        x = recipe.sequences(min(recipe.batch_size, recipe.n_val - start), device)
        total += _scores(recipe, training.model(x), TASKS[recipe.task_name](x)).sum()
    return total.item() / recipe.n_val


def _described(recipe: Recipe, score: float) -> str:
    return f"RMSE {score**0.5:.4g}" if recipe.measures_error else f"accuracy {score:.2%}"


def _file_name(recipe: Recipe, n_seqs: int, ending: str) -> str:
    size = f"{recipe.hidden_size}_{recipe.seq_len}"
    return f"{recipe.task_name}_{size}_{n_seqs}_{recipe.seed}.{ending}"


def _save_checkpoint(training: _Training, folder: Path) -> None:
    n_seqs = training.step * training.recipe.batch_size
    weights = {key: weight.cpu() for key, weight in training.model.state_dict().items()}
    write_tensors(weights, folder / _file_name(training.recipe, n_seqs, "pth"))


def _resume_state(training: _Training, device: torch.device) -> dict[str, Any]:
    """Return everything that the next step depends on, as tensors and plain values."""
    generators = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        generators["cuda"] = torch.cuda.get_rng_state(device)
    return {
        "arguments": asdict(training.recipe),
        "step": training.step,
        "model": training.model.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "generators": generators,
    }


def _resume(training: _Training, path: Path, device: torch.device) -> None:
    """Put ``training`` and the generators into the state that the file holds."""
    state = read_resume_file(path, asdict(training.recipe))
    try:
        training.model.load_state_dict(state["model"])
        training.optimizer.load_state_dict(state["optimizer"])
        training.step = int(state["step"])
        torch.set_rng_state(state["generators"]["cpu"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["generators"]["cuda"], device)
    except Exception as error:
        raise damaged(path) from error
