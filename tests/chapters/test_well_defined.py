"""Committed numbers are properties of a model: none of rounding, of a kernel, of a library.

The rules are CONTRIBUTING.md's. They are put to the committed notebooks, of which nothing is
executed, and to new chapters.
"""

import ast
import re
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from algzoo.chapters import Column
from algzoo.chapters import new_chapter as module
from algzoo.chapters.notebooks import read
from algzoo.chapters.numbers import FLIPS, ROUNDING
from algzoo.estimates import catalog
from algzoo.zoo import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "analyses").glob("*.ipynb"))
PAGES = [path.read_text("utf-8") for path in sorted((ROOT / "book").glob("*.md"))]

LEAST_MARGIN = 1e-8  # half of the digits of a float: rounding does not reach as far
LARGE = 1000  # things; a share of fewer is told from a share of one less by its first digits
LARGEST = 2**24  # inputs that any chapter draws


class Stated(NamedTuple):
    """A committed number, and what its check goes by.

    ``of`` says how many things it, or another of its column, is a share of, where that is shown in
    percent.
    """

    name: str
    value: object
    declared: dict
    of: int


def stated(notebook, elsewhere=""):
    """Every record and every cell of a table; ``elsewhere`` is text that glues the records too."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    glued = re.findall(r"\{glue:text\}`(\w+):([^`]*)`", "\n".join([*texts, elsewhere]))
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            content = output.get("metadata", {}).get("algzoo", {})
            if "record" in content:
                name, value = content["record"], content["value"]
                percent = any(of == name and form.endswith("%") for of, form in glued)
                yield Stated(name, value, content, percent and number_of_things(value))
            for k, column in enumerate(content.get("columns", [])):
                cells = [row[k] for row in content["rows"] if column["format"].endswith("%")]
                of = max(map(number_of_things, cells), default=0)
                for row in content["rows"]:
                    name = f"{content['table']}, {row[0]}, {column['heading']}"
                    yield Stated(name, row[k], column, of)


def number_of_things(value):
    """The lower number of the ratio of whole numbers that a number is; 0 if it is none, or small.

    Were the number any other one, no ratio of numbers as small would be as near to it as rounding.
    """
    if not isinstance(value, float) or not 0 < abs(value) < 1:
        return 0
    ratio = Fraction(value)
    if ratio.denominator > LARGEST:  # not a share of a power of two
        ratio = ratio.limit_denominator(2**20)
        if abs(float(ratio) - value) > 2**-52 * abs(value):
            return 0
    return ratio.denominator if ratio.denominator > LARGE else 0


def ill_defined(notebook, elsewhere=""):
    """The numbers that are not properties of a model, with what to do about each."""
    faults = []
    for name, value, declared, of in stated(notebook, elsewhere):
        if declared.get("margin", 1) < LEAST_MARGIN:
            faults.append(
                f"{name}: selected by a comparison of which a number comes within "
                f"{declared['margin']:.1e} of the threshold, so that rounding decides: choose "
                "another threshold, or compare exactly"
            )
        if not isinstance(value, float):
            continue
        tolerance = declared["atol"] + declared["rtol"] * abs(value)
        if value == 0 and declared["atol"] == 0:
            faults.append(f"{name}: 0 with no absolute tolerance: give it an atol")
        if 0 < abs(value) < ROUNDING:
            faults.append(
                f"{name}: {value:.1e} is rounding: state that it is below a bound, put a dash "
                "(None) in its place, or 0 (without_rounding)"
            )
        if "share_of" in declared and tolerance < FLIPS / declared["share_of"]:
            faults.append(f"{name}: its tolerance is below {FLIPS} of {declared['share_of']}")
        undeclared = of and not {"share_of", "margin"} & declared.keys()
        if undeclared and tolerance < FLIPS / of and number_of_things(value):
            faults.append(
                f"{name}: a share of {of} things or more, of which its tolerance allows "
                f"{tolerance * of:.2g} to change: declare share_of, how many random inputs there "
                "are, or margin, where none can change"
            )
    return faults


def selections(notebook):
    """Comparisons of numbers by size that select what is counted or picked out."""
    faults = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or "google.colab" in cell.source:
            continue
        tree = ast.parse(cell.source)
        above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        faults += [
            f"cell {cell.id}, line {node.lineno}: `{ast.unparse(node)}` selects: use above or "
            "below, and record their margin with what is counted; compare whole numbers by ==, in "
            "or np.isin"
            for node in ast.walk(tree)
            if isinstance(node, ast.Compare) and by_size(node) and selects(node, above)
        ]
    return faults


def by_size(comparison):
    """Whether it is one, other than of a length."""
    sides = [comparison.left, *comparison.comparators]
    if any(isinstance(side, ast.Call) and called(side) in ("len", "count") for side in sides):
        return False
    order = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    return any(isinstance(operator, order) for operator in comparison.ops)


def called(call):
    """The last name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


