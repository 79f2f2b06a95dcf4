"""A Sphinx extension: what is typed in one way everywhere and set in another on the pages.

* The name of a model, M2,2, gets its sizes as a subscript.
* A power of ten, 7.7e-05, is set as 7.7 x 10^-5.
* The first use of a term of the glossary on a page is a link to it.
* What ``record`` prints in a notebook, ``accuracy = 0.99``, is left out: the page's sentences,
  tables and figures say it.

Notebooks and terminals show these as they are typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from docutils import nodes
from sphinx.addnodes import desc_signature
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import make_refnode

_GLOSSARY = "book/glossary"
_MODEL = re.compile(r"\bM(\d+,\d+)(?!\d)")
_POWER = re.compile(r"(?<![\w.])([-\N{MINUS SIGN}]?\d+(?:\.\d+)?)e([-+]?\d+)(?!\w)")
_VERBATIM = (
    *(nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw),
    desc_signature,
)
# Words that are more often used in their plain sense than as the term.
_PLAIN_WORDS = {
    "arc",
    "check",
    "class",
    "bound",
    "bill",
    "cone",
    "feature",
    "formula",
    "median",
    "zoo",
}


def _texts(doctree: nodes.Node) -> list[nodes.Text]:
    """The texts of a page that are not code, formulas or raw HTML."""
    return [text for text in doctree.findall(nodes.Text) if not _inside(text, _VERBATIM)]


def _replace(
    text: nodes.Text, pattern: re.Pattern[str], made_of: Callable[[re.Match[str]], list[nodes.Node]]
) -> None:
    """Put nodes in the place of what matches in a text."""

    def pieces() -> Iterator[nodes.Node]:
        end = 0
        for match in pattern.finditer(text):
            yield nodes.Text(text[end : match.start()])
            yield from made_of(match)
            end = match.end()
        yield nodes.Text(text[end:])

    if pattern.search(text):
        text.parent.replace(text, [piece for piece in pieces() if piece.astext()])


def _model(match: re.Match[str]) -> list[nodes.Node]:
    return [nodes.Text("M"), nodes.subscript("", match[1])]


def _power(match: re.Match[str]) -> list[nodes.Node]:
    exponent = str(int(match[2])).replace("-", "\N{MINUS SIGN}")
    factor = f"{match[1]} \N{MULTIPLICATION SIGN} 10".replace(" ", "\N{NO-BREAK SPACE}")
    return [nodes.Text(factor), nodes.superscript("", exponent)]


class SetTitles(SphinxTransform):
    """Sets names of models in headings, before Sphinx collects these for its menus."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Set the names in the headings of a page."""
        for title in self.document.findall(nodes.title):
            for text in _texts(title):
                _replace(text, _MODEL, _model)


def _leave_out_printed(doctree: nodes.document) -> None:
    """Leave out what cells have printed, and places for output that are empty then."""
    for node in list(doctree.findall(nodes.Element)):
        if {"output", "stream"} <= set(node.get("classes", [])) and node.parent is not None:
            node.parent.remove(node)
    for node in list(doctree.findall(nodes.container)):
        if "cell_output" in node.get("classes", []) and not node.children:
            node.parent.remove(node)


def _link_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link the first use of each term of the glossary, in running text, to its explanation."""
    terms = {
        name.lower(): label
        for _, name, kind, page, label, _ in app.env.domains["std"].get_objects()
        if kind == "term" and page == _GLOSSARY and name.lower() not in _PLAIN_WORDS
    }
    if docname == _GLOSSARY or not terms:
        return
    names = sorted(map(re.escape, terms), key=len, reverse=True)
    # The residual stream of a transformer is no residual.
    pattern = re.compile(rf"(?<![\w-])({'|'.join(names)})(s?)(?![\w-]|\sstream)", re.IGNORECASE)
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.entry):
            continue
        for text in _texts(paragraph):
            if _inside(text, (nodes.reference, nodes.caption, nodes.strong, nodes.emphasis)):
                continue
            _link_first(app, text, pattern, terms, docname)


def _link_first(
    app: Sphinx, text: nodes.Text, pattern: re.Pattern[str], terms: dict[str, str], docname: str
) -> None:
    """Link those terms of a text that no earlier text has used, and take them out of ``terms``."""

    def made_of(match: re.Match[str]) -> list[nodes.Node]:
        label = terms.pop(match[1].lower(), None)
        if label is None:
            return [nodes.Text(match[0])]
        word = nodes.inline(match[0], match[0], classes=["glossary-term"])
        return [make_refnode(app.builder, docname, _GLOSSARY, label, word, match[1])]

    if any(match[1].lower() in terms for match in pattern.finditer(text)):
        _replace(text, pattern, made_of)


def _inside(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    parent = node.parent
    return parent is not None and (isinstance(parent, kinds) or _inside(parent, kinds))


def typeset(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Set what a page is made of; called by Sphinx when all references are known."""
    _leave_out_printed(doctree)
    for text in _texts(doctree):
        _replace(text, _POWER, _power)
    for text in _texts(doctree):
        _replace(text, _MODEL, _model)
    _link_terms(app, doctree, docname)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_transform(SetTitles)
    app.connect("doctree-resolved", typeset)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
