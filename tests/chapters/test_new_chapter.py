"""``algzoo new-chapter``: a notebook that runs, for every size of the zoo, and loses no file."""

import errno
import re
import subprocess
import sys
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from algzoo.chapters import new_chapter as module
from algzoo.chapters import numbers
from algzoo.chapters.commands.main import main
from algzoo.chapters.new_chapter import new_chapter, write_new_chapter
from algzoo.chapters.notebooks import ChapterError, execute, read
from algzoo.chapters.statements import statements
from algzoo.estimates import catalog
from algzoo.zoo import FAMILIES, best_seed, load_model

ROOT = Path(__file__).resolve().parents[2]
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
    ("2nd_argmax", 5, 2),
    ("argmedian", 2, 3),
    ("argmedian", 2, 5),
    ("median", 2, 2),
    ("median", 2, 3),
    ("median", 2, 5),
    ("longest_cycle", 2, 3),
    ("longest_cycle", 2, 4),
]
THREE_THREE = ["--family", "2nd_argmax", "--hidden-size", "3", "--seq-len", "3"]


all_that_apply = module._entries_that_apply


@pytest.fixture(autouse=True)
def few_estimators(monkeypatch):
    """Some that apply: all of them take a minute to compile."""
    monkeypatch.setattr(module, "_entries_that_apply", lambda m: islice(all_that_apply(m), 3))


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
    [parameters] = [c.source for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    code = "\n".join(c.source for c in code_of(notebook) if c.source != parameters)
    for parameter in re.findall(r"^\w+", parameters, re.MULTILINE):
        assert re.search(rf"\b{parameter}\b", code), f"{parameter} is used nowhere"


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_of_chapter_keeps_to_the_rules_of_ruff(kind):
    notebook = nbformat.writes(new_chapter("x", *kind, ""))
    ruff = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "analyses/x.ipynb", "-"]
    result = subprocess.run(
        ruff, input=notebook, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("size", "sections"),
    [
        ((3, 3), ["matrices"]),
        ((4, 2), ["matrices"]),
        ((4, 3), ["matrices_apart"]),
        ((2, 10), ["matrices_apart"]),
        ((5, 2), ["neuron_table"]),
    ],
)
def test_of_small_models_all_weights_are_shown(size, sections):
    model = FAMILIES["2nd_argmax"].build(*size)
    shown = [s for s in module._sections(model) if s.startswith(("matrices", "neuron_"))]
    assert shown == sections


def test_estimators_are_those_that_take_the_model():
    of_three = [entry.name for entry in all_that_apply(load_model("2nd_argmax", 3, 3))]
    assert {"chance", "4 rays", "8 to 8 rays a sector", "skeleton", "tree, 1024 inputs"} <= {
        *of_three
    }
    assert {"exact", "256 angles", "lambda family", "constant"}.isdisjoint(of_three)
    of_cycles = [e.name for e in all_that_apply(load_model("longest_cycle", 2, 3))]
    assert of_cycles[0] == "averaged over renamings"
    assert of_cycles[-1] == "iid, 1024 inputs"
    assert "all functions" not in of_cycles
    of_median = [entry.name for entry in all_that_apply(load_model("median", 4, 3))]
    assert of_median == ["iid, 1024 inputs"]


def test_estimators_are_listed_with_what_they_are():
    entries = [entry for entry in catalog() if entry.name in ("4 rays", "chance")]
    assert module._list_of(entries).splitlines() == [
        "* *4 rays*: accuracy from rays at equal angles, none of which lies on x0 = x1.",
        "* *chance*: accuracy of guessing a position, 1 / seq_len, which follows from the task "
        "alone.",
    ]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_size_keeps_to_the_rules(family, monkeypatch):
    entries = [replace(catalog()[0], name=f"estimate {'x' * 30}")] * 40
    monkeypatch.setattr(module, "_entries_that_apply", lambda model: entries)
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
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    commands = re.findall(r"^  (\.venv/bin/(?!jupyter lab).+)", result.stdout, re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        assert re.search(rf"^ *{re.escape(command)}$", guide, re.MULTILINE), command
    [row] = re.findall(r"^  (\| .+)", result.stdout, re.MULTILINE)
    assert f"   {row}\n" in guide
    larger = "      - file: analyses/second_argmax_h4_n3.ipynb\n"
    new = "      - file: analyses/second_argmax_h3_n3\n"
    assert (clone / "_toc.yml").read_text() == TOC.replace(larger, new + larger)
    path = clone / "analyses" / "second_argmax_h3_n3.ipynb"
    notebook = execute(path, {"seed": 1})
    stated = {statement.name: statement.value for statement in statements(notebook)}
    assert stated["n_parameters"] == 3 + 9 + 9
    assert stated["by hand, by hand, neurons"] == 4
    assert 0.9999 < stated["by hand, by hand, accuracy"] < 1
    assert stated["by hand, trained, accuracy"] == stated["accuracy"]
    assert stated["total_bits"] == 3
    assert stated["seeds, 1, accuracy"] == stated["accuracy"]
    assert stated["best_seed"] == best_seed("2nd_argmax", 3, 3)
    assert stated["seeds, 0, accuracy"] < stated["seeds, 1, accuracy"]
    rows = set(re.findall(r"::(\w+)", row))
    assert rows == {"n_parameters", "accuracy"} <= stated.keys()
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
    ("size", "above"),
    [
        ((2, 10), "second_argmax_h4_n3.ipynb"),
        ((4, 2), "second_argmax_h4_n3.ipynb"),
        ((5, 2), "second_argmax_h16_n10"),
        ((32, 10), None),
    ],
)
def test_a_chapter_is_listed_by_size_within_its_family(clone, size, above):
    last = "      - file: analyses/second_argmax_notes\n"
    toc = TOC.replace(
        "  - caption: The challenge",
        f"      - file: book/sphere\n      - file: analyses/second_argmax_h16_n10\n{last}"
        "  - caption: The challenge",
    )
    (clone / "_toc.yml").write_text(toc)
    write_new_chapter("second_argmax_new", "2nd_argmax", *size, clone)
    new = "      - file: analyses/second_argmax_new\n"
    beside = f"      - file: analyses/{above}\n" if above else last
    expected = new + beside if above else beside + new
    assert (clone / "_toc.yml").read_text() == toc.replace(beside, expected)


def test_the_row_of_a_median_says_how_far_it_is_off(clone):
    row = write_new_chapter("median_h2_n2", "median", 2, 2, clone).row
    assert row.startswith("| [Median (2, 2)](../analyses/median_h2_n2.ipynb); {glue:text}`")
    assert "| off by {glue:text}`../analyses/median_h2_n2.ipynb::rmse:.1e` |" in row


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("small", "already exists"),
        ("second_argmax_h4_n3", "already lists a chapter 'second_argmax_h4_n3'"),
        ("M3,3", "'M3,3' is not a valid name for a chapter"),
        ("../book/intro", "is not a valid name for a chapter"),
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
    with pytest.raises(ChapterError, match="lists no chapter after which"):
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
    new = write_new_chapter("x", "longest_cycle", 2, 3, clone)
    assert new.line == "- file: analyses/x"
    assert read(new.path).cells[1].id == "colab"
