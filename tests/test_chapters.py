"""Every chapter, re-executed: its numbers hold, on other models too; the house rules."""

import ast
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from algzoo.chapters.cover import cover
from algzoo.chapters.notebooks import OfficialFileNeededError, execute, read
from algzoo.chapters.statements import compare, statements

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "analyses").glob("*.ipynb"))
# Glued numbers, code, formulas and quotations; "95% confidence" is a name, not a measured number.
NOT_PROSE = r'\{glue:text\}`[^`]*`|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|"[^"\n]*"|95% (?=confidence)'
M22 = ROOT / "analyses" / "second_argmax_h2_n2.ipynb"
M43 = ROOT / "analyses" / "second_argmax_h4_n3.ipynb"
M1610 = ROOT / "analyses" / "second_argmax_h16_n10.ipynb"
M1610_EXAMPLE = ROOT / "analyses" / "second_argmax_h16_n10_example.ipynb"
M1610_ESTIMATES = ROOT / "analyses" / "second_argmax_h16_n10_estimates.ipynb"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's start-up


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return request.param


def stated(notebook):
    return {statement.name: statement.value for statement in statements(notebook)}


def refuse(faults):
    """Fail with all that breaks the rules of CONTRIBUTING.md, if anything does."""
    if faults:
        pytest.fail("\n  ".join(["the rules in CONTRIBUTING.md:", *faults]), pytrace=False)


def unrecorded(notebook):
    names = stated(notebook).keys()
    faults = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                lines = output.text.splitlines()
                if output.name != "stdout":
                    faults.append(
                        f"cell {cell.id}: writes {lines[0]!r} to {output.name}: a chapter warns of "
                        "nothing; mend what the warning is about"
                    )
                    continue
                faults += [
                    f"cell {cell.id}: prints {line!r}, which is not recorded: state it by record, "
                    "table or show"
                    for line in lines
                    if line.split(" = ")[0] not in names
                ]
            elif "algzoo" not in output.metadata:
                last = cell.source.splitlines()[-1]
                faults.append(
                    f"cell {cell.id}: shows the value of its last line, {last!r}, or a display "
                    "that is not recorded: end the line with ; or use record, table or show"
                )
    return faults


def large(notebook):
    """Shown code is the idea, in a few lines; what is folded is not a page that anybody reads."""
    faults = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            if len(lines) > 15 and "hide-input" not in cell.metadata.get("tags", []):
                faults.append(
                    f"cell {cell.id}: {len(lines)} lines, at most 15 where code is shown: move "
                    "some into the package, or fold the cell with the tag hide-input"
                )
            faults += [
                f"cell {cell.id}, line {number}: {len(line)} characters, at most 80"
                for number, line in enumerate(lines, 1)
                if len(line) > 80
            ]
    return faults


def shown(cell):
    """What each output of a cell is to the book: a figure, a table, a number."""
    return [output.get("metadata", {}).get("algzoo", {}) for output in cell.get("outputs", [])]


def names_of_figures(notebook):
    return [one["figure"] for cell in notebook.cells for one in shown(cell) if "figure" in one]


def figures_not_alone(notebook):
    return [
        f"cell {cell.id}: figure {one['figure']!r} and a table: move one into another cell, for "
        "the book gives the figure's caption to both"
        for cell in notebook.cells
        for one in shown(cell)
        if "figure" in one and any("table" in other for other in shown(cell))
    ]


def parameters_nobody_reads(notebook):
    """Parameters of a chapter that no other cell reads: to set them would change nothing."""
    given, read_there = set(), set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        plain = re.sub(r"^\s*[%!].*$", "", cell.source, flags=re.MULTILINE)  # without magics
        names = [node for node in ast.walk(ast.parse(plain)) if isinstance(node, ast.Name)]
        if "parameters" in cell.metadata.get("tags", []):
            given |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        else:
            read_there |= {name.id for name in names if isinstance(name.ctx, ast.Load)}
    return sorted(given - read_there)


