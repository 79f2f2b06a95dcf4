"""Files of entries with damage of every kind: read, or refused with a message of one line.

::

    ALGZOO_DAMAGED=20000 pytest tests/scoring/test_damaged_entries.py -k damaged

tries so many damaged files of each kind, which takes some minutes; without the variable there are a
few dozen.
"""

import json
import os
from copy import deepcopy
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algzoo.chapters.leaderboard_page import leaderboard_page
from algzoo.scoring.compute.checked_json import EntryError
from algzoo.scoring.compute.entries import disagreements, rank
from algzoo.scoring.rare.entries import (
    RareEntry,
    any_entry_from,
    rare_disagreements,
    rare_rank,
)

from ..conftest import ROOT

FOLDER = ROOT / "analyses" / "leaderboard"
COMMITTED = {
    "accuracy": FOLDER / "chance.json",
    "rare outputs": FOLDER / "rare" / "red-teaming.json",
}
EXAMPLES = int(os.environ.get("ALGZOO_DAMAGED", "40"))

VALUES = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 2, 10**30, -(10**30), 10**400, 1e300, -1e300, 1e-320, 0.5),
        *("", " ", "a", "a\nb", "\x1b[31m", "\ud800", "never", "2026-12", "rare-2026-12", "[/]"),
        *([], {}, [[]], [{}], [None], [10**30], {"a": 1}, [1e300, 1e300, 1e300], [None] * 3),
    ]
)


@cache
def content_of(kind):
    return json.loads(COMMITTED[kind].read_text("utf-8"))


def places(content, path=()):
    """Where there is a value, as the keys that lead to it."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def damaged_content(data, content):
    """The text of the content with up to three values, keys or elements that are otherwise."""
    content = deepcopy(content)
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from([*places(content)]))
        inside = content
        for key in path:
            inside = inside[key]
        damage = data.draw(st.sampled_from(["other", "less", "more", "deep"]))
        if damage == "less":
            del inside[last]
        elif damage == "more" and isinstance(inside, dict):
            inside[data.draw(st.sampled_from(["a\nb", "\ud800", "x" * 999, "[/]"]))] = 1
        elif damage == "more":
            inside.append(deepcopy(data.draw(VALUES)))
        elif damage == "deep":
            for _ in range(data.draw(st.sampled_from([1, 50, 400]))):
                inside[last] = [inside[last]]
        else:
            inside[last] = deepcopy(data.draw(VALUES))
    return json.dumps(content)


def damaged_text(data, text):
    """The text cut, with other characters, or with a part of it written twice."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start, min(start + 200, len(text))))
    with_what = data.draw(
        st.sampled_from(["", "[" * 10_000, '{"a":' * 10_000, "9" * 5000, "1e999", "NaN", "\x00"])
        | st.text(max_size=3)
        | st.just(2 * text[start:end])
    )
    return text[:start] + with_what + text[end:] * data.draw(st.booleans())


def read_or_refused(text):
    try:
        return any_entry_from(text), ""
    except EntryError as refusal:
        return None, str(refusal)


def problems_of(entry):
    return (rare_disagreements if isinstance(entry, RareEntry) else disagreements)(entry)


@pytest.mark.parametrize("kind", COMMITTED)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_damaged_entries_are_read_or_refused_in_a_line(kind, data):
    if data.draw(st.booleans()):
        text = damaged_content(data, content_of(kind))
    else:
        text = damaged_text(data, COMMITTED[kind].read_text("utf-8"))
    entry, refusal = read_or_refused(text)
    if entry is None:
        assert refusal.isprintable()
        assert len(refusal) < 400
        return
    for problem in problems_of(entry):
        assert problem.isprintable()
    assert any_entry_from(entry.text()) == entry
    assert entry.text().encode()
    if isinstance(entry, RareEntry):
        assert rare_rank(entry)
        leaderboard_page({}, {"a.json": entry})
    else:
        rank(entry, "five seeds, clean")
        leaderboard_page({"a.json": entry}, {})
