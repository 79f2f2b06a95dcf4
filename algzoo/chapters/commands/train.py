"""Command ``algzoo train``: train one model, or the whole zoo."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from ...zoo import train
from ...zoo.training import train_all


@click.command("train")
@click.argument("task", required=False)
@click.argument("hidden_size", type=int, required=False)
@click.argument("seq_len", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Train every size and seed of the zoo.")
@click.option(
    "--family",
    "families",
    multiple=True,
    metavar="NAME",
    help="With --all: train only this family; may be given several times.",
)
@click.option(
    "--seed", default=0, show_default=True, help="Seed of the initial weights and of the inputs."
)
@click.option("--n-train", default=2**30, show_default=True, help="Number of training sequences.")
@click.option("--n-val", default=2**24, show_default=True, help="Number of validation sequences.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the checkpoints; by default $RESULTS_DIR, or the working directory.",
)
@click.option("--device", help="cpu or cuda; by default a GPU, if there is one.")
@click.pass_context
def train_command(
    context: click.Context,
    task: str | None,
    hidden_size: int | None,
    seq_len: int | None,
    everything: bool,
    families: tuple[str, ...],
    seed: int,
    n_train: int,
    n_val: int,
    folder: Path | None,
    device: str | None,
) -> None:
    """Train with ARC's recipe; a run that was killed continues when it is started again.

    Give either TASK (2nd_argmax, argmedian, median or longest_cycle) and sizes for one model, or
    --all. To train all models takes a GPU, unless --n-train is small. The files are like the
    bundled ones.
    """
    if everything:
        _refuse(context, "is for one model: leave it out with --all", "task", "seed", "n_val")
    else:
        _refuse(context, "chooses among all models, so it needs --all", "families")
        if task is None or hidden_size is None or seq_len is None:
            raise click.UsageError("Give a TASK, HIDDEN_SIZE and SEQ_LEN, or --all")
    try:
        if task is None or hidden_size is None or seq_len is None:
            train_all(folder, families=families or None, n_train=n_train, device=device)
        else:
            train(
                task,
                hidden_size=hidden_size,
                seq_len=seq_len,
                seed=seed,
                n_train=n_train,
                n_val=n_val,
                folder=folder,
                device=device,
            )
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    except RuntimeError as error:  # from PyTorch, if the sizes do not fit into memory
        raise click.ClickException(str(error).splitlines()[0]) from error


def _refuse(context: click.Context, why: str, *names: str) -> None:
    """Raise a usage error if one of these parameters was given."""
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name)) is not ParameterSource.DEFAULT
        if parameter.name in names and given:
            raise click.UsageError(f"{parameter.get_error_hint(context)} {why}")
