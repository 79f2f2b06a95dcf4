"""A new chapter: a notebook about a model of the zoo that runs as it is, to be written further.

Its text and code are those of the files in ``data/new_chapter``, one for each section; which of
them a chapter gets depends on the family and on the number of inputs.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from ..estimates import catalog, exact
from ..zoo import FAMILIES, DistTransformer, Model, load_model
from ..zoo.files import write_whole
from .address import first_cells, published_at
from .notebooks import ChapterError, normalise, write

_SECTIONS = Path(__file__).parent / "data" / "new_chapter"
_CODE = re.compile(r"^```python ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<<([^<>\n]+)>>")
_WIDTH = 80  # of a line of a chapter's code
_LINES = 12  # of names in one cell


class _Words(NamedTuple):
    """What a family's chapter says, and the names its file and those like it begin with."""

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
) -> tuple[Path, str]:
    """Write ``analyses/name.ipynb``, not yet executed, and list it in the table of contents.

    Returns the file and the line of ``_toc.yml``.

    Raises
    ------
    ChapterError
        Where the name is not one for a chapter, or there is a chapter of that name.
    ValueError
        Where the zoo has no model of that size; names the choices.
    OSError
        Where a file cannot be written; neither is then changed.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ChapterError(
            f"{name!r} is no name for a chapter: it starts with a small letter, and small letters, "
            "digits and underscores follow, as second_argmax_h3_n3"
        )
    path = root / "analyses" / f"{name}.ipynb"
    if os.path.lexists(path):
        raise ChapterError(f"{path} is there already: choose another name")
    notebook = new_chapter(name, family, hidden_size, seq_len, published_at(root))
    line, contents = _with_chapter(root / "_toc.yml", name, _WORDS[family].file_prefix)
    write(notebook, path)
    try:
        write_whole(root / "_toc.yml", contents.encode())
    except OSError:
        path.unlink()
        raise
    return path, line


def new_chapter(
    name: str, family: str, hidden_size: int, seq_len: int, address: str
) -> NotebookNode:
    """Notebook about the zoo's models of that size; errors as :func:`write_new_chapter`."""
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


def _sections(model: Model) -> Iterator[str]:
    family, seq_len = model.task_name, model.seq_len
    yield "opening"
    if family == "longest_cycle":
        yield "attention"
    else:
        yield "recurrent"
        if seq_len > 3:
            yield "neurons"
        elif family == "median":
            yield "median_cones"
        else:
            yield "plane" if seq_len == 2 else "sphere"
    if _handcrafted(family, seq_len):
        yield "handcrafted"
    yield "estimates_exact" if _is_exact(model) else "estimates_sampled"
    yield "ledger_attention" if family == "longest_cycle" else "ledger_recurrent"
    yield "end"


def _words(name: str, model: Model) -> dict[str, str]:
    """What stands for the placeholders."""
    family, hidden_size, seq_len = model.task_name, model.hidden_size, model.seq_len
    of_family = _WORDS[family]
    handcrafted = _handcrafted(family, seq_len) or ("", "")
    return {
        "name": name,
        "family": family,
        "hidden_size": f"{hidden_size}",
        "seq_len": f"{seq_len}",
        "last": f"{seq_len - 1}",
        "title": f"{of_family.title} ({hidden_size}, {seq_len})",
        "task": of_family.task,
        "inputs": of_family.inputs,
        "handcrafted module": handcrafted[0],
        "handcrafted": handcrafted[1],
        "catalog names": _names_in_code([*_names_that_apply(model)]),
        **_words_on_scores(model),
    }


def _words_on_scores(model: Model) -> dict[str, str]:
    sampled = not _is_exact(model)
    if FAMILIES[model.task_name].measures_error:
        record = "record(mse=truth.value, rtol=1e-3, atol=1e-14)\n"
        record += "record(rmse=truth.value**0.5, rtol=1e-3, atol=1e-8)"
        return {
            "score": "mean squared error",
            "score of y": "((y[:, 0] - right) ** 2).mean()",
            "score sentence": "is off by {glue:text}`rmse:.3g` on <<inputs>>, root mean square",
            "error sentence": "Nothing here says which inputs they are, in words.",
            "record score": record,
            "format": ".4e",
            "tolerance": '{"rtol": 1e-3, "atol": 1e-12}',
        }
    sentence = "is right on {glue:text}`accuracy:.3%` of <<inputs>>"
    atol = "1e-5" if sampled else "1e-12"
    record = f"record(accuracy=truth.value, error=1 - truth.value, atol={atol})"
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
    }


def _handcrafted(family: str, seq_len: int) -> tuple[str, str] | None:
    """Module and name of the network written by hand, where there is one of that length."""
    if family == "2nd_argmax":
        if seq_len in (2, 3):
            return "handcrafted", "handcrafted_2nd_argmax"
        return "handcrafted_lengths", "top_two_2nd_argmax"
    if family == "argmedian":
        return "handcrafted_argmedian", "ranking_argmedian"
    if family == "median" and seq_len in (2, 3):
        return "handcrafted_median", "handcrafted_median"
    if family == "longest_cycle" and seq_len == 3:
        return "handcrafted_longest_cycle", "handcrafted_longest_cycle"
    return None


def _is_exact(model: Model) -> bool:
    """Whether the package has an exact method, tried on the smallest model of that length."""
    family = FAMILIES[model.task_name]
    smallest = family.build(family.hidden_sizes[0], model.seq_len)
    smallest.task_name = model.task_name
    try:
        exact(smallest)
    except ValueError:
        return False
    return True


def _names_that_apply(model: Model) -> Iterator[str]:
    """Names of the catalog whose estimators accept the model, and do not warn.

    What a cell writes to stderr fails the build of the book.
    """
    is_transformer = isinstance(model, DistTransformer)  # whose chapters are in double precision
    for entry in catalog():
        if entry.estimator is not None and entry.estimator is not exact:
            try:
                with warnings.catch_warnings(action="error"):
                    entry.estimator(model.double() if is_transformer else model)
            except (ValueError, Warning):
                continue
            yield entry.name


def _names_in_code(names: list[str]) -> str:
    """Assignment of the names, with further cells where they do not fit into one."""
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
    """Cells of a section: code between fences, whose tags stand beside the opening one."""
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


def _with_chapter(path: Path, name: str, file_prefix: str) -> tuple[str, str]:
    """The line that lists a chapter, and the table of contents with it.

    It stands below the last chapter of the same family, else below the last of all.
    """
    try:
        lines = path.read_text("utf-8").splitlines(keepends=True)
    except OSError as error:
        raise ChapterError(f"Cannot read {path}: {error.strerror}") from error
    listed = [re.fullmatch(r"(\s*- file: )analyses/(\w+)(?:\.ipynb)?\s*", line) for line in lines]
    chapters = {found[2]: place for place, found in enumerate(listed) if found}
    if name in chapters:
        raise ChapterError(f"{path} lists a chapter {name!r} already: choose another name")
    alike = [place for chapter, place in chapters.items() if chapter.startswith(f"{file_prefix}_")]
    if not chapters:
        raise ChapterError(f"{path} lists no chapter yet below which {name} could stand")
    below = max(alike or chapters.values())
    found = listed[below]
    assert found is not None
    line = f"{found[1]}analyses/{name}"
    lines[below] = lines[below].rstrip("\n") + "\n"
    return line.strip(), "".join([*lines[: below + 1], f"{line}\n", *lines[below + 1 :]])
