"""What `make book` does and says, with stand-ins for the programs that it calls."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PROGRAMS = {
    "python": "exit 0",
    ".venv/bin/pip": 'echo "pip says much"; echo "and warns" >&2; exit $PIP_STATUS',
    ".venv/bin/jupyter-book": (
        'echo "Your pages are here"; mkdir -p _build/html; echo page >_build/html/index.html; '
        "exit $PAGES_STATUS"
    ),
    ".venv/bin/algzoo": 'test -s _build/html/index.html && echo "checked"; exit $CHECK_STATUS',
}


@pytest.fixture
def clone(tmp_path):
    """A clone with nothing in it but what the Makefile looks at."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "constraints.txt", "_config.yml", "_toc.yml"):
        (tmp_path / name).touch()
    for name in ("algzoo/x.py", "analyses/x.ipynb", "book/x.md"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name, script in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.fixture
def make_book(clone):
    def make(**statuses):
        settings = {"PIP_STATUS": "0", "PAGES_STATUS": "0", "CHECK_STATUS": "0", **statuses}
        return subprocess.run(
            ["make", "book", "PYTHON=./python"],
            cwd=clone,
            env={"PATH": "/usr/bin:/bin", **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    return make


def test_pages_are_built_first_then_numbers_are_checked_and_little_is_said(make_book, clone):
    result = make_book()
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "Installing into .venv; what pip says goes to .venv/install.log",
        "Building the pages",
        "Executing every chapter, to compare its numbers with the committed ones",
        "checked",
        f"{clone}/_build/html/index.html",
    ]
    assert (clone / ".venv" / "install.log").read_text() == "pip says much\nand warns\n"
    again = make_book()
    assert again.stdout == f"{clone}/_build/html/index.html\n"


def test_where_a_number_moved_there_are_pages_and_a_failure(make_book, clone):
    result = make_book(CHECK_STATUS="1")
    assert result.returncode != 0
    assert result.stdout.splitlines()[-2:] == ["checked", f"{clone}/_build/html/index.html"]
    assert (clone / "_build" / "html" / "index.html").exists()
    again = make_book()  # now that it holds
    assert again.returncode == 0
    assert "Building" not in again.stdout
    assert again.stdout.splitlines()[-2:] == ["checked", f"{clone}/_build/html/index.html"]


@pytest.mark.parametrize(
    ("program", "said"),
    [("PIP_STATUS", "pip says much\nand warns\n"), ("PAGES_STATUS", "Your pages are here\n")],
)
def test_what_fails_is_heard(make_book, program, said):
    result = make_book(**{program: "1"})
    assert result.returncode != 0
    assert result.stdout.endswith(said)
    assert "checked" not in result.stdout
