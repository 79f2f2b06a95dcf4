import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch

from algzoo.chapters.figures import spherical, style
from algzoo.structure.geometry.pieces import cones, decision_cones
from algzoo.zoo import zoo_2nd_argmax


@pytest.fixture(scope="module")
def decisions():
    return decision_cones(zoo_2nd_argmax(4, 3, seed=0))


def areas_drawn(ax):
    """How many areas there are of each look: the colour, or "hatched"."""
    return {
        "hatched" if patch.get_hatch() else to_hex(patch.get_facecolor(), keep_alpha=True): len(
            patch.get_path().to_polygons()
        )
        for patch in ax.patches
        if isinstance(patch, PathPatch)
    }


def area(places):
    x, y = places.T
    return 0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) if len(places) else 0.0


def test_areas_are_half_the_solid_angles(decisions):
    for side in (1, -1):
        whole = sum(abs(area(spherical.outline(cone, side))) for cone in decisions)
        assert whole == pytest.approx(np.pi, rel=2e-3)  # chords for arcs
    for cone in decisions:
        halves = [abs(area(spherical.outline(cone, side))) for side in (1, -1)]
        assert sum(halves) == pytest.approx(cone.solid_angle / 2, rel=1e-2, abs=3e-4)


def test_outlines_keep_their_orientation(decisions):
    assert min(area(spherical.outline(cone, 1)) for cone in decisions) > -1e-9


def test_opposite_inputs_have_the_same_place():
    x = np.random.default_rng(0).standard_normal((50, 3))
    x *= np.sign(x.sum(1, keepdims=True)) / np.linalg.norm(x, axis=1, keepdims=True)
    places = spherical.project(x, 1)
    assert np.hypot(*places.T).max() <= 1
    assert spherical.project(-x, -1) == pytest.approx(places)
    assert spherical.project(np.full((1, 3), 3**-0.5), 1) == pytest.approx(np.zeros((1, 2)))


def test_orders_are_sectors():
    """The label of each sector is the order of inputs that are drawn there."""
    figure, ax = style.new_figure(3, 3)
    for side in (1, -1):
        spherical.draw_orders(ax, side)
    labels = {tuple(np.sign(np.round(t.get_position(), 9))): t for t in ax.texts[:6]}
    x = np.random.default_rng(1).standard_normal((2000, 3))
    x = x[x.sum(1) > 0]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    for order, (right, up) in zip(x.argsort(1), spherical.project(x, 1), strict=True):
        angle = np.arctan2(up, right)
        middle = np.round(angle / (np.pi / 3)) * np.pi / 3
        if abs(angle - middle) < 0.5:
            place = tuple(np.sign(np.round([np.cos(middle), np.sin(middle)], 9)))
            low, mid, high = order
            expected = f"$x_{low}<\\mathbf{{x_{mid}}}<x_{high}$"
            assert labels[place].get_text() == expected
    assert figure is ax.figure


def test_wrong_answers_are_hatched_and_ties_grey(decisions):
    _, ax = style.new_figure(3, 3)
    spherical.draw_answers(ax, decisions, 1)
    drawn = areas_drawn(ax)
    seen = [cone for cone in decisions if len(spherical.outline(cone, 1))]
    assert drawn["hatched"] == sum(not cone.is_right for cone in seen)
    assert drawn[f"{style.GREY}ff"] == sum(spherical.is_tie(cone) for cone in seen)
    for answer, colour in enumerate(spherical.COLOURS):
        of_answer = [c for c in seen if c.answer == answer and not spherical.is_tie(c)]
        assert drawn[f"{colour}ff"] == len(of_answer)
    ties = [cone for cone in decisions if spherical.is_tie(cone)]
    assert ties == [cone for cone in decisions if not cone.pattern[-1].any()]
    assert sum(cone.fraction for cone in ties) == pytest.approx(0.0017, abs=5e-5)


def test_pieces_are_drawn_once_on_each_half_they_reach():
    model = zoo_2nd_argmax(4, 3, seed=0)
    pieces = cones(model)
    _, ax = style.new_figure(3, 3)
    spherical.draw_pieces(ax, pieces, -1, centre=(2, 0))
    reached = sum((piece.rays.sum(1) < 0).any() for piece in pieces)
    assert areas_drawn(ax) == {"#00000000": reached}


def test_description_adds_up(decisions):
    text = spherical.describe(decisions)
    wrong = sum(cone.fraction for cone in decisions if not cone.is_right)
    stated = [float(part.split("%")[0]) for part in text.split("wrongly on ")[1:]]
    assert sum(stated) == pytest.approx(100 * wrong, abs=0.02)
    assert "all logits tie on 0.17%" in text
