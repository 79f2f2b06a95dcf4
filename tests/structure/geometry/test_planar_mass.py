import math

import numpy as np
import pytest
from scipy import integrate, special

from algzoo.structure.geometry.planar_mass import mass_at_infinity, mass_of_edge


class Functions:
    sqrt = staticmethod(math.sqrt)
    atan2 = staticmethod(math.atan2)


def mass_of_polygon(points, p):
    """Of a polygon counterclockwise, of points (s, t)."""
    corners = [(1.0, *point) for point in points]
    return sum(
        mass_of_edge(corner, following, p, Functions)
        for corner, following in zip(corners, corners[1:] + corners[:1], strict=True)
    )


@pytest.mark.parametrize("p", range(2, 9))
def test_edges_add_up_to_the_integral_of_the_density(p):
    low, high, bottom, top = -0.7, 1.9, 0.3, 1.1

    def density(t, s):
        return p / (2 * math.pi) * (1 + s * s + t * t) ** (-p / 2 - 1)

    expected, _ = integrate.dblquad(density, low, high, bottom, top, epsabs=1e-13)
    box = [(low, bottom), (high, bottom), (high, top), (low, top)]
    assert mass_of_polygon(box, p) == pytest.approx(expected, abs=1e-12)
    assert mass_of_polygon(box[::-1], p) == pytest.approx(-expected, abs=1e-12)


@pytest.mark.parametrize("p", range(2, 9))
def test_a_half_plane_has_the_probability_of_students_law(p):
    s = 0.6
    line = mass_of_edge((0.0, 0.0, 1.0), (0.0, 0.0, -1.0), p, Functions)
    assert line == 0  # at infinity it is nothing
    edge = mass_of_edge((1.0, s, -3.0), (0.0, 0.0, 1.0), p, Functions)
    edge += mass_of_edge((0.0, 0.0, -1.0), (1.0, s, -3.0), p, Functions)
    beyond = mass_at_infinity(False, (0.0, 0.0, 1.0), (0.0, 0.0, -1.0), Functions)
    assert edge + beyond == pytest.approx(special.stdtr(p, s * math.sqrt(p)), abs=1e-13)


@pytest.mark.parametrize("p", [2, 3, 6])
def test_a_wedge_at_the_origin_is_its_angle(p):
    one, other = (0.0, 1.0, 0.0), (0.0, 1.0, 1.0)
    origin = (1.0, 0.0, 0.0)
    total = mass_of_edge(origin, one, p, Functions) + mass_of_edge(other, origin, p, Functions)
    assert total == 0
    assert mass_at_infinity(True, one, other, Functions) == pytest.approx(1 / 8)


@pytest.mark.parametrize("p", [2, 5])
def test_random_triangles_agree_with_sampling(p):
    rng = np.random.default_rng(p)
    x = rng.standard_normal((p + 2, 400_000))
    s, t = x[p:] / np.sqrt((x[:p] ** 2).sum(axis=0))
    for _ in range(5):
        corners = rng.standard_normal((3, 2))
        sides = [
            (q[0] - r[0]) * (t - r[1]) - (q[1] - r[1]) * (s - r[0])
            for r, q in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
        inside = (np.array(sides) > 0).all(axis=0).mean()
        outside = (np.array(sides) < 0).all(axis=0).mean()
        assert abs(mass_of_polygon(corners, p)) == pytest.approx(inside + outside, abs=0.004)
