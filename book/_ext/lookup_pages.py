"""A Sphinx extension: pages to look things up in, written when the book is built.

They are the API reference, a page for each size of model, and tables for two pages that are written
by hand. `algzoo.chapters` makes them from the package, so that none of them can be out of date; git
ignores the files. A file that would not change is not written, and Sphinx reads only what changed.
"""

from __future__ import annotations

import hashlib
import json
from itertools import chain
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon.docstring import NumpyDocstring

from algzoo.chapters.handcrafted_page import handcrafted_gallery
from algzoo.chapters.reference_pages import (
    described_as,
    reference,
    reference_index,
    reference_page,
)
from algzoo.chapters.size_pages import all_sizes, size_page, size_tables

FOLDERS = ("handcrafted", "reference", "sizes")  # in `book`; git ignores them
INVENTORIES = {  # where the documentation of what the package uses is read
    "python": "https://docs.python.org/3",
    "numpy": "https://numpy.org/doc/stable",
    "pytorch": "https://docs.pytorch.org/docs/stable",
    "scipy": "https://docs.scipy.org/doc/scipy",
    "matplotlib": "https://matplotlib.org/stable",
}
# Names in annotations and docstrings, and those under which the inventories have them.
ABBREVIATED = {
    "ArrayLike": "numpy.typing.ArrayLike",
    "NDArray": "numpy.typing.NDArray",
    "np.bool_": "numpy.bool_",
    "concurrent.futures._base.Executor": "concurrent.futures.Executor",
    "Figure": "matplotlib.figure.Figure",
    "BrokenExecutor": "concurrent.futures.BrokenExecutor",
}


def write_pages(app: Sphinx, config: Config) -> None:
    """Write the pages before Sphinx looks for them; called by Sphinx."""
    root = Path(app.srcdir)
    book = root / "book"
    stamp = book / "sizes" / ".made-from"  # the digest, and the files that were written
    made_from = _digest(root)
    before = stamp.read_text("utf-8").splitlines() if stamp.exists() else [""]
    if before[0] != made_from or not all((book / name).exists() for name in before[1:]):
        written = _pages(root)
        for name, text in written.items():
            path = book / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_text("utf-8") != text:
                path.write_text(text, "utf-8")
        for folder in FOLDERS:
            for path in (book / folder).rglob("[!.]*.*"):
                if path.relative_to(book).as_posix() not in written:
                    path.unlink()
        stamp.write_text("\n".join([made_from, *written]), "utf-8")
    # Jupyter Book leaves out what the table of contents does not name.
    config.exclude_patterns = [
        pattern
        for pattern in config.exclude_patterns
        if not pattern.startswith(tuple(f"book/{folder}/" for folder in FOLDERS))
    ]


def _pages(root: Path) -> dict[str, str]:
    """The texts of all files by their names in ``book``."""
    chapters = {path.stem: _title(path) for path in sorted((root / "analyses").glob("*.ipynb"))}
    pages = reference()
    return {
        "reference/index.txt": reference_index(pages),
        **{f"reference/{page.file}.rst": reference_page(page) for page in pages},
        "sizes/tables.txt": size_tables(),
        **{f"sizes/{size.name}.md": size_page(size, chapters) for size in all_sizes()},
        "handcrafted/gallery.txt": handcrafted_gallery(),
    }


def _title(notebook: Path) -> str:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    first = next(cell for cell in cells if cell["cell_type"] == "markdown")
    return "".join(first["source"]).splitlines()[0].removeprefix("# ")


def _digest(root: Path) -> str:
    """Digest of all that the pages are made from: the package and the chapters."""
    digest = hashlib.sha256()
    made_from = (root / "algzoo").rglob("*"), (root / "analyses").glob("*.ipynb"), [Path(__file__)]
    for path in sorted(chain(*made_from)):
        if path.suffix in {".py", ".json", ".safetensors", ".ipynb"}:
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def refer_to_description(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    """Lead a reference to where an object is described, whatever module it is named after.

    What exists and is not described is shown without a link. What does not exist stays an error.
    """
    target = node["reftarget"]
    if node.get("refdomain") != "py":
        return None
    if target in ABBREVIATED:
        node["reftarget"] = ABBREVIATED[target]  # for the inventories, which are asked next
        return None
    module = node.get("py:module") or "algzoo"
    for around in (f"{module}.{node.get('py:class')}", module):
        try:
            name = described_as(target, around)
        except LookupError:
            continue
        if name is None:
            return content
        domain = env.get_domain("py")
        found = domain.resolve_xref(env, node["refdoc"], app.builder, "obj", name, node, content)
        return found or content
    return None


def leave_colons_alone(docstring: NumpyDocstring) -> list[str]:
    """Keep the docstring of a property, of which Napoleon takes all before a colon for a type."""
    return docstring._consume_to_end()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    for extension in ("autodoc", "napoleon", "intersphinx"):
        app.setup_extension(f"sphinx.ext.{extension}")
    app.config["intersphinx_mapping"] = {
        name: (address, f"book/inventories/{name}.txt") for name, address in INVENTORIES.items()
    }
    NumpyDocstring._parse_attribute_docstring = leave_colons_alone
    app.connect("config-inited", write_pages, priority=900)
    app.connect("missing-reference", refer_to_description, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