def test_every_parameter_is_read(chapter):
    assert parameters_nobody_reads(read(chapter)) == []


def test_a_parameter_that_is_bound_and_never_read_is_found():
    cells = [new_code_cell("seed = None\nsource = 'bundled'"), new_code_cell("print(seed)")]
    cells[0].metadata["tags"] = ["parameters"]
    assert parameters_nobody_reads(new_notebook(cells=cells)) == ["source"]
    cells += [new_code_cell("source = 'official'")]
    assert parameters_nobody_reads(new_notebook(cells=cells)) == ["source"]


def test_numbers_hold(chapter):
    try:
        now = execute(chapter)
    except OfficialFileNeededError as error:
        pytest.skip(str(error))
    rows = compare(chapter.stem, read(chapter), now)
    assert len(rows) > 10
    assert [row for row in rows if not row.held] == []


def test_everything_a_chapter_shows_is_recorded(chapter):
    refuse(unrecorded(read(chapter)))


def test_shown_cells_are_small(chapter):
    refuse(large(read(chapter)))


def test_no_measured_number_is_typed_in_prose(chapter):
    for cell in read(chapter).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(NOT_PROSE, "", cell.source, flags=re.DOTALL)
            assert re.findall(r"\S*\d(?:\.\d|%|e[-+]?\d)\S*", prose) == []


def test_a_figure_is_alone_in_its_cell_and_has_a_name_of_its_own(chapter):
    faults = figures_not_alone(read(chapter))
    figures = names_of_figures(read(chapter))
    faults += [f"two figures are named {name!r}" for name in figures if figures.count(name) > 1]
    for other in CHAPTERS:
        if other != chapter:
            shared = set(figures) & set(names_of_figures(read(other)))
            faults += [f"{other.stem} has a figure named {name!r} too" for name in sorted(shared)]
    refuse(faults)


def test_all_that_breaks_a_rule_is_named_with_what_to_do():
    outputs = [
        new_output("stream", name="stdout", text="x = 1\n"),
        new_output("stream", name="stderr", text="Warning: old\n  at line 3\n"),
        new_output("execute_result", data={"text/plain": "[(0, 1)]"}, execution_count=1),
    ]
    figure, table = (
        new_output("display_data", metadata={"algzoo": {kind: "z"}}) for kind in ("figure", "table")
    )
    long = f"{'x' * 81}\n" + 14 * "x\n" + "ax.set(xlim=(0, 1))"
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# A title", id="title"),
            new_code_cell(long, id="a", outputs=outputs),
            new_code_cell("x\n" + 85 * "y", id="b"),
        ]
    )
    assert large(notebook) == [
        "cell a: 16 lines, at most 15 where code is shown: move some into the package, or fold the "
        "cell with the tag hide-input",
        "cell a, line 1: 81 characters, at most 80",
        "cell b, line 2: 85 characters, at most 80",
    ]
    notebook.cells[1].metadata["tags"] = ["hide-input"]
    assert large(notebook)[0].startswith("cell a, line 1")
    written, warned, value = unrecorded(notebook)
    assert written.startswith("cell a: prints 'x = 1', which is not recorded: state it by record")
    assert warned.startswith("cell a: writes 'Warning: old' to stderr")
    assert value.startswith("cell a: shows the value of its last line, 'ax.set(xlim=(0, 1))'")
    assert "end the line with ; or" in value
    notebook.cells[-1].outputs = [figure, table]
    assert figures_not_alone(notebook) == [
        "cell b: figure 'z' and a table: move one into another cell, for the book gives the "
        "figure's caption to both"
    ]
    with pytest.raises(pytest.fail.Exception, match=r":\n  one\n  two$"):
        refuse(["one", "two"])


@pytest.mark.parametrize("path", [M1610, M1610_ESTIMATES], ids=lambda path: path.stem)
def test_the_comparison_and_the_estimates_do_without_arcs_file(path):
    assert "needs_official" not in read(path).metadata["algzoo"]


