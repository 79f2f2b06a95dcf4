"""``algzoo run`` and ``algzoo check`` as their reader meets them."""

import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from algzoo.chapters.commands.main import main
from algzoo.chapters.notebooks import execute, read, write


@pytest.fixture
def algzoo(small_clone, monkeypatch):
    monkeypatch.chdir(small_clone)

    def call(*arguments):
        return CliRunner().invoke(main, arguments)

    return call


@pytest.fixture
def chapter(small_clone):
    return small_clone / "analyses" / "small.ipynb"


def change_source(chapter, old, new):
    notebook = read(chapter)
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)
    write(notebook, chapter)


def test_check_holds_and_writes_nothing(algzoo, chapter):
    before = chapter.read_bytes()
    result = algzoo("check")
    assert result.exit_code == 0
    assert chapter.read_bytes() == before
    first, second, *machine = result.stdout.splitlines()
    assert re.fullmatch(r"small: 8 numbers, the same \(\d+ s\)", first)
    assert second == (
        "1 chapter, 8 numbers: 8 the same, 0 not; 0 chapters did not run, 0 not checked."
    )
    assert len(machine) == 2
    text = " ".join(machine)
    assert text.startswith("Computed on ")
    for part in ("1 thread on", platform.python_version(), torch.__version__, np.__version__):
        assert part in text


def test_check_names_chapter_and_number_that_moved(algzoo, chapter):
    change_source(chapter, "3 * scale", "4 * scale")
    change_source(chapter, "2.5 * scale", "2.75 * scale")
    result = algzoo("check", "small")
    assert result.exit_code == 1
    first, *moved, verdict, _, _ = result.stdout.splitlines()
    assert first.startswith("small: 8 numbers, 2 moved (")
    assert moved == [
        "small: exact: 3 committed, 4 now, must be equal: moved",
        "small: t, a, x: 2.5 committed, 2.75 now, tolerance 2.5e-09: moved",
    ]
    assert verdict.startswith("1 chapter, 8 numbers: 6 the same, 2 not; ")


def test_check_prints_every_number_where_it_is_asked_to(algzoo, chapter):
    change_source(chapter, "3 * scale", "4 * scale")
    result = algzoo("check", "--all")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()[1:-3]
    assert len(lines) == 8
    assert "small: words: 'three words' committed, 'three words' now, must be equal: same" in lines
    assert "small: loose: 1.0 committed, 1.0 now, tolerance 1.0e-02: same" in lines
    assert sum(line.endswith(": moved") for line in lines) == 1


def test_check_gives_everything_as_json(algzoo, chapter):
    change_source(chapter, "3 * scale", "4 * scale")
    result = algzoo("check", "--json")
    assert result.exit_code == 1
    as_json = json.loads(result.stdout)
    assert len(as_json["numbers"]) == 8
    moved = [row for row in as_json["numbers"] if row["verdict"] != "same"]
    assert [(r["chapter"], r["name"], r["committed"], r["now"]) for r in moved] == [
        ("small", "exact", 3, 4)
    ]
    assert (as_json["broken"], as_json["not_checked"]) == ({}, {})
    assert as_json["machine"]["python"] == platform.python_version()


def test_check_reports_missing_numbers(algzoo, chapter):
    change_source(chapter, "record(loose=1.0 * scale, rtol=1e-2)", "")
    result = algzoo("check")
    assert result.exit_code == 1
    assert "small: loose: 1.0 committed, nothing now, tolerance 1.0e-02: missing" in result.stdout


def test_check_reports_a_chapter_that_raises_beside_one_that_holds(algzoo, chapter):
    other = chapter.with_name("other.ipynb")
    other.write_bytes(chapter.read_bytes())
    change_source(other, "scale = 1", "scale = 1 / 0")
    result = algzoo("check")
    assert result.exit_code == 1
    assert re.search(r"^other: did not run \(\d+ s\)$", result.stdout, re.MULTILINE)
    assert re.search(r"^small: 8 numbers, the same", result.stdout, re.MULTILINE)
    assert re.search(r"other: cell \d+ raised\n(?s:.*)ZeroDivisionError", result.stderr)
    assert "2 chapters, 8 numbers: 8 the same, 0 not; 1 chapter did not run" in result.stdout


def test_run_writes_the_new_numbers_and_then_check_holds(algzoo, chapter):
    change_source(chapter, "3 * scale", "4 * scale")
    assert algzoo("run", "small").exit_code == 0
    assert "exact = 4" in chapter.read_text()
    assert algzoo("check").exit_code == 0


