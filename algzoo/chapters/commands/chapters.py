"""Commands ``algzoo run``, ``check``, ``new-chapter`` and ``publish-at`` for notebooks."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from loky import cpu_count
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from ...zoo import FAMILIES
from ...zoo.weight_files import is_weight_file
from ..address import doubts, publish_at
from ..cover import cover, write_cover
from ..machine import machine
from ..notebooks import (
    ChapterError,
    OfficialFileNeededError,
    find_chapters,
    parsed,
    repository_root,
    write,
    write_back,
)
from ..running import Ended, execute_all
from ..statements import Comparison, compare

# What may precede a colon and the path of a file; see algzoo.scoring.base_named.
_MODEL = re.compile(rf"({'|'.join(FAMILIES)})_\d+_\d+")

_JOBS = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Number of chapters that run at the same time; by default the number of cores.",
)


@click.command()
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
@_JOBS
def run(
    chapters: tuple[str, ...],
    parameters: tuple[tuple[str, str], ...],
    output: Path | None,
    jobs: int | None,
) -> None:
    """Execute chapters (all if none is named) and write their notebooks.

    If a cell of a chapter raises an error, or if the chapter is changed while it runs, its notebook
    stays as it was.
    """
    root, paths = _found(chapters)
    if parameters and output is None:
        raise click.UsageError("--parameter changes the numbers, so give an --output file for them")
    if output is not None and len(paths) != 1:
        raise click.UsageError(f"--output needs exactly one chapter; you named {len(paths)}")
    failed = []

    def written(result: Ended, say: Callable[[str], None]) -> None:
        name = result.path.stem
        try:
            if isinstance(result.outcome, ChapterError):
                raise result.outcome
            picture = cover(result.outcome)
            if output is None:
                write_back(result.outcome, result.path, result.before)
            else:
                write(result.outcome, output)
        except (ChapterError, OSError) as error:
            click.echo(f"{error}\n{name}: not written", err=True)
            failed.append(name)
            return
        if output is None and picture is not None:
            try:
                write_cover(picture, name, root)
            except OSError as error:
                click.echo(f"{error}\n{name}: written, but not its cover", err=True)
                failed.append(name)
                return
        where = output or result.path.relative_to(root)
        say(f"{name}: written to {where} ({result.seconds:.0f} s)")

    values = {name: _parameter(text) for name, text in parameters}
    _execute(paths, values, jobs, written)
    if failed:
        sys.exit(1)


@click.command()
@click.argument("chapters", nargs=-1, metavar="[CHAPTER]...")
@_JOBS
@click.option(
    "--all", "everything", is_flag=True, help="Print every number, not only those that moved."
)
@click.option("--json", "as_json", is_flag=True, help="Print every number as JSON.")
def check(chapters: tuple[str, ...], jobs: int | None, everything: bool, as_json: bool) -> None:
    """Execute chapters (all if none is named) and compare their numbers with the committed ones.

    Nothing is written. The exit status is 1 if a number moved, is missing or was altered by hand,
    or if a chapter does not run. A chapter about one of ARC's own models whose file is not here is
    reported as not checked, which is a failure only if you named it.
    """
    _, paths = _found(chapters)
    compared: dict[str, list[Comparison]] = {}
    broken: dict[str, str] = {}
    not_checked: dict[str, str] = {}

    def compare_with_committed(result: Ended, say: Callable[[str], None]) -> None:
        name = result.path.stem
        duration = f"({result.seconds:.0f} s)"
        if isinstance(result.outcome, OfficialFileNeededError):
            not_checked[name] = str(result.outcome)
            say(f"{name}: not checked: {result.outcome}")
        elif isinstance(result.outcome, ChapterError):
            broken[name] = str(result.outcome)
            say(f"{name}: did not run {duration}")
        else:
            rows = compare(name, parsed(result.before, result.path), result.outcome)
            compared[name] = rows
            n_moved = sum(not row.held for row in rows)
            found = f"{n_moved} moved" if n_moved else "the same"
            say(f"{name}: {_count(len(rows), 'number')}, {found} {duration}")

    _execute(paths, {}, jobs, compare_with_committed, quiet=as_json)
    rows = [row for path in paths for row in compared.get(path.stem, [])]
    moved = [row for row in rows if not row.held]
    here = machine()
    if "OMP_NUM_THREADS" not in os.environ:
        here = replace(here, threads=1)  # the kernels' number; this process has one for each core
    if as_json:
        numbers = [vars(row) for row in rows]
        found = {"numbers": numbers, "broken": broken, "not_checked": not_checked}
        click.echo(json.dumps(found | {"machine": asdict(here)}, indent=1))
    else:
        for row in rows if everything else moved:
            click.echo(_line(row))
        for message in broken.values():
            click.echo(message, err=True)
        click.echo(
            f"{_count(len(paths), 'chapter')}, {_count(len(rows), 'number')}: "
            f"{len(rows) - len(moved):,} the same, {len(moved):,} not; "
            f"{_count(len(broken), 'chapter')} did not run, {len(not_checked)} not checked."
        )
        click.echo("Computed on " + str(here).replace("; numpy", ";\nnumpy") + ".")
    # A chapter that was asked for by name and could not be checked counts as a failure.
    if broken or moved or (chapters and not_checked):
        sys.exit(1)


@click.command("new-chapter")
@click.argument("name")
@click.option("--family", type=click.Choice([*FAMILIES]), required=True, help="Task of the model.")
@click.option("--hidden-size", type=int, required=True, help="Number of neurons.")
@click.option("--seq-len", type=int, required=True, help="Number of inputs.")
def new_chapter_command(name: str, family: str, hidden_size: int, seq_len: int) -> None:
    """Start a chapter on a model of the zoo: a notebook that runs, and its line in _toc.yml."""
    from ..new_chapter import write_new_chapter  # imports all estimators, which takes seconds

    try:
        root = repository_root()
        new = write_new_chapter(name, family, hidden_size, seq_len, root)
    except (ChapterError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    path = new.path.relative_to(root)
    click.echo(
        f"{path}: written, and listed in _toc.yml, by size within its family, as\n"
        f"  {new.line}\n"
        "Add this row to the table in book/intro.md, and write its last column:\n"
        f"  {new.row}\n"
        "Execute the chapter, because its outputs are part of the file. Then edit it: replace each "
        "sentence that begins with 'Say' by your own.\n"
        f"  .venv/bin/algzoo run {name}\n"
        f"  .venv/bin/jupyter lab {path}\n"
        "Check that every number is reproduced, and that the chapter keeps to the rules:\n"
        f"  .venv/bin/algzoo check {name}\n"
        f"  .venv/bin/pytest tests/test_chapters.py tests/test_repository.py -k {name}\n"
        "  .venv/bin/ruff check analyses\n"
        f"Build the book, read the page _build/html/analyses/{name}.html, and check the pages:\n"
        "  .venv/bin/jupyter-book build . -q -W --keep-going -n\n"
        "  .venv/bin/pytest tests/test_book.py tests/test_accessibility.py\n"
        "CONTRIBUTING.md explains these steps."
    )


@click.command("publish-at")
@click.argument("address")
def publish_at_command(address: str) -> None:
    """Set the ADDRESS of the book's repository on GitHub, for Binder and Colab; '' for none."""
    try:
        root = repository_root()
        for path in publish_at(address, root):
            click.echo(f"{path.relative_to(root)}: changed")
        for doubt in doubts(address, root):
            click.echo(doubt, err=True)
    except (ChapterError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _found(chapters: tuple[str, ...]) -> tuple[Path, list[Path]]:
    """Return the root of the clone, and the notebooks of these chapters."""
    try:
        root = repository_root()
        return root, find_chapters(chapters, root)
    except ChapterError as error:
        raise click.ClickException(str(error)) from error


def _execute(
    paths: Sequence[Path],
    parameters: Mapping[str, Any],
    jobs: int | None,
    report: Callable[[Ended, Callable[[str], None]], None],
    *,
    quiet: bool = False,
) -> None:
    """Execute chapters; ``report`` gets each result, and a function to print a line about it.

    Nothing is printed if ``quiet``; progress bars are only shown in a terminal.
    """
    console = Console(highlight=False, quiet=quiet)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    bars = Progress(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        redirect_stderr=sys.stderr.isatty(),
        disable=not sys.stdout.isatty(),
    )
    tasks: dict[Path, TaskID] = {}

    def cell_done(path: Path, done: int, of: int) -> None:
        if path not in tasks:
            tasks[path] = bars.add_task(path.stem, total=of)
        bars.update(tasks[path], completed=done)

    def ended(result: Ended) -> None:
        if result.path in tasks:
            bars.remove_task(tasks.pop(result.path))
        report(result, lambda line: console.print(line, markup=False, soft_wrap=True))

    with bars:
        execute_all(paths, parameters, jobs or cpu_count(), ended, cell_done)


def _line(row: Comparison) -> str:
    """Describe one number."""
    tolerance = "must be equal" if row.tolerance is None else f"tolerance {row.tolerance:.1e}"
    values = row.committed, row.now
    committed, now = ("nothing" if value is None else repr(value) for value in values)
    what = f"{committed} committed, {now} now, {tolerance}"
    return f"{row.chapter}: {row.name}: {what}: {row.verdict}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _parameter(text: str) -> Any:
    """Parse a parameter's value from the command line: as JSON if it is, otherwise as plain text.

    The path of a weight file, alone or after a model's name and a colon, is made absolute, because
    the chapter runs in another folder.
    """
    if is_weight_file(text):
        model_name, colon, file = text.partition(":")
        if colon and _MODEL.fullmatch(model_name) and not Path(text).exists():
            return f"{model_name}:{Path(file).absolute()}"
        return str(Path(text).absolute())
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