_NAMED = (ast.Assign, ast.AugAssign, ast.NamedExpr, ast.Return)
_PICKED = (ast.comprehension, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
_CHOICE = (ast.IfExp, ast.If, ast.While, ast.Assert)
_COUNTS = {"sum", "len", "count_nonzero", "flatnonzero", "nonzero", "int"}


def selects(node, above):
    """Whether a truth value ends in a count, a selection or a name, not in a choice of one of two.

    A mean of truth values is a share, for which there is another rule.
    """
    while (parent := above.get(node)) is not None:
        if isinstance(parent, ast.Call):
            return called(parent) in _COUNTS
        if isinstance(parent, (*_CHOICE, ast.keyword)):
            return False
        if isinstance(parent, (*_NAMED, *_PICKED, ast.Subscript)):
            return True
        node = parent
    return False


def refuse(faults):
    if faults:
        pytest.fail("\n  ".join(["the rules in CONTRIBUTING.md:", *faults]), pytrace=False)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_number_is_a_property_of_the_model(path):
    of_path = re.compile(rf"(?<=`)\S*{path.name}::")
    refuse(ill_defined(read(path), "\n".join(of_path.sub("", page) for page in PAGES)))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_is_counted_is_selected_with_a_margin(path):
    refuse(selections(read(path)))


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_new_chapters_select_with_a_margin(family, monkeypatch):
    # All that apply take a minute to compile.
    entries = catalog()[:1]
    monkeypatch.setattr(module, "_entries_that_apply", lambda model: entries)
    for size in family.sizes():
        refuse(selections(module.new_chapter("a_chapter", family.name, *size, "")))


def notebook_of(*records, columns=(), rows=(), prose=""):
    """A notebook that states these records, ``(name, value, what is declared)``, and a table."""
    outputs = [
        new_output(
            "display_data",
            metadata={"algzoo": {"record": name, "value": value, "rtol": 0, "atol": 0} | declared},
        )
        for name, value, declared in records
    ]
    for_table = {
        "table": "t",
        "columns": [{"heading": c.heading, "format": c.format} | c.declared for c in columns],
        "rows": list(rows),
    }
    outputs.append(new_output("display_data", metadata={"algzoo": for_table}))
    return new_notebook(
        cells=[new_markdown_cell(prose, id="prose"), new_code_cell("", id="a", outputs=outputs)]
    )


@pytest.mark.parametrize(
    ("value", "declared", "fault"),
    [
        (0.0, {}, "0 with no absolute tolerance"),
        (0.0, {"atol": 1e-12}, None),
        (0, {}, None),
        (9e-13, {"rtol": 1e-9}, "9.0e-13 is rounding"),
        (-9e-13, {"atol": 1e-5}, "-9.0e-13 is rounding"),
        (2e-12, {}, None),
        ("0.0", {}, None),
        (12345 / 2**17, {"rtol": 1e-9}, "of 131072 things or more, of which its tolerance allows"),
        (12345 / 2**17, {"atol": 3.01 / 2**17}, None),
        (12345 / 2**17, {"atol": 3 / 2**18, "share_of": 2**18}, None),
        (12345 / 2**17, {"atol": 2.9 / 2**18, "share_of": 2**18}, "below 3 of 262144"),
        (12345 / 2**17, {"rtol": 1e-9, "margin": 1e-3}, None),
        (12345 / 46657, {"rtol": 1e-9}, "a share of 46657 things"),
        (1 / 3, {}, None),
        (0.317, {}, None),
        (2**0.5 / 2, {}, None),
        (7, {"margin": 9e-9}, "comes within 9.0e-09 of the threshold"),
        (7, {"margin": 2e-8}, None),
    ],
)
def test_a_number_that_is_rounding_is_refused(value, declared, fault):
    faults = ill_defined(notebook_of(("x", value, declared), prose="{glue:text}`x:.1%`"))
    assert (fault or "") in "".join(faults)
    assert len(faults) == (fault is not None)


def test_a_share_is_told_by_how_it_is_shown():
    share = ("x", 12345 / 2**17, {})
    assert ill_defined(notebook_of(share, prose="{glue:text}`x:.3f`")) == []
    assert ill_defined(notebook_of(share)) == []
    assert len(ill_defined(notebook_of(share), elsewhere="{glue:text}`x:.0%`")) == 1


def test_the_cells_of_a_column_are_shares_of_as_many_things():
    rows = [["a", 0.5], ["b", 1025 / 2**12], ["c", 12345 / 2**17], ["d", None], ["e", 0.25]]
    tight, loose = Column("x", ".1%", atol=2.9 / 2**17), Column("x", ".1%", atol=3.1 / 2**17)
    faults = ill_defined(notebook_of(columns=[Column("r"), tight], rows=rows))
    assert [fault.split(":")[0] for fault in faults] == ["t, b, x", "t, c, x"]
    assert ill_defined(notebook_of(columns=[Column("r"), loose], rows=rows)) == []
    declared = Column("x", ".1%", share_of=2**17)
    assert ill_defined(notebook_of(columns=[Column("r"), declared], rows=rows)) == []


@pytest.mark.parametrize(
    "code",
    [
        "n = sum(x > 0.5 for x in xs)",
        "n = (xs > 0.5).sum()",
        "n = np.sum(0.1 < xs)",
        "n = int((xs >= 0).sum())",
        "large = [x for x in xs if x > 0.5]",
        "large = xs[xs > 0.5]",
        "large = (xs > 0.5) & (ys == 1)",
        "record(n=len({x for x in xs if not x <= 0.5}))",
        "def large(x):\n    return x > 0.5",
    ],
)
def test_a_comparison_that_selects_is_refused(code):
    [fault] = selections(new_notebook(cells=[new_code_cell(code, id="a")]))
    assert fault.startswith("cell a, line ")
    assert "use above or below" in fault


@pytest.mark.parametrize(
    "code",
    [
        "large, margin = above(xs, 0.5)",
        "colour = 'white' if x > 0.5 else 'black'",
        "signs = [('+' if x > 0 else '-') for x in xs]",
        "if x > 0.5:\n    y = 1",
        "share = (xs > 0.5).mean()",
        "share = np.mean(xs > 0.5)",
        "ax.fill_between(xs, ys, where=ys > 0)",
        "known = [n for n in ns if n in (3, 4)]",
        "several = [n for n in names if len(n) > 1]",
        "equal = xs[xs == 2]",
    ],
)
def test_other_comparisons_are_let_be(code):
    assert selections(new_notebook(cells=[new_code_cell(code, id="a")])) == []
