"""Recording values: conversion to plain Python, refusals, tables and figures."""

import numpy as np
import pytest
import torch

from algzoo.chapters import Column, above, below, numbers, record, show, table, without_rounding
from algzoo.chapters.figures import style
from algzoo.chapters.numbers import GLUE_PREFIX


@pytest.fixture
def displayed(monkeypatch):
    """What is displayed: pairs of data and metadata."""
    outputs = []
    monkeypatch.setattr(
        numbers, "display", lambda data, *, raw, metadata: outputs.append((data, metadata))
    )
    return outputs


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (torch.tensor(2.5), 2.5),
        (np.array([[4]]), 4),
        ("text", "text"),
    ],
)
def test_record_makes_plain_python_of_a_number(given, plain, displayed, capsys):
    record(x=given)
    [(data, metadata)] = displayed
    value = metadata["algzoo"]["value"]
    assert (type(value), value) == (type(plain), plain)
    assert data == {GLUE_PREFIX + "text/plain": repr(plain)}
    assert capsys.readouterr().out.startswith("x = ")


@pytest.mark.parametrize("bad", [np.array([1, 2]), torch.zeros(3), None, [1], 1 + 2j])
def test_record_refuses_what_is_not_one_number(bad):
    with pytest.raises(TypeError, match="my_number"):
        record(my_number=bad)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), np.float64("-inf")])
def test_record_refuses_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="my_number"):
        record(my_number=bad)


def test_table_shows_formatted_values_and_keeps_plain_ones(displayed):
    table("t", [Column("name"), Column("x", ".2f")], [["a", np.float64(1 / 3)], ["b", None]])
    [(data, metadata)] = displayed
    assert metadata["algzoo"]["rows"] == [["a", 1 / 3], ["b", None]]
    assert data["text/markdown"].splitlines()[2:] == ["| a | 0.33 |", "| b | – |"]


def test_table_refuses_ragged_rows_and_double_names():
    columns = [Column("name"), Column("x", ".2f")]
    with pytest.raises(ValueError, match="2 columns, but a row of 1"):
        table("t", columns, [["a"]])
    with pytest.raises(ValueError, match="same name"):
        table("t", columns, [["a", 1.0], ["a", 2.0]])


def test_a_figure_is_the_same_bytes_twice(displayed):
    for _ in range(2):
        figure, ax = style.new_figure(3, 2)
        ax.plot([0, 1], [0, 1])
        show(figure, name="line", caption="A line.", alt="A line from 0 to 1.")
    first, second = (data["image/svg+xml"] for data, _ in displayed)
    assert first == second
    assert first.startswith("<svg")


def test_a_share_has_the_tolerance_of_three_inputs(displayed):
    record(share=0.25, share_of=4096)
    table("t", [Column("name"), Column("x", ".1%", share_of=1000)], [["a", 0.5]])
    of_record, of_table = (metadata["algzoo"] for _, metadata in displayed)
    assert (of_record["rtol"], of_record["atol"], of_record["share_of"]) == (0, 3 / 4096, 4096)
    column = of_table["columns"][1]
    assert (column["rtol"], column["atol"], column["share_of"]) == (0, 0.003, 1000)
    assert Column(**column) == Column("x", ".1%", share_of=1000)
    assert "share_of" not in of_table["columns"][0]


@pytest.mark.parametrize("given", [{"atol": 1e-3}, {"rtol": 1e-6}, {"rtol": 0.0, "atol": 0.0}])
def test_a_share_has_no_other_tolerance(given, displayed):
    with pytest.raises(ValueError, match=r"has the tolerance 3/4096, not rtol="):
        record(share=0.25, share_of=4096, **given)
    with pytest.raises(ValueError, match=r"has the tolerance 3/4096, not rtol="):
        Column("x", ".1%", share_of=4096, **given)
    assert displayed == []


@pytest.mark.parametrize("of", [0, -3])
def test_a_share_is_of_at_least_one_input(of):
    with pytest.raises(ValueError, match=f"at least 1, got {of}"):
        record(share=0.25, share_of=of)


def test_a_margin_is_kept_with_what_is_counted(displayed):
    record(n=3, margin=np.float64(0.25))
    table("t", [Column("name"), Column("n", "d", margin=0.5)], [["a", 7]])
    of_record, of_table = (metadata["algzoo"] for _, metadata in displayed)
    assert of_record["margin"] == 0.25
    assert of_table["columns"][1]["margin"] == 0.5
    assert "margin" not in of_table["columns"][0]


@pytest.mark.parametrize(
    ("values", "threshold", "larger", "margin"),
    [
        ([1.0, 3.0, 0.5], 2.0, [False, True, False], 0.5),
        ([1.0, 2.1], 2.0, [False, True], 0.05),
        ([-1.0, 4.0], 0.0, [False, True], 0.25),
        ([-2.5, -1.0], -2.0, [False, True], 0.25),
        ([2.0, 5.0], 2.0, [False, True], 0.0),
        ([9.0], 1.0, [True], 1.0),
        ([], 1.0, [], 1.0),
        ([0.0, 0.0], 0.0, [False, False], 0.0),
        ([1, 2, 3], 2, [False, False, True], 1.0),
        ([True, False], 0, [True, False], 1.0),
        ([1.0, 2.0], [0.5, 4.0], [True, False], 0.5),
    ],
)
def test_what_is_above_a_threshold_and_how_near_the_nearest_comes(
    values, threshold, larger, margin
):
    selected, nearest = above(values, threshold)
    assert selected.tolist() == larger
    assert nearest == pytest.approx(margin)


def test_below_is_the_other_side():
    selected, nearest = below([1.0, 1.75, 2.0, 3.0], 2.0)
    assert selected.tolist() == [True, True, False, False]
    assert nearest == 0
    assert below(np.array([1, 5], dtype=np.uint8), 5)[0].tolist() == [True, False]


@pytest.mark.parametrize(
    ("number", "size", "expected"),
    [(9e-13, 1e-12, 0.0), (-9e-13, 1e-12, 0.0), (2e-12, 1e-12, 2e-12), (2e-12, 1e-11, 0.0)],
)
def test_what_rounding_leaves_of_zero_is_zero(number, size, expected):
    assert without_rounding(number, size) == expected


def test_rounding_is_less_than_a_millionth_of_a_millionth():
    assert without_rounding(np.float64(9.9e-13)) == 0
    assert without_rounding(-1.1e-12) == -1.1e-12


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (432.4, "430"),
        (18147.0, "18,000"),
        (999.0, "1,000"),
        (4.11, "4.1"),
        (1.0, "1.0"),
        (0.0027, "0.0027"),
        (0.00098, "9.8 × 10⁻⁴"),
        (1.66e-5, "1.7 × 10⁻⁵"),
        (-2.04e-7, "-2.0 × 10⁻⁷"),
        (3.2e8, "3.2 × 10⁸"),
        (0.0, "0"),
        (None, "–"),
    ],
)
def test_significant_digits(value, shown):
    assert Column("x", "~2").shown(value) == shown
