from pathlib import Path

import pytest

from algzoo.chapters.estimator_page import _GUIDE, estimator_page
from algzoo.estimates import catalog

PAGE = Path(__file__).parents[2] / "book" / "choose-an-estimator.md"


def test_the_committed_page_is_that_of_the_catalogue():
    entries = [entry for entry in catalog() if entry.origin == "algzoo"]
    # `algzoo estimators --page > book/choose-an-estimator.md` writes it.
    assert PAGE.read_text("utf-8") == estimator_page(entries)
    for entry in entries:
        [row] = [
            line
            for line in estimator_page(entries).partition("## All of them")[2].splitlines()
            if line.startswith("| ") and entry.name in line.split(" | ")[0][2:].split("; ")
        ]
        assert row.split(" | ")[1:3] == [str(entry.scope), entry.runs_network]


def test_what_is_recommended_takes_the_models_it_is_recommended_for():
    named = {entry.name: entry for entry in catalog()}
    for scope, names in _GUIDE:
        for name in names:
            for model in scope.examples():
                assert named[name].scope.takes(model)
    with pytest.raises(ValueError, match=r"estimators that are not in the catalogue: \['8 angles"):
        estimator_page([entry for entry in catalog() if "from either tie" not in entry.name])
