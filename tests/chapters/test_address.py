"""The address of the book: one setting, for launch buttons and for Colab's first cell."""

import sys

import pytest
from click.testing import CliRunner

from algzoo.chapters.address import first_cells, publish_at, published_at
from algzoo.chapters.commands.main import main
from algzoo.chapters.notebooks import ChapterError, read, write

ADDRESS = "https://github.com/owner/a-book.2"
CONFIG = """\
title: x

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


@pytest.mark.parametrize(
    "address",
    ["github.com/a/b", "https://gitlab.com/a/b", "https://github.com/a", 'https://github.com/a/"b'],
)
def test_another_address_is_refused_and_changes_nothing(clone, monkeypatch, address):
    monkeypatch.chdir(clone)
    result = CliRunner().invoke(main, ["publish-at", address])
    assert result.exit_code == 1
    assert "is not the address of a repository as https://github.com/OWNER/NAME" in result.stderr
    assert published_at(clone) == ""


def test_a_book_without_the_setting_says_so(clone):
    (clone / "_config.yml").write_text("title: x\nlaunch_buttons:\n  url: 3\n")
    with pytest.raises(ChapterError, match=r"no setting `url` under `repository`"):
        published_at(clone)
    (clone / "_config.yml").unlink()
    with pytest.raises(ChapterError, match=r"Cannot read .*_config\.yml"):
        published_at(clone)


def test_the_first_cell_does_nothing_here_and_installs_on_colab(monkeypatch, capsys):
    from IPython.core.inputtransformer2 import TransformerManager

    prose, code = first_cells(ADDRESS)
    assert "Colab" in prose.source
    assert all(len(line) <= 80 for line in code.source.splitlines())
    python = TransformerManager().transform_cell(code.source)
    installed = []

    class Shell:
        def run_line_magic(self, magic, line):
            installed.append(f"{magic} {line}")

    names = {"get_ipython": Shell}
    exec(python, names)
    assert installed == []
    assert capsys.readouterr() == ("", "")
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    exec(python, names)
    assert names["REPOSITORY"] == ADDRESS
    assert len(installed) == 2
    assert installed[0] == "pip install -q --no-deps git+{REPOSITORY}"
    without_address = TransformerManager().transform_cell(first_cells("")[1].source)
    with pytest.raises(AssertionError, match="no address"):
        exec(without_address, names)
