"""``algzoo cliff``: make the table of the chapter on the cliff, or check some of it."""

from __future__ import annotations

import click

from .options import WORKERS


@click.command("cliff")
@click.option(
    "--cell",
    "parts",
    multiple=True,
    metavar="NAME",
    help="Only cells with this in their names, for example 2nd_argmax_16_10; may be repeated. "
    "The other cells of the table stay as they are.",
)
@WORKERS
@click.option(
    "--check",
    "n_checked",
    type=click.IntRange(min=1),
    metavar="N",
    help="Write nothing; recompute N values of each rule in each cell and compare.",
)
def cliff_command(parts: tuple[str, ...], workers: int | None, n_checked: int | None) -> None:
    """Score rules on noisy copies of the models of every size, and write the table.

    This takes half an hour on one core. The cells with 32 neurons and the M16,10 cells take the
    longest.
    """
    from ...explanations.the_cliff import table  # late: two seconds
    from ...explanations.the_cliff.cells import cells

    names = [name for name in cells() if not parts or any(part in name for part in parts)]
    if not names:
        raise click.ClickException(
            f"no cell has {' or '.join(map(repr, parts))} in its name; there are: "
            f"{', '.join(cells())}"
        )
    committed = table.bundled()
    if n_checked is None:
        try:
            now = table.measured_cells(names, workers)
            click.echo(f"Written: {table.write({**committed, **now})}")
        except OSError as error:
            raise click.ClickException(str(error)) from error
        return
    n_values, n_moved = 0, 0
    for name in names:
        for again in table.recomputed(name, committed[name], n_checked):
            n_values += 1
            if not again.held:
                n_moved += 1
                click.echo(f"{name}: {again}")
    click.echo(f"{n_values} values: {n_moved} moved")
    if n_moved:
        raise click.exceptions.Exit(1)
