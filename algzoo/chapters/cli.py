"""The command line: ``algzoo run``, ``check``, ``models``, ``fetch``, ``train``, ``study``, ..."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import torch
from click.core import ParameterSource
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ..estimates.benchmark import throughput
from ..estimates.zoo_scores import SAMPLE_SEED, best_of, measure_all, sizes
from ..zoo import (
    CHECKPOINTS,
    EXAMPLE,
    FAMILIES,
    SEEDS,
    best_seed,
    fetch_official,
    measured_scores,
    published_score,
    train,
    write_scores,
    zoo_2nd_argmax,
)
from ..zoo.loading import WEIGHT_FILES
from ..zoo.training import train_all
from .address import publish_at
from .challenge_command import challenge
from .cover import cover, write_cover
from .new_chapter import write_new_chapter
from .notebooks import (
    ChapterError,
    OfficialFileNeededError,
    execute,
    find_chapters,
    read,
    repository_root,
    write,
    write_back,
)
from .statements import Comparison, compare
from .study_command import study_command

# Wide where nobody measured the terminal, so that names stay whole in logs.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="algzoo")
def main() -> None:
    """Run and check the chapters of the AlgZoo book, and list its models."""


main.add_command(challenge)
main.add_command(study_command)


@main.command()
@click.argument("chapters", nargs=-1, metavar="[CHAPTER]...")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    type=(str, str),
    multiple=True,
    metavar="NAME VALUE",
    help="Set a parameter of the chapter; needs --output.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the executed notebook here instead of in the chapter's place.",
)
def run(
    chapters: tuple[str, ...], parameters: tuple[tuple[str, str], ...], output: Path | None
) -> None:
    """Execute chapters (all where none is named) and write their notebooks.

    A chapter in which a cell raises is left as it was; so is one that is changed while it runs.
    """
    try:
        root = repository_root()
        paths = find_chapters(chapters, root)
    except ChapterError as error:
        raise click.ClickException(str(error)) from error
    if parameters and output is None:
        raise click.UsageError("--parameter changes the numbers: name an --output file for them")
    if output is not None and len(paths) != 1:
        raise click.UsageError(f"--output takes one chapter, {len(paths)} were asked for")
    failed = False
    for path in paths:
        try:
            before = path.read_bytes()
            notebook = execute(path, {k: _parsed(v) for k, v in parameters}, progress=True)
            picture = cover(notebook)
            if output is None:
                write_back(notebook, path, before)
            else:
                write(notebook, output)
        except (ChapterError, OSError) as error:
            click.echo(f"{error}\n{path.stem}: not written", err=True)
            failed = True
            continue
        if output is None and picture is not None:
            try:
                write_cover(picture, path.stem, root)
            except OSError as error:
                click.echo(f"{error}\n{path.stem}: written, but not its cover", err=True)
                failed = True
                continue
        click.echo(f"{path.stem}: written to {output or path.relative_to(root)}")
    if failed:
        sys.exit(1)


@main.command("new-chapter")
@click.argument("name")
@click.option("--family", type=click.Choice([*FAMILIES]), required=True, help="Of the model.")
@click.option("--hidden-size", type=int, required=True, help="Of the model.")
@click.option("--seq-len", type=int, required=True, help="Of the model.")
def new_chapter_command(name: str, family: str, hidden_size: int, seq_len: int) -> None:
    """Begin a chapter on a model of the zoo: a notebook that runs, and its line in _toc.yml."""
    try:
        root = repository_root()
        new = write_new_chapter(name, family, hidden_size, seq_len, root)
    except (ChapterError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    path = new.path.relative_to(root)
    click.echo(
        f"{path}: written, and listed in _toc.yml, by size within its family, as\n"
        f"  {new.line}\n"
        "Add a row to the table in book/intro.md; the last column is yours:\n"
        f"  {new.row}\n"
        "Execute it, for its outputs are part of the file, and write: each 'Say' asks for a "
        "sentence of yours.\n"
        f"  .venv/bin/algzoo run {name}\n"
        f"  .venv/bin/jupyter lab {path}\n"
        "Does every number come out again? Does it keep to the rules for chapters?\n"
        f"  .venv/bin/algzoo check {name}\n"
        f"  .venv/bin/pytest tests/test_chapters.py tests/test_repository.py -k {name}\n"
        "  .venv/bin/ruff check analyses\n"
        f"Build the book, with its page _build/html/analyses/{name}.html, and check the pages.\n"
        "  .venv/bin/jupyter-book build . -q -W --keep-going -n\n"
        "  .venv/bin/pytest tests/test_book.py tests/test_accessibility.py\n"
        "CONTRIBUTING.md says more."
    )


@main.command("publish-at")
@click.argument("address")
def publish_at_command(address: str) -> None:
    """Set the ADDRESS of the book's repository on GitHub, for Binder and Colab; '' for none."""
    try:
        root = repository_root()
        for path in publish_at(address, root):
            click.echo(f"{path.relative_to(root)}: changed")
    except (ChapterError, OSError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("chapters", nargs=-1, metavar="[CHAPTER]...")
@click.option("--json", "as_json", is_flag=True, help="Print every number as JSON.")
def check(chapters: tuple[str, ...], as_json: bool) -> None:
    """Execute chapters (all where none is named) and compare their numbers with the committed ones.

    Nothing is written. Exit status 1 where a number moved, is missing or was altered by hand, or a
    chapter does not run. A chapter about one of ARC's own models whose file is not here is named as
    not checked, which is a failure only where it was asked for by name.
    """
    try:
        paths = find_chapters(chapters, repository_root())
    except ChapterError as error:
        raise click.ClickException(str(error)) from error
    rows: list[Comparison] = []
    broken: dict[str, str] = {}
    not_checked: dict[str, str] = {}
    for path in paths:
        try:
            committed = read(path)
            rows += compare(path.stem, committed, execute(path, progress=not as_json))
        except OfficialFileNeededError as error:
            not_checked[path.stem] = str(error)
        except ChapterError as error:
            broken[path.stem] = str(error)
    moved = [row for row in rows if not row.held]
    if as_json:
        numbers = [vars(row) for row in rows]
        found = {"numbers": numbers, "broken": broken, "not_checked": not_checked}
        click.echo(json.dumps(found, indent=1))
    else:
        _print_comparison(rows)
        for message in broken.values():
            click.echo(message, err=True)
        click.echo(
            f"{len(paths)} chapters, {len(rows)} numbers: {len(rows) - len(moved)} the same, "
            f"{len(moved)} not, {len(broken)} chapters did not run, {len(not_checked)} not checked"
        )
        for chapter, message in not_checked.items():
            click.echo(f"  {chapter}: not checked: {message}")
        for row in moved:
            click.echo(f"  {row.chapter}: {row.name}: {row.verdict}")
    # Asked for by name, a chapter that could not be checked did not hold.
    if broken or moved or (chapters and not_checked):
        sys.exit(1)


@main.command("train")
@click.argument("task", required=False)
@click.argument("hidden_size", type=int, required=False)
@click.argument("seq_len", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Train every size and seed of the zoo.")
@click.option(
    "--family",
    "families",
    multiple=True,
    metavar="NAME",
    help="With --all: of this family only; may be given again.",
)
@click.option("--seed", default=0, show_default=True, help="Of first weights and inputs.")
@click.option("--n-train", default=2**30, show_default=True, help="Training sequences.")
@click.option("--n-val", default=2**24, show_default=True, help="Validation sequences.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where checkpoints go; else $RESULTS_DIR, else the working directory.",
)
@click.option("--device", help="cpu or cuda; a GPU where there is one.")
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
    """Train by ARC's recipe; a run that was killed goes on when started again.

    Either one model, TASK being 2nd_argmax, argmedian, median or longest_cycle, or --all. All need
    a GPU, unless --n-train is small; their files are as the bundled ones.
    """
    if everything:
        _refuse(context, "is of one model: leave it out with --all", "task", "seed", "n_val")
    else:
        _refuse(context, "chooses among all models: it needs --all", "families")
        if task is None or hidden_size is None or seq_len is None:
            raise click.UsageError("Name a TASK, HIDDEN_SIZE and SEQ_LEN, or --all")
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
    except RuntimeError as error:  # of PyTorch, where the sizes do not fit into memory
        raise click.ClickException(str(error).splitlines()[0]) from error


def _refuse(context: click.Context, why: str, *names: str) -> None:
    """Raise a usage error if one of these parameters was given."""
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name)) is not ParameterSource.DEFAULT
        if parameter.name in names and given:
            raise click.UsageError(f"{parameter.get_error_hint(context)} {why}")


