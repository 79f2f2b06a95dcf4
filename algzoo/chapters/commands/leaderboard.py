"""``algzoo leaderboard``: the entries as a table, as the page of the book, or checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import WORKERS
from .tables import print_table, wide_console

if TYPE_CHECKING:
    from ...scoring.compute.entries import Entry
    from ...scoring.rare.entries import RareEntry


@click.command("leaderboard")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Compute all scores and some estimates again.")
@click.option(
    "--models",
    "n_models",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="With --check: on how many models of each population, or tasks of a round of rare "
    "outputs at each budget, the estimator is called.",
)
@click.option(
    "--strict", is_flag=True, help="With --check: fail if something cannot be checked here."
)
@WORKERS
@click.option("--page", is_flag=True, help="Print the page *The leaderboard* of the book.")
def leaderboard_command(
    files: tuple[Path, ...],
    check: bool,
    n_models: int,
    strict: bool,
    workers: int | None,
    page: bool,
) -> None:
    """List the entries of the leaderboard, or check them.

    FILES are entries or folders of entries; by default those of this clone. With --check, every
    score is computed again from the entry's estimates, and the estimator is called again on a few
    models that a hash of the file picks. This runs the code of the entries. The exit status is 1 if
    something differs, with a line for each difference.
    """
    from ...scoring.compute.checked_json import EntryError
    from ...scoring.rare.entries import RareEntry, read_any_entry

    if strict and not check:
        raise click.UsageError("--strict needs --check")
    if page and (check or files):
        raise click.UsageError("--page prints the entries of this clone: give nothing else with it")
    problems = []
    entries: dict[Path, Entry] = {}
    rare: dict[Path, RareEntry] = {}
    for path in _paths(files):
        try:
            entry = read_any_entry(path)
            if isinstance(entry, RareEntry):
                rare[path] = entry
            else:
                entries[path] = entry
        except EntryError as error:
            problems.append(str(error))
    if check:
        problems += _checked(entries, n_models, strict, workers)
        problems += _checked_rare(rare, n_models, strict, workers)
    elif page:
        from ..leaderboard_page import leaderboard_page

        click.echo(
            leaderboard_page(
                {path.name: entry for path, entry in entries.items()},
                {path.name: entry for path, entry in rare.items()},
            ),
            nl=False,
        )
    else:
        problems += _print(entries)
        problems += _print_rare(rare)
    for problem in problems:
        click.echo(problem, err=not check)
    if problems:
        raise click.exceptions.Exit(1)


def _paths(files: Sequence[Path]) -> list[Path]:
    """The files of entries that were named, or those of the clone."""
    from ..notebooks import ChapterError, repository_root

    if not files:
        try:
            folder = repository_root() / "analyses" / "leaderboard"
            files = [folder, folder / "rare"]
        except ChapterError as error:
            raise click.ClickException(f"{error}, or name files of entries") from error
    found: list[Path] = []
    for path in files:
        if path.is_dir():
            found += sorted(path.glob("*.json"))
        elif path.is_file():
            found.append(path)
        else:
            raise click.ClickException(f"There is no file {path}")
    if not found:
        raise click.ClickException(f"There is no entry in {', '.join(map(str, files))}")
    return found


def _checked(
    entries: dict[Path, Entry], n_models: int, strict: bool, workers: int | None
) -> list[str]:
    """Print a line for each entry that holds, and return what does not."""
    from ...scoring.compute.challenge import Workers
    from ...scoring.compute.entering import HOW_TO_GET, NotCheckable, recomputed
    from ...scoring.compute.entries import disagreements
    from ...scoring.compute.rounds import round_named
    from ...scoring.compute.truth import TruthCache
    from ...zoo.truth_folder import truth_folder

    problems: list[str] = []
    for path, entry in entries.items():
        found = disagreements(entry)
        if found:
            problems += [f"{path.name}: {problem}" for problem in found]
            continue
        pool = Workers(workers=workers, seed=round_named(entry.round).seed)
        try:
            again = recomputed(entry, n_models, pool, TruthCache(truth_folder()))
        except NotCheckable as reason:
            said = f"{path.name}: its scores follow from its estimates; not checkable: {reason}"
            if strict:
                problems.append(said)
            else:
                click.echo(said)
            continue
        if again.skipped:
            skipped = f"{path.name}: ARC's file is not here, for {'; '.join(again.skipped)}"
            if strict:
                problems.append(f"{skipped}: {HOW_TO_GET}")
            else:
                click.echo(f"{skipped} (not called again)")
        problems += [f"{path.name}: {problem}" for problem in again.problems]
        if not again.problems:
            click.echo(f"{path.name}: {again.n_estimates} estimates were computed again and hold")
    return problems


def _checked_rare(
    entries: dict[Path, RareEntry], n_tasks: int, strict: bool, workers: int | None
) -> list[str]:
    """Check entries of rounds of rare outputs; as :func:`_checked`."""
    from ...scoring.compute.challenge import Workers
    from ...scoring.compute.entering import NotCheckable
    from ...scoring.rare.entering import rare_recomputed
    from ...scoring.rare.entries import rare_disagreements

    problems: list[str] = []
    for path, entry in entries.items():
        found = rare_disagreements(entry)
        if found:
            problems += [f"{path.name}: {problem}" for problem in found]
            continue
        try:
            again = rare_recomputed(entry, n_tasks, Workers(workers=workers))
        except NotCheckable as reason:
            said = f"{path.name}: its losses follow from its estimates; not checkable: {reason}"
            if strict:
                problems.append(said)
            else:
                click.echo(said)
            continue
        problems += [f"{path.name}: {problem}" for problem in again.problems]
        if not again.problems:
            click.echo(f"{path.name}: {again.n_estimates} estimates were computed again and hold")
    return problems


def _print(entries: dict[Path, Entry]) -> list[str]:
    """Print a table for each round, and return what is wrong with entries that are in none."""
    from ...scoring.compute.entries import rank
    from ...scoring.compute.rounds import round_named, round_names

    console = wide_console()
    for name in reversed(round_names()):
        of_round = [entry for entry in entries.values() if entry.round == name]
        if not of_round:
            continue
        its_round = round_named(name)
        console.print(f"Round {name}. {its_round.about} R against prior-shrunk sampling:")
        of_round.sort(key=lambda entry: (rank(entry, its_round.main), entry.name))
        rows = [_cells(entry, list(its_round.populations)) for entry in of_round]
        headings = ("estimator", "inputs", *its_round.populations, "by")
        print_table(console, headings, rows, left=["by"])
    return [
        f"{path.name}: there is no round {entry.round!r}"
        for path, entry in entries.items()
        if entry.round not in round_names()
    ]


def _cells(entry: Entry, populations: Sequence[str]) -> list[str]:
    from ...scoring.compute.entries import rank

    samples = next((result.samples for result in entry.results), None)
    ratios = (rank(entry, name) for name in populations)
    return [
        entry.name,
        "–" if samples is None else f"{samples:,.0f}",
        *("–" if math.isinf(ratio) else f"{ratio:.2g}" for ratio in ratios),
        entry.author,
    ]


def _print_rare(entries: dict[Path, RareEntry]) -> list[str]:
    """Print a table for each round of rare outputs; as :func:`_print`."""
    from ...scoring.rare.entries import rare_rank
    from ...scoring.rare.rounds import rare_round_named, rare_round_names
    from .rare import interval_in_words

    console = wide_console()
    for name in reversed(rare_round_names()):
        of_round = [entry for entry in entries.values() if entry.round == name]
        if not of_round:
            continue
        its_round = rare_round_named(name)
        console.print(f"Round {name}. {its_round.about} Loss after the fit, by budget:")
        of_round.sort(key=lambda entry: (rare_rank(entry), entry.name))
        rows = []
        for entry in of_round:
            results = [entry.result(budget) for budget in its_round.budgets]
            tasks = max((one.tasks for one in results if one), default=0)
            after = [one.loss_after_fit if one else None for one in results]
            cells = ("–" if one is None else interval_in_words(one) for one in after)
            rows.append([entry.name, f"{tasks}/{len(its_round.tasks)}", *cells, entry.author])
        headings = ("method", "tasks", *map(str, its_round.budgets), "by")
        print_table(console, headings, rows, left=["by"])
    return [
        f"{path.name}: there is no round {entry.round!r}"
        for path, entry in entries.items()
        if entry.round not in rare_round_names()
    ]
