import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algzoo.structure.geometry.projected_area import twice_area_of_arc, twice_area_of_meridian


def projected_area(polygon):
    """Area of a spherical polygon's projection along the first axis."""
    arcs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return sum(twice_area_of_arc(p, q, math) for p, q in arcs) / 2


def test_an_octant_covers_a_quarter_of_the_disc():
    octant = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    assert projected_area(octant) == pytest.approx(np.pi / 4, abs=1e-15)
    assert projected_area(octant[::-1]) == pytest.approx(-np.pi / 4, abs=1e-15)


@given(st.integers(0, 2**32 - 1))
def test_triangles_cover_what_a_grid_shows(seed):
    p, q, r = np.random.default_rng(seed).standard_normal((3, 3))
    p[0], q[0], r[0] = abs(p[0]), abs(q[0]), abs(r[0])
    if np.linalg.det([p, q, r]) < 0:
        p, q = q, p
    b, c = (np.mgrid[-1:1:400j, -1:1:400j]).reshape(2, -1)
    on_disc = b**2 + c**2 < 1
    points = np.stack([np.sqrt(np.maximum(1 - b**2 - c**2, 0)), b, c], axis=1)[on_disc]
    inside = (points @ np.cross([p, q, r], [q, r, p]).T > 0).all(axis=1)
    triangle = [tuple(v.tolist()) for v in (p, q, r)]
    assert projected_area(triangle) == pytest.approx(np.pi * inside.mean(), abs=0.01)


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_arcs_of_meridians_are_arcs(longitude, start, stop):
    a, b = math.cos(longitude), math.sin(longitude)
    p, q = (
        (a * math.cos(latitude), b * math.cos(latitude), math.sin(latitude))
        for latitude in (start, stop)
    )
    assert twice_area_of_meridian((3 * a, 3 * b), p, q, math) == pytest.approx(
        twice_area_of_arc(p, q, math), abs=1e-14
    )


def test_meridians_at_the_rim_of_the_disc():
    low, high = (0, 0, -1), (0, 0, 1)
    assert twice_area_of_meridian((0, 2), low, high, math) == pytest.approx(math.pi, abs=1e-15)
    assert twice_area_of_meridian((0, -2), low, high, math) == pytest.approx(-math.pi, abs=1e-15)


def test_arcs_without_length_add_nothing():
    assert twice_area_of_arc((1.0, 2.0, 3.0), (2.0, 4.0, 6.0), math) == 0
