"""A chapter's cover picture: one of its figures as a file, for pages that are not notebooks."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode

from ..zoo.files import write_whole
from .numbers import METADATA_KEY


def write_cover(notebook: NotebookNode, chapter: str, root: Path) -> None:
    """Write the figure that the notebook's metadata names as its cover to book/_static/covers/."""
    name = notebook.metadata.get(METADATA_KEY, {}).get("cover")
    if name is None:
        return
    path = root / "book" / "_static" / "covers" / f"{chapter}.svg"
    write_whole(path, cover(notebook, name).encode())


def cover(notebook: NotebookNode, name: str) -> str:
    """The picture, SVG, of the figure called ``name``.

    Raises
    ------
    KeyError
        Where the notebook shows no such figure.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("metadata", {}).get(METADATA_KEY, {}).get("figure") == name:
                return str(output.data["image/svg+xml"])
    raise KeyError(f"The notebook shows no figure called {name!r}")
