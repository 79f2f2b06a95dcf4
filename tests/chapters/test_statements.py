"""Comparing what two runs of a chapter state."""

import copy
import json

import nbformat
import pytest

from algzoo.chapters.statements import compare, statements

NAMES = {
    "exact": 3,
    "real": 0.1234567890123,
    "words": "three words",
    "loose": 1.0,
    "t, a, row": "a",
    "t, a, x": 2.5,
    "fig, description": "Axes 1.",
    "fig, caption": "Caption 1.",
}


def verdicts(committed, now):
    return {row.name: row.verdict for row in compare("small", committed, now)}


def metadata_of(notebook, name):
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            stated = output.get("metadata", {}).get("algzoo", {})
            if stated.get("record") == name:
                return stated
    raise KeyError(name)


def rewritten(notebook, old, new):
    """The notebook after replacing a text everywhere in its file."""
    return nbformat.reads(json.dumps(notebook).replace(old, new), as_version=4)


def test_everything_shown_is_stated(executed_chapter):
    assert {s.name: s.value for s in statements(executed_chapter)} == NAMES


def test_two_equal_runs_agree(executed_chapter):
    assert set(verdicts(executed_chapter, executed_chapter).values()) == {"same"}


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [
        ("three words", "three work", {"words": "moved"}),
        ("Axes 1.", "Axes 2.", {"fig, description": "moved"}),
        ("Caption 1.", "Caption 2.", {"fig, caption": "moved"}),
    ],
)
def test_a_value_that_differs_in_all_its_places_is_moved(executed_chapter, old, new, moved):
    other = rewritten(executed_chapter, old, new)
    found = verdicts(other, executed_chapter)
    assert found == {**dict.fromkeys(NAMES, "same"), **moved}


def test_tolerance_comes_from_the_record(executed_chapter):
    now = copy.deepcopy(executed_chapter)
    for name, value, verdict in (
        ("loose", 1.009, "same"),
        ("loose", 1.011, "moved"),
        ("real", 0.1234567890123 * (1 + 5e-10), "same"),
        ("real", 0.1234567890123 * (1 + 2e-9), "moved"),
    ):
        metadata_of(now, name)["value"] = value
        assert verdicts(executed_chapter, now)[name] == verdict
    metadata_of(now, "exact")["value"] = 4
    assert verdicts(executed_chapter, now)["exact"] == "moved"


def test_a_committed_tolerance_cannot_be_widened(executed_chapter):
    committed = copy.deepcopy(executed_chapter)
    metadata_of(committed, "loose")["rtol"] = 0.5
    assert verdicts(committed, executed_chapter)["loose"] == "altered"


def test_missing_new_and_double_statements(executed_chapter):
    without = copy.deepcopy(executed_chapter)
    without.cells[2].outputs = [
        o
        for o in without.cells[2].outputs
        if o.get("metadata", {}).get("algzoo", {}).get("record") != "exact"
    ]
    assert verdicts(executed_chapter, without)["exact"] == "missing"
    assert verdicts(without, executed_chapter)["exact"] == "new"
    twice = copy.deepcopy(executed_chapter)
    twice.cells.append(copy.deepcopy(twice.cells[2]))
    names = [(r.name, r.verdict) for r in compare("small", twice, executed_chapter)]
    assert ("exact", "stated twice") in names


def one_character_changes(notebook):
    """Every notebook that differs in one digit of what the reader sees or the glue inserts."""

    def places(value, path=()):
        if isinstance(value, str):
            digits = [i for i, char in enumerate(value) if char.isdigit()]
            step = 97 if "image/svg+xml" in path else 1  # a picture has thousands
            yield from ((path, i) for i in digits[::step])
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield path, None
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from places(item, (*path, key))
        elif isinstance(value, list):
            for key, item in enumerate(value):
                yield from places(item, (*path, key))

    for c, cell in enumerate(notebook.cells):
        for path, i in places(cell.get("outputs", [])):
            if path[-1] == "execution_count":
                continue
            changed = copy.deepcopy(notebook)
            holder = changed.cells[c].outputs
            for key in path[:-1]:
                holder = holder[key]
            old = holder[path[-1]]
            if i is None:
                holder[path[-1]] = old + 1
            else:
                holder[path[-1]] = old[:i] + str((int(old[i]) + 1) % 10) + old[i + 1 :]
            yield path, i, changed


def test_no_digit_of_an_output_can_be_changed_unseen(executed_chapter):
    changes = list(one_character_changes(executed_chapter))
    assert len(changes) > 50
    for path, i, changed in changes:
        rows = compare("small", changed, executed_chapter)
        assert not all(row.held for row in rows), (path, i)
