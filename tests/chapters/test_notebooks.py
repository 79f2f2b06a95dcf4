"""Running notebooks: what is written, what is left alone, what errors say."""

import errno
import os

import nbformat
import pytest

from algzoo.chapters.notebooks import (
    ChapterError,
    execute,
    find_chapters,
    normalise,
    read,
    repository_root,
    write,
)
from algzoo.chapters.statements import statements
from algzoo.zoo.truth_folder import TRUTH_FOLDER, fresh_truths


def test_a_second_run_is_byte_identical(small_clone):
    path = small_clone / "analyses" / "small.ipynb"
    before = path.read_bytes()
    write(execute(path), path)
    assert path.read_bytes() == before


def test_normalising_twice_changes_nothing(executed_chapter):
    once = nbformat.writes(executed_chapter)
    assert nbformat.writes(normalise(nbformat.reads(once, as_version=4))) == once


def test_parameters_are_set_and_unknown_ones_refused(small_clone):
    path = small_clone / "analyses" / "small.ipynb"
    scaled = execute(path, {"scale": 2})
    assert "exact = 6" in scaled.cells[3].outputs[-1].text
    with pytest.raises(ChapterError, match=r"no parameter 'scael'; its parameters: scale"):
        execute(path, {"scael": 2})


def test_a_chapter_does_not_read_truths_that_were_left(small_clone, monkeypatch, tmp_path):
    left = tmp_path / "left"
    left.mkdir()
    (left / "a truth.json").touch()
    monkeypatch.setenv(TRUTH_FOLDER, str(left))
    path = small_clone / "analyses" / "small.ipynb"
    notebook = read(path)
    notebook.cells[2].source = (
        "from algzoo.chapters import record\n"
        "from algzoo.zoo.truth_folder import truth_folder\n"
        "record(n_left=len(list(truth_folder().iterdir())))\n"
        "(truth_folder() / 'another truth.json').touch()"
    )
    del notebook.cells[3:]
    write(notebook, path)

    def n_left():
        return [s.value for s in statements(execute(path)) if s.name == "n_left"]

    assert (n_left(), n_left()) == ([0], [0])
    with fresh_truths():
        assert (n_left(), n_left()) == ([0], [1])
    assert [path.name for path in left.iterdir()] == ["a truth.json"]


def test_a_cell_that_raises_shows_its_traceback(small_clone):
    path = small_clone / "analyses" / "small.ipynb"
    notebook = read(path)
    notebook.cells.append(nbformat.v4.new_code_cell("deep = {}\ndeep['missing key']", id="bad"))
    write(notebook, path)
    before = path.read_bytes()
    with pytest.raises(ChapterError, match=r"(?s)small: cell \d+ raised.*missing key"):
        execute(path)
    assert path.read_bytes() == before


def test_a_failed_write_leaves_the_notebook(small_clone, monkeypatch):
    path = small_clone / "analyses" / "small.ipynb"
    before = path.read_bytes()

    def disk_full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match=r"small\.ipynb: No space"):
        write(nbformat.v4.new_notebook(), path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["small.ipynb"]


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"nbformat": 4, "cells": 3}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path, content):
    path = tmp_path / "broken.ipynb"
    path.write_bytes(content)
    with pytest.raises(ChapterError, match=r"broken.ipynb is not a readable notebook: \S"):
        read(path)


def test_chapters_are_found_by_name_file_and_folder(small_clone):
    path = small_clone / "analyses" / "small.ipynb"
    for name in ("small", "small.ipynb", "analyses/small.ipynb"):
        assert find_chapters((name,), small_clone) == [path]
    assert find_chapters((), small_clone) == [path]
    with pytest.raises(ChapterError, match="No chapter 'large'; there are: small"):
        find_chapters(("large",), small_clone)


def test_the_root_is_found_from_below_and_missed_outside(small_clone, tmp_path):
    assert repository_root(small_clone / "analyses") == small_clone
    with pytest.raises(ChapterError, match="inside a clone"):
        repository_root(tmp_path)
