"""Options that several commands have."""

from __future__ import annotations

import click

WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Number of processes; by default one for each core.",
)
