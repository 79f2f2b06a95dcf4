"""``algzoo study``: make the table of the study of M16,10, or check some of it."""

from __future__ import annotations

import click

from .options import WORKERS

_BASES = ("example", *(f"seed {seed}" for seed in range(5)))


@click.command("study")
@click.option(
    "--models",
    "n_models",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Number of noisy copies in each population.",
)
@WORKERS
@click.option(
    "--check",
    "n_checked",
    type=click.IntRange(min=1),
    metavar="N",
    help="Write nothing; recompute the first N models of each population and compare.",
)
@click.option(
    "--base",
    "bases",
    type=click.Choice(_BASES),
    multiple=True,
    help="With --check: only the models of this base; may be repeated.",
)
@click.option(
    "--row",
    "rows",
    multiple=True,
    metavar="NAME",
    help="Recompute only the rows of the table with this in their names, or add the estimator of "
    "the catalogue with this name; may be repeated.",
)
@click.option("--constants", is_flag=True, help="Fit and write only the constants of the anchors.")
def study_command(
    n_models: int,
    workers: int | None,
    n_checked: int | None,
    bases: tuple[str, ...],
    rows: tuple[str, ...],
    constants: bool,
) -> None:
    """Score every estimator of the book on noisy copies of M16,10 models, and write the table.

    This needs ARC's example model. With 256 models it takes about an hour on two cores. After a
    change of one estimator, --row NAME recomputes its row and leaves the others as they are. The
    table says which estimators are in the study.
    """
    from ...explanations.second_argmax_h16_n10_estimates import study  # late: two seconds

    if bases and n_checked is None:
        raise click.UsageError("--base needs --check, because a table is only written as a whole")
    if constants:
        click.echo(f"Written: {study.write_calibrated(study.calibrated())}")
        return
    if rows and n_checked is not None:
        raise click.UsageError("--check compares all rows, so leave out --row")
    try:
        if n_checked is None:
            anew = study.with_rows_recomputed
            found = anew(rows, workers) if rows else study.run_study(n_models, _BASES, workers)
            click.echo(f"Written: {study.write_study(found)}")
            return
        _check(n_checked, bases or _BASES, workers)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _check(n_checked: int, bases: tuple[str, ...], workers: int | None) -> None:
    from ...explanations.second_argmax_h16_n10_estimates import study

    committed = study.bundled_study()
    n_models = study.n_models_of(committed)
    if n_checked > n_models:
        raise click.UsageError(f"--check {n_checked}: each population has {n_models} models")
    now = study.run_study(n_checked, bases, workers)
    differences = study.moved(committed, now)
    n_values = sum(len(row) for values in now.values.values() for row in values.values())
    for row in differences:
        click.echo(f"{row.cell}: {row.name}: model {row.index}: {row.committed} was, {row.now} is")
    click.echo(f"{n_values} values: {len(differences)} moved")
    if differences:
        raise click.exceptions.Exit(1)
