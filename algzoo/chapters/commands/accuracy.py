"""Command ``algzoo accuracy``: a model's score to a stated standard error."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from ...estimates import Accuracy
    from ...zoo import Model


@click.command()
@click.argument("model_name", metavar="MODEL")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    default=1e-4,
    show_default=True,
    help="Largest standard error of the score.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the inputs."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def accuracy(model_name: str, tolerance: float, seed: int, as_json: bool) -> None:
    """Give the score of MODEL to a standard error of at most --tolerance.

    The score is exact if an exact method is known. Otherwise it comes from the method that is
    fastest on this machine. MODEL is a name such as 2nd_argmax_16_10 (the best seed of that size),
    example_2nd_argmax (ARC's example) or 2nd_argmax_4_3:mine.pth (your own weights).
    """
    from ...zoo import FAMILIES
    from ...zoo.populations import read_name

    try:
        model = read_name(model_name).load()
        found = score_with_bar(model, tolerance, seed=seed)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    measure = "mean squared error" if FAMILIES[model.task_name].measures_error else "accuracy"
    if as_json:
        click.echo(json.dumps({"model": model_name, "measure": measure, **asdict(found)}, indent=1))
        return
    spread = "exact" if found.std == 0 else f"standard error {found.std:.1g}"
    click.echo(f"{measure} {found.value:.7f}, {spread}")
    click.echo(f"by {found.method}: {found.operations:.3g} operations, {found.seconds:.1f} s")


def score_with_bar(model: Model, tolerance: float, *, seed: int = 0) -> Accuracy:
    """Score a model as :func:`algzoo.estimates.accuracy` does, with a progress bar."""
    from ...estimates import accuracy as score  # imported late: SciPy and Numba are slow to load

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeElapsedColumn(), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("scoring", total=1.0)
        return score(
            model, tolerance, seed=seed, progress=lambda share: bar.update(task, completed=share)
        )
