"""``algzoo cite`` as its reader meets it."""

import re

import pytest
from click.testing import CliRunner
from pybtex.database import parse_string

from algzoo.chapters.bibliography import BIBLIOGRAPHY, POST
from algzoo.chapters.commands.main import main
from algzoo.estimates import catalog
from algzoo.estimates._catalog import collected


def algzoo(*arguments):
    return CliRunner().invoke(main, ["cite", *arguments])


def keys(*arguments):
    """Keys of the entries that are printed, as another program reads them."""
    result = algzoo(*arguments)
    assert result.exit_code == 0, result.output
    return [*parse_string(result.stdout, "bibtex").entries]


def test_without_a_name_it_prints_the_book_and_arcs_post():
    assert keys() == ["algzoobook2026", "algzoo2026"]
    assert "%" not in algzoo().stdout


def test_the_whole_bibliography_is_the_books_with_plain_years():
    printed = parse_string(algzoo("--all").stdout, "bibtex").entries
    entries = parse_string(BIBLIOGRAPHY.read_text("utf-8"), "bibtex").entries
    assert [*printed] == [*entries]
    for key, entry in entries.items():
        year = re.sub(r"(\d{4})[a-z]$", r"\1", entry.fields["year"])
        assert dict(printed[key].fields) == {**entry.fields, "year": year}
        assert printed[key].persons == entry.persons


def test_models_estimators_and_works():
    assert keys("2nd_argmax_16_10") == ["algzoobook2026", POST]
    assert keys("2nd_argmax_16_10_0_3", "median_2_2") == ["algzoobook2026", POST]
    assert keys("example_2nd_argmax") == keys("2nd_argmax_2_2:official") == [POST]
    assert keys("2nd_argmax_7_7:own.pth") == [POST]  # the file need not be there
    assert keys("leaves of pairs") == ["algzoobook2026", "owen1998"]
    assert keys("leaves of pairs, 32 points") == keys("leaves of pairs")
    assert keys("surprise2024", "iid") == ["surprise2024", "algzoobook2026"]
    first, *_ = algzoo("Sobol").stdout.splitlines()
    assert first == "% Sobol: A. B. Owen, J. Complexity 14, 1998"


def test_every_estimator_has_its_works():
    for entry in catalog():
        found = keys(entry.name)
        assert found == ["algzoobook2026", *entry.references], entry.name
        names = parse_string(BIBLIOGRAPHY.read_text("utf-8"), "bibtex").entries
        for key in entry.references:
            assert key in names
        if re.search(r"\bARC\b", entry.source) and "covariance" not in entry.source:
            assert POST in found, entry.name


def test_the_estimator_of_another_package_is_theirs(monkeypatch):
    entry = catalog()[0]
    theirs = type(entry)(**{**vars(entry), "name": "theirs", "origin": "other", "source": "us"})
    monkeypatch.setattr(
        "algzoo.estimates._catalog.collected", lambda: ((*collected()[0], theirs), ())
    )
    assert algzoo("theirs").stdout == "% theirs: us; of the package other\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("leves of pairs", "did you mean 'leaves of pairs' or "),
        ("owen1999", "did you mean 'owen1998'"),
        ("2nd_argmx_16_10", "did you mean '2nd_argmax_16_10'"),
        ("zzzz", "`algzoo models` and `algzoo estimators` list the names"),
        ("2nd_argmax_7_7", "No zoo model with hidden_size 7"),
    ],
)
def test_an_unknown_name_is_one_line_with_names_near_it(name, message):
    result = algzoo("iid", name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_names_and_everything_do_not_go_together():
    assert algzoo("--all", "iid").exit_code == 2
