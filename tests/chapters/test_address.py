"""The address of the book: one setting, for launch buttons and for Colab's first cell."""

import ast
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from click.testing import CliRunner
from IPython.core.inputtransformer2 import TransformerManager

from algzoo.chapters.address import doubts, first_cells, publish_at, published_at
from algzoo.chapters.commands.main import main
from algzoo.chapters.notebooks import ChapterError, read, write

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = ("ipykernel", "ipython", "nbclient", "papermill")
ADDRESS = "https://github.com/owner/a-book.2"
CONFIG = """\
title: x

html:
  use_repository_button: false

repository:
  # a comment
  url: ""  # of the book
  branch: main

launch_buttons:
  notebook_interface: jupyterlab
  binderhub_url: ""
  colab_url: ""

b: 1
"""
PUBLISHED = CONFIG.replace('  url: ""', f'  url: "{ADDRESS}"')
PUBLISHED = PUBLISHED.replace('hub_url: ""', 'hub_url: "https://mybinder.org"')
PUBLISHED = PUBLISHED.replace("button: false", "button: true")
PUBLISHED = PUBLISHED.replace('lab_url: ""', 'lab_url: "https://colab.research.google.com"')


@pytest.fixture
def clone(small_clone):
    (small_clone / "_config.yml").write_text(CONFIG)
    path = small_clone / "analyses" / "small.ipynb"
    notebook = read(path)
    notebook.cells[1:1] = first_cells("")
    write(notebook, path)
    return small_clone


def test_it_is_set_in_all_places_and_nothing_else_changes(clone):
    chapter = clone / "analyses" / "small.ipynb"
    before = chapter.read_text("utf-8")
    assert published_at(clone) == ""
    assert publish_at(f"{ADDRESS}.git", clone) == [chapter, clone / "_config.yml"]
    assert (clone / "_config.yml").read_text() == PUBLISHED
    assert published_at(clone) == ADDRESS
    assert f'REPOSITORY = \\"{ADDRESS}\\"' in chapter.read_text("utf-8")
    assert publish_at(ADDRESS, clone) == []
    publish_at("", clone)
    assert chapter.read_text("utf-8") == before
    assert (clone / "_config.yml").read_text() == CONFIG


def test_it_says_what_git_knows_against_the_address(clone, monkeypatch):
    def git(*arguments):
        name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", clone, *name, *arguments], check=True, capture_output=True)

    assert doubts("", clone) == []
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(clone.parent))
    git("init", "-b", "main")
    [elsewhere] = doubts(ADDRESS, clone)
    assert elsewhere.startswith(f"No remote of this clone is {ADDRESS}: push it there")
    git("remote", "add", "origin", "git@github.com:owner/a-book.2.git")
    assert doubts(ADDRESS, clone) == [
        "This branch has not been pushed: Binder and Colab install what is on GitHub."
    ]
    git("commit", "--allow-empty", "-m", "one")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("branch", "--set-upstream-to=origin/main")
    assert doubts(ADDRESS, clone) == []
    git("commit", "--allow-empty", "-m", "two")
    assert doubts(ADDRESS, clone)[0].startswith("Commits not pushed: 1.")
    monkeypatch.chdir(clone)
    result = CliRunner().invoke(main, ["publish-at", ADDRESS])
    assert result.exit_code == 0
    assert "_config.yml: changed" in result.stdout
    assert "Commits not pushed" in result.stderr


@pytest.mark.parametrize(
    "address",
    ["github.com/a/b", "https://gitlab.com/a/b", "https://github.com/a", 'https://github.com/a/"b'],
)
def test_another_address_is_refused_and_changes_nothing(clone, monkeypatch, address):
    monkeypatch.chdir(clone)
    result = CliRunner().invoke(main, ["publish-at", address])
    assert result.exit_code == 1
    assert "is not the address of a repository like https://github.com/OWNER/NAME" in result.stderr
    assert published_at(clone) == ""


def test_a_book_without_the_setting_says_so(clone):
    (clone / "_config.yml").write_text("title: x\nlaunch_buttons:\n  url: 3\n")
    with pytest.raises(ChapterError, match=r"no setting `url` under `repository`"):
        published_at(clone)
    (clone / "_config.yml").unlink()
    with pytest.raises(ChapterError, match=r"Cannot read .*_config\.yml"):
        published_at(clone)


def run_first_cell(address, folder, monkeypatch):
    """Run it in that folder; what it installs, and its names."""
    monkeypatch.chdir(folder)
    installed = []

    class Shell:
        def run_line_magic(self, magic, line):
            installed.append(f"{magic} {line}")

    names = {"get_ipython": Shell}
    exec(TransformerManager().transform_cell(first_cells(address)[1].source), names)
    return installed, names


def test_the_first_cell_does_nothing_here(monkeypatch, capsys, tmp_path):
    prose, code = first_cells(ADDRESS)
    assert "Colab" in prose.source
    lines = code.source.splitlines()
    assert len(lines) <= 15
    assert all(len(line) <= 80 for line in lines)
    installed, _ = run_first_cell(ADDRESS, tmp_path, monkeypatch)
    assert installed == []
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_the_first_cell_installs_on_colab_what_is_declared(monkeypatch, tmp_path):
    """With its bounds; but for the kernel that runs the cell, and what starts other kernels."""
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    installed, names = run_first_cell(ADDRESS, tmp_path, monkeypatch)
    assert names["REPOSITORY"] == ADDRESS
    assert installed == [
        "pip install -q --no-deps git+{REPOSITORY}",
        "pip install -q -r needed.txt",
    ]
    declared = {line for line in requires("algzoo") if "extra ==" not in line}
    needed = set((tmp_path / "needed.txt").read_text().splitlines())
    assert needed < declared
    left_out = {re.match(r"[\w-]+", line)[0] for line in declared - needed}
    assert left_out == set(LEFT_OUT)


def test_the_first_cell_without_an_address_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    with pytest.raises(AssertionError, match="no address"):
        run_first_cell("", tmp_path, monkeypatch)


def test_chapters_do_not_import_what_colab_is_not_given():
    """But for IPython, of which Colab has its own."""
    imports = {
        ast.unparse(node)
        for path in sorted((ROOT / "analyses").glob("*.ipynb"))
        for cell in read(path).cells
        if cell.cell_type == "code" and cell.id != "colab-install"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert len(imports) > 20
    missing = [name for name in LEFT_OUT if name != "ipython"]
    program = "\n".join(
        ["import sys", f"sys.modules |= dict.fromkeys({missing!r})", *sorted(imports)]
    )
    subprocess.run([sys.executable, "-c", program], check=True)
