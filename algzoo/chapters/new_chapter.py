"""New chapters: a notebook about a model of the zoo that runs, for an author to complete.

Text and code are those of the files in ``data/new_chapter``, one for each section; the family and
the number of inputs decide which of them a chapter gets.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from ..estimates import CatalogEntry, catalog, exact
from ..zoo import FAMILIES, DistTransformer, Model, load_model
from ..zoo.files import write_whole
from .address import first_cells, published_at
from .notebooks import ChapterError, normalise, write

_SECTIONS = Path(__file__).parent / "data" / "new_chapter"
_CODE = re.compile(r"^```python ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<<([^<>\n]+)>>")
_WIDTH = 80  # largest width of a line of a chapter's code
_LINES = 12  # largest number of lines with names in one cell
_SHOWN_WHOLE = 4  # largest number of neurons for which all weights are shown
_IN_ONE_TABLE = 6  # largest number of their neurons and outputs in one table, for the page's width
_TRUTHS = ("exact", "all functions")  # entries that give the true score itself


class NewChapter(NamedTuple):
    """Result of :func:`write_new_chapter`, with what the author adds by hand.

    Attributes
    ----------
    path
        The notebook.
    line
        Its line in ``_toc.yml``.
    row
        Row about it for the table in ``book/intro.md``.
    """

    path: Path
    line: str
    row: str


class _Words(NamedTuple):
    """Phrases of a family's chapter, and beginnings of the file names of this and similar ones."""

    title: str
    task: str
    inputs: str
    file_prefix: str


_GAUSSIAN = "Gaussian inputs"
_POSITION = (
    "answers with the position of the largest of <<seq_len>> outputs, its *logits*. Right is the "
    "position of "
)
_WORDS = {
    "2nd_argmax": _Words(
        "2nd argmax", f"{_POSITION}the second-largest number.", _GAUSSIAN, "second_argmax"
    ),
    "argmedian": _Words("Argmedian", f"{_POSITION}the middle number.", _GAUSSIAN, "argmedian"),
    "median": _Words(
        "Median", "its output is to be their median, the middle number.", _GAUSSIAN, "median"
    ),
    "longest_cycle": _Words("Longest cycle", "", "functions", "longest_cycle"),
}


