"""Command ``algzoo cite``: BibTeX entries to copy."""

from __future__ import annotations

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Print the whole bibliography.")
def cite(names: tuple[str, ...], everything: bool) -> None:
    """Print BibTeX entries for the book and ARC's post, or for what is named.

    A NAME is the name of a model (algzoo models) or of an estimator (algzoo estimators; you may
    leave out its budget), or a key of the bibliography. Lines that begin with % say where something
    comes from.
    """
    from ..bibliography import BOOK, POST, Cited, bibliography, citation, works_for

    if everything and names:
        raise click.UsageError("--all prints everything, so leave out the names")
    if everything:
        click.echo("\n\n".join(bibliography().values()))
        return
    try:
        works = {name: works_for(name) for name in names}
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for name, cited in works.items():
        click.echo(f"% {name}: {cited.note}")
    found = works.values() or [Cited("", (BOOK, POST))]
    if entries := citation(found):
        click.echo(entries)
