"""``algzoo rare``: methods for rare events, on a model, on a round, and the table of the book."""

from __future__ import annotations

import json
import math
import statistics
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .options import WORKERS, check_submission
from .tables import print_table, progress_bar, wide_console

# What needs SciPy and Numba is imported where it is used: that takes two seconds.
if TYPE_CHECKING:
    from ...scoring.compute.challenge import Workers
    from ...scoring.rare.calls import Answer
    from ...scoring.rare.entries import RareEntry, RareResult
    from ...scoring.rare.tasks import Probability, RareTask

_OF_A_MODEL = {
    "model_name": "--model",
    "event_kind": "--event",
    "threshold": "--threshold",
    "budget": "--budget",
    "n_seeds": "--seeds",
    "truth_samples": "--truth-samples",
    "as_json": "--json",
}
_OF_A_ROUND = {"submit": "--submit", "author": "--author", "link": "--link"}
_OF_ESTIMATORS = {"estimators": "--estimator", "temperature": "--temperature"}


@click.command("rare")
@click.option("--model", "model_name", help="For example 2nd_argmax_2_2.")
@click.option(
    "--event",
    "event_kind",
    type=click.Choice(["wrong answer", "smallest named", "largest named", "squared error"]),
    default="wrong answer",
    show_default=True,
    help="What happens: the model errs; it names the smallest input, or the largest, as the "
    "second largest; its squared error is large (median models).",
)
@click.option(
    "--threshold",
    type=float,
    default=0.0,
    show_default=True,
    help="By how much: a margin of the logits, for the largest input its lead, or a squared error.",
)
@click.option(
    "--estimator",
    "estimators",
    multiple=True,
    metavar="NAME|MODULE:NAME",
    help="One of the book's methods, or a function (event, budget, seed) -> Estimate.",
)
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    default=2**16,
    show_default=True,
    help="Forward passes of an estimate.",
)
@click.option(
    "--seeds",
    "n_seeds",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="Number of estimates, with seeds from 0.",
)
@click.option(
    "--temperature",
    type=float,
    help="For methods that need one; else the one that was chosen on other models.",
)
@click.option(
    "--truth-samples",
    type=click.IntRange(min=1),
    default=2**24,
    show_default=True,
    help="Inputs on which the event is counted where its exact probability is not known.",
)
@WORKERS
@click.option("--time-limit", default=60.0, show_default=True, help="Seconds an estimate.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option(
    "--round",
    "round_name",
    metavar="NAME",
    help="Score on the tasks of a round, such as rare-2026-12 or rare-trial.",
)
@click.option(
    "--submit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --round: write an entry of the leaderboard.",
)
@click.option("--author", help="With --submit: your name, as the leaderboard shows it.")
@click.option("--link", help="With --submit: an address where to read about the method.")
@click.option("--table", "make_table", is_flag=True, help="Make the table of the book again.")
@click.option(
    "--check",
    "n_checked",
    type=click.IntRange(min=1),
    metavar="N",
    help="Recompute the estimates of the table for N tasks of each method, and compare.",
)
@click.pass_context
def rare_command(
    ctx: click.Context,
    model_name: str | None,
    event_kind: Any,
    threshold: float,
    estimators: tuple[str, ...],
    budget: int,
    n_seeds: int,
    temperature: float | None,
    truth_samples: int,
    workers: int | None,
    time_limit: float,
    as_json: bool,
    round_name: str | None,
    submit: Path | None,
    author: str | None,
    link: str | None,
    make_table: bool,
    n_checked: int | None,
) -> None:
    """Score estimates of the probability of a rare event.

    On an event of a model (--model), beside its true probability; on the tasks of a round
    (--round), whose true probabilities are fixed, so that scores can be compared with those of
    others; --submit writes them into an entry of the leaderboard. The loss is p / q - ln(p / q) - 1
    for the true probability p and the estimate q. Exit status 0 only if every method was scored.

    The book's table of all methods is made by --table, in ten minutes on one core, or only the part
    of some methods with --estimator; it is checked by --check.
    """
    from ...scoring.compute.challenge import Workers
    from ...scoring.compute.named import UnknownEstimator
    from ...scoring.compute.sandbox import EstimatorFailure

    given = {"--model": model_name, "--round": round_name, "--table": make_table or None}
    chosen = [option for option, value in given.items() if value is not None]
    if n_checked is not None:
        chosen.append("--check")
    if len(chosen) != 1:
        said = f", not {' and '.join(chosen)}" if chosen else ""
        raise click.UsageError(f"Say one of --model, --round, --table and --check{said}")
    allowed = {
        "--model": {**_OF_A_MODEL, **_OF_ESTIMATORS},
        "--round": {"round_name": "--round", **_OF_A_ROUND, **_OF_ESTIMATORS},
        "--table": {"estimators": "--estimator"},
    }.get(chosen[0], {})
    _refuse_others(ctx, chosen[0], allowed)
    if chosen[0] in ("--model", "--round") and not estimators:
        raise click.UsageError("Say which method: --estimator")
    with progress_bar() as bar:
        task = bar.add_task("estimating", total=None)
        pool = Workers(
            workers=workers,
            time_limit=time_limit,
            progress=lambda done, known: bar.update(task, completed=done, total=known),
        )
        try:
            if round_name is not None:
                _score_in_round(round_name, estimators, temperature, submit, author, link, pool)
            elif model_name is not None:
                from ...scoring.rare.tasks import RareTask, Trained

                rare = RareTask(
                    model_name, "trained", Trained(model_name), threshold, "scored", event_kind
                )
                _score_on_model(
                    rare, estimators, budget, n_seeds, temperature, truth_samples, as_json, pool
                )
            elif make_table:
                from ...scoring.rare import table

                click.echo(f"Written: {table.write(table.full(workers, estimators))}")
            else:
                assert n_checked is not None
                _check_table(n_checked)
        except UnknownEstimator as error:
            raise click.UsageError(str(error)) from error
        except (EstimatorFailure, TypeError, ValueError, OSError, BrokenExecutor) as error:
            raise click.ClickException(str(error)) from error


