from fractions import Fraction

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from algzoo.explanations.second_argmax_h4_n3.error_regions import connected_regions
from algzoo.structure import Cone
from algzoo.structure.geometry.pieces import cones, decision_cones
from algzoo.zoo import zoo_2nd_argmax


def cone(*rays):
    rays = np.array(rays, float)
    return Cone(
        rays / np.linalg.norm(rays, axis=1, keepdims=True),
        np.ones((3, 1), bool),
        np.zeros((3, 3)),
        fraction=len(rays) / 100,
    )


RIGHT, UP, NEAR = np.eye(3)
OCTANT = cone(RIGHT, UP, NEAR)


def test_a_corner_does_not_connect_and_a_part_of_an_edge_does():
    at_a_corner = cone(NEAR, -UP, -RIGHT)
    assert len(connected_regions([OCTANT, at_a_corner])) == 2
    along_half_an_edge = cone(UP + RIGHT, RIGHT, -NEAR)
    assert connected_regions([OCTANT, along_half_an_edge]) == [[OCTANT, along_half_an_edge]]
    on_the_rest_of_the_circle = cone(RIGHT, -UP, NEAR)
    beyond = cone(-RIGHT, -RIGHT - UP, NEAR)
    assert len(connected_regions([on_the_rest_of_the_circle, beyond])) == 2


DIRECTIONS = [np.array(v) for v in np.ndindex(3, 3, 3) if v != (1, 1, 1)]
DIRECTIONS = [v - 1 for v in DIRECTIONS]


def have_a_part_in_common(one, other):
    """Whether two arcs between whole-number directions have, by whole numbers alone."""
    normal = np.cross(*one)
    if any(normal @ ray for ray in other):
        return False
    axis = int(np.abs(normal).argmax())
    flat = [[np.delete(ray, axis).tolist() for ray in arc] for arc in (one, other)]

    def within(ray, arc):
        (a, b), (c, d) = arc
        determinant = a * d - b * c
        parts = (
            Fraction(ray[0] * d - ray[1] * c, determinant),
            Fraction(a * ray[1] - b * ray[0], determinant),
        )
        return min(parts) >= 0

    common = [ray for arc, rest in (flat, flat[::-1]) for ray in arc if within(ray, rest)]
    return any(a * d != b * c for a, b in common for c, d in common)


def edges(rays):
    pairs = zip(rays, [*rays[1:], rays[0]], strict=True)
    return [pair for pair in pairs if np.cross(*pair).any()]


@pytest.mark.parametrize("seed", range(12))
def test_regions_of_cones_with_whole_rays_are_those_of_exact_arithmetic(seed):
    rng = np.random.default_rng(seed)
    found, rays_of = [], []
    while len(found) < 9:
        rays = [DIRECTIONS[i] for i in rng.permutation(26)[: rng.integers(3, 5)]]
        if rng.random() < 0.3:
            rays.append(rays[-1])  # an edge without length
        if any((a + b == 0).all() for a in rays for b in rays):
            continue
        made = cone(*rays)
        rays_of.append(rays)
        found.append(made)
    together = [
        [
            any(have_a_part_in_common(a, b) for a in edges(one) for b in edges(other))
            for other in rays_of
        ]
        for one in rays_of
    ]
    n_regions, number = connected_components(np.array(together), directed=False)
    assert n_regions < 9
    regions = connected_regions(found)
    expected = [{id(c) for c, i in zip(found, number, strict=True) if i == k} for k in range(9)]
    assert sorted(sorted(map(id, region)) for region in regions) == sorted(
        sorted(region) for region in expected if region
    )
    sizes = [sum(c.fraction for c in region) for region in regions]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(("off", "together"), [(3e-10, True), (5e-9, False)])
def test_what_belongs_together_may_be_off_by_a_billionth(off, together):
    # A neighbour whose edge is turned away a little; one that has a very short part of the edge in
    # common; one whose only edge along the circle is itself very short.
    turned = cone(UP + RIGHT, RIGHT + off * NEAR, -NEAR - UP)
    assert (len(connected_regions([OCTANT, turned])) == 1) == together
    touching = cone(RIGHT + off * UP, RIGHT - UP, RIGHT - UP - NEAR)
    assert (len(connected_regions([OCTANT, touching])) == 1) == (not together)
    short = cone(RIGHT + UP, RIGHT + (1 + off) * UP, RIGHT + UP - NEAR)
    assert (len(connected_regions([OCTANT, short])) == 1) == (not together)


def test_a_cone_and_its_antipode_are_apart():
    # Their edges lie on the same circles, with middles as far apart as rounding lets them be.
    rng = np.random.default_rng(0)
    for _ in range(50):
        rays = rng.standard_normal((3, 3))
        assert len(connected_regions([cone(*rays), cone(*-rays)])) == 2


def test_the_largest_region_comes_first():
    square = cone(-RIGHT - UP, RIGHT - UP, RIGHT + UP, UP - RIGHT)
    lonely = cone(-NEAR, -NEAR + 0.1 * UP, -NEAR + 0.1 * RIGHT)
    regions = connected_regions([lonely, square])
    assert regions == [[square], [lonely]]
    assert connected_regions([]) == []


def test_cones_of_a_model_hang_together_as_walks_between_them_say():
    """Two points close to each other in pieces of the same kind are in the same region."""
    pieces = [c for c in decision_cones(zoo_2nd_argmax(4, 3)) if c.answer == c.right_answer == 1]
    regions = connected_regions(pieces)
    assert sum(len(region) for region in regions) == len(pieces)
    region_of = {id(c): i for i, region in enumerate(regions) for c in region}
    rng = np.random.default_rng(0)
    start = rng.standard_normal((20_000, 3))
    stop = start + 1e-3 * rng.standard_normal((20_000, 3))

    def found(x):
        inside = np.stack([(x @ c.normals.T >= 0).all(1) for c in pieces], axis=1)
        return [row.argmax() if row.any() else None for row in inside]

    walks = [
        (a, b)
        for a, b in zip(found(start), found(stop), strict=True)
        if a is not None and b is not None and a != b
    ]
    assert len(walks) > 10
    for a, b in walks:
        assert region_of[id(pieces[a])] == region_of[id(pieces[b])]
    # Two sectors for each answer; they meet nowhere but at the poles, where errors part them.
    assert sum(sum(c.fraction for c in region) > 0.1 for region in regions) == 2


def test_two_inputs_have_no_regions():
    with pytest.raises(ValueError, match="three inputs, got cones of 2"):
        connected_regions(cones(zoo_2nd_argmax(2, 2)))
