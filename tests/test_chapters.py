"""Every chapter, re-executed: its numbers hold, on other models too; the house rules."""

import re
from pathlib import Path

import pytest

from algzoo.chapters.cover import cover
from algzoo.chapters.notebooks import OfficialFileNeededError, execute, read
from algzoo.chapters.statements import compare, statements

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "analyses").glob("*.ipynb"))
# Glued numbers, code and formulas; a figure's name is a word, not a number.
NOT_PROSE = r"\{glue:text\}`[^`]*`|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$"
M22 = ROOT / "analyses" / "second_argmax_h2_n2.ipynb"
M43 = ROOT / "analyses" / "second_argmax_h4_n3.ipynb"
M1610 = ROOT / "analyses" / "second_argmax_h16_n10.ipynb"
M1610_EXAMPLE = ROOT / "analyses" / "second_argmax_h16_n10_example.ipynb"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's start-up


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return request.param


def stated(notebook):
    return {statement.name: statement.value for statement in statements(notebook)}


def test_numbers_hold(chapter):
    try:
        now = execute(chapter)
    except OfficialFileNeededError as error:
        pytest.skip(str(error))
    rows = compare(chapter.stem, read(chapter), now)
    assert len(rows) > 10
    assert [row for row in rows if not row.held] == []


def test_everything_a_chapter_shows_is_recorded(chapter):
    for cell in read(chapter).cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                assert output.name == "stdout", "a chapter writes nothing to stderr"
                names = {statement.name for statement in statements(read(chapter))}
                assert {line.split(" = ")[0] for line in output.text.splitlines()} <= names
            else:
                assert "algzoo" in output.metadata, f"unrecorded output below: {cell.source[:60]}"


def test_cells_are_small_and_introduced(chapter):
    previous = None
    for cell in read(chapter).cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert len(lines) <= 15, cell.source
            assert all(len(line) <= 80 for line in lines), cell.source
            assert previous == "markdown", f"no prose before: {cell.source[:60]}"
        previous = cell.cell_type


def test_no_measured_number_is_typed_in_prose(chapter):
    for cell in read(chapter).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(NOT_PROSE, "", cell.source, flags=re.DOTALL)
            assert re.findall(r"\S*\d(?:\.\d|%|e[-+]?\d)\S*", prose) == []


def test_a_cell_that_shows_a_figure_shows_nothing_else_with_a_name():
    names = []
    for chapter in CHAPTERS:
        for cell in read(chapter).cells:
            shown = [o.get("metadata", {}).get("algzoo", {}) for o in cell.get("outputs", [])]
            figures = [one["figure"] for one in shown if "figure" in one]
            # The book gives the caption to every output of the cell.
            assert not (figures and any("table" in one for one in shown)), figures
            names += figures
    assert len(set(names)) == len(names)


def test_the_two_chapters_on_m1610_are_one_notebooks_code():
    bundled, example = (
        [cell for cell in read(path).cells if cell.cell_type == "code"]
        for path in (M1610, M1610_EXAMPLE)
    )
    differing = [
        cell.metadata.get("tags")
        for cell, other in zip(bundled, example, strict=True)
        if cell.source != other.source
    ]
    assert differing == [["parameters"]]
    assert [c.metadata.get("tags") for c in bundled] == [c.metadata.get("tags") for c in example]
    assert read(M1610_EXAMPLE).metadata["algzoo"]["needs_official"] == "example_2nd_argmax"
    assert "needs_official" not in read(M1610).metadata["algzoo"]


def test_m1610_finds_arcs_subcircuits_and_says_which_formulas_fall_short():
    found = stated(read(M1610_EXAMPLE))
    assert found["found_sentence"].endswith(
        "5 of the 16 neurons: first 2 and 4, then 6 and 7, then 1."
    )
    assert found["accuracy"] == pytest.approx(0.9531, abs=5e-4)
    assert "those of neurons 2, 6 and 7" in found["missed_sentence"]
    assert stated(read(M1610))["n_found"] == 0


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
