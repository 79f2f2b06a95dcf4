from pathlib import Path

from algzoo.chapters.estimator_page import estimator_page
from algzoo.estimates import catalog

PAGE = Path(__file__).parents[2] / "book" / "choose-an-estimator.md"


def test_the_committed_page_is_that_of_the_catalogue():
    entries = [entry for entry in catalog() if entry.origin == "algzoo"]
    # `algzoo estimators --page > book/choose-an-estimator.md` writes it.
    assert PAGE.read_text("utf-8") == estimator_page(entries)
    assert all(
        f"\n| {entry.name} | {entry.scope} |" in estimator_page(entries) for entry in entries
    )
