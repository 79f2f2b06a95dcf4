"""``algzoo new-chapter``: a notebook that runs, for every size of the zoo, and loses no file."""

import errno
import re
from itertools import islice, pairwise

import pytest
from click.testing import CliRunner

from algzoo.chapters import new_chapter as module
from algzoo.chapters import numbers
from algzoo.chapters.cli import main
from algzoo.chapters.new_chapter import new_chapter, write_new_chapter
from algzoo.chapters.notebooks import ChapterError, execute, read
from algzoo.chapters.statements import statements
from algzoo.zoo import FAMILIES

TOC = """\
format: jb-book
root: book/intro
parts:
  - caption: 2nd argmax
    chapters:
      - file: analyses/second_argmax_h2_n2
      - file: analyses/second_argmax_h4_n3.ipynb
  - caption: The challenge
    chapters:
      - file: analyses/challenge
  - caption: Back matter
    chapters:
      - file: book/bibliography
"""

# One of each set of sections, the smallest.
KINDS = [
    ("2nd_argmax", 2, 2),
    ("2nd_argmax", 2, 3),
    ("2nd_argmax", 2, 4),
    ("argmedian", 2, 3),
    ("argmedian", 2, 5),
    ("median", 2, 2),
    ("median", 2, 3),
    ("median", 2, 5),
    ("longest_cycle", 2, 3),
    ("longest_cycle", 2, 4),
]
THREE_THREE = ["--family", "2nd_argmax", "--hidden-size", "3", "--seq-len", "3"]


@pytest.fixture(autouse=True)
def few_estimators(monkeypatch):
    """Some that apply: all of them take a minute to compile."""
    all_that_apply = module._names_that_apply
    monkeypatch.setattr(module, "_names_that_apply", lambda m: islice(all_that_apply(m), 3))


@pytest.fixture
def clone(small_clone):
    (small_clone / "_toc.yml").write_text(TOC)
    (small_clone / "_config.yml").write_text('repository:\n  url: ""\n')
    return small_clone


@pytest.fixture
def algzoo(clone, monkeypatch):
    monkeypatch.chdir(clone)
    return lambda *arguments: CliRunner().invoke(main, arguments)


def code_of(notebook):
    return [c for c in notebook.cells if c.cell_type == "code" and c.id != "colab-install"]


@pytest.mark.parametrize(("family", "hidden_size", "seq_len"), KINDS)
def test_every_kind_of_chapter_runs_without_a_warning(family, hidden_size, seq_len, monkeypatch):
    monkeypatch.setattr(numbers, "display", lambda *_, **__: None)
    notebook = new_chapter("x", family, hidden_size, seq_len, "")
    names = {}
    for cell in code_of(notebook):
        exec(compile(cell.source, cell.id, "exec"), names)
    assert names["model"].task_name == family
    assert (names["model"].hidden_size, names["model"].seq_len) == (hidden_size, seq_len)
    assert 0 < names["truth"].value <= 1


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_size_keeps_to_the_rules(family, monkeypatch):
    monkeypatch.setattr(module, "_names_that_apply", lambda model: [f"estimate {'x' * 30}"] * 40)
    for size in family.sizes():
        cells = new_chapter("a_chapter", family.name, *size, "https://github.com/a/b").cells
        assert len({cell.id for cell in cells}) == len(cells)
        for before, cell in pairwise(cells):
            lines = cell.source.splitlines()
            assert "<<" not in cell.source
            if cell.cell_type == "code":
                assert before.cell_type == "markdown"
                assert len(lines) <= 15, cell.source
                assert all(len(line) <= 80 for line in lines), cell.source
            else:
                assert re.findall(r"(?<!`)\b\d+\.\d", cell.source) == []
        assert [c.id for c in cells if "parameters" in c.metadata.get("tags", [])] == [
            "a-chapter-04"
        ]
        assert cells[0].source.startswith("# ")
        assert "## What is not understood" in cells[-1].source


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's start-up
def test_a_chapter_on_three_three_from_the_command_line(algzoo, clone):
    result = algzoo("new-chapter", "second_argmax_h3_n3", *THREE_THREE)
    assert result.exit_code == 0, result.stderr
    assert "algzoo run second_argmax_h3_n3" in result.stdout
    listed = "      - file: analyses/second_argmax_h4_n3.ipynb\n"
    new = "      - file: analyses/second_argmax_h3_n3\n"
    assert (clone / "_toc.yml").read_text() == TOC.replace(listed, listed + new)
    path = clone / "analyses" / "second_argmax_h3_n3.ipynb"
    notebook = execute(path, {"seed": 1})
    stated = {statement.name: statement.value for statement in statements(notebook)}
    assert stated["n_parameters"] == 3 + 9 + 9
    assert stated["neurons_by_hand"] == 4
    assert stated["total_bits"] == 3
    # Every number in a sentence is recorded, and nothing is written but what is.
    glued = set(re.findall(r"\{glue:text\}`(\w+)", "".join(c.source for c in notebook.cells)))
    assert glued <= stated.keys()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") == "stdout" or "algzoo" in output.metadata


def test_a_family_that_has_no_chapter_comes_after_all_others(clone):
    write_new_chapter("median_h2_n2", "median", 2, 2, clone)
    last = "      - file: analyses/challenge\n"
    new = "      - file: analyses/median_h2_n2\n"
    assert (clone / "_toc.yml").read_text() == TOC.replace(last, last + new)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("small", "is there already"),
        ("second_argmax_h4_n3", "lists a chapter 'second_argmax_h4_n3' already"),
        ("M3,3", "'M3,3' is no name for a chapter"),
        ("../book/intro", "is no name for a chapter"),
    ],
)
def test_what_is_there_is_left_as_it_is(algzoo, clone, name, message):
    before = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}
    result = algzoo("new-chapter", name, *THREE_THREE)
    assert result.exit_code == 1
    assert message in result.stderr
    assert {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()} == before


def test_a_size_that_is_not_in_the_zoo_is_one_line(algzoo):
    size = ["--family", "median", "--hidden-size", "3", "--seq-len", "3"]
    result = algzoo("new-chapter", "median_h3_n3", *size)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No zoo model with hidden_size 3, please choose one of:")


def test_a_table_of_contents_without_chapters(clone):
    (clone / "_toc.yml").write_text("format: jb-book\n")
    with pytest.raises(ChapterError, match="lists no chapter yet"):
        write_new_chapter("x", "median", 2, 2, clone)
    assert not (clone / "analyses" / "x.ipynb").exists()


def test_a_full_disk_leaves_no_chapter_that_is_not_listed(clone, monkeypatch):
    def disk_full(path, content):
        raise OSError(errno.ENOSPC, f"cannot write {path}: No space left on device")

    monkeypatch.setattr(module, "write_whole", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_new_chapter("x", "median", 2, 2, clone)
    assert (clone / "_toc.yml").read_text() == TOC
    assert [path.name for path in (clone / "analyses").iterdir()] == ["small.ipynb"]


def test_a_notebook_of_a_new_chapter_is_a_valid_one(clone):
    path, line = write_new_chapter("x", "longest_cycle", 2, 3, clone)
    assert line == "- file: analyses/x"
    assert read(path).cells[1].id == "colab"
