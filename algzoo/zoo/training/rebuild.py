"""Training of the whole zoo: every size and every seed of every family."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch
from rich.progress import Progress, TaskID
from safetensors.torch import save
from torch import Tensor

from ..families import FAMILIES, SEEDS, Family, check_choice
from ..files import locked
from .arguments import existing_device, results_folder, whole
from .progress import progress_bar
from .recipe import Recipe, check_fit
from .resume import damaged, read_resume_file, write_file, write_resume_file
from .stacked import Group


def train_all(
    folder: str | os.PathLike[str] | None = None,
    *,
    families: Collection[str] | None = None,
    n_train: int = Recipe.n_train,
    checkpoints: int = Recipe.checkpoints,
    device: str | torch.device | None = None,
    save_every: int = 2**14,
    progress: bool = True,
) -> None:
    """Train all models of the zoo with the recipe of :func:`train`.

    All hidden sizes and seeds of one family and length are trained side by side, as a *group*. On a
    GPU all groups run at the same time, in fused kernels; on a CPU one group runs after the other.
    Every model starts from the weights and sees the inputs that :func:`train` gives it with the
    same seed on the same kind of device; only the rounding of sums differs. The whole recipe needs
    a GPU.

    The models of one size are written to ``{family}_{hidden_size}_{seq_len}.safetensors``, like the
    bundled ones: a tensor is named ``{sequences seen}_{seed}/{state-dict key}``. The file is
    replaced at every checkpoint, and the checkpoints are those of :func:`train`. If a run was
    killed and is started again with the same arguments, its groups continue from what they last
    wrote to ``{family}_{seq_len}_{n_train}.resume.pt``; on a CPU with as many threads it ends with
    the same bits as if it had never been killed. The resume files stay, so that a finished run that
    is started again does nothing; delete them to train from the start. No file is ever seen
    half-written. If two processes train a group in one folder at the same time, the second is
    refused.

    The caller's random number generators keep their states.

    Parameters
    ----------
    folder
        Where the files go; by default the folder that the environment variable ``RESULTS_DIR``
        names, or the working directory.
    families
        Names of the families to train; by default all.
    n_train
        Training sequences of each model, in batches of 1,024.
    checkpoints
        How often the number of steps is halved.
    device
        Where to train; by default on a GPU if there is one, otherwise on the CPU.
    save_every
        Approximate number of steps between two writings of the resume file of a group; the program
        checks a group every 64 steps.
    progress
        Whether to show progress bars on standard error, one for each group.

    Raises
    ------
    ValueError
        If an argument is invalid, or if a resume file is damaged or belongs to a training with
        other arguments; the message names it.
    OSError
        If a file cannot be written, or another process is training a group in this folder.
    """
    place = existing_device(device)
    names = list(FAMILIES) if families is None else list(dict.fromkeys(families))
    for name in names:
        check_choice("name", name, FAMILIES, what="family")
    n_train = whole("n_train", n_train, at_least=1)
    checkpoints = whole("checkpoints", checkpoints, at_least=0)
    save_every = whole("save_every", save_every, at_least=1)
    results = results_folder(folder)
    recipes = [
        _recipes(FAMILIES[name], seq_len, n_train, checkpoints, place)
        for name in names
        for seq_len in FAMILIES[name].seq_lens
    ]
    with ExitStack() as locks, _full_precision(), progress_bar(shown=progress) as bar:
        for recipe, *_ in recipes:
            name = f"{recipe.task_name}, length {recipe.seq_len}"
            lock_file = results / f"{recipe.task_name}_{recipe.seq_len}.lock"
            locks.enter_context(locked(lock_file, f"training {name}, in this folder"))
        runs = [_Run(_group(members, place), results, save_every, bar) for members in recipes]
        for run in runs:
            run.start()
        for side_by_side in [runs] if place.type == "cuda" else [[run] for run in runs]:
            _train(side_by_side)


def _recipes(
    family: Family, seq_len: int, n_train: int, checkpoints: int, device: torch.device
) -> list[Recipe]:
    """Return the recipes of all hidden sizes and seeds of one family and length."""
    recipes = [
        Recipe(
            task_name=family.name,
            hidden_size=hidden_size,
            seq_len=seq_len,
            n_train=n_train,
            seed=seed,
            checkpoints=checkpoints,
            device=device.type,
        )
        for hidden_size in family.hidden_sizes
        for seed in SEEDS
    ]
    check_fit(recipes[0])
    return recipes


def _group(recipes: Sequence[Recipe], device: torch.device) -> Group:
    """Make the group of the fastest kind that this machine supports."""
    if device.type == "cpu":
        return Group(recipes, device)
    from .graphs import GraphedGroup

    if find_spec("triton") is None:  # PyTorch for CUDA brings it, but not for every system
        return GraphedGroup(recipes, device)
    from .kernels import FusedStack

    return GraphedGroup(recipes, device, FusedStack)


class _Run:
    """Training of a group, with its files and its progress bar."""

    def __init__(self, group: Group, folder: Path, save_every: int, bar: Progress) -> None:
        recipe = group.recipe
        self.group = group
        self.resume_file = (
            folder / f"{recipe.task_name}_{recipe.seq_len}_{recipe.n_train}.resume.pt"
        )
        self._folder = folder
        self._save_every = save_every
        self._saved_at = 0  # step of the resume file
        # By training sequences seen, what the group's weights() gave.
        self._checkpoints: dict[int, list[Tensor]] = {}
        self._bar = bar
        name = f"{recipe.task_name}, length {recipe.seq_len}"
        self._bar_task: TaskID = bar.add_task(name, total=recipe.n_steps, text="")

    @property
    def finished(self) -> bool:
        return self.group.step == self.group.recipe.n_steps

    def start(self) -> None:
        """Continue from the resume file, or begin; write the checkpoints that are due."""
        if self.resume_file.exists():
            self._resume()
        else:
            self._checkpoints[0] = self.group.weights()
        self._write_checkpoints()
        self._show()

    def save(self) -> None:
        """Write what is due after the steps made so far."""
        recipe, step = self.group.recipe, self.group.step
        n_seqs = step * recipe.batch_size
        is_checkpoint = step in recipe.checkpoint_steps and n_seqs not in self._checkpoints
        if is_checkpoint:
            self._checkpoints[n_seqs] = self.group.weights()
            self._write_checkpoints()
        # After the checkpoint: what the resume file counts as done must be there.
        if is_checkpoint or step - self._saved_at >= self._save_every:
            state = self.group.state()
            checkpoints = {"checkpoints": self._checkpoints}
            arguments = {"arguments": self.group.arguments}
            write_resume_file({**arguments, **state, **checkpoints}, self.resume_file)
            self._saved_at = step
        self._show()

    def _resume(self) -> None:
        state = read_resume_file(self.resume_file, self.group.arguments)
        try:
            self.group.load(state)
            self._checkpoints = dict(state["checkpoints"])
            self._saved_at = self.group.step
        except Exception as error:
            raise damaged(self.resume_file) from error

    def _write_checkpoints(self) -> None:
        """Write the file of each size anew, with all checkpoints so far."""
        files: dict[Path, dict[str, Tensor]] = {}
        for n_seqs, weights in self._checkpoints.items():
            for recipe, state in self.group.state_dicts(weights):
                name = f"{recipe.task_name}_{recipe.hidden_size}_{recipe.seq_len}.safetensors"
                tensors = files.setdefault(self._folder / name, {})
                tensors.update({f"{n_seqs}_{recipe.seed}/{key}": w for key, w in state.items()})
        for path, tensors in files.items():
            write_file(save(tensors), path)

    def _show(self) -> None:
        text = f"saved at {max(self._checkpoints):,} sequences"
        self._bar.update(self._bar_task, completed=self.group.step, text=text)


def _train(runs: Sequence[_Run]) -> None:
    """Train groups side by side until all are finished."""
    active = [run for run in runs if not run.finished]
    while active:
        ready = [run for run in active if run.group.ready]
        for run in ready:
            run.save()
            if run.finished:
                active.remove(run)
            else:
                run.group.advance()
        if not ready:
            time.sleep(0.0005)  # a GPU needs some milliseconds for the steps of a group


@contextmanager
def _full_precision() -> Iterator[None]:
    """Compute products on a GPU in full float32, as in the training of all bundled models."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
