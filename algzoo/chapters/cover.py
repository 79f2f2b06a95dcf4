"""Cover picture of a chapter: one of its figures as a file, for pages that are not notebooks."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode

from ..zoo.files import write_whole
from .notebooks import ChapterError
from .numbers import METADATA_KEY


def write_cover(picture: str, chapter: str, root: Path) -> None:
    """Write a chapter's cover, an SVG, to book/_static/covers/."""
    write_whole(root / "book" / "_static" / "covers" / f"{chapter}.svg", picture.encode())


def cover(notebook: NotebookNode) -> str | None:
    """Return the figure, as SVG, that the notebook's metadata names as its cover, if any.

    Raises
    ------
    ChapterError
        If the notebook shows no such figure.
    """
    name = notebook.metadata.get(METADATA_KEY, {}).get("cover")
    if name is None:
        return None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("metadata", {}).get(METADATA_KEY, {}).get("figure") == name:
                return str(output.data["image/svg+xml"])
    raise ChapterError(
        f"The notebook's metadata names {name!r} as its cover, but it shows no such figure"
    )
