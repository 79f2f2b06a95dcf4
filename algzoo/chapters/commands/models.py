"""Commands ``algzoo models``, ``fetch`` and ``benchmark``: the bundled models, and ARC's own."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import click
from rich.progress import track

from ...zoo import (
    CHECKPOINTS,
    EXAMPLE,
    SEEDS,
    Model,
    best_seed,
    fetch_official,
    measured_scores,
    published_score,
    sizes,
    write_scores,
    zoo_2nd_argmax,
)
from .tables import print_table, wide_console


@click.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "everything", is_flag=True, help="Download all of ARC's final models.")
def fetch(names: tuple[str, ...], everything: bool) -> None:
    """Download ARC's own weights into the user cache, unless they are there already.

    MODEL is a name of the form family_hidden_seq_nseqs_seed, for example
    2nd_argmax_2_2_1073741824_2, or example_2nd_argmax.
    """
    if everything:
        names = (
            EXAMPLE,
            *(f"{f.name}_{d}_{n}_{CHECKPOINTS[-1]}_{s}" for f, d, n in sizes() for s in SEEDS),
        )
    if not names:
        raise click.UsageError("Give a MODEL, or --all")
    failed = 0
    for name in names:
        try:
            click.echo(f"{name}: {fetch_official(name, progress=not everything)}")
        except (OSError, ValueError) as error:
            click.echo(f"{name}: {error}", err=True)
            failed += 1
    if failed:
        raise click.ClickException(f"{failed} of {len(names)} models could not be fetched")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
@click.option(
    "--measure",
    type=click.IntRange(min=1),
    metavar="N",
    help="Measure all models again on N inputs each and write the package's scores.json.",
)
def models(as_json: bool, measure: int | None) -> None:
    """List the bundled models: size, parameters, best seed, score, and ARC's published score."""
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
    headings = ("model", "weights", "best seed", "trained to", "measure", "score", "ARC's score")
    listing = [
        (
            f"{row['family']}_{row['hidden_size']}_{row['seq_len']}",
            str(row["parameters"]),
            str(row["best_seed"]),
            f"2^{math.log2(row['trained_to']):.0f}",
            row["measure"],
            f"{row['score']:.5f}",
            f"{row['published']:.5f}",
        )
        for row in rows
    ]
    print_table(wide_console(), headings, listing, left=["measure"])


@click.command()
@click.argument("hidden_size", type=int, default=16)
@click.argument("seq_len", type=int, default=10)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, min_open=True),
    help="Instead, time every method of `algzoo accuracy` to this standard error, on one thread.",
)
def benchmark(hidden_size: int, seq_len: int, tolerance: float | None) -> None:
    """Compare the speed of random sampling with that of a plain forward pass.

    Both run a 2nd-argmax model, in turns. The plain way is the model's own forward pass and argsort
    in batches of 16384.
    """
    import torch

    from ...estimates.samplers.throughput import throughput  # imported late: Numba is slow to load

    try:
        model = zoo_2nd_argmax(hidden_size, seq_len)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if tolerance is not None:
        _time_methods(model, tolerance)
        return
    measured = throughput(model)
    print_table(
        wide_console(),
        (f"2nd argmax {hidden_size}, {seq_len}", "samples per second", "accuracy"),
        [
            ("forward and argsort", f"{measured.plain:.3g}", f"{measured.plain_accuracy:.5f}"),
            ("sampling", f"{measured.fast:.3g}", f"{measured.fast_accuracy:.5f}"),
        ],
    )
    threads = torch.get_num_threads()
    click.echo(f"ratio {measured.ratio:.2f}, {threads} thread{'' if threads == 1 else 's'}")


def _time_methods(model: Model, tolerance: float) -> None:
    """Print the seconds and operations of each method for a standard error of ``tolerance``."""
    from ...estimates.tolerance import side_by_side

    found = side_by_side(model, tolerance)
    print_table(
        wide_console(),
        ("method", "seconds", "operations", "accuracy", "standard error"),
        [
            (
                one.method,
                f"{one.seconds:.2f}",
                f"{one.operations:.2e}",
                f"{one.value:.6f}",
                f"{one.std:.1e}",
            )
            for one in found
        ],
    )
    for one in found[1:]:
        click.echo(
            f"{one.method}: {one.seconds / found[0].seconds:.2f} of the time of {found[0].method}"
        )


def _measure(n_samples: int) -> None:
    from ...estimates.samplers.zoo_scores import SAMPLE_SEED, best_of, measure_all

    n_sizes = len(list(sizes()))
    measured = track(measure_all(n_samples), "measuring", n_sizes, disable=not sys.stdout.isatty())
    models = {
        f"{family.name}_{hidden_size}_{seq_len}": {
            "best_seed": best_of(family, scores),
            "scores": scores,
        }
        for family, hidden_size, seq_len, scores in measured
    }
    write_scores({"n_samples": n_samples, "sample_seed": SAMPLE_SEED, "models": models})
