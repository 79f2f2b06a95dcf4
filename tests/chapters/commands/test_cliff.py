"""``algzoo cliff`` as its reader meets it."""

from click.testing import CliRunner

from algzoo.chapters.commands.main import main
from algzoo.explanations.the_cliff import table


def algzoo(*arguments):
    return CliRunner().invoke(main, ["cliff", *arguments])


def test_values_of_a_cell_are_checked():
    result = algzoo("--cell", "argmedian_2_5", "--check", "2")
    assert (result.exit_code, result.stdout) == (0, "8 values: 0 moved\n")


def test_a_value_that_moved_is_printed(monkeypatch):
    committed = table.bundled()
    committed["argmedian_2_5"].scored[1].values[0, 0] += 1e-6
    monkeypatch.setattr(table, "bundled", lambda: committed)
    result = algzoo("--cell", "argmedian_2_5", "--check", "1")
    assert result.exit_code == 1
    first, last = result.stdout.splitlines()
    assert first.startswith("argmedian_2_5: folded classes, budget ")
    assert last == "4 values: 1 moved"


def test_cells_are_made_anew_and_the_others_stay(monkeypatch):
    committed = table.bundled()
    asked, written = [], []
    new = committed["argmedian_4_5"]
    monkeypatch.setattr(
        table, "measured_cells", lambda names, workers: asked.append(names) or {names[0]: new}
    )
    monkeypatch.setattr(table, "write", lambda found: written.append(found) or "a path")
    result = algzoo("--cell", "argmedian_2_5")
    assert (result.exit_code, result.stdout) == (0, "Written: a path\n")
    assert asked == [["argmedian_2_5"]]
    assert written[0].keys() == committed.keys()
    assert written[0]["argmedian_2_5"] is new


def test_a_cell_that_is_not_there_is_said_in_one_line():
    result = algzoo("--cell", "2nd_argmax_7_7")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no cell has '2nd_argmax_7_7' in its name; there are: ")
