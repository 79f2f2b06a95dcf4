"""What readers who listen, type instead of point, or print need of every built page.

These hold without a browser; `make axe` has axe-core look at all pages in one.
"""

import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = re.compile(r"^(https?:)?//")


def headings(page):
    return [int(tag.name[1]) for tag in page.find("article").find_all(re.compile(r"^h[1-6]$"))]


def name_of(tag):
    """The accessible name that the page itself gives a link, button or field."""
    pictures = "".join(image.get("alt", "") for image in tag.find_all("img"))
    return "".join(
        [tag.get_text(strip=True), pictures, tag.get("aria-label", ""), tag.get("title", "")]
    )


def test_headings_open_with_one_title_and_skip_no_level(pages):
    for path, page in pages.items():
        levels = headings(page)
        assert levels[0] == 1, path.name
        assert levels.count(1) == 1, path.name
        for before, after in pairwise(levels):
            assert after <= before + 1, f"{path.name}: h{before} followed by h{after}"


def test_pages_say_their_language_and_title(pages):
    titles = [page.title.get_text(strip=True) for page in pages.values()]
    assert all(page.html["lang"] == "en" for page in pages.values())
    assert len(set(titles)) == len(titles)


def test_links_buttons_and_fields_have_names(pages):
    for path, page in pages.items():
        for tag in page.find_all(["a", "button"]):
            if tag.name == "a" and not tag.get("href"):
                continue
            assert name_of(tag), f"{path.name}: {tag}"
        for field in page.find("article").find_all("input"):
            assert field.find_parent("label") or field.get("aria-label"), f"{path.name}: {field}"


def test_pictures_have_descriptions_everywhere(pages):
    for path, page in pages.items():
        for image in page.find_all("img"):
            assert "alt" in image.attrs, f"{path.name}: {image.get('src')}"


def test_tables_have_headers(pages):
    n_tables = 0
    for path, page in pages.items():
        for table in page.find("article").find_all("table"):
            n_tables += 1
            columns = table.find("thead").find_all("th")
            assert columns, path.name
            assert all(cell.get_text(strip=True) for cell in columns[1:]), f"{path.name}: {columns}"
    assert n_tables > 20


def test_ids_are_unique(pages):
    for path, page in pages.items():
        ids = [tag["id"] for tag in page.find_all(id=True)]
        assert len(ids) == len(set(ids)), path.name
        known = set(ids)
        for tag in page.find_all(attrs={"aria-describedby": True}):
            assert set(tag["aria-describedby"].split()) <= known, path.name


def test_roles_that_tools_give_wrongly_are_gone(pages):
    for path, page in pages.items():
        assert not page.find_all(attrs={"role": re.compile("^doc-bibl")}), path.name
        for summary in page.find_all("summary"):
            assert not summary.get("aria-label"), path.name
            assert summary.get_text(strip=True), path.name


def test_no_script_or_style_of_a_page_names_another_server(site, pages):
    for path, page in pages.items():
        loaded = page.find_all(["script", "img", "iframe", "source", "object", "video", "audio"])
        for tag in loaded:
            for attribute in ("src", "srcset", "data", "poster"):
                assert not OUTSIDE.match(tag.get(attribute, "")), f"{path.name}: {tag}"
        for script in page.find_all("script", src=False):
            assert not re.search(r"https?://\S+\.(js|mjs|css)", script.get_text()), path.name
    own_scripts = {path.name for path in (ROOT / "book" / "_static").glob("*.js")}
    assert {"book.js", "sphere.js", "sortable.js", "play.js"} <= own_scripts
    for own in (*own_scripts, "book.css"):
        assert "//cdn" not in (site / "_static" / own).read_text("utf-8")
        assert not re.search(
            r"(fetch|import|XMLHttpRequest|url)\s*\((?!#)",
            (site / "_static" / own).read_text("utf-8"),
        )


def test_the_sphere_can_be_used_without_pointer_and_without_script(pages):
    page = next(page for path, page in pages.items() if path.stem == "sphere")
    canvas = page.find("canvas")
    assert canvas["tabindex"] == "0"
    assert canvas["aria-label"]
    assert "arrow keys" in page.find(id=canvas["aria-describedby"]).get_text()
    assert page.find(id="sphere-reading")["role"] == "status"
    assert page.find("figure", id="sphere").has_attr("hidden")  # until the script is there
    assert page.find("noscript").get_text(strip=True)
    assert page.find(id="sphere-errors").find_all("tr", attrs={"data-direction": True})
    assert page.find("figure", id="sphere-map").find("img")["src"].endswith(".svg")


def test_playing_needs_a_script_and_without_it_there_are_pictures(pages):
    page = next(page for path, page in pages.items() if path.stem == "play")
    figures = page.find_all("figure", class_="play")
    names = ["plane", "family", "steps", "lambda-film", "valley-film"]
    assert [figure["id"] for figure in figures] == [f"play-{name}" for name in names]
    assert all(figure.has_attr("hidden") for figure in figures)  # until the script is there
    stills = page.find_all("figure", class_="play-still")
    assert [still["id"] for still in stills] == [f"play-{name}-still" for name in names[:4]]
    assert all(still.find("img")["src"].endswith(".svg") for still in stills)
    assert len(page.find_all("noscript")) == 4
    # Browsers do not load modules from a file.
    scripts = [tag for tag in page.find_all("script", src=True) if "play" in tag["src"]]
    assert len(scripts) == 5
    assert all(tag.get("type") != "module" for tag in scripts)


def test_the_leaderboard_is_a_page_of_plain_tables_that_a_script_can_sort(pages):
    page = next(page for path, page in pages.items() if path.stem == "leaderboard")
    tables = page.find("article").find_all("table")
    assert len(tables) >= 4
    for table in tables:
        assert "sortable" in table["class"]
        [headings] = table.find("thead").find_all("tr")
        assert 2 <= len(headings.find_all("th")) <= 6
        assert all(len(row.find_all("td")) <= 6 for row in table.find("tbody").find_all("tr"))
    sources = [script["src"] for script in page.find_all("script", src=True)]
    assert any("sortable.js" in source for source in sources)
    script = (ROOT / "book" / "_static" / "sortable.js").read_text("utf-8")
    assert 'createElement("button")' in script  # which the keyboard reaches
    assert "aria-sort" in script


@pytest.mark.parametrize(
    "rule",
    [
        r"details::details-content\s*{[^}]*content-visibility: visible",
        r"\.sphere\s*{\s*display: none",
        r"\.play\s*{\s*display: none",
        r"\.play-still\[hidden\]\s*{\s*display: block !important",
        r"overflow: visible !important",
    ],
)
def test_paper_shows_what_the_screen_folds_away(rule):
    sheet = (ROOT / "book" / "_static" / "book.css").read_text("utf-8")
    printed = "".join(re.findall(r"@media print {(.*?)\n}", sheet, flags=re.DOTALL))
    assert re.search(rule, printed)


@pytest.mark.parametrize("name", ["sphere.js", "play.js"])
def test_motion_can_be_switched_off(name):
    script = (ROOT / "book" / "_static" / name).read_text("utf-8")
    assert "prefers-reduced-motion: reduce" in script
