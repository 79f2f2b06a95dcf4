"""Killed, or two at once: files are whole, nothing of anybody's is lost, and locks end.

``tests/promises/kills.py`` kills the commands themselves, at random moments and very often.
"""

import itertools
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from algzoo.chapters import running
from algzoo.chapters.commands.main import main
from algzoo.chapters.notebooks import find_chapters, read, write
from algzoo.zoo import files

# The module alone: a second for the whole package each time would be long.
LOAD = """
import importlib.util, os, signal, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("files", sys.argv[1])
files = importlib.util.module_from_spec(spec)
spec.loader.exec_module(files)
path = Path(sys.argv[2])
"""
KILLED_WRITE = f"""{LOAD}
left = int(sys.argv[3])
def audit(event, _):
    global left
    left -= 1
    if left == -1:  # and not again, when told of the kill
        os.kill(os.getpid(), signal.SIGKILL)
content = b"new" * 100_000
sys.addaudithook(audit)
files.write_whole(path, content)
left = 1000  # what Python does at its end is not meant
"""
HOLD = f"""{LOAD}
with files.locked(path, "holding it"):
    print("held", flush=True)
    sys.stdin.read()
"""


def program(source, *arguments):
    return [sys.executable, "-c", source, files.__file__, *map(str, arguments)]


@contextmanager
def held(path):
    """A process that holds the lock inside the block; it is killed in the end."""
    with subprocess.Popen(
        program(HOLD, path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.kill()


@pytest.fixture
def chapter(small_clone, monkeypatch):
    monkeypatch.chdir(small_clone)
    return small_clone / "analyses" / "small.ipynb"


def algzoo(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_write_killed_at_any_step_leaves_the_old_or_the_new_chapter(small_clone):
    path = small_clone / "analyses" / "small.ipynb"
    old, new = path.read_bytes(), b"new" * 100_000
    seen = []
    for step in itertools.count():
        path.write_bytes(old)
        status = subprocess.run(program(KILLED_WRITE, path, step)).returncode
        assert path.read_bytes() in (old, new)
        seen.append(path.read_bytes() == new)
        assert find_chapters((), small_clone) == [path]
        others = [file for file in path.parent.iterdir() if file != path]
        assert all(file.name[0] == "." and file.suffix == ".tmp" for file in others)
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert len(seen) > 4
    assert seen == sorted(seen)


def test_a_lock_names_its_holder_and_ends_with_it(tmp_path):
    path = tmp_path / "folder" / "lock"
    with (
        held(path) as holder,
        pytest.raises(BlockingIOError, match=f"^process {holder} is doing this: wait until"),
        files.locked(path, "doing this"),
    ):
        pytest.fail("two hold it")
    assert path.exists()  # as the killed process left it
    with files.locked(path, "doing this"):
        assert path.read_text() == f"{os.getpid()}\n"
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "lock"),
    [
        (["2nd_argmax", 2, 2, "--seed", 3, "--n-val", 0], "2nd_argmax_2_2_3.lock"),
        (["--all", "--family", "median"], "median_3.lock"),
    ],
)
def test_two_trainings_of_the_same_files_are_one_and_a_line(tmp_path, arguments, lock):
    arguments = ["train", *arguments, "--n-train", 1024, "--device", "cpu", "--folder", tmp_path]
    with held(tmp_path / lock) as holder:
        result = algzoo(*arguments)
        assert result.exit_code == 1
        [line] = [line for line in result.stderr.splitlines() if line.startswith("Error")]
        assert line.startswith(f"Error: process {holder} is training ")
        assert {file.name for file in tmp_path.iterdir()} == {lock}
    assert algzoo(*arguments).exit_code == 0
    assert not list(tmp_path.glob("*.lock"))


def test_a_chapter_edited_while_it_runs_keeps_the_edit(chapter, monkeypatch):
    async def edited_meanwhile(notebook, path, parameters, cell_done):
        executed = read(path)
        edited = read(path)
        edited.cells[0].source = "# My title"
        write(edited, path)
        return executed

    monkeypatch.setattr(running, "execute_async", edited_meanwhile)
    result = algzoo("run", "small")
    assert result.exit_code == 1
    assert "was changed while it ran" in result.stderr
    assert "small: not written" in result.stderr
    assert read(chapter).cells[0].source == "# My title"


def test_two_runs_at_once_both_finish(chapter, monkeypatch):
    executed, cleared = read(chapter), read(chapter)
    committed = chapter.read_bytes()
    for cell in cleared.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    write(cleared, chapter)

    async def another_was_faster(notebook, path, parameters, cell_done):
        write(executed, path)
        return executed

    monkeypatch.setattr(running, "execute_async", another_was_faster)
    assert algzoo("run", "small").exit_code == 0
    assert chapter.read_bytes() == committed
