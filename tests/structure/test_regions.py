import numpy as np
import pytest

from algzoo.structure import Cone
from algzoo.structure.partition import cones, decision_cones
from algzoo.structure.regions import connected_regions
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
    with pytest.raises(ValueError, match="three inputs, these are of 2"):
        connected_regions(cones(zoo_2nd_argmax(2, 2)))
