import math

import pytest

from algzoo.scoring.surprise.thresholds import least_factor


@pytest.mark.parametrize("steps", [1, 4, 1024])
@pytest.mark.parametrize("threshold", [1.3e-9, 0.0301, 0.25, 0.9, 1.0])
@pytest.mark.parametrize("start", [-40, -10, -2])
def test_the_outcome_is_the_least_point_of_the_grid_beyond_a_step(threshold, start, steps):
    found = least_factor(lambda factor: factor >= threshold, start, 0, steps)
    k = math.ceil(round(math.log2(threshold) * steps, 9))
    assert found == 2.0 ** (k / steps)


def test_steps_that_differ_by_rounding_have_one_outcome():
    """Unlike that of a root finder, which stops somewhere within its tolerance."""
    found = {
        least_factor(lambda factor, t=0.3 * (1 + e): factor >= t, -24, 0, 2**16)
        for e in (-1e-9, -1e-12, 0, 1e-12, 1e-9)
    }
    assert len(found) == 1


def test_what_is_never_reached_has_no_factor():
    assert least_factor(lambda factor: factor > 1, -24, 0, 64) is None
    assert least_factor(lambda factor: factor >= 1, -24, 0, 64) == 1


def test_the_first_octave_counts_where_more_costs_nothing():
    found = least_factor(lambda factor: 0.1 <= factor < 0.6, -24, 0, 2**16)
    assert found == pytest.approx(0.1, rel=1e-4)


def test_factors_become_no_smaller_than_numbers_are():
    assert least_factor(lambda factor: True, -24, 0, 1) == 2.0**-1000
