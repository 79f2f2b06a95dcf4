"""``algzoo challenge``: anybody's estimator against random sampling, from the command line."""

from __future__ import annotations

import json
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from rich.console import Console

from .options import WORKERS
from .round_scores import score_in_round
from .tables import print_table, progress_bar, ratio_in_words, wide_console

# The estimators are imported where they are used: with SciPy and Numba they take two seconds.
if TYPE_CHECKING:
    from ...scoring import Leaderboard, Row
    from ...scoring.compute.leaderboard import Split
    from ...zoo.populations import Population


@click.command()
@click.option("--model", "model_name", help="Model to score on, for example 2nd_argmax_16_10.")
@click.option(
    "--sd", type=click.FloatRange(min=0), help="Standard deviation of the noise on the weights."
)
@click.option(
    "--relative", is_flag=True, help="Multiply weights by 1 + noise instead of adding noise."
)
@click.option(
    "--models", "n_models", default=256, show_default=True, help="Number of noisy copies."
)
@click.option("--seeds", is_flag=True, help="Score on all training seeds of the model's size.")
@click.option(
    "--estimator",
    "estimators",
    multiple=True,
    required=True,
    metavar="MODULE:NAME",
    help="A function model -> Estimate, an Entrant, or a list of these; or the name of an "
    "estimator of the catalogue (algzoo estimators).",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the noise and the bootstrap.")
@click.option(
    "--truth-samples",
    default=2**20,
    show_default=True,
    help="Inputs that give the true score where no exact method is known.",
)
@WORKERS
@click.option(
    "--time-limit", default=60.0, show_default=True, help="Seconds that one call may take."
)
@click.option(
    "--transcendental-price",
    type=click.IntRange(min=1),
    help="Operations that a square root or a transcendental function counts as; by default 10.",
)
@click.option(
    "--round",
    "round_name",
    metavar="NAME",
    help="Score on the populations of a round of the leaderboard, such as 2026-12 or trial.",
)
@click.option(
    "--submit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --round: write an entry of the leaderboard.",
)
@click.option(
    "--split",
    type=click.Choice(["zero-shot", "seed-agnostic", "model-specific"]),
    help="With --round: use constants as they are, or fit them on other seeds or on noisy copies.",
)
@click.option("--author", help="With --submit: your name, as the leaderboard shows it.")
@click.option("--link", help="With --submit: the address of a page about the estimator.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw error against compute into this .svg file.",
)
@click.pass_context
def challenge(
    ctx: click.Context,
    model_name: str | None,
    sd: float | None,
    relative: bool,
    n_models: int,
    seeds: bool,
    estimators: tuple[str, ...],
    seed: int,
    truth_samples: int,
    workers: int | None,
    time_limit: float,
    transcendental_price: int | None,
    round_name: str | None,
    submit: Path | None,
    split: Split | None,
    author: str | None,
    link: str | None,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Score estimators by their error at equal compute, against random sampling.

    They are scored on noisy copies of a model (--sd), on its training seeds (--seeds), or on noisy
    copies of every training seed (both). R is the mean squared error divided by that of random
    sampling with as many operations. If R is below 1, the estimator beats sampling. The exit status
    is 0 only if every estimator was scored.

    A round (--round) fixes models, noise and true scores, so that scores can be compared with those
    of others. --submit writes the scores into an entry of the leaderboard.
    """
    if round_name is not None:
        _refuse_what_a_round_fixes(ctx)
        score_in_round(round_name, estimators, split, submit, author, link, workers, time_limit)
        return
    of_entries = {"--submit": submit, "--split": split, "--author": author, "--link": link}
    for option, given in of_entries.items():
        if given is not None:
            raise click.UsageError(f"{option} needs --round, because an entry is scored on a round")
    if model_name is None:
        raise click.UsageError(
            "Give --model, or --round for the leaderboard, to say which models to score on"
        )

    from ...estimates import PRICES
    from ...scoring import challenge as run_challenge
    from ...scoring.compute.named import UnknownEstimator, entrants_named
    from ...zoo.files import write_whole

    if plot is not None and plot.suffix != ".svg":
        raise click.UsageError(
            f"--plot writes SVG: give a file name that ends with .svg, not {plot}"
        )
    try:
        population = _population(model_name, sd, relative, n_models, seeds, seed)
        entrants = [entrant for name in estimators for entrant in entrants_named(name)]
        with progress_bar() as bar:
            task = bar.add_task("scoring", total=None)
            leaderboard = run_challenge(
                entrants,
                population,
                truth_samples=truth_samples,
                workers=workers,
                time_limit=time_limit,
                seed=seed,
                transcendental_price=transcendental_price or PRICES["transcendental"],
                progress=lambda done, known: bar.update(task, completed=done, total=known),
            )
        if plot is not None:
            from ..figures import style
            from ..figures.error_vs_compute import error_vs_compute

            svg = style.as_svg(error_vs_compute(leaderboard), "error versus compute")
            write_whole(plot, svg.encode())
    except UnknownEstimator as error:
        raise click.UsageError(str(error)) from error
    except (ValueError, OSError, BrokenExecutor) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(leaderboard.as_record(), indent=1, allow_nan=False))
    else:
        _print(leaderboard)
    if not leaderboard.all_scored:
        sys.exit(1)


_FIXED_BY_A_ROUND = {
    "model_name": "--model",
    "sd": "--sd",
    "relative": "--relative",
    "n_models": "--models",
    "seeds": "--seeds",
    "seed": "--seed",
    "truth_samples": "--truth-samples",
    "transcendental_price": "--transcendental-price",
    "as_json": "--json",
    "plot": "--plot",
}


def _refuse_what_a_round_fixes(ctx: click.Context) -> None:
    given = [
        option
        for name, option in _FIXED_BY_A_ROUND.items()
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(
            f"{' and '.join(given)} cannot be given with --round, which has its own models, true "
            "scores and form of output"
        )


def _population(
    model_name: str, sd: float | None, relative: bool, n_models: int, seeds: bool, seed: int
) -> Population:
    from ...zoo.populations import NoisyCopies, TrainingSeeds, ZooModel, base_named

    base = base_named(model_name)
    if not seeds:
        if sd is None:
            raise click.UsageError(
                "Say which models: noisy copies (--sd), training seeds (--seeds), or both"
            )
        return NoisyCopies(base, sd, n_models, seed, relative)
    if not isinstance(base, ZooModel):
        raise click.UsageError(f"{model_name} was trained from one seed only: leave out --seeds")
    trained = TrainingSeeds(base.family, base.hidden_size, base.seq_len, base.n_seqs)
    return trained if sd is None else NoisyCopies(trained, sd, n_models, seed, relative)


def _print(leaderboard: Leaderboard) -> None:
    console = wide_console()
    population = leaderboard.population
    truth = (
        f"sampled, standard error {population.truth_std:.1e}" if population.truth_std else "exact"
    )
    console.print(
        f"{population.description}: {population.n_models} models; score {population.mean:.4f}, "
        f"sd {_number(population.variance and population.variance**0.5)}; truth {truth}; "
        f"{population.operations_of_a_sample} operations a sample; the mean as a constant is worth "
        f"{_number(population.constant_samples)} samples",
        markup=False,
    )
    rows = list(leaderboard)
    print_table(
        console,
        _HEADINGS,
        [_cells(row) for row in rows],
        left=["split", "runs the network", "best sampler", "result", "constants"],
        styles=["bold red" if row.failure else None for row in rows],
    )
    if len(population.bases) > 1:
        _print_bases(console, leaderboard)
    for row in leaderboard:
        if row.failure:
            text = f"{row.name}, budget {row.budget}, {row.split}: not scored: {row.failure}"
            console.print(text)
        elif row.truth_subtracted:
            console.print(
                f"{row.name}, budget {row.budget}, {row.split}: the truth's own variance was "
                "subtracted; raise --truth-samples for a sharper number",
                markup=False,
            )
    tuned = {row.name: row.tuned_on for row in leaderboard if row.tuned_on not in (None, "nothing")}
    for name, models in tuned.items():
        console.print(f"{name} was tuned on {models}")
    for crossover in leaderboard.crossovers:
        at = (
            "no budget"
            if crossover.operations is None
            else f"{crossover.operations:.4g} operations ({crossover.samples:.4g} samples)"
        )
        console.print(f"B* of {crossover.name}, {crossover.split}: {at}")
    for note in leaderboard.notes:
        console.print(note)


_HEADINGS = (
    *("estimator", "operations", "k", "split", "runs the network", "RMS", "bias", "R"),
    *("R, prior-shrunk", "R, best sampler", "best sampler", "result", "constants", "advice"),
    *("corr.", "slope"),
)


def _cells(row: Row) -> list[str]:
    return [
        row.name,
        _number(row.operations),
        _number(row.samples),
        row.split,
        row.runs_network or "",
        _number(row.rms),
        _number(row.bias),
        ratio_in_words(row.ratio),
        ratio_in_words(row.shrunk_ratio),
        ratio_in_words(row.sampler_ratio),
        row.best_sampler or "",
        row.exact or "",
        row.constants or "",
        _number(row.advice_bits),
        _number(row.correlation),
        _number(row.slope),
    ]


def _print_bases(console: Console, leaderboard: Leaderboard) -> None:
    print_table(
        console,
        ("estimator", "base model", "split", "models", "score", "RMS", "bias", "R"),
        [
            (
                row.name,
                base.base,
                row.split,
                str(base.n_models),
                *map(_number, (base.mean_truth, base.rms, base.bias, base.ratio)),
            )
            for row in leaderboard
            for base in row.by_base
        ],
        left=["base model", "split"],
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
