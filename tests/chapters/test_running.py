"""Chapters side by side: which begins first, and what is reported of each."""

import asyncio
import os
from pathlib import Path

import pytest

from algzoo.chapters import running
from algzoo.chapters.notebooks import ChapterError, find_chapters
from algzoo.chapters.running import execute_all, longest_first
from algzoo.zoo.truth_folder import truth_folder

ROOT = Path(__file__).resolve().parents[2]


def test_the_longest_begin_first_and_before_them_new_ones():
    chapters = find_chapters((), ROOT)
    assert {*running._BY_DURATION} <= {path.stem for path in chapters}
    new = Path("analyses/new.ipynb")
    ordered = longest_first([*chapters, new])
    assert ordered[0] == new
    assert sorted(ordered) == sorted([*chapters, new])
    known = [path.stem for path in ordered if path.stem in running._BY_DURATION]
    assert known == [*running._BY_DURATION]


@pytest.fixture
def three(tmp_path):
    """Three files, of which the second is no notebook and the third is not there."""
    good = tmp_path / "good.ipynb"
    good.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    bad = tmp_path / "bad.ipynb"
    bad.write_text("no notebook")
    return [good, bad, tmp_path / "gone.ipynb"]


def test_each_is_reported_once_with_what_it_held(three, monkeypatch):
    async def executed(notebook, path, parameters, cell_done):
        cell_done(1, 1)
        return f"{path.stem} {parameters['seed']}"

    monkeypatch.setattr(running, "execute_async", executed)
    ended, cells = [], []
    execute_all(three, {"seed": 3}, 2, ended.append, lambda *done: cells.append(done))
    results = {result.path.stem: result for result in ended}
    assert len(ended) == len(results) == 3
    good, bad, gone = (results[name] for name in ("good", "bad", "gone"))
    assert (good.outcome, good.before) == ("good 3", three[0].read_bytes())
    assert isinstance(bad.outcome, ChapterError)
    assert "bad.ipynb is not a readable notebook" in str(bad.outcome)
    assert "No such file" in str(gone.outcome)
    assert cells == [(three[0], 0, 0), (three[0], 1, 1)]


def test_no_more_run_at_a_time_than_was_asked_for(tmp_path, monkeypatch):
    paths = [tmp_path / f"{number}.ipynb" for number in range(7)]
    for path in paths:
        path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    at_once, most = 0, []

    async def executed(notebook, path, parameters, cell_done):
        nonlocal at_once
        at_once += 1
        most.append(at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return notebook

    monkeypatch.setattr(running, "execute_async", executed)
    execute_all(paths, {}, 3, lambda result: None)
    assert max(most) == 3
    assert len(most) == 7


@pytest.mark.parametrize(
    ("cores", "jobs", "named", "share"),
    [(8, 3, None, "2"), (2, 2, None, "1"), (2, 3, None, "1"), (4, 1, None, "4"), (8, 3, "5", "5")],
)
def test_each_may_use_its_share_of_the_cores(three, monkeypatch, cores, jobs, named, share):
    seen = []

    async def executed(notebook, path, parameters, cell_done):
        seen.append(os.environ["LOKY_MAX_CPU_COUNT"])

    monkeypatch.setattr(running, "execute_async", executed)
    monkeypatch.setattr(running, "cpu_count", lambda: cores)
    monkeypatch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    if named is not None:
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", named)
    execute_all(three, {}, jobs, lambda result: None)
    assert seen == [share]
    assert os.environ.get("LOKY_MAX_CPU_COUNT") == named


def test_all_share_one_new_folder_of_truths(tmp_path, monkeypatch):
    paths = [tmp_path / f"{number}.ipynb" for number in range(3)]
    for path in paths:
        path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    seen = []

    async def executed(notebook, path, parameters, cell_done):
        seen.append((truth_folder(), len(list(truth_folder().iterdir()))))
        (truth_folder() / path.stem).touch()

    monkeypatch.setattr(running, "execute_async", executed)
    outside = truth_folder()
    execute_all(paths, {}, 1, lambda result: None)
    folders, n_kept = zip(*seen, strict=True)
    assert len({*folders, outside}) == 2
    assert n_kept == (0, 1, 2)
    assert not folders[0].exists()


def test_an_error_of_the_report_ends_the_others(three, monkeypatch):
    ended = []

    async def executed(notebook, path, parameters, cell_done):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(path.stem)

    monkeypatch.setattr(running, "execute_async", executed)

    def full_disk(result):
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        execute_all(three, {}, 3, full_disk)
    assert ended == ["good"]