@main.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "everything", is_flag=True, help="Fetch all of ARC's final models.")
def fetch(names: tuple[str, ...], everything: bool) -> None:
    """Download ARC's own weights into the user cache; what is there already is not fetched again.

    A MODEL is called family_hidden_seq_nseqs_seed, for example 2nd_argmax_2_2_1073741824_2, or
    example_2nd_argmax.
    """
    if everything:
        names = (
            EXAMPLE,
            *(f"{f.name}_{d}_{n}_{CHECKPOINTS[-1]}_{s}" for f, d, n in sizes() for s in SEEDS),
        )
    if not names:
        raise click.UsageError("Name a MODEL, or --all")
    failed = 0
    for name in names:
        try:
            click.echo(f"{name}: {fetch_official(name, progress=not everything)}")
        except (OSError, ValueError) as error:
            click.echo(f"{name}: {error}", err=True)
            failed += 1
    if failed:
        raise click.ClickException(f"{failed} of {len(names)} models could not be fetched")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
@click.option(
    "--measure",
    type=click.IntRange(min=1),
    metavar="N",
    help="Measure all models again on N inputs each and write the package's scores.json.",
)
def models(as_json: bool, measure: int | None) -> None:
    """List the bundled models: size, parameters, best seed, score, and the score ARC published."""
    if measure is not None:
        _measure(measure)
    rows: list[dict[str, Any]] = []
    for family, hidden_size, seq_len in sizes():
        model = family.build(hidden_size, seq_len)
        seed = best_seed(family.name, hidden_size, seq_len)
        rows.append(
            {
                "family": family.name,
                "hidden_size": hidden_size,
                "seq_len": seq_len,
                "parameters": sum(p.numel() for p in model.parameters()),
                "best_seed": seed,
                "trained_to": family.trained_to,
                "measure": "RMSE" if family.measures_error else "accuracy",
                "score": measured_scores()[f"{family.name}_{hidden_size}_{seq_len}"]["scores"][
                    seed
                ],
                "published": published_score(family.name, hidden_size, seq_len),
            }
        )
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    listing = Table(*rows[0])
    for row in rows:
        listing.add_row(*(f"{v:.5f}" if isinstance(v, float) else str(v) for v in row.values()))
    console.print(listing)


