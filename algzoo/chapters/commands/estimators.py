"""Command ``algzoo estimators``: the catalogue, as a table, as JSON or as the page of the book."""

from __future__ import annotations

import json

import click
from rich.table import Table

from .tables import wide_console


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--page", is_flag=True, help="Print the book's page on its own estimators.")
def estimators(as_json: bool, page: bool) -> None:
    """List the estimators of the catalogue, including those of installed packages.

    A package adds its estimators with an entry point of the group algzoo.estimators.
    """
    from ...estimates._catalog import collected
    from ..estimator_page import estimator_page

    try:
        entries, problems = collected()
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for problem in problems:
        click.echo(problem, err=True)
    if page:
        click.echo(estimator_page(e for e in entries if e.origin == "algzoo"), nl=False)
    elif as_json:
        click.echo(json.dumps([entry.as_record() for entry in entries], indent=1))
    else:
        table = Table()
        for heading in ("estimator", "for", "runs the network", "result", "fitted constants"):
            table.add_column(heading, overflow="fold")  # no text is cut, however narrow the column
        for entry in entries:
            facts = entry.runs_network, entry.exact, entry.constants
            table.add_row(entry.name, str(entry.scope), *facts)
        wide_console().print(table)
