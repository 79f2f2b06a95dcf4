"""Recording values: conversion to plain Python, refusals, tables and figures."""

import numpy as np
import pytest
import torch

from algzoo.chapters import Column, numbers, record, show, style, table
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
