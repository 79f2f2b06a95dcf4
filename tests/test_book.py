"""The built site: complete, strict, offline and described in words."""

import json
import re
from copy import copy
from pathlib import Path
from urllib.parse import unquote, urlparse

ROOT = Path(__file__).resolve().parents[1]


def is_outside(url):
    return bool(urlparse(url).scheme or urlparse(url).netloc) and not url.startswith("data:")


def test_every_chapter_has_its_page(site):
    for chapter in (ROOT / "analyses").glob("*.ipynb"):
        assert (site / "analyses" / f"{chapter.stem}.html").is_file()


def test_the_page_of_a_chapter_has_all_of_it(pages):
    """A build that fails to read a notebook may give an empty page, and no error."""
    for chapter in sorted((ROOT / "analyses").glob("*.ipynb")):
        [page] = [page for path, page in pages.items() if path.stem == chapter.stem]
        cells = json.loads(chapter.read_text("utf-8"))["cells"]
        prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        plain = re.sub(r"^```.*?^```", "", prose, flags=re.DOTALL | re.MULTILINE)
        headings = re.findall(r"^#+ ", plain, re.MULTILINE)
        assert len(page.find("article").find_all(re.compile("^h[1-6]$"))) == len(headings)
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        shown = [c for c in code if not {"remove-cell", "remove-input"} & {*_tags(c)}]
        assert len(page.find_all("div", class_="cell_input")) == len(shown)
        # Numbers that are recorded for sentences have no output on the page.
        outputs = [cell for cell in code if cell["outputs"]]
        assert len(page.find_all("div", class_="cell_output")) >= len(outputs) / 2


def _tags(cell):
    return cell["metadata"].get("tags", [])


def test_every_page_and_chapter_is_in_the_table_of_contents():
    contents = re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text("utf-8"))
    assert len(contents) == len(set(contents))
    written = [*(ROOT / "book").glob("*.md"), *(ROOT / "analyses").glob("*.ipynb")]
    assert {f"{path.parent.name}/{path.stem}" for path in written} == set(contents)


def test_agenda_opens_in_four_levels(pages):
    page = next(page for path, page in pages.items() if path.stem == "where-it-fits")
    levels = page.find_all("details", class_="agenda-level")
    depths = [len(level.find_parents("details")) for level in levels]
    assert depths == [0, 1, 2, 3]
    assert [len(level.find_all("summary", recursive=False)) for level in levels] == [1] * 4
    nodes = page.find_all(class_="agenda-node")
    inside = [len(node.find_parents("details")) for node in nodes]
    assert inside == [1, 2, 2, 3, 4, 4]
    for node in nodes:
        links = [link["href"] for link in node.find_all("a")]
        assert any(link.startswith("bibliography.html#") for link in links), node.get_text()
        assert any(not link.startswith("bibliography.html") for link in links), node.get_text()


def test_first_page_leads_to_every_chapter(pages):
    page = next(page for path, page in pages.items() if path.stem == "intro")
    linked = {link["href"].split("#")[0] for link in page.find("article").find_all("a", href=True)}
    chapters = sorted(path.stem for path in (ROOT / "analyses").glob("*.ipynb"))
    missing = [name for name in chapters if f"../analyses/{name}.html" not in linked]
    assert not missing, (
        "not linked from the first page; for each add a row to the table in book/intro.md that "
        "begins with a link to ../analyses/NAME.ipynb, as `algzoo new-chapter` prints it"
    )


def test_no_page_requests_anything_from_outside(pages):
    for path, page in pages.items():
        loaded = [tag["src"] for tag in page.find_all(src=True)]
        loaded += [
            tag["href"]
            for tag in page.find_all("link", href=True)
            if {"stylesheet", "icon", "preload", "preconnect"} & set(tag.get("rel", []))
        ]
        assert [url for url in loaded if is_outside(url)] == [], path.name


def test_what_a_page_loads_and_links_is_there(site, pages):
    for path, page in pages.items():
        for tag in page.find_all(["script", "link", "img", "a"]):
            url = tag.get("src") or tag.get("href")
            if not url or is_outside(url) or url.startswith(("#", "data:")):
                continue
            if "canonical" in tag.get("rel", []):
                continue
            target = (path.parent / unquote(urlparse(url).path)).resolve()
            assert target.exists(), f"{path.name} -> {url}"


def test_style_sheets_and_formulas_need_no_network(site):
    for sheet in (site / "_static").rglob("*.css"):
        assert "url(http" not in sheet.read_text("utf-8").replace('"', "").replace("'", ""), (
            sheet.name
        )
    assert (site / "_static" / "mathjax" / "tex-chtml.js").is_file()
    assert list(
        (site / "_static" / "mathjax" / "output" / "chtml" / "fonts" / "woff-v2").glob("*.woff")
    )


def test_every_picture_is_described(pages):
    for path, page in pages.items():
        for image in page.find("article").find_all("img"):
            assert len(image.get("alt", "")) > 20, f"{path.name}: {image.get('src')}"


def test_every_figure_of_a_chapter_has_a_caption(pages):
    figures = [f for page in pages.values() for f in page.find_all("figure")]
    assert len(figures) >= 3
    for figure in figures:
        assert len(figure.find("figcaption").get_text(strip=True)) > 40


def test_numbers_in_sentences_are_filled_in(pages):
    for path, page in pages.items():
        assert "{glue" not in page.find("article").get_text().replace("{glue:text},", ""), path.name
    chapter = next(page for path, page in pages.items() if path.stem == "second_argmax_h2_n2")
    assert len(chapter.find_all("span", class_="pasted-text")) > 30


def test_formulas_are_marked_for_rendering(pages):
    chapter = next(page for path, page in pages.items() if path.stem == "second_argmax_h2_n2")
    assert len(chapter.find_all(class_="math")) > 30
    loaded = [script["src"] for script in chapter.find_all("script", src=True)]
    assert any("mathjax/tex-chtml.js" in source for source in loaded)


def test_names_of_models_and_powers_of_ten_are_set(pages):
    for path, page in pages.items():
        article = copy(page.find("article"))  # what is taken out of it stays on the page
        for verbatim in article.find_all(["pre", "code", "script"]) + article.select(".math"):
            verbatim.decompose()
        subscripts = "".join(
            f"<{sub.previous_sibling}{sub.get_text()}>" for sub in article.find_all("sub")
        )
        named = set(re.findall(r"M\d+,\d+", article.get_text()))
        assert all(f"{name}>" in subscripts for name in named), path.name
        assert re.findall(r"\b\d(?:\.\d+)?e[-+]?\d+\b", article.get_text()) == [], path.name
    chapter = next(page for path, page in pages.items() if path.stem == "second_argmax_h2_n2")
    assert chapter.find("article").find("h1").find("sub").get_text() == "2,2"
    assert "\N{MINUS SIGN}5" in {sup.get_text() for sup in chapter.find("article").find_all("sup")}


def test_recorded_lines_stay_in_the_notebooks(pages):
    for path, page in pages.items():
        assert page.select("article .output.stream") == [], path.name


def test_the_first_use_of_a_term_leads_to_the_glossary(pages):
    chapter = next(page for path, page in pages.items() if path.stem == "second_argmax_h2_n2")
    links = [word.parent["href"] for word in chapter.find_all(class_="glossary-term")]
    assert "../book/glossary.html#term-surprise" in links
    assert len(links) == len(set(links)) > 5
    glossary = next(page for path, page in pages.items() if path.stem == "glossary")
    assert not glossary.find_all(class_="glossary-term")
