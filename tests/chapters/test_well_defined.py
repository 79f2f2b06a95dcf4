"""Committed numbers are properties of a model: none of rounding, of a kernel, of a library.

The rules are CONTRIBUTING.md's. They are put to the committed notebooks, of which nothing is
executed, and to the code of new chapters.
"""

import ast
import re
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from algzoo.chapters import Column, numbers, record, table
from algzoo.chapters.new_chapter import new_chapter
from algzoo.chapters.notebooks import read
from algzoo.chapters.numbers import FLIPS, ROUNDING
from algzoo.zoo import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "analyses").glob("*.ipynb"))
PAGES = [path.read_text("utf-8") for path in sorted((ROOT / "book").glob("*.md"))]

LEAST_MARGIN = 1e-8  # half of the digits of a float: rounding does not reach as far
LARGE = 1000  # things; a share of fewer is told from a share of one less by its first digits
LARGEST = 2**24  # inputs that any chapter draws


class Stated(NamedTuple):
    """A committed number, what its check goes by, and how readers see it."""

    name: str
    value: object
    declared: dict
    formats: list[str]


def stated(notebook, elsewhere=""):
    """Every record and every cell of a table; ``elsewhere`` is text that glues the records too."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    glued = re.findall(r"\{glue:text\}`(\w+):([^`]*)`", "\n".join([*texts, elsewhere]))
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            content = output.get("metadata", {}).get("algzoo", {})
            if "record" in content:
                name = content["record"]
                yield Stated(name, content["value"], content, [f for n, f in glued if n == name])
            for row in content.get("rows", []):
                for column, value in zip(content["columns"], row, strict=True):
                    name = f"{content['table']}, {row[0]}, {column['heading']}"
                    yield Stated(name, value, column, [column["format"]])


def ill_defined(notebook, elsewhere=""):
    """The numbers that are not properties of a model, with what to do about each."""
    faults = []
    for name, value, declared, formats in stated(notebook, elsewhere):
        if "margin" in declared and declared["margin"] < LEAST_MARGIN:
            faults.append(
                f"{name}: selected by a comparison that comes within {declared['margin']:.1e} of "
                "its threshold, where rounding decides: choose another threshold"
            )
        if not isinstance(value, float):
            continue
        if value == 0 and declared["atol"] == 0:
            faults.append(f"{name}: 0 with no absolute tolerance: give it an atol")
        if 0 < abs(value) < ROUNDING:
            faults.append(
                f"{name}: {value:.1e} is rounding: record whether it is below a bound, or a dash "
                "(None), or without_rounding"
            )
        if "share_of" in declared:
            if declared["atol"] < FLIPS / declared["share_of"]:
                faults.append(f"{name}: a tolerance below {FLIPS} of {declared['share_of']} inputs")
        elif "margin" not in declared and any(format.endswith("%") for format in formats):
            if (ratio := share(value)) is not None:
                faults.append(
                    f"{name}: {ratio} is a share of many things: declare share_of, the number of "
                    "random inputs, or margin, where none of them can change"
                )
    return faults


def share(value):
    """The ratio of whole numbers that a number is, the lower one large; ``None`` if it is none.

    Were the number any other one, no ratio of numbers as small would be as near to it as rounding.
    """
    if not 0 < abs(value) < 1:
        return None
    ratio = Fraction(value)
    if ratio.denominator > LARGEST:  # not a share of a power of two
        ratio = ratio.limit_denominator(2**20)
        if abs(float(ratio) - value) > 2**-52 * abs(value):
            return None
    return ratio if ratio.denominator > LARGE else None


def selections(notebook):
    """Comparisons of numbers by size that select what is counted or picked out."""
    faults = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.id == "colab-install":
            continue
        tree = ast.parse(cell.source)
        above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        faults += [
            f"cell {cell.id}, line {node.lineno}: `{ast.unparse(node)}` selects: use above or "
            "below, and record the margin with what is counted; compare whole numbers by ==, in "
            "or np.isin"
            for node in ast.walk(tree)
            if isinstance(node, ast.Compare) and by_size(node) and selects(node, above)
        ]
    return faults


def by_size(comparison):
    """Whether it is one, other than of a length."""
    sides = [comparison.left, *comparison.comparators]
    lengths = [s for s in sides if isinstance(s, ast.Call) and called(s) in ("len", "count")]
    order = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
    return not lengths and any(isinstance(op, order) for op in comparison.ops)


def called(call):
    """The last name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def selects(node, above):
    """Whether a truth value ends in a count, a selection or a name, not in a choice between two.

    A mean of truth values is a share, for which there is another rule.
    """
    while (parent := above.get(node)) is not None:
        if isinstance(parent, ast.IfExp | ast.If | ast.While | ast.Assert):
            return False
        if isinstance(parent, ast.keyword):
            return False
        if isinstance(parent, ast.Call):
            if node is parent.func and called(parent) == "mean":
                return False
            counting = ("sum", "len", "count_nonzero", "flatnonzero", "nonzero", "int", "argmax")
            return called(parent) in counting
        if isinstance(
            parent,
            ast.comprehension
            | ast.GeneratorExp
            | ast.ListComp
            | ast.SetComp
            | ast.DictComp
            | ast.Assign
            | ast.AugAssign
            | ast.NamedExpr
            | ast.Return
            | ast.Subscript,
        ):
            return True
        node = parent
    return False


def refuse(faults):
    if faults:
        pytest.fail("\n  ".join(["the rules in CONTRIBUTING.md:", *faults]), pytrace=False)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_number_is_a_property_of_the_model(path):
    of_path = re.compile(rf"(?<=`)\S*{path.name}::")
    elsewhere = [of_path.sub("", page) for page in PAGES]
    refuse(ill_defined(read(path), "\n".join(elsewhere)))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_is_counted_is_selected_with_a_margin(path):
    refuse(selections(read(path)))
