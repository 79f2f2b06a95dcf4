import json
from pathlib import Path

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from algzoo.chapters.figures import sphere_page as sphere_view
from algzoo.chapters.figures import spherical
from algzoo.estimates import exact
from algzoo.structure.geometry.pieces import decision_cones
from algzoo.zoo import zoo_2nd_argmax

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def model():
    return zoo_2nd_argmax(4, 3)


@pytest.fixture(scope="module")
def decisions(model):
    return decision_cones(model)


@pytest.fixture(scope="module")
def committed():
    return BeautifulSoup((ROOT / sphere_view.PLACE).read_text("utf-8"), "html.parser")


def test_the_book_has_what_the_code_gives(decisions):
    now = sphere_view.fragment(decisions)
    assert (ROOT / sphere_view.PLACE).read_text("utf-8") == now, (
        "the sphere moved: python -m algzoo.chapters.figures.sphere_page writes it again"
    )


def test_what_is_drawn_is_what_the_model_answers(model, committed):
    """By the model itself, at random points of the sphere, from the committed numbers only."""
    drawn = json.loads(committed.find(id="sphere-data").string)
    x = np.random.default_rng(0).standard_normal((3000, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    with torch.no_grad():
        given = model(torch.tensor(x, dtype=torch.float32)).argmax(-1).numpy()
    right = x.argsort(1)[:, 1]
    n_found = np.zeros(len(x), int)
    for answer, right_answer, _, *flat in drawn["cones"]:
        rays = np.array(flat).reshape(-1, 3)
        normals = np.cross(rays, np.roll(rays, -1, axis=0))
        inside = (x @ normals.T > 1e-6).all(1)  # the numbers have six decimals
        n_found += inside
        assert (given[inside] == answer).all()
        assert (right[inside] == right_answer).all()
    assert n_found.max() == 1
    assert n_found.mean() > 0.99


def test_sectors_bear_the_answer_that_model_and_order_give(model):
    points, labels = zip(*sphere_view.sector_labels(), strict=True)
    x = np.array(points)
    assert np.linalg.norm(x, axis=1) == pytest.approx(np.ones(18))
    assert (x.argsort(1)[:, 1] == labels).all()
    with torch.no_grad():
        given = model(torch.tensor(x, dtype=torch.float32)).argmax(-1).numpy()
    assert (given == labels).all()


def test_error_regions_are_all_errors_and_of_one_kind(model, decisions):
    regions = sphere_view.error_regions(decisions)
    assert sum(region.share for region in regions) == pytest.approx(1 - exact(model).value)
    shares = [region.share for region in regions]
    assert shares == sorted(shares, reverse=True)
    for region in regions:
        assert len({(cone.answer, cone.right_answer) for cone in region.cones}) == 1
        with torch.no_grad():
            answer = model(torch.tensor(region.direction[None], dtype=torch.float32)).argmax(-1)
        assert answer != region.direction.argsort()[1]
        assert 0 < region.width < 0.2


def test_the_table_says_what_the_model_does_there(model, committed):
    rows = committed.find("table").find_all("tr")[1:]
    assert len(rows) == sphere_view.N_LISTED
    for row in rows:
        x = np.array([float(part) for part in row["data-direction"].split()])
        answer, right = (int(cell.string) for cell in row.find_all("td")[1:3])
        with torch.no_grad():
            assert model(torch.tensor(x[None], dtype=torch.float32)).argmax(-1) == answer
        assert x.argsort()[1] == right
        shown = row.find_all("td")[3].string.strip("()").replace("−", "-").split(", ")
        assert [float(part) for part in shown] == pytest.approx(x.tolist(), abs=0.006)


def test_colours_and_frame_are_those_of_the_map(committed):
    drawn = json.loads(committed.find(id="sphere-data").string)
    assert tuple(drawn["colours"]["answers"]) == spherical.COLOURS
    assert np.array(drawn["frame"]) == pytest.approx(spherical.FRAME, abs=1e-6)
