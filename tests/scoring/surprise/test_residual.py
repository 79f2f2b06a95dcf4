import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from algzoo.scoring.surprise.residual import predicted_by_others, residual

SHARES = st.floats(0.02, 0.98)


@given(SHARES, SHARES, st.floats(0.2, 3))
def test_residual_is_the_integral_of_the_predicted_density(accuracy, predicted, sd):
    found = residual(accuracy, predicted, sd, 0.01)

    def density(a):
        z = (special.logit(a) - special.logit(predicted)) / sd
        return stats.norm.pdf(z) / (sd * a * (1 - a))

    inside, _ = integrate.quad(density, accuracy - 0.01, accuracy + 0.01)
    above, _ = integrate.quad(density, accuracy, 1, points=[min(accuracy + 0.01, 0.999)])
    if inside > 1e-6:
        assert found.bits == pytest.approx(-math.log2(inside), rel=1e-5)
    if above > 1e-6:
        # Where hardly anything is above, the quadrature's error of 1e-8 is what is left.
        assert found.tail_bits == pytest.approx(-math.log2(above), rel=1e-4, abs=1e-7)


def test_residual_far_from_the_prediction_is_finite_and_symmetric():
    low, high = residual(0.02, 0.98, 0.1, 0.01), residual(0.98, 0.02, 0.1, 0.01)
    assert 1000 < low.bits < math.inf
    assert low.bits == pytest.approx(high.bits)
    assert high.tail_bits > 1000
    assert low.tail_bits == pytest.approx(0, abs=1e-9)


def test_residual_reaches_the_ends_of_the_scale():
    assert residual(0.995, 0.99, 1, 0.01).bits < residual(0.995, 0.99, 1, 0.001).bits
    assert residual(0.5, 0.5, 1, 0.5).bits == pytest.approx(0)


def test_prediction_by_others_is_the_mean_on_the_logit_scale():
    predicted, sd = predicted_by_others([0.5, 0.9])
    assert predicted == pytest.approx(0.75)  # odds 1 and 9 have the geometric mean 3
    assert sd == pytest.approx(math.log(9) / math.sqrt(2))


def test_what_is_no_prediction_is_refused():
    for predicted in (0.0, 1.0, np.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            residual(0.9, predicted, 1, 0.01)
    with pytest.raises(ValueError, match=r"must be positive, got 0 and 0\.01"):
        residual(0.9, 0.5, 0, 0.01)
    with pytest.raises(ValueError, match="must be positive, got 1 and 0"):
        residual(0.9, 0.5, 1, 0)
    for accuracies in ([0.9], [0.9, 1.0]):
        with pytest.raises(ValueError, match="Two accuracies between 0 and 1"):
            predicted_by_others(accuracies)
