from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algzoo.structure.geometry.half_spaces import cut, dot, fraction, order_polygon

ORDERS = list(permutations(range(3)))


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_is_a_sixth(order):
    assert fraction(order_polygon(*order)) == pytest.approx(1 / 6, abs=1e-15)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n_planes", [1, 2, 4])
def test_fractions_are_those_of_samples(order, n_planes):
    rng = np.random.default_rng([n_planes, *order])
    x = rng.standard_normal((200_000, 3))
    planes = rng.standard_normal((n_planes, 3)) + 0.5 * np.eye(3)[order[2]]
    polygon = order_polygon(*order)
    for plane in planes:
        polygon = cut(polygon, plane)
    inside = (x @ planes.T > 0).all(1) & (np.argsort(x) == order).all(1)
    spread = np.sqrt((inside.mean() + 1e-5) / len(x))
    assert abs(fraction(polygon) - inside.mean()) < 4 * spread


@given(
    st.sampled_from(ORDERS),
    st.lists(st.tuples(*3 * [st.integers(-2, 2)]).filter(any), min_size=1, max_size=5),
    st.tuples(*3 * [st.integers(-2, 2)]).filter(any),
)
def test_the_two_sides_of_a_plane_add_up(order, planes, last):
    """Small integers: planes that coincide, and that meet in one line, are the rule."""
    polygon = order_polygon(*order)
    for plane in planes:
        polygon = cut(polygon, plane)
    parts = [cut(polygon, [sign * n for n in last]) for sign in (1, -1)]
    total = sum(map(fraction, parts))
    assert total == pytest.approx(fraction(polygon), abs=1e-12)
    for sign, part in zip((1, -1), parts, strict=True):
        assert all(sign * dot(vertex, last) >= -1e-9 for vertex in part)


def test_a_plane_through_both_poles_of_an_order_cuts_the_lune():
    half = cut(order_polygon(0, 1, 2), (1, -2, 1))
    assert fraction(half) == pytest.approx(1 / 12, abs=1e-15)
    assert fraction(cut(half, (-1, 2, -1))) == 0


@pytest.mark.parametrize(("share", "n_vertices"), [(1e-11, 4), (1e-13, 3)])
def test_only_rounding_puts_a_vertex_on_a_plane(share, n_vertices):
    """The plane passes the first vertex at this share of the terms of its height."""
    triangle = [(1, 1, 1), (0, 1, 0), (1, 0, 0)]
    assert len(cut(triangle, (-1, 1, 2 * share))) == n_vertices
