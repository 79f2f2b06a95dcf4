"""Training one model by ARC's recipe: on a CPU or a GPU, and through being killed.

Source of the recipe: ARC, "AlgZoo: uninterpreted models with fewer than 1,500 parameters", 2026,
and the README of its repository.
"""

from __future__ import annotations

import hashlib
import io
import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.nn import functional

from .architectures import DistRNN, DistTransformer, Model, ScalarRNN
from .families import FAMILIES, check_choice
from .tasks import TASKS

_log = logging.getLogger(__name__)

RESULTS_FOLDER = "RESULTS_DIR"  # environment variable: where trained models are written


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights and the files of a training; see :func:`train`."""

    task_name: str
    hidden_size: int
    seq_len: int
    n_transformer_layers: int
    n_transformer_heads: int
    bias: bool
    discrete_eot: bool
    weight_decay: float
    lr_base: float
    lr_warmup_steps: int
    lr_decay_min_mult: float
    batch_size: int
    n_train: int
    n_val: int
    seed: int
    checkpoints: int
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
        """Whether the model gives one number and is scored by its squared error."""
        return FAMILIES[self.task_name].measures_error

    def learning_rate(self, step: int) -> float:
        """Learning rate of the step before which ``step`` steps were made."""
        warmup = min(step / self.lr_warmup_steps, 1) if self.lr_warmup_steps else 1.0
        decay = max(self.lr_decay_min_mult ** (2 * step / self.n_steps), self.lr_decay_min_mult)
        return float(self.lr_base / self.hidden_size**0.5 * (warmup * decay))

    def untrained_model(self) -> Model:
        """Model whose weights are drawn from torch's default generator."""
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

    def sequences(self, n: int, device: torch.device) -> Tensor:
        """``n`` inputs from the default generator of the device, shape (n, seq_len)."""
        if self.task_name != "longest_cycle":
            return torch.randn(n, self.seq_len, device=device)
        if not self.discrete_eot:
            return torch.randint(0, self.seq_len, (n, self.seq_len), device=device)
        end = self.seq_len - 1
        tokens = torch.randint(0, end, (n, end), device=device)
        # The end token is a cycle of length one, which never is longer than those before it.
        return torch.cat([tokens, tokens.new_full((n, 1), end)], -1)


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
    n_transformer_layers: int = 2,
    n_transformer_heads: int = 1,
    bias: bool = False,
    discrete_eot: bool = False,
    weight_decay: float = 0.001,
    lr_base: float = 0.04,
    lr_warmup_steps: int = 2**14,
    lr_decay_min_mult: float = 0.01,
    batch_size: int = 1024,
    n_train: int = 2**30,
    n_val: int = 2**24,
    seed: int = 0,
    checkpoints: int = 10,
    log_every: int = 1024,
    folder: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    save_every: int = 4096,
    progress: bool = True,
) -> Model:
    """Train a model of any size from its seed; the defaults are the recipe of the zoo.

    AdamW on fresh random sequences. The loss is the cross-entropy, for the median the mean squared
    error.

    The weights after 0, ``n_steps``, ``n_steps / 2``, ``n_steps / 4``, ... steps are written as
    ``{task_name}_{hidden_size}_{seq_len}_{sequences seen}_{seed}.pth``, each a state dict. A run
    that was killed goes on where its resume file
    ``{task_name}_{hidden_size}_{seq_len}_{n_train}_{seed}.resume.pt`` was last written if it is
    started again with the same arguments; on a CPU with as many threads it ends with the same bits
    as if it had never been killed. The resume file is removed at the end, so that a finished run
    that is started again trains again and replaces its files. No file is ever seen half-written;
    two processes must not run the same training in one folder at the same time.

    The caller's random number generators are left as they were.

    Parameters
    ----------
    task_name
        ``"2nd_argmax"``, ``"argmedian"``, ``"median"`` or ``"longest_cycle"``.
    hidden_size, seq_len
        Any size; the zoo has those in :data:`algzoo.zoo.FAMILIES`.
    n_transformer_layers, n_transformer_heads, discrete_eot
        Longest cycle only. With ``discrete_eot`` a sequence is ``seq_len - 1`` random tokens and
        the end token ``seq_len - 1``.
    bias
        Whether the layers have biases.
    weight_decay, lr_base, lr_warmup_steps, lr_decay_min_mult
        Of AdamW. The learning rate starts from ``lr_base / sqrt(hidden_size)``, times ``step /
        lr_warmup_steps`` at first, and decays to ``lr_decay_min_mult`` of it by half-way.
    batch_size, n_train
        Sequences per step, and in all; ``n_steps = n_train // batch_size``.
    n_val
        Sequences on which the trained model is scored in the end.
    seed
        Of the first weights and the sequences, as by ``torch.manual_seed(seed)``.
    checkpoints
        How often ``n_steps`` is halved.
    log_every
        Steps between two updates of the progress bar.
    folder
        Where the files go; where absent, the folder that the environment variable ``RESULTS_DIR``
        names, else the working directory.
    device
        Where to train; where absent, on a GPU if there is one, else on the CPU.
    save_every
        Steps between two writings of the resume file.
    progress
        Whether a progress bar is shown on standard error, with loss and accuracy, for the median
        root mean squared error, of the last batch; in the end, of the validation. That one is also
        logged, by :mod:`logging`.

    Returns
    -------
    The trained model.

    Raises
    ------
    ValueError
        Names the argument that cannot be, or the resume file that is damaged or of a training with
        other arguments.
    OSError
        Where a file cannot be written.
    """
    place = _device(device)
    recipe = Recipe(
        task_name=_task(task_name),
        hidden_size=_whole("hidden_size", hidden_size, at_least=1),
        seq_len=_whole("seq_len", seq_len, at_least=1),
        n_transformer_layers=_whole("n_transformer_layers", n_transformer_layers, at_least=0),
        n_transformer_heads=_whole("n_transformer_heads", n_transformer_heads, at_least=1),
        bias=bool(bias),
        discrete_eot=bool(discrete_eot),
        weight_decay=_number("weight_decay", weight_decay),
        lr_base=_number("lr_base", lr_base),
        lr_warmup_steps=_whole("lr_warmup_steps", lr_warmup_steps, at_least=0),
        lr_decay_min_mult=_number("lr_decay_min_mult", lr_decay_min_mult, at_most=1),
        batch_size=_whole("batch_size", batch_size, at_least=1),
        n_train=_whole("n_train", n_train, at_least=1),
        n_val=_whole("n_val", n_val, at_least=0),
        seed=_whole("seed", seed, at_least=0),
        checkpoints=_whole("checkpoints", checkpoints, at_least=0),
        device=place.type,
    )
    _check_fit(recipe)
    log_every = _whole("log_every", log_every, at_least=1)
    save_every = _whole("save_every", save_every, at_least=1)
    results = Path(os.environ.get(RESULTS_FOLDER) or "." if folder is None else folder)

    with _own_random_numbers(recipe.seed, place), _bar(recipe, progress) as bar:
        training = _start(recipe, place)
        resume_file = results / _file_name(recipe, recipe.n_train, "resume.pt")
        if resume_file.exists():
            _resume(training, resume_file, place)
        else:
            results.mkdir(parents=True, exist_ok=True)
            _save_checkpoint(training, results)
        while training.step < recipe.n_steps:
            loss, output, answer = _make_step(training, place)
            if training.step in recipe.checkpoint_steps:
                _save_checkpoint(training, results)
            # After the checkpoint: what the resume file counts as done must be there.
            if training.step % save_every == 0:
                _write(_resume_state(training, place), resume_file)
            if training.step % log_every == 0:
                score = _described(recipe, _scores(recipe, output, answer).mean().item())
                text = f"loss {loss.item():.4g}, {score}"
                bar.update(bar.task_ids[0], completed=training.step, text=text)
        if recipe.n_val:
            text = f"validated: {_described(recipe, _validated(training, place))}"
            bar.update(bar.task_ids[0], completed=training.step, text=text)
            _log.info("%s %s", bar.tasks[0].description, text)
        resume_file.unlink(missing_ok=True)
    return training.model