def _refuse_others(ctx: click.Context, chosen: str, allowed: dict[str, str]) -> None:
    """Refuse options that do not go with the chosen one."""
    known = {**_OF_A_MODEL, **_OF_A_ROUND, **_OF_ESTIMATORS}
    wrong = [
        option
        for name, option in known.items()
        if name not in allowed
        and option != chosen
        and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if wrong:
        raise click.UsageError(f"{' and '.join(wrong)} cannot be given with {chosen}")


def _score_on_model(
    task: RareTask,
    estimators: tuple[str, ...],
    budget: int,
    n_seeds: int,
    temperature: float | None,
    truth_samples: int,
    as_json: bool,
    pool: Workers,
) -> None:
    from functools import partial

    from ...scoring.compute.challenge import surroundings
    from ...scoring.rare.calls import Request, answers, job_of, rare_entrant_named
    from ...scoring.rare.entering import temperature_of
    from ...scoring.rare.tasks import true_probability

    entrants = [rare_entrant_named(name) for name in estimators]
    temperatures = [
        temperature_of(one, budget, temperature if one.needs_temperature else None)
        for one in entrants
    ]
    if temperature is not None and not any(one.needs_temperature for one in entrants):
        raise click.UsageError(f"--temperature: {' and '.join(estimators)} need none")
    truth = true_probability(task, truth_samples)
    _refuse_certain(truth, truth_samples)
    path, limit = surroundings(pool)
    jobs = {}
    for number, (one, heat) in enumerate(zip(entrants, temperatures, strict=True)):
        requests = [Request(task, budget, seed, heat) for seed in range(n_seeds)]
        jobs[number] = partial(answers, job_of(one), requests, path=path, time_limit=limit)
    found = pool.do(jobs)
    records = [
        _record(one.name, heat, truth, found[number])
        for number, (one, heat) in enumerate(zip(entrants, temperatures, strict=True))
    ]
    head = {
        "model": task.name,
        "event": task.event_kind,
        "threshold": task.threshold,
        "truth": truth.value,
        "truth_std": truth.std,
        "budget": budget,
    }
    if as_json:
        click.echo(json.dumps({**head, "methods": records}, indent=1, allow_nan=False))
    else:
        _print(head, records)
    if any(record["failure"] for record in records):
        sys.exit(1)


def _refuse_certain(truth: Probability, n_samples: int) -> None:
    if truth.value == 0:
        if truth.std is None:
            raise ValueError("The event never happens: its probability is exactly 0")
        raise ValueError(
            f"The event did not happen on {n_samples} inputs, so that its probability is not "
            "known: raise --truth-samples, or choose another threshold"
        )
    if truth.value >= 1:
        raise ValueError("The event always happens: its probability is 1")


def _record(
    name: str, temperature: float | None, truth: Probability, found: list[Answer | None] | str
) -> dict[str, Any]:
    from ...scoring.rare.metric import itakura_saito

    failure = found if isinstance(found, str) else None
    made = [] if isinstance(found, str) else [one for one in found if one is not None]
    if failure is None and not made:
        failure = "is not for this event"
    losses = [float(one) for one in itakura_saito(truth.value, [one.value for one in made])]
    return {
        "name": name,
        "temperature": temperature,
        "failure": failure,
        "estimates": [one.value for one in made],
        "losses": [one if math.isfinite(one) else None for one in losses],
        "zeros": sum(one.value == 0 for one in made),
        "hits": [one.hits for one in made],
        "effective_sample_sizes": [one.effective_sample_size for one in made],
        "operations": [one.operations for one in made],
        "runs_network": made[0].runs_network if made else None,
    }


_HEADINGS = (
    *("method", "median", "least", "greatest", "ratio", "loss", "zeros", "hits"),
    *("effective", "operations", "temperature"),
)


def _print(head: dict[str, Any], records: list[dict[str, Any]]) -> None:
    console = wide_console()
    std = head["truth_std"]
    truth = f"{head['truth']:.6g}, exact" if std is None else f"{head['truth']:.4g} ± {std:.1g}"
    console.print(
        f"{head['model']}, event {head['event']!r}, threshold {head['threshold']:g}: probability "
        f"{truth}; {head['budget']} forward passes an estimate"
    )
    scored = [record for record in records if record["failure"] is None]
    if scored:
        print_table(console, _HEADINGS, [_cells(record, head["truth"]) for record in scored])
    for record in records:
        if record["failure"]:
            console.print(f"{record['name']}: not scored: {record['failure']}")


def _cells(record: dict[str, Any], truth: float) -> list[str]:
    estimates = record["estimates"]
    median = statistics.median_low(estimates)
    losses = [math.inf if loss is None else loss for loss in record["losses"]]
    return [
        record["name"],
        *(f"{value:.3g}" for value in (median, min(estimates), max(estimates), median / truth)),
        f"{statistics.fmean(losses):.3g}",
        f"{record['zeros']}/{len(estimates)}",
        _middle(record["hits"]),
        _middle(record["effective_sample_sizes"]),
        f"{statistics.fmean(record['operations']):.3g}",
        "–" if record["temperature"] is None else f"{record['temperature']:g}",
    ]


def _middle(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.median_low(known):.4g}" if known else "–"


def _score_in_round(
    round_name: str,
    estimators: tuple[str, ...],
    temperature: float | None,
    submit: Path | None,
    author: str | None,
    link: str | None,
    pool: Workers,
) -> None:
    from ...scoring.compute.entries import write_entry
    from ...scoring.rare.entering import rare_entered
    from ...scoring.rare.entries import any_entry_from
    from ...scoring.rare.rounds import rare_round_named

    if len(estimators) != 1:
        raise click.UsageError("--round scores one method at a time: name one --estimator")
    if submit is None:
        for option, value in (("--author", author), ("--link", link)):
            if value is not None:
                raise click.UsageError(f"{option} goes with --submit")
    else:
        check_submission(submit, author, link)
    entry = rare_entered(
        estimators[0],
        rare_round_named(round_name),
        pool,
        author=author or "unnamed",
        link=link,
        temperature=temperature,
    )
    if submit is not None:
        write_entry(submit, entry, any_entry_from)
    _print_entry(entry)
    if submit is not None:
        click.echo(f"Written: {submit}")


def _print_entry(entry: RareEntry) -> None:
    console = wide_console()
    console.print(
        f"{entry.name}, round {entry.round}. Runs the network: {entry.runs_network}; tuned on: "
        f"{entry.tuned_on}."
    )
    headings = ("budget", "tasks", "zeros", "loss", "of those not infinite", "after fit", "worst")
    print_table(console, headings, [_result_cells(one) for one in entry.results], left=["worst"])


def _result_cells(result: RareResult) -> list[str]:
    return [
        str(result.budget),
        f"{result.tasks}/{len(result.estimates)}",
        f"{result.zeros}/{result.tasks * result.seeds}",
        interval_in_words(result.loss),
        "–" if result.loss_of_finite is None else f"{result.loss_of_finite:.3g}",
        "–" if result.loss_after_fit is None else interval_in_words(result.loss_after_fit),
        result.worst,
    ]


def interval_in_words(values: tuple[float | None, ...]) -> str:
    """Return a mean loss with its interval, to two digits; ``None`` stands for infinity."""
    value, low, high = ("∞" if one is None else f"{one:.2g}" for one in values)
    return value if value == low == high else f"{value} [{low}, {high}]"


def _check_table(n_tasks: int) -> None:
    from ...scoring.rare.table import bundled, recomputed

    n_numbers, n_moved = 0, 0
    for again in recomputed(bundled(), n_tasks, greatest_budget=2**20):
        n_numbers += 1
        if not again.held:
            n_moved += 1
            click.echo(str(again))
    click.echo(f"{n_numbers} numbers: {n_moved} moved")
    if n_moved:
        raise click.exceptions.Exit(1)
