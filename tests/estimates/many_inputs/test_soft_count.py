import math

import numpy as np
import pytest
from scipy import special

from algzoo.estimates import OperationCounter, sampling
from algzoo.estimates.many_inputs.soft_count import WIDTHS, _inputs, soft_count, softened_share
from algzoo.estimates.many_inputs.soft_count_designs import (
    N_DESIGNS,
    classes,
    design,
    discrepancy,
    made,
)
from algzoo.estimates.samplers.forward import readouts
from algzoo.structure import weights_of
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax


@pytest.mark.parametrize("per_class", N_DESIGNS)
def test_every_coordinate_takes_every_midpoint_once(per_class):
    for number in range(N_DESIGNS[per_class]):
        u = design(per_class, number)
        n_points = 90 * per_class
        assert u.shape == (n_points, 12)
        midpoints = (np.arange(n_points) + 0.5) / n_points
        assert np.sort(u, axis=0) == pytest.approx(np.tile(midpoints[:, None], 12))


def test_designs_are_those_that_the_program_makes():
    for per_class, number in [(1, 0), (1, 11), (2, 3), (4, 0)]:
        ranks = made(per_class, number)
        np.testing.assert_array_equal((ranks.T + 0.5) / ranks.shape[1], design(per_class, number))


@pytest.mark.parametrize("per_class", N_DESIGNS)
def test_exchanges_spread_the_points(per_class):
    start = made(per_class, 0, exchanges=0)
    before = discrepancy((start.T + 0.5) / start.shape[1], per_class)
    after = discrepancy(design(per_class, 0), per_class)
    # Of points that are spread as well as can be, every product of functions averages to 1.
    least = 1 + 3 / 10 + 3 / 10 + 2 / 90
    assert least * (90 * per_class) ** 2 < after < before


def test_the_discrepancy_is_its_definition():
    rng = np.random.default_rng(0)
    u = rng.random((12, 6))  # one point in each of the twelve classes of four inputs
    total = 0.0
    for p, (i, j) in zip(u, classes(4), strict=True):
        for q, (k, m) in zip(u, classes(4), strict=True):
            product = 1.0 + 3 * (i == k) + 3 * (j == m) + 2 * (i == k and j == m)
            for x, y in zip(p, q, strict=True):
                d = abs(x - y)
                product *= 1 + 0.2 * 6 * ((x - 0.5) * (y - 0.5) + (d * d - d + 1 / 6) / 2)
            total += product
    assert discrepancy(u, 1) == pytest.approx(total)


@pytest.mark.parametrize("per_class", N_DESIGNS)
def test_every_input_is_in_its_class(per_class):
    x, answers = _inputs(per_class, 1)
    order = np.argsort(x, axis=0)
    np.testing.assert_array_equal(order[-2], answers)
    pairs = np.repeat(classes(10), per_class, axis=0)
    np.testing.assert_array_equal(order[[-1, -2]].T, pairs)
    level = special.betainc(9, 2, special.ndtr(np.sort(x, axis=0)[-2]))
    midpoints = (np.arange(90 * per_class) + 0.5) / (90 * per_class)
    assert np.sort(level) == pytest.approx(midpoints, abs=1e-9)


def test_narrow_widths_count_right_answers():
    rng = np.random.default_rng(0)
    logits, answers = rng.standard_normal((5, 400)), rng.integers(0, 5, 400)
    right = (logits.argmax(axis=0) == answers).mean()
    assert softened_share(logits, answers, 1e-9) == pytest.approx(right)
    others = np.where(np.arange(5)[:, None] == answers, -np.inf, logits).max(axis=0)
    margin = logits[answers, np.arange(400)] - others
    soft = special.ndtr(margin / (0.3 * np.sqrt((margin**2).mean()))).mean()
    assert softened_share(logits, answers, 0.3) == pytest.approx(soft)
    assert softened_share(np.zeros((5, 400)), answers, 0.1) == (answers == 0).mean()


def test_averaged_over_designs_it_beats_random_sampling():
    model = zoo_2nd_argmax(16, 10, seed=2)
    truth = sampling(model, 2**21, 0).value
    values = np.array([soft_count(model, 1, k).value for k in range(N_DESIGNS[1])])
    assert np.mean((values - truth) ** 2) * 91 / (truth * (1 - truth)) < 1
    assert abs(values.mean() - truth) < 0.02


def test_softness_costs_a_perfect_model_something_and_less_where_it_is_narrow():
    model = handcrafted_2nd_argmax(10)
    wide, narrow = (soft_count(model, per_class, 0).value for per_class in (1, 2))
    assert 0.94 < wide < narrow < 1 - 11 / 2**10  # its accuracy


@pytest.mark.parametrize("per_class", N_DESIGNS)
def test_the_price_is_that_of_passes_and_of_what_is_counted(per_class):
    model = zoo_2nd_argmax(16, 10)
    x, answers = _inputs(per_class, 0)
    counter = OperationCounter()
    softened_share(counter.array(readouts(weights_of(model), x)), answers, WIDTHS[per_class])
    estimate = soft_count(model, per_class, 0)
    assert estimate.operations == 90 * per_class * 2880 + counter.total
    assert estimate.operations / 2880 == pytest.approx(91 * per_class, rel=0.01)
    assert estimate.runs_network == "chosen inputs"
    assert math.isclose(
        estimate.value, softened_share(readouts(weights_of(model), x), answers, WIDTHS[per_class])
    )


def test_what_it_is_not_for_is_refused():
    with pytest.raises(ValueError, match="is for 2nd-argmax models of ten inputs, not for"):
        soft_count(zoo_2nd_argmax(4, 5), 1, 0)
    with pytest.raises(ValueError, match="No design number 99 of 1 points"):
        soft_count(zoo_2nd_argmax(16, 10), 1, 99)
    with pytest.raises(ValueError, match="No design number 0 of 3 points"):
        soft_count(zoo_2nd_argmax(16, 10), 3, 0)