def write_new_chapter(
    name: str, family: str, hidden_size: int, seq_len: int, root: Path
) -> NewChapter:
    """Write ``analyses/name.ipynb``, not yet executed, and list it in the table of contents.

    Raises
    ------
    ChapterError
        If the name is not one for a chapter, or if there is a chapter with that name.
    ValueError
        If the zoo has no model of that size; the message names the choices.
    OSError
        If a file cannot be written; then neither is changed.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ChapterError(
            f"{name!r} is not a valid name for a chapter: use small letters, digits and "
            "underscores, beginning with a letter, as in second_argmax_h3_n3"
        )
    path = root / "analyses" / f"{name}.ipynb"
    if os.path.lexists(path):
        raise ChapterError(f"{path} already exists: choose another name")
    notebook = new_chapter(name, family, hidden_size, seq_len, published_at(root))
    size = hidden_size, seq_len
    line, contents = _with_chapter(root / "_toc.yml", name, _WORDS[family].file_prefix, size)
    write(notebook, path)
    try:
        write_whole(root / "_toc.yml", contents.encode())
    except OSError:
        path.unlink()
        raise
    return NewChapter(path, line, _row(name, family, hidden_size, seq_len))


def new_chapter(
    name: str, family: str, hidden_size: int, seq_len: int, address: str
) -> NotebookNode:
    """Make a notebook about the zoo's models of that size.

    Raises
    ------
    ChapterError, ValueError
        Under the same conditions as :func:`write_new_chapter`.
    """
    model = load_model(family, hidden_size, seq_len)
    words = _words(name, model)
    cells = []
    for section in _sections(model):
        text = (_SECTIONS / f"{section}.md").read_text("utf-8")
        filled = _filled(_filled(text, words), words)
        cells += _cells(filled)
        if section == "opening":
            cells += first_cells(address)
    for number, cell in enumerate(cells):
        if not cell.id.startswith("colab"):
            cell.id = f"{name.replace('_', '-')}-{number:02}"[-64:]
    return normalise(nbformat.v4.new_notebook(cells=cells))


def _row(name: str, family: str, hidden_size: int, seq_len: int) -> str:
    """Write the row of the table in ``book/intro.md``: the model, its score, what is known."""
    notebook = f"../analyses/{name}.ipynb"

    def glued(number: str) -> str:
        return f"{{glue:text}}`{notebook}::{number}`"

    measures_error = FAMILIES[family].measures_error
    cells = [
        f"[{_title(family, hidden_size, seq_len)}]({notebook}); {glued('n_parameters:d')} weights",
        f"off by {glued('rmse:.1e')}" if measures_error else glued("accuracy:.2%"),
        "**Described.** Say in a sentence what is known.",
    ]
    return f"| {' | '.join(cells)} |"


def _title(family: str, hidden_size: int, seq_len: int) -> str:
    return f"{_WORDS[family].title} ({hidden_size}, {seq_len})"


def _sections(model: Model) -> Iterator[str]:
    family, seq_len = model.task_name, model.seq_len
    yield "opening"
    if family == "longest_cycle":
        yield "attention_task"
        yield "score"
        yield "attention"
    else:
        yield "recurrent_task"
        yield "score"
        yield "standard_form"
        yield _weights_section(model)
        if seq_len > 3:
            yield "neurons"
        elif family == "median":
            yield "median_cones"
        else:
            yield "plane" if seq_len == 2 else "sphere"
    if _handcrafted(family, seq_len):
        yield "handcrafted"
    yield "estimates"
    yield "ledger_attention" if family == "longest_cycle" else "ledger_recurrent"
    yield "seeds_exact" if _is_exact(model) else "seeds_measured"
    yield "end"


def _has_figure(model: Model) -> bool:
    return not {"plane", "sphere"}.isdisjoint(_sections(model))


def _weights_section(model: Model) -> str:
    if model.hidden_size > _SHOWN_WHOLE:
        return "neuron_table"
    fits = model.hidden_size + model.output_size <= _IN_ONE_TABLE
    return "matrices" if fits else "matrices_apart"


def _words(name: str, model: Model) -> dict[str, str]:
    """Return the texts that replace the placeholders."""
    family, hidden_size, seq_len = model.task_name, model.hidden_size, model.seq_len
    of_family = _WORDS[family]
    handcrafted = _handcrafted(family, seq_len) or ("", "")
    entries = [*_entries_that_apply(model)]
    return {
        "name": name,
        "family": family,
        "hidden_size": f"{hidden_size}",
        "seq_len": f"{seq_len}",
        "last": f"{seq_len - 1}",
        "title": _title(family, hidden_size, seq_len),
        "show": "show, " if _has_figure(model) else "",
        "task": of_family.task,
        "inputs": of_family.inputs,
        "handcrafted module": handcrafted[0],
        "handcrafted": handcrafted[1],
        "units": "width" if family == "longest_cycle" else "neurons",
        "double": ".double()" if family == "longest_cycle" else "",
        "catalog names": _names_in_code([entry.name for entry in entries]),
        "estimators": _list_of(entries),
        "estimators sentence": "The book's estimators that take this model; drop what says nothing "
        "here:",
        **_words_on_truth(model),
        **_words_on_scores(model),
    }


def _words_on_truth(model: Model) -> dict[str, str]:
    """Return the texts that differ between models whose score is known exactly and others."""
    rounding = "a neuron that is to be exactly off may be on by rounding"
    if _is_exact(model):
        return {
            "method": "exact",
            "of samples": "",
            "truth": "exact",
            "truth sentence": "For a model of this size the <<score>> is known exactly.",
            "sampled parameter": "",
            "rounding sentence": ""
            if model.task_name == "longest_cycle"
            else f" (Where a network made by hand is sampled in floating point, {rounding}; "
            "exact arithmetic does not round.)",
        }
    return {
        "method": "sampling",
        "of samples": ", n_samples, seed=1",
        "truth": "sampled",
        "truth sentence": "No exact method is known for a model of this size, so the <<score>> "
        "is sampled.",
        "sampled parameter": "n_samples = 2**18  # random inputs on which the truth is sampled",
        "rounding sentence": f" (Both are sampled in floating point, where {rounding}; exact "
        "arithmetic would not round.)",
    }


def _words_on_scores(model: Model) -> dict[str, str]:
    sampled = not _is_exact(model)
    if FAMILIES[model.task_name].measures_error:
        tolerance = "rtol=1e-3, atol=1e-14"
        record = f"record(mse=truth.value, {tolerance})\n"
        record += "record(rmse=truth.value**0.5, rtol=1e-3, atol=1e-8)"
        return {
            "score": "mean squared error",
            "score of y": "((y[:, 0] - right) ** 2).mean()",
            "score sentence": "is off by {glue:text}`rmse:.3g` on <<inputs>>, root mean square",
            "error sentence": "Nothing here says which inputs they are, in words.",
            "record score": record,
            "format": ".4e",
            "tolerance": '{"rtol": 1e-3, "atol": 1e-12}',
            "tolerance of truth": tolerance,
            "tolerance by hand": tolerance,
            "measured score": "root mean squared error",
            "measured format": ".3g",
        }
    sentence = "is right on {glue:text}`accuracy:.3%` of <<inputs>>"
    tolerance = "share_of=n_samples" if sampled else "atol=1e-12"
    record = f"record(accuracy=truth.value, error=1 - truth.value, {tolerance})"
    if sampled:
        sentence += ", give or take {glue:text}`accuracy_std:.2%`"
        record += "\nrecord(accuracy_std=truth.std, rtol=1e-2)"
    return {
        "score": "accuracy",
        "score of y": "(y.argmax(axis=1) == right).mean()",
        "score sentence": sentence,
        "error sentence": "It is wrong on {glue:text}`error:.3%` of <<inputs>>. Nothing here says "
        "in words which these are.",
        "record score": record,
        "format": ".4%",
        "tolerance": '{"atol": 1e-3}',  # one of the inputs that the catalog's samplers draw
        "tolerance of truth": tolerance,
        # Its weights are large and cancel, so rounding decides more answers than in trained ones.
        "tolerance by hand": "atol=1e-4" if sampled else tolerance,
        "measured score": "accuracy",
        "measured format": ".3%",
    }


def _handcrafted(family: str, seq_len: int) -> tuple[str, str] | None:
    """Return module and name of the network written by hand, if there is one of that length."""
    if family == "2nd_argmax":
        if seq_len in (2, 3):
            return "handcrafted.second_argmax", "handcrafted_2nd_argmax"
        return "handcrafted.lengths", "top_two_2nd_argmax"
    if family == "argmedian":
        return "handcrafted.argmedian", "ranking_argmedian"
    if family == "median" and seq_len in (2, 3):
        return "handcrafted.median", "handcrafted_median"
    if family == "longest_cycle" and seq_len == 3:
        return "handcrafted.longest_cycle", "handcrafted_longest_cycle"
    return None


def _is_exact(model: Model) -> bool:
    """Tell whether the package has an exact method for the model."""
    return _has_exact_method(model.task_name, model.seq_len)


@cache
def _has_exact_method(family: str, seq_len: int) -> bool:
    """Tell whether there is an exact method for that length, by trying the smallest model."""
    smallest = FAMILIES[family].build(FAMILIES[family].hidden_sizes[0], seq_len)
    smallest.task_name = family
    try:
        exact(smallest)
    except ValueError:
        return False
    return True


def _entries_that_apply(model: Model) -> Iterator[CatalogEntry]:
    """Yield entries of the catalogue that take the model without a warning.

    A cell that writes to stderr fails the build of the book.
    """
    is_transformer = isinstance(model, DistTransformer)  # these chapters use double precision
    for entry in catalog():
        if entry.estimator and entry.name not in _TRUTHS and entry.scope.takes(model):
            try:
                with warnings.catch_warnings(action="error"):
                    entry.estimator(model.double() if is_transformer else model)
            except (ValueError, Warning):
                continue
            yield entry


def _list_of(entries: Sequence[CatalogEntry]) -> str:
    """Describe each estimator by the first line of its docstring, in Markdown."""
    named: dict[str, list[str]] = {}
    for entry in entries:
        named.setdefault(entry.summary, []).append(f"*{entry.name}*")
    return "\n".join(
        f"* {', '.join(names)}: {what[0].lower()}{what[1:]}" for what, names in named.items()
    )


def _names_in_code(names: list[str]) -> str:
    """Assign the names in code, with further cells if they do not fit into one."""
    lines = [""]
    for name in names:
        quoted = f"{json.dumps(name, ensure_ascii=False)},"
        if len(f"    {lines[-1]} {quoted}") > _WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {quoted}".strip()
    parts = [lines[start : start + _LINES] for start in range(0, len(lines), _LINES)]
    texts = ["\n".join(["[", *(f"    {line}" for line in part), "]"]) for part in parts]
    return "\n```\n\nThere are more:\n\n```python hide-input\n".join(
        f"names {'=' if place == 0 else '+='} {text}" for place, text in enumerate(texts)
    )


def _filled(text: str, words: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: words[found[1]], text)


def _cells(text: str) -> list[NotebookNode]:
    """Make the cells of a section: code between fences, whose tags follow the opening one."""
    cells = []
    place = 0
    for code in _CODE.finditer(text):
        cells.append(nbformat.v4.new_markdown_cell(text[place : code.start()].strip()))
        tags = {"tags": code[1].split()} if code[1] else {}
        cells.append(nbformat.v4.new_code_cell(code[2].strip(), metadata=tags))
        place = code.end()
    if rest := text[place:].strip():
        cells.append(nbformat.v4.new_markdown_cell(rest))
    return cells


def _with_chapter(
    path: Path, name: str, file_prefix: str, size: tuple[int, int]
) -> tuple[str, str]:
    """Return the line that lists a chapter, and the table of contents with it.

    The line is above the first chapter of the same family whose name, as ``second_argmax_h4_n3``,
    says that its model is larger; otherwise below the last of the family, or below the last of all.
    """
    try:
        lines = path.read_text("utf-8").splitlines(keepends=True)
    except OSError as error:
        raise ChapterError(f"Cannot read {path}: {error.strerror}") from error
    listed = [re.fullmatch(r"(\s*- file: )analyses/(\w+)(?:\.ipynb)?\s*", line) for line in lines]
    chapters = {found[2]: place for place, found in enumerate(listed) if found}
    if name in chapters:
        raise ChapterError(f"{path} already lists a chapter {name!r}: choose another name")
    if not chapters:
        raise ChapterError(f"{path} lists no chapter after which {name} could be inserted")
    alike = {c: place for c, place in chapters.items() if c.startswith(f"{file_prefix}_")}
    larger = [place for chapter, place in alike.items() if _size_in(chapter) > size]
    beside = min(larger) if larger else max((alike or chapters).values())
    found = listed[beside]
    assert found is not None
    line = f"{found[1]}analyses/{name}"
    lines[beside] = lines[beside].rstrip("\n") + "\n"
    at = beside if larger else beside + 1
    return line.strip(), "".join([*lines[:at], f"{line}\n", *lines[at:]])


def _size_in(chapter: str) -> tuple[int, ...]:
    """Return hidden_size and seq_len in a chapter's name, or nothing if they are not in it."""
    found = re.search(r"_h(\d+)_n(\d+)(?=_|$)", chapter)
    return (int(found[1]), int(found[2])) if found else ()
