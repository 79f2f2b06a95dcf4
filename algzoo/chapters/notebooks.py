"""Executing chapters, and writing them so that a re-run changes no byte without a reason."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode

from ..zoo.files import write_whole
from ..zoo.official import OFFICIAL_FOLDER, OfficialFileMissing, official_state_dict
from .numbers import METADATA_KEY

# What nbformat raises on JSON that is not a notebook, besides its own error.
_MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    AssertionError,
    RecursionError,
)

TIME_LIMIT = 900  # seconds for one cell

# In a notebook's metadata, under METADATA_KEY: one of ARC's own models that it cannot do without.
NEEDS_OFFICIAL = "needs_official"

# From a chapter's folder: where those who work on the book keep ARC's own files, beside the clone.
_BESIDE_THE_CLONE = Path("../../shared/data/official")


class ChapterError(Exception):
    """A chapter could not be found, read or run; the message is for the reader."""


class OfficialFileNeededError(ChapterError):
    """A chapter is about one of ARC's own models, and its file is not here; says how to get it."""


def repository_root(start: Path | None = None) -> Path:
    """The clone of this book that contains ``start`` (the working directory where absent).

    Raises
    ------
    ChapterError
        Where there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "analyses").is_dir() and (folder / "_toc.yml").is_file():
            return folder
    raise ChapterError(
        f"No analyses/ folder beside a _toc.yml in {start} or above it: "
        "run this inside a clone of the book"
    )


def find_chapters(names: tuple[str, ...], root: Path) -> list[Path]:
    """Notebooks of the chapters named (by file, with or without folder and suffix), or of all.

    Raises
    ------
    ChapterError
        Names the chapter that does not exist and those that do.
    """
    notebooks = {path.stem: path for path in sorted((root / "analyses").glob("*.ipynb"))}
    if not names:
        return list(notebooks.values())
    found = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        if stem not in notebooks:
            raise ChapterError(f"No chapter {name!r}; there are: {', '.join(notebooks)}")
        found.append(notebooks[stem])
    return found


def read(path: Path) -> NotebookNode:
    """Read a notebook.

    Raises
    ------
    ChapterError
        Where the file is not a valid notebook.
    """
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (OSError, nbformat.ValidationError, *_MALFORMED) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ChapterError(f"{path} is not a readable notebook: {reason}") from error
    return notebook


def execute(
    path: Path, parameters: Mapping[str, Any] | None = None, *, progress: bool = False
) -> NotebookNode:
    """Run a chapter from top to bottom in a fresh kernel; the file is only read.

    Raises
    ------
    OfficialFileNeededError
        Where the chapter's metadata names one of ARC's own models, as
        ``{"algzoo": {"needs_official": "example_2nd_argmax"}}``, whose file cannot be had.
    ChapterError
        Where a parameter is not one of the chapter's (the message names those it has), or a cell
        raises (the message is its traceback).
    """
    parameters = dict(parameters or {})
    source = read(path)
    if parameters:
        known = papermill.inspect_notebook(str(path))
        if unknown := sorted(parameters.keys() - known.keys()):
            raise ChapterError(
                f"{path.stem} has no parameter {', '.join(map(repr, unknown))}; "
                f"its parameters: {', '.join(known) or 'none'}"
            )
    for cell in source.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with tempfile.TemporaryDirectory() as folder, _official_files(path):
        _check_official_file(source, path)
        cleared = Path(folder) / path.name
        nbformat.write(source, cleared)
        try:
            executed = papermill.execute_notebook(
                str(cleared),
                None,
                parameters=parameters,
                kernel_name="python3",
                cwd=str(path.parent),
                progress_bar={"desc": path.stem} if progress else False,
                request_save_on_cell_execute=False,
                execution_timeout=TIME_LIMIT,
                extra_arguments=["--log-level=ERROR"],
            )
        except papermill.PapermillExecutionError as error:
            raise ChapterError(f"{path.stem}: cell {error.exec_count} raised\n{error}") from error
    return normalise(executed)


@contextmanager
def _official_files(path: Path) -> Iterator[None]:
    """ARC's own files for the kernel: from beside the clone, where no folder is named."""
    folder = (path.parent / _BESIDE_THE_CLONE).resolve()
    if OFFICIAL_FOLDER in os.environ or not folder.is_dir():
        yield
        return
    os.environ[OFFICIAL_FOLDER] = str(folder)
    try:
        yield
    finally:
        del os.environ[OFFICIAL_FOLDER]


def _check_official_file(notebook: NotebookNode, path: Path) -> None:
    name = notebook.metadata.get(METADATA_KEY, {}).get(NEEDS_OFFICIAL)
    if name is None:
        return
    try:
        official_state_dict(name)
    except OfficialFileMissing as error:
        raise OfficialFileNeededError(f"{path.stem} needs ARC's own {name}. {error}") from error
    except (ValueError, OSError) as error:
        raise ChapterError(f"{path.stem}: {error}") from error


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Drop what differs between runs and machines; put captions where the book looks for them."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **{key: notebook.metadata[key] for key in (METADATA_KEY,) if key in notebook.metadata},
    }
    for cell in notebook.cells:
        for run_detail in ("execution", "papermill"):
            cell.metadata.pop(run_detail, None)
        if cell.cell_type != "code":
            continue
        cell.outputs = _merge_streams(cell.outputs)
        cell.metadata.pop("mystnb", None)
        for output in cell.outputs:
            stated = output.get("metadata", {}).get(METADATA_KEY, {})
            if "figure" in stated:
                cell.metadata["mystnb"] = {
                    "image": {"alt": stated["alt"]},
                    "figure": {"name": stated["figure"], "caption": stated["caption"]},
                }
    return notebook


def _merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs with the text of each stream in one piece, placed first.

    How a kernel cuts its text into messages depends on timing.
    """
    texts: dict[str, str] = {}
    others = []
    for output in outputs:
        if output.output_type == "stream":
            texts[output.name] = texts.get(output.name, "") + output.text
        else:
            others.append(output)
    streams = [
        nbformat.v4.new_output("stream", name=name, text=text)
        for name, text in sorted(texts.items())
    ]
    return [*others, *streams]


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook in one piece: never half a file."""
    write_whole(path, _content(notebook))


def write_back(executed: NotebookNode, path: Path, before: bytes) -> None:
    """Write a chapter in the place of the file that it was executed from, which held ``before``.

    Raises
    ------
    ChapterError
        Where the file holds neither that any more nor what would be written.
    """
    if path.read_bytes() not in (before, _content(executed)):
        raise ChapterError(
            f"{path} was changed while it ran, in an editor or by another run: what it holds now "
            f"is kept; run it again"
        )
    write(executed, path)


def _content(notebook: NotebookNode) -> bytes:
    text = nbformat.writes(notebook).rstrip("\n")
    return f"{text}\n".encode()
