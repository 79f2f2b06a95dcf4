"""Numbers of the committed chapters, changed one at a time: the comparison notices every one.

Each chapter is compared with itself, as if the run had given what is committed, so that nothing is
executed here.
"""

import copy
import random
from pathlib import Path

import pytest

from algzoo.chapters.notebooks import read
from algzoo.chapters.numbers import GLUE_PREFIX, Column, markdown_table, printed
from algzoo.chapters.statements import compare, statements

CHAPTERS = sorted((Path(__file__).resolve().parents[2] / "analyses").glob("*.ipynb"))
N_CHANGES = 20


@pytest.fixture(scope="module")
def chapters():
    return [read(path) for path in CHAPTERS]


def outputs(notebook, kind):
    """Places of the outputs that state a record, a table or a figure: cell and output."""
    return [
        (c, o)
        for c, cell in enumerate(notebook.cells)
        for o, output in enumerate(cell.get("outputs", []))
        if kind in output.get("metadata", {}).get("algzoo", {})
    ]


def moved(value, tolerance):
    """Another value of the same type, beyond the tolerance."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value + (2 * tolerance or 1e-12)
    return value + 1 if isinstance(value, int) else f"{value}."


def forged_record(notebook, rng):
    """Change a recorded value wherever the notebook has it, as a careful forger would."""
    c, o = rng.choice(outputs(notebook, "record"))
    output = notebook.cells[c].outputs[o]
    stated = output.metadata["algzoo"]
    name, old = stated["record"], stated["value"]
    new = moved(old, stated["atol"] + stated["rtol"] * abs(old) if isinstance(old, float) else 0)
    stated["value"] = new
    output.data[GLUE_PREFIX + "text/plain"] = repr(new)
    for stream in notebook.cells[c].outputs:
        if stream.output_type == "stream":
            lines = stream.text.splitlines()
            lines = [printed(name, new) if line == printed(name, old) else line for line in lines]
            stream.text = "\n".join(lines)
    return name


def shown_record(notebook, rng):
    """Change a recorded value only where the book takes it from."""
    c, o = rng.choice(outputs(notebook, "record"))
    output = notebook.cells[c].outputs[o]
    output.data[GLUE_PREFIX + "text/plain"] = other_character(
        output.data[GLUE_PREFIX + "text/plain"], rng
    )
    return output.metadata["algzoo"]["record"]


def forged_cell(notebook, rng):
    """Change a cell of a table in the values and in the text."""
    c, o = rng.choice(outputs(notebook, "table"))
    output = notebook.cells[c].outputs[o]
    stated = output.metadata["algzoo"]
    columns = [Column(**column) for column in stated["columns"]]
    row = rng.choice(stated["rows"])
    k = rng.choice([k for k, value in enumerate(row) if k and value is not None])
    tolerance = columns[k].atol + columns[k].rtol * abs(row[k]) if columns[k].format else 0
    row[k] = moved(row[k], tolerance)
    text = markdown_table(columns, stated["rows"])
    output.data["text/markdown"] = output.data["text/plain"] = text
    return f"{stated['table']}, {row[0]}, {columns[k].heading}"


def shown_cell(notebook, rng):
    """Change one character of a table as the reader sees it."""
    c, o = rng.choice(outputs(notebook, "table"))
    output = notebook.cells[c].outputs[o]
    output.data["text/markdown"] = other_character(output.data["text/markdown"], rng)
    return f"{output.metadata['algzoo']['table']}, "


def picture(notebook, rng):
    """Change one character of a picture, or the digest that vouches for it."""
    c, o = rng.choice(outputs(notebook, "figure"))
    output = notebook.cells[c].outputs[o]
    stated = output.metadata["algzoo"]
    if rng.random() < 0.5:
        output.data["image/svg+xml"] = other_character(output.data["image/svg+xml"], rng)
    else:
        stated["digest"] = other_character(stated["digest"], rng)
    return f"{stated['figure']}, description"


def other_character(text, rng):
    i = rng.choice([i for i, character in enumerate(text) if character.isdigit()] or [0])
    return text[:i] + ("1" if text[i] == "0" else "0") + text[i + 1 :]


CHANGES = (forged_record, shown_record, forged_cell, shown_cell, picture)


@pytest.mark.parametrize("number", range(N_CHANGES))
def test_a_changed_number_is_noticed(chapters, number):
    change = CHANGES[number % len(CHANGES)]
    rng = random.Random(number)
    # The chapters in turn, past those that have nothing of the kind.
    kind = {"record": "record", "cell": "table", "picture": "figure"}[
        change.__name__.split("_")[-1]
    ]
    having = [notebook for notebook in chapters if outputs(notebook, kind)]
    true = having[number % len(having)]
    changed = copy.deepcopy(true)
    name = change(changed, rng)
    rows = compare("chapter", changed, true)
    assert len(rows) >= len(statements(true))
    noticed = [row.name for row in rows if not row.held]
    assert noticed
    assert all(row.startswith(name) for row in noticed)
    assert all(row.held for row in compare("chapter", true, true))