def test_run_of_a_failing_chapter_leaves_it_and_says_so(algzoo, chapter):
    change_source(chapter, "scale = 1", "scale = undefined_name")
    before = chapter.read_bytes()
    result = algzoo("run")
    assert result.exit_code == 1
    assert "NameError" in result.stderr
    assert "small: not written" in result.stderr
    assert chapter.read_bytes() == before


def test_run_with_parameters_needs_and_fills_another_file(algzoo, chapter, tmp_path):
    before = chapter.read_bytes()
    refused = algzoo("run", "small", "-p", "scale", "2")
    assert refused.exit_code == 2
    assert "--output" in refused.stderr
    output = tmp_path / "doubled.ipynb"
    assert algzoo("run", "small", "-p", "scale", "2", "-o", str(output)).exit_code == 0
    assert "exact = 6" in output.read_text()
    unknown = algzoo("run", "small", "-p", "scael", "2", "-o", str(output))
    assert unknown.exit_code == 1
    assert "no parameter 'scael'" in unknown.stderr
    assert chapter.read_bytes() == before


def test_unknown_chapters_and_foreign_folders_are_one_line(algzoo, tmp_path, monkeypatch):
    result = algzoo("check", "large")
    assert result.exit_code == 1
    assert result.stderr == "Error: No chapter 'large'; there are: small\n"
    monkeypatch.chdir(tmp_path)
    result = algzoo("check")
    assert result.exit_code == 1
    assert "inside a clone" in result.stderr


def test_a_cover_is_written_beside_the_pages(algzoo, chapter, small_clone):
    notebook = read(chapter)
    notebook.metadata["algzoo"] = {"cover": "fig"}
    write(notebook, chapter)
    assert algzoo("run").exit_code == 0
    cover = small_clone / "book" / "_static" / "covers" / "small.svg"
    assert nbformat.read(chapter, 4).cells[4].outputs[0].data["image/svg+xml"] == cover.read_text()


def test_a_cover_that_is_not_there_or_cannot_be_written_is_said(algzoo, chapter, small_clone):
    notebook = read(chapter)
    notebook.metadata["algzoo"] = {"cover": "figure"}
    write(notebook, chapter)
    before = chapter.read_bytes()
    result = algzoo("run")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-2:] == [
        "The notebook's metadata names 'figure' as its cover, but it shows no such figure",
        "small: not written",
    ]
    assert chapter.read_bytes() == before
    notebook.metadata["algzoo"]["cover"] = "fig"
    write(notebook, chapter)
    (small_clone / "book" / "_static").mkdir(parents=True)
    (small_clone / "book" / "_static" / "covers").write_text("a file, not a folder")
    result = algzoo("run")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "small: written, but not its cover"


@pytest.fixture
def chapter_about_arcs_example(chapter):
    """A second chapter, committed, that cannot do without ARC's own file."""
    path = chapter.with_name("example.ipynb")
    notebook = read(chapter)
    notebook.metadata["algzoo"] = {"needs_official": "example_2nd_argmax"}
    write(notebook, path)
    return path


def test_a_chapter_without_arcs_file_is_named_as_not_checked(algzoo, chapter_about_arcs_example):
    before = chapter_about_arcs_example.read_bytes()
    result = algzoo("check", "example")
    assert result.exit_code == 1  # it was asked for
    assert "0 chapters did not run, 1 not checked." in result.stdout
    assert re.search(r"example: not checked: .*`algzoo fetch example_2nd_argmax`", result.stdout)
    result = algzoo("check", "--json")
    assert result.exit_code == 0
    as_json = json.loads(result.stdout)
    assert list(as_json["not_checked"]) == ["example"]
    assert {row["chapter"] for row in as_json["numbers"]} == {"small"}
    assert as_json["broken"] == {}
    assert chapter_about_arcs_example.read_bytes() == before


def test_other_chapters_still_fail_beside_one_not_checked(
    algzoo, chapter, chapter_about_arcs_example
):
    change_source(chapter, "3 * scale", "4 * scale")
    result = algzoo("check")
    assert result.exit_code == 1
    assert "1 not checked" in result.stdout


def test_run_without_arcs_file_leaves_the_chapter_and_says_how_to_get_it(
    algzoo, chapter_about_arcs_example
):
    before = chapter_about_arcs_example.read_bytes()
    result = algzoo("run", "example")
    assert result.exit_code == 1
    assert "example needs ARC's own example_2nd_argmax" in result.stderr
    assert "`algzoo fetch example_2nd_argmax`" in result.stderr
    assert "example: not written" in result.stderr
    assert chapter_about_arcs_example.read_bytes() == before


