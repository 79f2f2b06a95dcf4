import math

import pytest

from algzoo.chapters import bills, numbers
from algzoo.chapters.bills import bill_table, untrained_table
from algzoo.scoring import Bill, UntrainedLaw, Verdict


@pytest.fixture
def tables(monkeypatch):
    shown = {}
    monkeypatch.setattr(
        bills, "table", lambda name, columns, rows: shown.update({name: (columns, rows)})
    )
    return shown


def test_every_ingredient_of_a_verdict_is_in_its_table(tables):
    bill = Bill(checks=20.0, search=2.0, advice=6.0, residual=4.0)
    one = Verdict(bill, without=42.0, bound=39.0, selection=22.0)
    other = Verdict(Bill(40.0, 0.0, 0.0, 2.0), without=42.0, bound=39.0, selection=22.0)
    bill_table({"one": one, "other": other})
    columns, rows = tables["bills"]
    assert [column.heading for column in columns] == ["bits", "one", "other"]
    assert [column.margin for column in columns[1:]] == [one.margin, other.margin]
    assert {name: cells for name, *cells in rows} == {
        "checks": [20, 40],
        "search": [2, 0],
        "advice": [6, 0],
        "residual": [4, 2],
        "**total**": [32, 42],
        "**without an explanation**": [42, 42],
        "bits of selection": [22, 22],
        "bound on the bits of selection": [39, 39],
        "within the bits of selection": ["no", "no"],
        "share of the way, %": [50, 0],
        "**verdict**": ["partial", "none"],
    }
    text = numbers.markdown_table(columns, rows)
    assert "| **total** | 32.0 | 42.0 |" in text
    assert text.endswith("| **verdict** | partial | none |")


def test_a_share_without_known_selection_is_at_least_that(tables):
    bill_table({"one": Verdict(Bill(21.0, 0.0, 0.0, 0.0), without=42.0, bound=39.0)})
    _, rows = tables["bills"]
    assert ["bits of selection", None] in rows
    assert ["within the bits of selection", "not known"] in rows
    assert ["share of the way, %, at least", 50.0] in rows


def test_the_law_of_untrained_networks_is_shown_with_its_price(tables):
    law = UntrainedLaw(0.5, 0.8)
    untrained_table(law, 0.99, 0.005)
    columns, rows = tables["untrained networks"]
    assert rows == [["accuracy", 0.99, 0.5, 0.8, law.bits(0.99, 0.005)]]
    assert [c.heading for c in columns][3:] == ["spread of the logit", "bits, to within 0.005"]
    untrained_table(UntrainedLaw(0.5, 0.8, measures_error=True), 0.01, 0.001)
    columns, [row] = tables["untrained networks"]
    assert (row[0], columns[3].heading) == ("mean squared error", "spread of the log")


def test_a_bill_without_end_is_shown_as_such(tables):
    endless = Verdict(Bill(1.0, 0.0, 0.0, math.inf), without=math.inf, bound=42.0)
    bill_table({"one": endless})
    _, rows = tables["bills"]
    assert {name: cell for name, cell in rows if cell == "∞"}.keys() == {
        "residual",
        "**total**",
        "**without an explanation**",
    }
    assert rows[-1] == ["**verdict**", "none"]