def _start(recipe: Recipe, device: torch.device) -> _Training:
    # Drawn on the CPU whatever the device, so that a seed means the same weights everywhere.
    model = recipe.untrained_model().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay)
    return _Training(recipe, model, optimizer)


def _make_step(training: _Training, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Make one step; loss, outputs and right answers of its batch."""
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
    """Of each sequence its squared error, or one where the answer is right and zero elsewhere."""
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


def _bar(recipe: Recipe, shown: bool) -> Progress:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
        console=Console(stderr=True),
        disable=not shown,
    )
    name = f"{recipe.task_name} {recipe.hidden_size} {recipe.seq_len}, seed {recipe.seed}"
    bar.add_task(name, total=recipe.n_steps, text="")
    return bar


@contextmanager
def _own_random_numbers(seed: int, device: torch.device) -> Iterator[None]:
    """Give the numbers of ``torch.manual_seed(seed)`` and leave the caller's state as it was."""
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


def _file_name(recipe: Recipe, n_seqs: int, ending: str) -> str:
    size = f"{recipe.hidden_size}_{recipe.seq_len}"
    return f"{recipe.task_name}_{size}_{n_seqs}_{recipe.seed}.{ending}"


def _save_checkpoint(training: _Training, folder: Path) -> None:
    n_seqs = training.step * training.recipe.batch_size
    weights = {key: weight.cpu() for key, weight in training.model.state_dict().items()}
    _write(weights, folder / _file_name(training.recipe, n_seqs, "pth"))


def _resume_state(training: _Training, device: torch.device) -> dict[str, Any]:
    """All that the next step depends on, as tensors and plain values."""
    generators = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        generators["cuda"] = torch.cuda.get_rng_state(device)
    state = {
        "arguments": asdict(training.recipe),
        "step": training.step,
        "model": training.model.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "generators": generators,
    }
    return {**state, "digest": _digest(state)}


def _digest(state: object) -> str:
    """SHA-256 over nested dictionaries and lists of tensors and plain values."""
    if isinstance(state, Tensor):
        content = state.detach().cpu().contiguous().numpy().tobytes()
        parts = [str(state.dtype), str(tuple(state.shape)), hashlib.sha256(content).hexdigest()]
    elif isinstance(state, dict):
        parts = ["dict", *(f"{key!r} {_digest(value)}" for key, value in state.items())]
    elif isinstance(state, list):
        parts = ["list", *map(_digest, state)]
    else:
        parts = ["value", repr(state)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _resume(training: _Training, path: Path, device: torch.device) -> None:
    """Put ``training`` and the generators into the state that the file holds."""
    content = io.BytesIO(path.read_bytes())
    try:
        state = torch.load(content, map_location="cpu", weights_only=True)
        if state.pop("digest") != _digest(state):  # PyTorch does not notice flipped bits
            raise ValueError("its content is not what was written")
        arguments: dict[str, object] = dict(state["arguments"])
    except Exception as error:
        raise _damaged(path) from error
    for name, value in asdict(training.recipe).items():
        if arguments.get(name) != value:
            raise ValueError(
                f"{path} is of a training with {name}={arguments.get(name)!r}, not {value!r}: go "
                f"on with the same arguments, or delete the file to train anew"
            )
    try:
        training.model.load_state_dict(state["model"])
        training.optimizer.load_state_dict(state["optimizer"])
        training.step = int(state["step"])
        torch.set_rng_state(state["generators"]["cpu"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(state["generators"]["cuda"], device)
    except Exception as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ValueError:
    return ValueError(f"{path} is damaged or no resume file: delete it to train anew")


def _write(state: dict[str, Any], path: Path) -> None:
    """Write a file that is there as a whole or not at all, whenever this process is killed."""
    content = io.BytesIO()
    torch.save(state, content)
    # Always the same name: what a killed run left there is replaced when that step is made again.
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the name without the content
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)  # what fills a disk shall not stay on it
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}") from error


def _task(name: str) -> str:
    check_choice("name", name, TASKS, what="task")
    return name


def _whole(name: str, value: object, *, at_least: int) -> int:
    # True is an integer to Python, yet not a size that anybody means.
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, not {value!r}")
    return int(value)


def _number(name: str, value: object, *, at_most: float = math.inf) -> float:
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if not (math.isfinite(number) and 0 <= number <= at_most):
        choices = "of at least 0" if at_most == math.inf else f"between 0 and {at_most:g}"
        raise ValueError(f"{name} must be a number {choices}, not {value!r}")
    return number


def _device(wanted: str | torch.device | None) -> torch.device:
    choices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    try:
        device = torch.device(choices[-1] if wanted is None else wanted)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"No device {wanted!r}, please choose one of: {', '.join(choices)}"
        ) from error
    if device.type not in choices or (device.index or 0) >= max(torch.cuda.device_count(), 1):
        raise ValueError(f"No device {str(wanted)!r}, please choose one of: {', '.join(choices)}")
    return device


def _check_fit(recipe: Recipe) -> None:
    """Raise a ``ValueError`` where arguments that are possible alone do not go together."""
    cycles = recipe.task_name == "longest_cycle"
    shortest = 2 if recipe.task_name == "2nd_argmax" or (cycles and recipe.discrete_eot) else 1
    _whole("seq_len", recipe.seq_len, at_least=shortest)
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
