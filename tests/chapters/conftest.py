"""A clone with one small chapter, run once."""

import nbformat
import pytest

from algzoo.chapters.notebooks import execute, write

SOURCES = [
    ("markdown", "# A small chapter"),
    ("parameters", "scale = 1"),
    (
        "code",
        "from algzoo.chapters import Column, record, show, table\n"
        "from algzoo.chapters.figures import style\n"
        "record(exact=3 * scale, real=0.1234567890123 * scale, words='three words')\n"
        "record(loose=1.0 * scale, rtol=1e-2)",
    ),
    ("code", "table('t', [Column('row'), Column('x', '.3f')], [['a', 2.5 * scale]])"),
    (
        "code",
        "figure, ax = style.new_figure(2, 2)\n"
        "show(figure, name='fig', caption=f'Caption {scale}.', alt=f'Axes {scale}.')",
    ),
]


@pytest.fixture
def small_clone(tmp_path, executed_chapter):
    """Root of a clone whose one chapter, ``small``, is executed and committed."""
    root = tmp_path / "a clone ü"
    (root / "analyses").mkdir(parents=True)
    (root / "_toc.yml").write_text("format: jb-book\n")
    write(executed_chapter, root / "analyses" / "small.ipynb")
    return root


@pytest.fixture(scope="session")
def executed_chapter(tmp_path_factory):
    cells = []
    for number, (kind, source) in enumerate(SOURCES):
        new = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        cell = new(source, id=f"cell-{number}")
        if kind == "parameters":
            cell.metadata["tags"] = ["parameters"]
        cells.append(cell)
    path = tmp_path_factory.mktemp("chapter") / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return execute(path)
