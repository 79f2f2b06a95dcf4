"""``algzoo challenge --round``: the scores of an estimator on a round, and its entry."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import check_submission
from .tables import print_table, progress_bar, ratio_in_words, wide_console

if TYPE_CHECKING:
    from ...scoring.compute.entries import Entry, Result
    from ...scoring.compute.leaderboard import Split


def score_in_round(
    round_name: str,
    estimators: tuple[str, ...],
    split: Split | None,
    submit: Path | None,
    author: str | None,
    link: str | None,
    workers: int | None,
    time_limit: float,
) -> None:
    """Score one estimator on the populations of a round, print the scores and write the entry."""
    from ...scoring.compute.challenge import Workers
    from ...scoring.compute.entering import HOW_TO_GET, entered
    from ...scoring.compute.entries import entry_from, write_entry
    from ...scoring.compute.named import UnknownEstimator
    from ...scoring.compute.rounds import round_named
    from ...scoring.compute.sandbox import EstimatorFailure
    from ...scoring.compute.truth import TruthCache
    from ...zoo.truth_folder import truth_folder

    if len(estimators) != 1:
        raise click.UsageError("--round scores one estimator at a time: name one --estimator")
    try:
        if submit is not None:
            check_submission(submit, author, link)
        its_round = round_named(round_name)
        with progress_bar() as bar:
            task = bar.add_task("scoring", total=None)
            pool = Workers(
                workers=workers,
                time_limit=time_limit,
                seed=its_round.seed,
                progress=lambda done, known: bar.update(task, completed=done, total=known),
            )
            cache = TruthCache(truth_folder())
            entry = entered(
                estimators[0],
                its_round,
                pool,
                cache,
                author=author or "unnamed",
                link=link,
                split=split,
            )
        if submit is not None:
            write_entry(submit, entry, entry_from)
    except UnknownEstimator as error:
        raise click.UsageError(str(error)) from error
    except (EstimatorFailure, ValueError, OSError, BrokenExecutor) as error:
        raise click.ClickException(str(error)) from error
    _print(entry)
    if entry.missing:
        click.echo(
            f"Not scored, because ARC's file is not here: {'; '.join(entry.missing)}. {HOW_TO_GET}."
        )
    if submit is not None:
        click.echo(f"Written: {submit}")


def _print(entry: Entry) -> None:
    console = wide_console()
    facts = entry.facts
    console.print(
        f"{entry.name}, round {entry.round}. Runs the network: {facts.runs_network}; result: "
        f"{facts.exact}; fitted constants: {facts.constants}; bits of advice: "
        f"{facts.advice_bits:.4g}; tuned on: {facts.tuned_on}."
    )
    print_table(console, _HEADINGS, [_cells(result) for result in entry.results])


_HEADINGS = (
    *("population", "models", "operations", "inputs", "bias", "RMS", "R", "R, prior-shrunk"),
    *("R, best sampler", "best sampler"),
)


def _cells(result: Result) -> list[str]:
    return [
        result.population,
        str(result.models),
        f"{result.operations:.4g}",
        f"{result.samples:.4g}",
        f"{result.bias:.2g}",
        f"{result.rms:.3g}",
        ratio_in_words(result.ratio),
        ratio_in_words(result.shrunk_ratio),
        ratio_in_words(result.sampler_ratio),
        result.best_sampler or "–",
    ]