def test_none_of_the_books_networks_has_a_nearly_isolated_neuron():
    found = stated(read(M1610))
    assert found["n_found"] == found["n_found_in_seeds"] == 0
    assert found["least_share"] > 0.25
    assert found["isolation_sentence"].endswith("no nearly isolated neuron in any of them.")


def test_the_chapter_on_arcs_example_needs_arcs_weights():
    assert read(M1610_EXAMPLE).metadata["algzoo"]["needs_official"] == "example_2nd_argmax"


def test_the_chapter_on_arcs_example_reproduces_what_was_published():
    found = stated(read(M1610_EXAMPLE))
    assert found["accuracy"] == pytest.approx(0.9531, abs=5e-4)
    assert (found["n_found"], found["rounds"]) == (5, "2 and 4, then 6 and 7, then 1")
    # mrsirrisrm/alg-zoo, document 42: 90 of 90, least margin 3.57, condition in 76.
    assert (found["n_right"], found["n_holds"], found["n_unordered_hold"]) == (90, 76, 38)
    assert found["least_impulse_margin"] == pytest.approx(3.57, abs=0.005)
    # The README of datasci3nce/causal-geometry-algzoo: 3.44%.
    assert found["bound_published"] == pytest.approx(0.0344, abs=1e-3)


def test_the_chapter_on_arcs_example_gives_no_credit_for_what_explains_nothing():
    found = stated(read(M1610_EXAMPLE))
    assert [found[f"bills, **verdict**, {name}"] for name in ("formulas", "classes")] == [
        "none"
    ] * 2
    assert found["generous_total"] == pytest.approx(314, abs=0.5)
    assert found["formulas_accuracy"] < found["impulse_accuracy"] < found["accuracy"]


def test_m43_runs_on_a_seed_without_the_symmetry():
    other = stated(execute(M43, {"seed": 3, "n_models": 8}))
    assert other["accuracy"] == pytest.approx(0.90445062, abs=1e-8)


def test_the_cover_file_is_the_chapters_figure(chapter):
    picture = cover(read(chapter))
    if picture is not None:
        path = ROOT / "book" / "_static" / "covers" / f"{chapter.stem}.svg"
        assert path.read_text("utf-8") == picture


def test_m22_runs_on_another_accurate_seed():
    other = stated(execute(M22, {"seed": 1}))
    assert other["n_failed"] == 0
    assert other["error"] == pytest.approx(1.00483e-4, rel=1e-5)
    assert other["z"] < 4


@pytest.mark.parametrize(("seed", "error"), [(0, 0.5), (3, 0.1252565), (4, 0.5)])
def test_m22_says_what_is_wrong_with_the_poor_seeds(seed, error):
    poor = stated(execute(M22, {"seed": seed}))
    assert poor["error"] == pytest.approx(error, abs=1e-7)
    assert poor["n_failed"] > 0
    assert "does not apply" in poor["verdict"]
    assert "is forgotten" in poor[f"seed_{seed}"]


def test_m22_runs_on_the_official_weights(shared, monkeypatch):
    monkeypatch.setenv("ALGZOO_OFFICIAL", str(shared / "data" / "official"))
    official = stated(execute(M22, {"source": "official"}))
    assert official["error"] == pytest.approx(7.7431e-5, abs=5e-10)
    assert official["estimates, first order, error rate"] == pytest.approx(7.745e-5, abs=5e-9)
    assert official["arc_total"] == pytest.approx(40.2, abs=0.05)
    assert official["conditional_total"] == pytest.approx(36.2, abs=0.05)
    assert official["z"] < 4


def test_the_median_chapter_runs_on_a_stuck_seed():
    stuck = stated(execute(ROOT / "analyses" / "median_h2_n2.ipynb", {"seed": 1}))
    assert stuck["n_failed"] == 1
    assert stuck["rmse"] == pytest.approx(stuck["limit_rmse"], abs=2e-5)
