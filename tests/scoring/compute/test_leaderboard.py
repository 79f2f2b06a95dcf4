"""What is read off the rows of a challenge, from rows made by hand."""

import json
import math
from dataclasses import replace

import pytest

from algzoo.scoring import Leaderboard, Ratio, Row, Scored
from algzoo.scoring.compute.leaderboard import Crossover

POPULATION = Scored("made up", 1, ("base",), 0.5, None, 0.25, None, 50, 100, 0.0, (1.0, 1.0))


def row(name, operations, low, high, split="zero-shot"):
    ratio = None if low is None else Ratio((low + high) / 2, low, high)
    return Row(name, 0, split, 0.0, operations=operations, samples=operations / 50, ratio=ratio)


def board(*rows):
    return Leaderboard(rows, POPULATION, ())


@pytest.mark.parametrize(
    ("highs", "operations"),
    [
        ([0.5, 0.9, 1.2], 200.0),
        ([0.5, 1.2, 0.9], 300.0),  # the largest, whatever is between
        ([0.9, 1, math.nextafter(1, 2)], 200.0),  # at most 1
        ([1.1, 1.2, 1.3], None),
    ],
)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (2, 1, 0)])
def test_the_crossover_is_at_the_largest_budget_with_its_interval_up_to_one(
    highs, operations, order
):
    rows = [row("a", 100.0 * (i + 1), 0.1, high) for i, high in enumerate(highs)]
    [found] = board(*(rows[i] for i in order)).crossovers
    samples = None if operations is None else operations / 50
    assert found == Crossover("a", "zero-shot", operations, samples)


def test_every_name_and_split_has_its_own_crossover():
    rows = row("a", 100.0, 0.1, 0.5), row("a", 300.0, 0.1, 0.5, "model-specific")
    others = row("b", 200.0, 0.1, 2), row("c", 200.0, None, None)
    no_interval = replace(row("d", 200.0, 0.1, 0.2), ratio=Ratio(0.1, None, None))
    found = board(*rows, *others, no_interval).crossovers
    assert [(one.name, one.split, one.operations) for one in found] == [
        ("a", "zero-shot", 100.0),
        ("a", "model-specific", 300.0),
        ("b", "zero-shot", None),
        ("c", "zero-shot", None),
        ("d", "zero-shot", None),
    ]


def test_a_leaderboard_is_a_sequence_of_its_rows():
    rows = row("a", 100.0, 0.1, 0.5), row("b", 200.0, 0.1, 2)
    made = board(*rows)
    assert (len(made), list(made), made[1], made[-1:]) == (2, list(rows), rows[1], rows[1:])
    assert made.all_scored
    assert not board(*rows, replace(rows[0], failure="raised")).all_scored


def test_records_survive_json():
    made = board(row("a", 100.0, 0.1, 0.5))
    record = json.loads(json.dumps(made.as_record(), allow_nan=False))
    assert record["rows"][0]["ratio"] == {"value": 0.3, "low": 0.1, "high": 0.5}
    assert record["crossovers"] == [
        {"name": "a", "split": "zero-shot", "operations": 100.0, "samples": 2.0}
    ]
