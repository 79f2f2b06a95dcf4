import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest
import torch
from mpmath import mp, mpf
from scipy import special

from algzoo.estimates import margin_tail, squared_error_tail
from algzoo.estimates.few_inputs.median import squared_error
from algzoo.structure import weights_of
from algzoo.structure.geometry.median_cones import median_cones
from algzoo.zoo import ScalarRNN, zoo_2nd_argmax, zoo_median


def random_model(hidden_size, seq_len, seed):
    torch.manual_seed(seed)
    return ScalarRNN(hidden_size, seq_len)


def last_input():
    """Output the last of three inputs; two neurons hold its two signs."""
    model = ScalarRNN(2, 3)
    model.load_state_dict(
        {
            "rnn.weight_ih_l0": torch.tensor([[1.0], [-1.0]]),
            "rnn.weight_hh_l0": torch.zeros(2, 2),
            "linear.weight": torch.tensor([[1.0, -1.0]]),
        }
    )
    return model


def upper(x):
    return mpmath.erfc(x / mpmath.sqrt(2)) / 2


def density(x):
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mp.pi)


SIZES = [1e-3, 0.3, 2.0, 6.0, 8.0]


def zero(seq_len):
    model = random_model(3, seq_len, seed=0)
    with torch.no_grad():
        model.linear.weight.zero_()
    return model


@pytest.mark.parametrize("size", SIZES)
def test_an_output_of_zero_errs_by_the_median(size):
    with mp.workdps(60):
        q = upper(mpf(size))
        of_three = 2 * (3 * q**2 - 2 * q**3)  # two or three inputs above, or below
        of_two = mpmath.erfc(mpf(size))  # their mean has variance 1/2
        for seq_len, expected in [(2, of_two), (3, of_three)]:
            assert expected > 1e-31
            assert abs(squared_error_tail(zero(seq_len), size**2) / expected - 1) < 1e-10


@pytest.mark.parametrize("size", [1e-3, 0.3, 2.0, 6.0, 11.0, 14.0])
def test_the_last_input_errs_by_its_distance_to_the_median(size):
    model = last_input()
    assert model(torch.tensor([[3.0, -1.0, 0.5]])).item() == 0.5
    with mp.workdps(40):
        # Largest by more than the size, over the median m; or smallest: twice as much.
        top = mpmath.quad(
            lambda m: 2 * density(m) * upper(-m) * upper(m + size),
            [-size - 12, -size - 3, *np.linspace(-size, 4, 12), 12],
        )
        assert 2 * top > 1e-33
        assert abs(squared_error_tail(model, size**2) / (2 * top) - 1) < 1e-10


def errors_in_digits(model, x):
    w_hi, w_hh, w_oh = (matrix.tolist() for matrix in weights_of(model))
    state = [mpf(0)] * len(w_hi)
    for number in x:
        drive = [w * number + mpmath.fdot(row, state) for w, row in zip(w_hi, w_hh, strict=True)]
        state = [max(z, mpf(0)) for z in drive]
    return mpmath.fdot(w_oh[0], state) - mpmath.fsum(x) / 2


def tail_by_angles(model, threshold):
    """The mean of exp(-t / (2 e^2)) over directions, in 40 digits."""
    total = mpf(0)
    for cone in median_cones(model):
        start, stop = (mpf(angle) for angle in cone.angles)
        # The error is a cos(angle - phase); two values inside the cone give a and the phase.
        inner = [start + (stop - start) * share for share in (mpf("0.3"), mpf("0.7"))]
        rows = [[mpmath.cos(angle), mpmath.sin(angle)] for angle in inner]
        column = [errors_in_digits(model, row) for row in rows]
        along, up = mpmath.lu_solve(mpmath.matrix(rows), mpmath.matrix(column))
        phase = mpmath.atan2(up, along)
        quarters = [phase + k * mp.pi / 2 for k in range(-8, 9)]
        ends = [start, *sorted(cut for cut in quarters if start < cut < stop), stop]
        for low, high in pairwise(ends):

            def term(angle, along=along, up=up):
                error = along * mpmath.cos(angle) + up * mpmath.sin(angle)
                return mpmath.exp(-threshold / (2 * error**2)) if error else mpf(0)

            steps = [(high - low) * mpf(4) ** -k for k in range(1, 12)]
            points = {low, high, *(low + s for s in steps), *(high - s for s in steps)}
            total += mpmath.quad(term, sorted(points))
    return total / (2 * mp.pi)


@pytest.mark.parametrize(
    "make",
    [lambda: zoo_median(2, 2), lambda: zoo_median(4, 2), lambda: random_model(3, 2, seed=2)],
)
@pytest.mark.parametrize("ratio", [0.1, 30.0])
def test_two_inputs_agree_with_quadrature_in_40_digits(make, ratio):
    model = make()
    threshold = ratio * squared_error(model).value
    with mp.workdps(40):
        expected = tail_by_angles(model, mpf(threshold))
        assert expected > 1e-30
        assert abs(squared_error_tail(model, threshold) / expected - 1) < 1e-10


def test_the_mean_is_the_integral_of_the_tail():
    model = random_model(1, 3, seed=0)  # larger ones take minutes
    mean = squared_error(model).value
    # In the log of the threshold; the trapezoidal rule converges exponentially.
    step = 0.5
    y = np.arange(-24, 6, step)
    integral = step * sum(squared_error_tail(model, mean * math.exp(u)) * math.exp(u) for u in y)
    below = math.exp(y[0] - step / 2)  # where the tail is nearly 1
    assert integral + below == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("make", [lambda: zoo_median(4, 3), lambda: random_model(4, 3, seed=1)])
@pytest.mark.parametrize("ratio", [0.5, 20.0])
def test_samples_agree(make, ratio):
    model = make()
    threshold = ratio * squared_error(model).value
    x = np.random.default_rng(0).standard_normal((1_000_000, 3))
    w_hi, w_hh, w_oh = weights_of(model)
    state = np.zeros((len(x), len(w_hi)))
    for column in x.T:
        state = np.maximum(column[:, None] * w_hi + state @ w_hh.T, 0)
    share = np.mean(((state @ w_oh.T)[:, 0] - np.median(x, axis=1)) ** 2 > threshold)
    expected = squared_error_tail(model, threshold)
    assert 1e-5 < expected < 0.9
    assert abs(share - expected) < 4 * math.sqrt(expected / len(x))


def test_events_without_probability():
    model = zoo_median(4, 3)
    assert squared_error_tail(model, math.inf) == 0
    assert squared_error_tail(model, 1e6) == 0
    assert squared_error_tail(model, 0) == pytest.approx(1, abs=1e-13)
    assert special.erfc(1) == pytest.approx(squared_error_tail(zero(2), 1), rel=1e-13)


@pytest.mark.parametrize("threshold", [-1e-9, math.nan, -math.inf])
def test_a_threshold_that_is_none_is_refused(threshold):
    with pytest.raises(ValueError, match=f"must be 0 or more, got {threshold}"):
        squared_error_tail(zoo_median(2, 2), threshold)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="A median model with seq_len 2 or 3 is needed"):
        squared_error_tail(zoo_median(4, 5), 0.1)
    with pytest.raises(ValueError, match="A median model with seq_len 2 or 3 is needed"):
        squared_error_tail(zoo_2nd_argmax(4, 3), 0.1)
    with pytest.raises(ValueError, match="the tail of the margin is for 2nd-argmax models"):
        margin_tail(zoo_median(4, 3), 0.1)
