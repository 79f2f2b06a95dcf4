"""Execution of chapters, and writing them so that a second run changes no byte without a reason."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbclient.util import ensure_async
from nbformat import NotebookNode

from ..zoo.files import write_whole
from ..zoo.official import (
    OFFICIAL_FOLDER,
    OfficialFileMissing,
    official_folder,
    official_state_dict,
)
from ..zoo.truth_folder import fresh_truths
from .numbers import METADATA_KEY

# Errors of nbformat on JSON that is not a notebook, besides its own.
_MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    AssertionError,
    RecursionError,
)

TIME_LIMIT = 900  # seconds for one cell
_START_LIMIT = 120  # seconds for a kernel to start

# Environment variables with the number of threads of OpenMP, the libraries of matrices, and Numba.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

# Key in a notebook's metadata, under METADATA_KEY: one of ARC's own models that the chapter needs.
NEEDS_OFFICIAL = "needs_official"

# Folder beside the clone, relative to a chapter's, in which authors of the book keep ARC's files.
_BESIDE_THE_CLONE = Path("../../shared/data/official")


class ChapterError(Exception):
    """A chapter could not be found, read or run; the message is written for the reader."""


class OfficialFileNeededError(ChapterError):
    """A chapter needs one of ARC's own models whose file is missing; says how to get it."""


def repository_root(start: Path | None = None) -> Path:
    """Return the clone of this book that contains ``start``, by default the working directory.

    Raises
    ------
    ChapterError
        If there is none.
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
    """Return the notebooks of the named chapters (by file, with or without folder and suffix).

    Without names, all chapters are returned.

    Raises
    ------
    ChapterError
        If a chapter does not exist; the message names it and those that do.
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
        If the file is not a valid notebook.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ChapterError(f"{path} is not a readable notebook: {error}") from error
    return parsed(content, path)


def parsed(content: bytes, path: Path) -> NotebookNode:
    """Parse the notebook that the file at ``path`` holds as ``content``.

    Raises
    ------
    ChapterError
        If it is not a valid notebook.
    """
    try:
        notebook: NotebookNode = nbformat.reads(content.decode(), as_version=4)
        nbformat.validate(notebook)
    except (nbformat.ValidationError, *_MALFORMED) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ChapterError(f"{path} is not a readable notebook: {reason}") from error
    return notebook


def execute(path: Path, parameters: Mapping[str, Any] | None = None) -> NotebookNode:
    """Run a chapter from top to bottom in a fresh kernel; the file is only read.

    True scores that earlier runs have stored are not read; see :func:`.truth_folder.fresh_truths`.

    Raises
    ------
    OfficialFileNeededError
        If the chapter's metadata names one of ARC's own models, as ``{"algzoo": {"needs_official":
        "example_2nd_argmax"}}``, whose file cannot be had.
    ChapterError
        If a parameter is not one of the chapter's (the message names those it has), if a cell
        raises an error (the message is its traceback), or if the kernel dies.
    """
    with official_files(path), fresh_truths():
        return asyncio.run(execute_async(read(path), path, parameters))


async def execute_async(
    notebook: NotebookNode,
    path: Path,
    parameters: Mapping[str, Any] | None = None,
    cell_done: Callable[[int, int], None] = lambda done, of: None,
) -> NotebookNode:
    """Run the notebook that was read from ``path``.

    Call it inside :func:`official_files` and :func:`.truth_folder.fresh_truths`. If it is
    cancelled, the kernel is killed with everything that it has started.

    Parameters
    ----------
    notebook
        The notebook, which is changed.
    path
        Its file; its cells run in the folder of that file.
    parameters
        Values for some of the chapter's parameters.
    cell_done
        Function that is called after each cell with the number of cells that are done and of all
        cells.

    Raises
    ------
    ChapterError
        Under the same conditions as :func:`execute`.
    """
    await asyncio.to_thread(_check_official_file, notebook, path)
    notebook = _prepared(notebook, path, dict(parameters or {}))
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=TIME_LIMIT,
        startup_timeout=_START_LIMIT,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    manager = client.create_kernel_manager()
    finished = False
    try:
        # Side by side with other chapters, more threads only wait for each other.
        await client.async_start_new_kernel(env=dict.fromkeys(THREADS, "1") | os.environ)
        await client.async_start_new_kernel_client()
        for index, cell in enumerate(notebook.cells):
            await client.async_execute_cell(cell, index)
            cell_done(index + 1, len(notebook.cells))
        finished = True
    except CellExecutionError as error:
        number = client.code_cells_executed
        raise ChapterError(f"{path.stem}: cell {number} raised\n{error.traceback}") from error
    except (RuntimeError, TimeoutError) as error:  # the kernel died, or a cell takes too long
        raise ChapterError(f"{path.stem}: {error}") from error
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        if manager.has_kernel:
            await ensure_async(manager.shutdown_kernel(now=not finished))
    return normalise(notebook)


def _prepared(notebook: NotebookNode, path: Path, parameters: dict[str, Any]) -> NotebookNode:
    """Return the notebook without outputs, with a cell that sets the parameters, if any."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if not parameters:
        return notebook
    import papermill

    known = papermill.inspect_notebook(notebook)
    if unknown := sorted(parameters.keys() - known.keys()):
        raise ChapterError(
            f"{path.stem} has no parameter {', '.join(map(repr, unknown))}; "
            f"its parameters: {', '.join(known) or 'none'}"
        )
    with_parameters: NotebookNode = papermill.execute_notebook(
        notebook, None, parameters, kernel_name="python3", progress_bar=False, prepare_only=True
    )
    return with_parameters


@contextmanager
def official_files(path: Path) -> Iterator[None]:
    """Let kernels find ARC's own files: in the folder that is named, or else beside the clone.

    Kernels run in the folder of the chapter at ``path``, so that the name is made absolute.
    """
    before = os.environ.get(OFFICIAL_FOLDER)
    beside = (path.parent / _BESIDE_THE_CLONE).resolve()
    folder = official_folder() if before is not None or not beside.is_dir() else beside
    if folder is None:
        yield
        return
    os.environ[OFFICIAL_FOLDER] = str(folder.absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ[OFFICIAL_FOLDER]
        else:
            os.environ[OFFICIAL_FOLDER] = before


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
    """Drop what differs between runs and machines, and put captions where the book reads them."""
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
    """Merge the text of each stream into one output and place it first.

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
    """Write a notebook completely or not at all."""
    write_whole(path, _content(notebook))


def write_back(executed: NotebookNode, path: Path, before: bytes) -> None:
    """Write a chapter over the file that it was executed from, which held ``before``.

    Raises
    ------
    ChapterError
        If the file has been changed since, and does not hold what would be written.
    """
    if path.read_bytes() not in (before, _content(executed)):
        raise ChapterError(
            f"{path} was changed while it ran, in an editor or by another run: its present content "
            f"is kept; run it again"
        )
    write(executed, path)


def _content(notebook: NotebookNode) -> bytes:
    text = nbformat.writes(notebook).rstrip("\n")
    return f"{text}\n".encode()
