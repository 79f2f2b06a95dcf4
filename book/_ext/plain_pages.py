"""A Sphinx extension: pages without what their tools put in that readers stumble over.

* docutils gives lists of citations ARIA roles of which one is deprecated and another must not have
  the children that it gets.
* MyST-NB labels every folded cell "Toggle hidden content", which hides the words that say what is
  folded from those who listen.
* Sphinx puts the lines of a long signature into a list of definitions that defines nothing.
* The buttons that unfold pages in the sidebar have no name.
* Jupyter Book loads a script that runs cells on a server elsewhere. The book has no button for it,
  and Sphinx 7 puts it in twice, which is an error in the browser's console.
"""

from __future__ import annotations

import re
from typing import Any

from bs4 import BeautifulSoup
from sphinx.application import Sphinx

REPLACED = (
    (re.compile(r' role="(?:doc-biblioentry|doc-backlink)"'), ""),
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    (
        re.compile(r'<dl>\s*((?:<dd><em class="sig-param">.*?</dd>\s*)+)</dl>', re.DOTALL),
        lambda found: re.sub(
            r"<dd>(.*?)</dd>", r'<span class="sig-line">\1</span>', found[1], flags=re.DOTALL
        ),
    ),
)


def make_plain(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Change what a page is about to be made of; called by Sphinx."""
    for pattern, replacement in REPLACED:
        if "body" in context:
            context["body"] = pattern.sub(replacement, context["body"])
    sidebar = context.get("generate_toctree_html")
    if callable(sidebar):
        context["generate_toctree_html"] = lambda *given, **options: _named(
            sidebar(*given, **options)
        )
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in f"{script}{getattr(script, 'attributes', '')}".lower()
    ]


def _named(sidebar: Any) -> Any:
    """Put a name, which only screen readers tell, into the buttons of the sidebar."""
    for button in sidebar.find_all("summary"):
        name = BeautifulSoup('<span class="visually-hidden">More pages</span>', "html.parser")
        button.insert(0, name)
    return sidebar


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", make_plain, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