@main.command()
@click.argument("hidden_size", type=int, default=16)
@click.argument("seq_len", type=int, default=10)
def benchmark(hidden_size: int, seq_len: int) -> None:
    """Time random sampling on a 2nd-argmax model, and the plain way, in turns.

    The plain way is the model's own forward pass and argsort in batches of 16384.
    """
    try:
        model = zoo_2nd_argmax(hidden_size, seq_len)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    measured = throughput(model)
    listing = Table(f"2nd argmax {hidden_size}, {seq_len}", "samples per second", "accuracy")
    listing.add_row(
        "forward and argsort", f"{measured.plain:.3g}", f"{measured.plain_accuracy:.5f}"
    )
    listing.add_row("sampling", f"{measured.fast:.3g}", f"{measured.fast_accuracy:.5f}")
    console.print(listing)
    click.echo(f"ratio {measured.ratio:.2f}, {torch.get_num_threads()} threads")


def _measure(n_samples: int) -> None:
    n_sizes = len(list(sizes()))
    measured = track(measure_all(n_samples), "measuring", total=n_sizes, console=console)
    models = {
        f"{family.name}_{hidden_size}_{seq_len}": {
            "best_seed": best_of(family, scores),
            "scores": scores,
        }
        for family, hidden_size, seq_len, scores in measured
    }
    write_scores({"n_samples": n_samples, "sample_seed": SAMPLE_SEED, "models": models})


def _print_comparison(rows: list[Comparison]) -> None:
    listing = Table()
    for heading in ("chapter", "number", "committed", "now", "tolerance", "verdict"):
        listing.add_column(heading, overflow="fold")
    for row in rows:
        tolerance = "equal" if row.tolerance is None else f"{row.tolerance:.1e}"
        cells = [row.chapter, row.name, _short(row.committed), _short(row.now), tolerance]
        listing.add_row(*cells, row.verdict, style=None if row.held else "bold red")
    console.print(listing)


def _short(value: object) -> str:
    text = "" if value is None else repr(value) if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _parsed(text: str) -> Any:
    """A parameter's value from the command line: JSON where it is, else the text itself.

    A weight file, alone or after a model's name and a colon, is found from wherever the chapter
    runs.
    """
    if text.endswith(WEIGHT_FILES):
        model_name, colon, file = text.rpartition(":")
        return f"{model_name}{colon}{Path(file).absolute()}"
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
