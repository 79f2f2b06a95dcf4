"""Options that several commands have, and the check of those for an entry."""

from __future__ import annotations

from pathlib import Path

import click

WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Number of processes; by default one for each core.",
)


def check_submission(submit: Path, author: str | None, link: str | None) -> None:
    """Refuse an entry that could not be written, before minutes are spent on its scores.

    Raises
    ------
    click.UsageError
        If nobody is named as its author.
    FileExistsError, EntryError
        If there is a file of that name, or if no entry can have this author or this link.
    """
    from ...scoring.compute.entries import check_free, check_signature

    if not (author and author.strip()):
        raise click.UsageError("--submit needs your name: --author")
    check_free(submit)
    check_signature(author, link)
