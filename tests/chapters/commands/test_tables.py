"""Tables at the widths of terminals: no column is lost and no text is cut."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from algzoo.chapters.commands.challenge import _HEADINGS, _print
from algzoo.chapters.commands.main import main
from algzoo.chapters.commands.tables import print_table
from algzoo.estimates import catalog
from algzoo.estimates.samplers.throughput import Throughput
from algzoo.scoring import BaseScore, Leaderboard, Ratio, Row, SamplerScore, Scored
from algzoo.zoo import sizes

LONG = "somebodys_package.some_module:a_rather_long_name_of_an_estimator"
NAMES = ("exact", "128 rays a sector", "iid, 1024 inputs", LONG)

widths = pytest.mark.parametrize("width", [80, 100, 120])


def tables(text):
    """Cells of each table, with cells that were broken into lines joined again."""
    found = []
    for line in text.splitlines():
        if line.startswith("┏"):
            found.append([])
        elif line.startswith(("┡", "└")):
            found[-1].append(None)  # a rule
        elif line.startswith(("┃", "│")):
            cells = [cell.strip() for cell in re.split("[┃│]", line)[1:-1]]
            previous = found[-1][-1] if found[-1] else None
            continued = previous is not None and (line[0] == "┃" or "" in cells[:1])
            if continued:
                joint = " " if line[0] == "┃" else ""
                found[-1][-1] = [
                    joint.join(filter(None, pair)) for pair in zip(previous, cells, strict=True)
                ]
            else:
                found[-1].append(cells)
    return [[row for row in table if row is not None] for table in found]


def assert_fits(text, width):
    assert max(map(cell_len, text.splitlines())) <= width


@widths
def test_every_text_is_there_whole(width, monkeypatch, capsys):
    headings = ["name", *(f"some heading {number}" for number in range(12))]
    rows = [[name, *(f"[{name[:2]} {column:09}]" for column in range(12))] for name in NAMES]
    print_table(Console(width=width, markup=False, highlight=False), headings, rows)
    text = capsys.readouterr().out
    assert_fits(text, width)
    parts = tables(text)
    assert len(parts) > 1
    seen = {}
    for heading, *body in parts:
        assert heading[:2] == ["#", "name"]
        assert [row[0] for row in body] == ["1", "2", "3", "4"]
        assert [row[1] for row in body] == [*NAMES]
        for column in range(2, len(heading)):
            seen[heading[column]] = [row[column] for row in body]
    assert seen == {headings[c]: [row[c] for row in rows] for c in range(1, 13)}


def test_what_fits_is_one_table_without_numbers(capsys):
    print_table(Console(width=80), ["a", "b c"], [["x", "1"], ["y", "2"]])
    assert tables(capsys.readouterr().out) == [[["a", "b c"], ["x", "1"], ["y", "2"]]]


@pytest.fixture
def leaderboard():
    ratio = Ratio(2.1e-6, 1.4e-6, 3.3e-6)
    bases = ("2nd_argmax_16_10_1073741824_0", "2nd_argmax_16_10_1073741824_1")
    by_base = tuple(BaseScore(base, 128, 0.9531, 0.00123, -0.000456, 0.0123) for base in bases)
    rows = tuple(
        Row(
            name,
            0,
            "model-specific",
            40.0,
            runs_network="never",
            operations=123456.0,
            samples=1714.67,
            rms=0.00123456,
            bias=-0.00012345,
            ratio=ratio,
            shrunk_ratio=ratio,
            sampler_ratio=ratio,
            best_sampler="stratified Sobol",
            correlation=0.98765,
            slope=-0.12345,
            by_base=by_base,
        )
        for name in NAMES
    )
    population = Scored("256 models", 256, bases, 0.9, 0.001, 0.09, 90, 72, 1000, 0.0, (0.8, 1.2))
    return Leaderboard(rows, population, (SamplerScore("sobol", 256, 72 * 256, 0.015, ratio),))


@widths
def test_a_leaderboard_names_every_estimator_beside_every_number(
    width, leaderboard, monkeypatch, capsys
):
    monkeypatch.setenv("COLUMNS", str(width))
    _print(leaderboard)
    text = capsys.readouterr().out
    assert_fits(text, width)
    headings = set()
    for heading, *body in tables(text):
        headings |= {*heading}
        names = [row[heading.index("estimator")] for row in body]
        assert names in ([*NAMES], [name for name in NAMES for _ in range(2)])
    assert headings == {"#", "base model", "models", "score", *_HEADINGS}
    for number in ("2.1e-06 [1.4e-06, 3.3e-06]", "stratified Sobol", "1.235e+05", "-0.0001234"):
        assert text.count(number) % len(NAMES) == 0
        assert number in text


@widths
def test_the_list_of_models_names_each(width):
    result = CliRunner().invoke(main, ["models"], env={"COLUMNS": str(width)})
    assert_fits(result.stdout, width)
    [[heading, *rows]] = tables(result.stdout)
    assert "".join(heading).replace(" ", "") == (
        "modelweightsbestseedtrainedtomeasurescoreARC'sscore"
    )
    assert [row[0] for row in rows] == [f"{f.name}_{d}_{n}" for f, d, n in sizes()]
    assert rows[0] == ["2nd_argmax_2_2", "10", "2", "2^30", "accuracy", "0.99992", "1.00000"]


@widths
def test_the_list_of_estimators_names_each(width):
    result = CliRunner().invoke(main, ["estimators"], env={"COLUMNS": str(width)})
    assert_fits(result.stdout, width)
    # Names are broken between words, and long words anywhere; spaces do not tell which.
    expected = [entry.name.replace(" ", "") for entry in catalog()]
    first = [line.split("│")[1] for line in result.stdout.splitlines() if line.startswith("│")]
    assert "".join(first).replace(" ", "") == "".join(expected)


@widths
def test_a_benchmark_fits(width, monkeypatch):
    measured = Throughput(1.23e6, 4.56e6, 0.95, 0.95)
    monkeypatch.setattr("algzoo.estimates.samplers.throughput.throughput", lambda model: measured)
    result = CliRunner().invoke(main, ["benchmark", "2", "2"], env={"COLUMNS": str(width)})
    assert_fits(result.stdout, width)
    [[heading, plain, fast]] = tables(result.stdout)
    assert heading == ["2nd argmax 2, 2", "samples per second", "accuracy"]
    assert plain == ["forward and argsort", "1.23e+06", "0.95000"]
    assert fast == ["sampling", "4.56e+06", "0.95000"]


def test_in_a_terminal_its_width_counts():
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    with subprocess.Popen(
        [sys.executable, "-m", "algzoo", "models"],
        stdout=its,
        stdin=its,
        env=environment | {"TERM": "dumb"},
    ):
        os.close(its)
        text = b""
        try:
            while piece := os.read(ours, 2**16):
                text += piece
        except OSError:  # how a terminal says that its program has ended
            pass
    os.close(ours)
    assert_fits(text.decode(), 80)
    assert "longest_cycle_8_6" in text.decode()
