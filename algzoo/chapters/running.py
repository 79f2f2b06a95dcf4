"""Execution of several chapters side by side, each in its own kernel."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loky import cpu_count
from nbformat import NotebookNode

from ..zoo.truth_folder import fresh_truths
from .notebooks import ChapterError, execute_async, official_files, parsed

_CORES = "LOKY_MAX_CPU_COUNT"  # environment variable: number of cores that a challenge may use

# Chapters from the longest to the shortest, as measured on one core. A wrong order only costs time;
# a chapter that is not named here begins first, because it may be the longest.
_BY_DURATION = (
    "challenge",
    "challenge_bundled",
    "the_zoo",
    "rare_outputs",
    "second_argmax_h4_n3",
    "argmedian_h16_n5",
    "second_argmax_h16_n10_example",
    "second_argmax_h16_n10_estimates",
    "second_argmax_h16_n10",
    "the_cliff",
    "mechanisms",
    "median_h2_n2",
    "longest_cycle_h4_n4",
    "second_argmax_h2_n2",
    "arcs_post",
)


@dataclass(frozen=True)
class Ended:
    """Result of executing a chapter.

    Attributes
    ----------
    path
        Its notebook.
    before
        Content of the file when it was read.
    outcome
        The executed notebook, or the error that prevented it.
    seconds
        How long it took.
    """

    path: Path
    before: bytes
    outcome: NotebookNode | ChapterError
    seconds: float


def longest_first(paths: Sequence[Path]) -> list[Path]:
    """Sort the chapters into the order in which to begin them."""
    places = {name: place for place, name in enumerate(_BY_DURATION)}
    return sorted(paths, key=lambda path: places.get(path.stem, -1))


def execute_all(
    paths: Sequence[Path],
    parameters: Mapping[str, Any],
    jobs: int,
    ended: Callable[[Ended], None],
    cell_done: Callable[[Path, int, int], None] = lambda path, done, of: None,
) -> None:
    """Execute chapters, at most ``jobs`` at a time, and report each as soon as it has ended.

    A true score that several of them need is computed once; those of earlier runs are not read. If
    this is interrupted, or if ``ended`` raises, no kernel is left running.

    Parameters
    ----------
    paths
        Notebooks of chapters; they are only read.
    parameters
        Values for some of the parameters of each chapter.
    jobs
        Number of kernels that run at the same time.
    ended
        Function that is called once for each chapter, with its result.
    cell_done
        Function that is called after each cell with the chapter, the number of cells that are done,
        and that of all cells.
    """
    if paths:
        with official_files(paths[0]), fresh_truths(), _share_of_cores(jobs):
            asyncio.run(_execute_all(longest_first(paths), parameters, jobs, ended, cell_done))


@contextmanager
def _share_of_cores(jobs: int) -> Iterator[None]:
    """Let each of ``jobs`` kernels start processes for its share of the cores, at least for one."""
    if _CORES in os.environ:
        yield
        return
    os.environ[_CORES] = str(max(cpu_count() // jobs, 1))
    try:
        yield
    finally:
        del os.environ[_CORES]


async def _execute_all(
    paths: Sequence[Path],
    parameters: Mapping[str, Any],
    jobs: int,
    ended: Callable[[Ended], None],
    cell_done: Callable[[Path, int, int], None],
) -> None:
    free = asyncio.Semaphore(jobs)

    async def one(path: Path) -> Ended:
        async with free:
            begin = time.monotonic()
            before = b""
            outcome: NotebookNode | ChapterError
            try:
                before = path.read_bytes()
                notebook = parsed(before, path)
                cell_done(path, 0, len(notebook.cells))
                outcome = await execute_async(
                    notebook, path, parameters, lambda done, of: cell_done(path, done, of)
                )
            except ChapterError as error:
                outcome = error
            except OSError as error:
                outcome = ChapterError(f"{path.stem}: {error}")
            return Ended(path, before, outcome, time.monotonic() - begin)

    tasks = [asyncio.create_task(one(path)) for path in paths]
    try:
        for task in asyncio.as_completed(tasks):
            ended(await task)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
