import pytest

from algzoo.chapters import boards, numbers
from algzoo.estimates import catalog
from algzoo.scoring import Ratio, Row

ROWS = [
    Row("exact", 0, "zero-shot", 0, samples=77.0, rms=1e-16, bias=1e-17, runs_network="never"),
    Row(
        "anchors",
        0,
        "seed-agnostic",
        200,
        samples=38.5,
        rms=0.02,
        bias=-0.0123,
        runs_network="chosen inputs",
        ratio=Ratio(0.147, 0.12, 0.178),
        shrunk_ratio=Ratio(0.438, 0.4, 0.5),
        sampler_ratio=Ratio(0.00187, 0.1, 0.2),
        best_sampler="tree",
    ),
]


@pytest.fixture
def lines(monkeypatch):
    """The rows of the tables that are displayed."""
    shown = []

    def display(data, **_):
        shown.extend(data["text/plain"].splitlines()[2:])

    monkeypatch.setattr(numbers, "display", display)
    return shown


def test_scores(lines):
    boards.scores_table("scores", boards.by_name(ROWS))
    assert lines == [
        "| exact | 77 | – | – | – |",
        "| anchors; seed-agnostic | 38 | 0.15 | 0.12 | 0.18 |",
    ]


def test_opponents(lines):
    boards.opponents_table("opponents", boards.by_name(ROWS))
    assert lines == [
        "| exact | – | – | – | – |",
        "| anchors; seed-agnostic | -0.0123 | 0.44 | 0.0019 | tree |",
    ]


def test_facts_and_what_was_tuned(lines):
    anchors = next(entry for entry in catalog() if entry.name == "order anchors, one")
    boards.facts_table("facts", [anchors])
    boards.tuned_table("tuned", [anchors])
    assert lines[0] == (
        "| order anchors, one | chosen inputs | approximate | from other networks | 200 |"
    )
    assert lines[1].startswith("| order anchors, one | noisy copies of (16, 10)")
