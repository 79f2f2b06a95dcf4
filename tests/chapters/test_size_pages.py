"""Pages of sizes: their numbers are those of the models, and their links lead to what there is."""

import re

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from algzoo.chapters.figures.weights import matrices_of, matrices_text, number
from algzoo.chapters.handcrafted_page import GALLERY
from algzoo.chapters.size_pages import Size, all_sizes, curves, size_page, size_tables
from algzoo.zoo import FAMILIES, load_model, published_score, zoo_2nd_argmax
from algzoo.zoo.handcrafted import argmedian, lengths, longest_cycle, median, second_argmax


def size(family, d, n):
    return Size(FAMILIES[family], d, n)


def fact(page, name):
    return re.search(rf"^\| {name} \| (.*) \|$", page, re.MULTILINE)[1]


def test_there_is_a_page_for_each_size_and_a_link_to_it():
    sizes = all_sizes()
    assert len(sizes) == 116
    tables = size_tables()
    assert re.findall(r"\(sizes/(\w+)\.md\)", tables) == [one.name for one in sizes]


def test_numbers_of_m22():
    page = size_page(size("2nd_argmax", 2, 2), {"second_argmax_h2_n2": "M2,2: a title"})
    # The error is two slivers of the plane (chapter on M2,2, from ARC's post).
    assert float(fact(page, "accuracy, exact")) == pytest.approx(0.999923, abs=5e-7)
    assert fact(page, "accuracy of ARC's best, as published") == "1.000"
    assert "[M2,2: a title](../../analyses/second_argmax_h2_n2.ipynb)" in page
    assert r"W_{hh} = \begin{pmatrix} -0.362 & 2.04 \\ 1.15 & -0.758 \end{pmatrix}" in page


def test_other_families():
    page = size_page(size("median", 2, 2), {})
    exact = float(fact(page, "root mean squared error, exact"))
    assert exact == pytest.approx(float(fact(page, "root mean squared error")), abs=1e-4)
    assert "No chapter explains it" in page
    page = size_page(size("longest_cycle", 4, 4), {})
    assert fact(page, "functions answered right") == "256 of 256"
    page = size_page(size("argmedian", 8, 7), {})
    assert fact(page, "accuracy of ARC's best, as published") == (
        f"{published_score('argmedian', 8, 7):.3f}"
    )
    assert "is not known exactly" in page


def test_curves_end_at_the_measured_scores():
    one = size("2nd_argmax", 3, 4)
    found = curves(one)
    assert found.shape == (5, len(one.family.checkpoints))
    # Four standard errors of 4,096 inputs.
    assert found[:, -1] == pytest.approx(np.array(one.scores), abs=4 * 0.5 / 64)
    cycles = size("longest_cycle", 3, 3)
    assert curves(cycles)[:, -1] == pytest.approx(np.array(cycles.scores), abs=1e-6)


def test_matrices_of_a_transformer_give_its_logits():
    model = load_model("longest_cycle", 3, 4).double()
    weights = {key: torch.tensor(matrix) for key, matrix in matrices_of(model).items()}
    x = torch.tensor([[1, 0, 3, 2], [0, 0, 1, 3]])
    residual = weights["E"][x] + weights["P"]
    for layer in range(2):
        scores = residual @ weights[f"QK_{layer}"] @ residual.mT
        residual = residual + scores.softmax(-1) @ residual @ weights[f"OV_{layer}"].T
    logits = residual[:, -1] @ weights["U"].T
    assert logits.detach().numpy() == pytest.approx(model(x).detach().numpy(), abs=1e-9)


def test_pictures_have_a_square_for_each_weight_that_can_be_seen():
    matrix = np.array([[1.0, -1.0, 0.0] + [0.5] * 9])
    picture = matrices_text({"W_{hh}": np.vstack([matrix] * 12)})
    svg = BeautifulSoup(picture, "html.parser").find("svg")
    squares = {path["class"][0]: path["d"].count("M") for path in svg.find_all("path")}
    assert squares == {"above-zero": 12 * 10, "below-zero": 12}
    assert "\n\n" not in picture  # Markdown would end the block there


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-1.0, "-1"),
        (0.4, "0.400"),
        (-12.345, "-12.3"),
        (1234.5, "1230"),
        (2.5e-7, r"2.50 \times 10^{-7}"),
    ],
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_the_gallery_has_every_network_written_by_hand():
    modules = argmedian, lengths, longest_cycle, median, second_argmax
    builders = {
        thing
        for module in modules
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and getattr(thing, "__module__", "") == module.__name__
        and not name.endswith(("_weights", "_accuracy"))
    }
    assert {one.build for one in GALLERY} == builders


def test_built_pages_of_sizes(site):
    folder = site / "book" / "sizes"
    assert {path.stem for path in folder.glob("*.html")} == {one.name for one in all_sizes()}
    for one in all_sizes()[::23]:
        page = BeautifulSoup((folder / f"{one.name}.html").read_text("utf-8"), "html.parser")
        article = page.find("article")
        assert article.find("h1").get_text().startswith(one.title)
        for link in article.find_all("a", href=True):
            target = link["href"].partition("#")[0]
            assert not target or (folder / target).resolve().exists(), link
        for picture in article.find_all("svg", role="img"):
            assert len(picture["aria-label"]) > 40
        ids = [tag["id"] for tag in page.find_all(id=True)]
        assert len(ids) == len({*ids})
        names = {link["href"] for link in page.find(class_="bd-sidebar-primary").find_all("a")}
        assert not any("2nd_argmax_" in name for name in names)


def test_the_file_to_download_is_that_of_the_package(site):
    html = (site / "book" / "sizes" / "2nd_argmax_2_2.html").read_text("utf-8")
    link = BeautifulSoup(html, "html.parser").find("a", class_="download", href=re.compile("safet"))
    copy = (site / "book" / "sizes" / link["href"]).resolve()
    state = zoo_2nd_argmax(2, 2).state_dict()
    from safetensors.torch import load_file

    key = "rnn.weight_hh_l0"
    assert torch.equal(load_file(copy)[f"1073741824_2/{key}"], state[key])