def test_a_chapter_with_arcs_file_is_checked(algzoo, chapter_about_arcs_example, official):
    result = algzoo("check", "example")
    assert result.exit_code == 0
    assert "1 chapter, 8 numbers: 8 the same" in result.stdout
    assert "0 not checked" in result.stdout


def test_another_file_in_place_of_arcs_is_a_failure(
    algzoo, chapter_about_arcs_example, tmp_path, monkeypatch
):
    (tmp_path / "example_2nd_argmax.pth").write_bytes(b"<html>")
    monkeypatch.setenv("ALGZOO_OFFICIAL", str(tmp_path))
    result = algzoo("check", "example")
    assert result.exit_code == 1
    assert "it holds a web page" in result.stderr
    assert "0 not checked" in result.stdout


def test_arcs_files_beside_the_clone_are_found(shared, small_clone, chapter_about_arcs_example):
    beside = small_clone.parent / "shared" / "data"
    beside.mkdir(parents=True)
    (beside / "official").symlink_to(shared / "data" / "official")
    execute(chapter_about_arcs_example)
    assert "ALGZOO_OFFICIAL" not in os.environ


@pytest.mark.parametrize("named", ["official", "~/a clone ü/official"])
def test_arcs_folder_may_be_named_from_the_readers_own(
    algzoo, chapter_about_arcs_example, shared, small_clone, monkeypatch, named
):
    """A chapter runs in its own folder, the command where the reader is."""
    (small_clone / "official").symlink_to(shared / "data" / "official")
    monkeypatch.setenv("HOME", str(small_clone.parent))
    monkeypatch.setenv("ALGZOO_OFFICIAL", named)
    code = "from algzoo import example_2nd_argmax\nexample_2nd_argmax()\nrecord(exact"
    change_source(chapter_about_arcs_example, "record(exact", code)
    result = algzoo("check", "example")
    assert result.exit_code == 0, result.output
    assert os.environ["ALGZOO_OFFICIAL"] == named


WAITS = """
import time
from pathlib import Path
Path("NAME here").touch()
until = time.monotonic() + 60
while not Path("OTHER here").exists():
    assert time.monotonic() < until, "the other chapter was not begun"
    time.sleep(0.05)
"""


def test_two_chapters_run_at_the_same_time(algzoo, chapter):
    """Each waits for the other to begin."""
    other = chapter.with_name("other.ipynb")
    other.write_bytes(chapter.read_bytes())
    for path, beside in ((chapter, "other"), (other, "small")):
        waits = WAITS.replace("NAME", path.stem).replace("OTHER", beside)
        change_source(path, "record(exact", f"{waits}\nrecord(exact")
    result = algzoo("check", "--jobs", "2")
    assert result.exit_code == 0, result.output
    assert "2 chapters, 16 numbers: 16 the same, 0 not" in result.stdout


def test_one_at_a_time_is_one_at_a_time(algzoo, chapter):
    """Each leaves a mark while it runs, and says whether it saw another's."""
    other = chapter.with_name("other.ipynb")
    other.write_bytes(chapter.read_bytes())
    alone = "import time\nfrom pathlib import Path\nPath('mark').touch(exist_ok=False)\n"
    for path in (chapter, other):
        change_source(
            path, "figure, ax =", f"{alone}time.sleep(0.5)\nPath('mark').unlink()\nfigure, ax ="
        )
    result = algzoo("check", "--jobs", "1")
    assert result.exit_code == 0, result.output


def processes(mark):
    """Processes whose environment has the mark."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_an_interrupt_kills_the_kernels(algzoo, chapter, tmp_path):
    busy = "import time\nfrom pathlib import Path\nPath('begun').touch()\n"
    change_source(chapter, "record(exact", f"{busy}while True: sum(range(10**7))\nrecord(exact")
    before = chapter.read_bytes()
    mark = f"ALGZOO_TEST={tmp_path}"
    process = subprocess.Popen(
        [sys.executable, "-m", "algzoo", "run"],
        env=os.environ | {"ALGZOO_TEST": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell starts what is in the background without it, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    until = time.monotonic() + 120
    while not chapter.with_name("begun").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    assert len(processes(mark)) == 2
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.strip() == "Aborted!"
    assert processes(mark) == []
    assert chapter.read_bytes() == before


def test_a_kernel_that_dies_is_said(algzoo, chapter):
    change_source(chapter, "record(exact", "import os\nos._exit(1)\nrecord(exact")
    result = algzoo("check")
    assert result.exit_code == 1
    assert "small: Kernel died" in result.stderr
    assert "Traceback" not in result.output
