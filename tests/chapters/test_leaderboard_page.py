"""The page of the leaderboard is that of its entries, safe to show, and sorted in the browser."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from algzoo.chapters.leaderboard_page import leaderboard_page, plain
from algzoo.estimates.rare import METHODS
from algzoo.scoring.compute.entries import read_entry
from algzoo.scoring.compute.rounds import round_named
from algzoo.scoring.rare.entries import read_any_entry

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "book" / "leaderboard.md"
SCRIPT = ROOT / "book" / "_static" / "sortable.js"


@pytest.fixture(scope="module")
def entries():
    paths = sorted((ROOT / "analyses" / "leaderboard").glob("*.json"))
    return {path.name: read_entry(path) for path in paths}


@pytest.fixture(scope="module")
def rare_entries():
    paths = sorted((ROOT / "analyses" / "leaderboard" / "rare").glob("*.json"))
    return {path.name: read_any_entry(path) for path in paths}


def rows_of(page, heading):
    """Cells of the table below a heading, the first row being the headings of its columns."""
    body = page.partition(f"### {heading}\n")[2].partition("\n```\n")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [line.strip("|").strip().split(" | ") for line in lines if "---" not in line]


def test_the_committed_page_is_that_of_the_entries(entries, rare_entries):
    # `algzoo leaderboard --page > book/leaderboard.md` writes it.
    assert PAGE.read_text("utf-8") == leaderboard_page(entries, rare_entries)


def test_every_method_for_rare_events_is_in_every_table(rare_entries):
    assert {entry.name for entry in rare_entries.values()} == {
        name
        for name, method in METHODS.items()
        if name not in ("leaves of pairs", "folded classes")
    }  # these two are for ten inputs
    names = sorted(plain(entry.name) for entry in rare_entries.values())
    page = PAGE.read_text("utf-8")
    for heading in ("Losses of rare outputs", "Budgets of rare outputs"):
        headings, *rows = rows_of(page, heading)
        assert len(headings) <= 6
        assert sorted(row[0] for row in rows) == names
    _, *rows = rows_of(page, "Losses of rare outputs")
    complete = [row for row in rows if row[1] == rows[0][1]]
    after = [float(row[-1].partition(" ")[0]) for row in complete]
    assert after == sorted(after)
    named = {plain(entry.name): entry for entry in rare_entries.values()}
    for name, n_tasks, zeros, loss, *_ in rows:
        result = named[name].results[-1]
        assert n_tasks == str(result.tasks)
        assert float(zeros.rstrip("%")) / 100 == pytest.approx(
            result.zeros / (result.tasks * result.seeds), abs=0.0051
        )
        assert loss.startswith("∞") == (result.loss[0] is None)


def test_every_entry_of_a_ranked_round_is_in_every_table(entries):
    names = sorted(plain(entry.name) for entry in entries.values())
    assert len(set(names)) == len(names), "two entries have the same name"
    for heading in ("ARC's example, sd 0.005", "Other populations", "Operations and errors"):
        headings, *rows = rows_of(PAGE.read_text("utf-8"), heading)
        assert len(headings) <= 5
        assert sorted(row[0] for row in rows) == names
        assert {len(row) for row in rows} == {len(headings)}
    assert all(round_named(entry.round).ranked for entry in entries.values())
    assert all(not entry.missing for entry in entries.values())


def test_numbers_are_those_of_the_files(entries):
    _, *rows = rows_of(PAGE.read_text("utf-8"), "ARC's example, sd 0.005")
    named = {plain(entry.name): entry for entry in entries.values()}
    ratios = []
    for name, inputs, ratio, shrunk, _ in rows:
        result = named[name].result("ARC's example, sd 0.005")
        assert float(inputs.replace(",", "")) == pytest.approx(result.samples, abs=0.5)
        assert float(ratio.split(" ")[0].replace(",", "")) == pytest.approx(
            result.ratio.value, rel=0.05
        )
        assert shrunk.count(", ") == 1
        ratios.append(result.shrunk_ratio.value)
    assert ratios == sorted(ratios)
    _, *rows = rows_of(PAGE.read_text("utf-8"), "What the estimators are")
    for name, *_, constants, _ in rows:
        [entry] = [one for file, one in entries.items() if f"/{file}>" in name]
        origin, _, bits = constants.partition("; ")
        assert origin == entry.facts.constants
        assert float(bits.replace(" bits", "").replace(",", "") or 0) == pytest.approx(
            entry.facts.advice_bits, abs=0.5
        )


def test_what_authors_write_is_shown_and_not_interpreted(entries):
    [first, *_] = entries.values()
    source = replace(first.source, link="https://a.b/c(d)|e")
    nasty = replace(
        first,
        name="a | b <script>alert(1)</script> [x](javascript:y) `c` {{ d }} $e$",
        author="*Eve*\n# Evil",
        source=source,
    )
    page = leaderboard_page({"nasty.json": nasty})
    rows = page.partition("### What the estimators are")[2]
    assert "<script" not in page.replace("\\<script", "")
    assert r"\|" in rows
    assert not re.search(r"(?<!\\)[`{<]", plain(nasty.name))
    assert "\n# Evil" not in page
    assert r"[\*Eve\* \# Evil](<https://a.b/c(d)%7Ce>)" in rows


def test_a_population_without_result_has_a_dash(entries):
    [first, *_] = entries.values()
    lost = [one for one in first.results if "example" in one.population]
    partial = replace(
        first,
        results=tuple(one for one in first.results if one not in lost),
        missing=tuple(one.population for one in lost),
    )
    page = leaderboard_page({"full.json": first, "partial.json": replace(partial, name="partial")})
    _, above, below = rows_of(page, "ARC's example, sd 0.005")
    assert above[0] == plain(first.name)
    assert below == ["partial", "–", "–", "–", "–"]


STUB = """
class Node {
  constructor(text = "") { this.text = text; this.attributes = {}; this.childNodes = []; }
  get textContent() { return this.text + this.childNodes.map((c) => c.textContent).join(""); }
  append(...nodes) {
    for (const node of nodes) {
      if (node.parent) node.parent.childNodes = node.parent.childNodes.filter((c) => c !== node);
      node.parent = this;
      this.childNodes.push(node);
    }
  }
  getAttribute(name) { return this.attributes[name] ?? null; }
  setAttribute(name, value) { this.attributes[name] = value; }
  removeAttribute(name) { delete this.attributes[name]; }
  addEventListener(kind, act) { this[kind] = act; }
  get cells() { return this.childNodes; }
  get rows() { return this.childNodes; }
}
const built = (texts) => {
  const row = new Node();
  for (const text of texts) {
    const cell = new Node();
    cell.append(new Node(text));
    row.append(cell);
  }
  return row;
};
const cells = JSON.parse(process.argv[1]);
const [head, body] = [new Node(), new Node()];
head.append(built(cells[0]));
for (const row of cells.slice(1)) body.append(built(row));
const table = { tHead: head, tBodies: [body] };
global.document = {
  querySelectorAll: (selector) => (selector === "table.sortable" ? [table] : []),
  createElement: (name) => new Node(),
};
const shown = () => body.rows.map((row) => row.cells[0].textContent);
const sorts = () => head.rows[0].cells.map((cell) => cell.getAttribute("aria-sort"));
require(process.argv[2]);
const found = [];
for (const column of JSON.parse(process.argv[3])) {
  const heading = head.rows[0].cells[column];
  heading.childNodes[0].click();
  found.push([heading.textContent, sorts(), shown()]);
}
console.log(JSON.stringify(found));
"""


def test_a_click_sorts_by_numbers_or_words_and_says_how():
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js")
    table = [
        ["estimator", "inputs", "R"],
        ["a", "1,124", "0.22 [0.13, 0.31]"],
        ["b", "–", "–"],
        ["c", "38.5", "1.2"],
        ["d", "90", "−1.2e-03"],
        ["B 10", "90", "12 [9, 15]"],
        ["B 9", "5", "2.5e-1"],
    ]
    asked = [0, 1, 1, 2, 2, 1]
    result = subprocess.run(
        [node, "-e", STUB, json.dumps(table), str(SCRIPT), json.dumps(asked)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    up, down, no = "ascending", "descending", None
    assert found == [
        ["estimator", [up, no, no], ["a", "b", "B 9", "B 10", "c", "d"]],
        ["inputs", [no, up, no], ["B 9", "c", "B 10", "d", "a", "b"]],
        ["inputs", [no, down, no], ["a", "B 10", "d", "c", "B 9", "b"]],
        ["R", [no, no, up], ["d", "a", "B 9", "c", "B 10", "b"]],
        ["R", [no, no, down], ["B 10", "c", "B 9", "a", "d", "b"]],
        ["inputs", [no, up, no], ["B 9", "c", "B 10", "d", "a", "b"]],
    ]
