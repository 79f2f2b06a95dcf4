"""Statements of a notebook, read back from its outputs, and the comparison of two runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nbformat import NotebookNode

from .numbers import GLUE_PREFIX, METADATA_KEY, Column, Plain, digest, markdown_table, printed

Verdict = Literal["same", "moved", "missing", "new", "altered", "stated twice"]


@dataclass(frozen=True)
class Statement:
    """One recorded value: a number, a cell of a table, a figure's caption or description.

    ``intact`` is false if the notebook shows another value than it holds, which happens if a
    committed output is edited by hand.
    """

    name: str
    value: Plain | None
    rtol: float
    atol: float
    intact: bool


@dataclass(frozen=True)
class Comparison:
    """A recorded value as committed and as found in a new run."""

    chapter: str
    name: str
    committed: Plain | None
    now: Plain | None
    tolerance: float | None  # largest difference allowed; None if the values must be equal
    verdict: Verdict

    @property
    def held(self) -> bool:
        """True if the value did not move."""
        return self.verdict == "same"


def statements(notebook: NotebookNode) -> list[Statement]:
    """List everything that the outputs of a notebook state, in their order."""
    found: list[Statement] = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        lines = "".join(o.text for o in cell.outputs if o.output_type == "stream").splitlines()
        for output in cell.outputs:
            stated = output.get("metadata", {}).get(METADATA_KEY, {})
            if "record" in stated:
                found.append(_record(output, stated, lines))
            elif "table" in stated:
                found.extend(_cells(output, stated))
            elif "figure" in stated:
                found.extend(_texts(output, stated, cell))
    return found


def _record(output: NotebookNode, stated: Any, lines: list[str]) -> Statement:
    name, value = stated["record"], stated["value"]
    intact = (
        output.data.get(GLUE_PREFIX + "text/plain") == repr(value)
        and output.metadata.scrapbook.name == name
        and printed(name, value) in lines
    )
    return Statement(name, value, stated["rtol"], stated["atol"], intact)


def _cells(output: NotebookNode, stated: Any) -> Iterator[Statement]:
    columns = [Column(**column) for column in stated["columns"]]
    rows = stated["rows"]
    true = markdown_table(columns, rows).splitlines()
    copies = [output.data[mime].splitlines() for mime in ("text/markdown", "text/plain")]
    heading = len(true) - len(rows)
    same_frame = all(len(c) == len(true) and c[:heading] == true[:heading] for c in copies)
    for place, row in enumerate(rows, heading):
        intact = same_frame and all(copy[place] == true[place] for copy in copies)
        for column, value in zip(columns, row, strict=True):
            name = f"{stated['table']}, {row[0]}, {column.heading}"
            yield Statement(name, value, column.rtol, column.atol, intact)


def _texts(output: NotebookNode, stated: Any, cell: NotebookNode) -> Iterator[Statement]:
    displayed = cell.metadata.get("mystnb", {})
    alt, caption = stated["alt"], stated["caption"]
    alt_intact = displayed.get("image", {}).get("alt") == alt
    alt_intact &= output.data.get("text/plain") == f"[Figure] {alt}"
    # Two machines draw with different fonts, so pictures are not compared between runs; but the
    # committed picture must be the one that was drawn.
    alt_intact &= digest(output.data.get("image/svg+xml", "")) == stated["digest"]
    yield Statement(f"{stated['figure']}, description", alt, 0.0, 0.0, alt_intact)
    caption_intact = displayed.get("figure", {}).get("caption") == caption
    yield Statement(f"{stated['figure']}, caption", caption, 0.0, 0.0, caption_intact)


def compare(chapter: str, committed: NotebookNode, now: NotebookNode) -> list[Comparison]:
    """Compare what two runs of a chapter state; return one row for each name in either."""
    before, after = statements(committed), statements(now)
    found_now = {statement.name: statement for statement in after}
    rows = []
    seen: set[str] = set()
    for old in before:
        name, value = old.name, old.value
        new = found_now.get(name)
        # The tolerance is that of the new run's source, not the one in a committed output.
        judge = new or old
        tolerance = judge.atol + judge.rtol * abs(value) if isinstance(value, float) else None
        verdict: Verdict
        if name in seen:
            verdict = "stated twice"
        elif not old.intact or (old.rtol, old.atol) != (judge.rtol, judge.atol):
            verdict = "altered"
        elif new is None:
            verdict = "missing"
        else:
            verdict = "same" if _agree(value, new.value, tolerance) else "moved"
        seen.add(name)
        now_value = new.value if new else None
        rows.append(Comparison(chapter, name, value, now_value, tolerance, verdict))
    rows += [
        Comparison(chapter, new.name, None, new.value, None, "new")
        for new in after
        if new.name not in seen
    ]
    return rows


def _agree(committed: Plain | None, now: Plain | None, tolerance: float | None) -> bool:
    if tolerance is not None and isinstance(committed, float) and isinstance(now, (float, int)):
        return abs(committed - now) <= tolerance
    return type(committed) is type(now) and committed == now
