from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.estimates import angular, exact, first_order, sampling, wrong_sectors
from algzoo.structure import Weights, outputs, reorder_neurons, weights_of
from algzoo.zoo import (
    SEEDS,
    DistRNN,
    DistTransformer,
    ScalarRNN,
    handcrafted_2nd_argmax,
    zoo_2nd_argmax,
)

SEED = st.integers(0, 2**32 - 1)


def direction(angle):
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def bisect(function, low, high):
    """Where a function that changes sign between ``low`` and ``high`` does so, elementwise."""
    sign = function(low) > 0
    for _ in range(60):
        middle = (low + high) / 2
        same = (function(middle) > 0) == sign
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return (low + high) / 2


def accuracy_by_bisection(weights):
    """Accuracy of many models: run them on directions, and find by bisection where they switch.

    Between the directions in which a neuron switches after either input, the difference of the
    logits is linear and changes its sign at most once.
    """
    w_hi, w_hh, _ = weights

    def second_drive(angle):  # of every neuron, each in its own direction
        x0, x1 = np.cos(angle), np.sin(angle)
        state = np.maximum(x0[..., None] * w_hi[:, None, :], 0)  # (model, angle, neuron)
        return (state * w_hh).sum(-1) + x1 * w_hi

    def difference(angle):  # (model, angle)
        logits = outputs(weights, direction(angle))
        return logits[..., 1] - logits[..., 0]

    wrong = 0.0
    for centre in (0, np.pi):  # x0 > 0 and x0 < 0, in each of which a neuron switches once
        ends = np.full_like(w_hi, centre - np.pi / 2), np.full_like(w_hi, centre + np.pi / 2)
        fixed = np.broadcast_to(centre + np.pi * np.array([-1, 0.5, 1]) / 2, (len(w_hi), 3))
        angles = np.sort(np.hstack([bisect(second_drive, *ends), fixed]))
        # One switch of the answer is possible in each interval; else both parts are right or wrong.
        switches = bisect(difference, angles[:, :-1], angles[:, 1:])
        angles = np.sort(np.hstack([angles, switches]))
        x = direction((angles[:, 1:] + angles[:, :-1]) / 2)
        answers = outputs(weights, x).argmax(-1)
        wrong += (np.diff(angles) * (answers != x.argmin(-1))).sum(-1)
    return 1 - wrong / (2 * np.pi)


@pytest.mark.parametrize("hidden_size", [2, 4])
def test_500_gaussian_models_against_bisection(make_rnn, hidden_size):
    rng = np.random.default_rng(hidden_size)
    d = hidden_size
    weights = Weights(*(rng.standard_normal((500, *shape)) for shape in [(d,), (d, d), (2, d)]))
    values = [angular(make_rnn(*model)).value for model in zip(*weights, strict=True)]
    np.testing.assert_allclose(values, accuracy_by_bisection(weights), rtol=0, atol=1e-12)


def test_official_m22(official_2_2):
    assert 1 - exact(official_2_2).value == pytest.approx(7.7431e-5, abs=5e-10)


def test_bundled_m22():
    assert 1 - exact(zoo_2nd_argmax(2, 2, seed=2)).value == pytest.approx(7.7354e-5, abs=5e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_bundled_m22_against_samples(seed):
    model = zoo_2nd_argmax(2, 2, seed=seed)
    sampled = sampling(model, 2**24, seed)
    assert abs(exact(model).value - sampled.value) < 4 * sampled.std


def test_handcrafted_model_is_always_right():
    assert exact(handcrafted_2nd_argmax(2)).value == 1.0


def test_exact_values_say_so(official_2_2):
    estimate = exact(official_2_2)
    assert estimate.std == 0.0
    assert estimate.operations > 0


@given(SEED, st.integers(1, 5))
def test_accuracy_does_not_depend_on_units_or_numbering(make_rnn, gaussian_rnn, seed, d):
    rng = np.random.default_rng(seed)
    model = gaussian_rnn(seed, d)
    w_hi, w_hh, w_oh = weights_of(model)
    c = np.exp(2 * rng.standard_normal(d))
    rescaled = make_rnn(w_hi * c, w_hh * c[:, None] / c, w_oh / c)
    renumbered = reorder_neurons(model, rng.permutation(d))
    assert exact(rescaled).value == pytest.approx(exact(model).value, abs=1e-12)
    assert exact(renumbered).value == pytest.approx(exact(model).value, abs=1e-14)


@given(SEED, st.floats(0.01, 100))
def test_accuracy_depends_on_the_difference_of_the_logits_only(make_rnn, gaussian_rnn, seed, scale):
    model = gaussian_rnn(seed, 3)
    w_hi, w_hh, w_oh = weights_of(model)
    shift = np.random.default_rng(seed).standard_normal(3)
    louder = make_rnn(w_hi, w_hh, scale * w_oh)
    shifted = make_rnn(w_hi, w_hh, w_oh + shift)
    assert exact(louder).value == pytest.approx(exact(model).value, abs=1e-12)
    assert exact(shifted).value == pytest.approx(exact(model).value, abs=1e-12)


@given(SEED)
def test_answers_swapped_are_right_where_they_were_wrong(make_rnn, gaussian_rnn, seed):
    w_hi, w_hh, w_oh = [1.0, -1.0], *weights_of(gaussian_rnn(seed, 2))[1:]
    w_hh = np.abs(w_hh)  # so that one neuron at least is active after x1, and nothing ties
    model, swapped = make_rnn(w_hi, w_hh, w_oh), make_rnn(w_hi, w_hh, w_oh[::-1])
    assert exact(swapped).value == pytest.approx(1 - exact(model).value, abs=1e-14)


@pytest.mark.parametrize(
    ("w_hi", "readout", "accuracy"),
    [
        (0, 0, 1 / 2),  # always a tie, so always 0
        (1, -1, 1 / 2),  # 0 where x1 > 0, else a tie, so again always 0
        (1, +1, 1 / 4),  # 1 where x1 > 0
        (-1, +1, 3 / 4),  # 1 where x1 < 0
    ],
)
def test_ties_are_answered_with_0(make_rnn, w_hi, readout, accuracy):
    assert exact(make_rnn([w_hi], [[0]], [[0], [readout]])).value == accuracy


def test_models_full_of_ties_against_samples(make_rnn):
    rng = np.random.default_rng(0)
    x = np.round(rng.standard_normal((2**14, 2)) * 2**20) / 2**20  # so that sums are exact
    right_answers = x.argmin(-1)
    for _ in range(300):
        d = rng.integers(1, 4)
        model = make_rnn(*(rng.integers(-2, 3, shape) for shape in [(d,), (d, d), (2, d)]))
        sampled = (outputs(weights_of(model), x).argmax(-1) == right_answers).mean()
        # 5 standard errors; 1e-3 allows for the rounding of the inputs.
        p = exact(model).value
        assert abs(p - sampled) < 5 * np.sqrt(p * (1 - p) / len(x)) + 1e-3


@pytest.mark.parametrize("unit", [1e-200, 1e200])
@pytest.mark.parametrize("loudness", [1e-200, 1e200])
def test_extreme_weights_do_not_overflow(make_rnn, nearly_perfect_rnn, unit, loudness):
    w_hi, w_hh, w_oh = weights_of(nearly_perfect_rnn())
    extreme = make_rnn(w_hi * unit, w_hh, w_oh * loudness)
    assert exact(extreme).value == pytest.approx(exact(nearly_perfect_rnn()).value, abs=1e-14)


def test_extreme_ratios_do_not_overflow(make_rnn):
    # Neuron 1 hands x0 > 0 to neuron 0, which is then active up to x1 / x0 = 1e360; where x0 < 0,
    # neuron 0 is active where x1 < 0. The answer is 1 where it is active: right in the directions
    # -90 to 45, 90 to 180 and 225 to 270 degrees.
    model = make_rnn([-1e-200, 1e160], [[0, 1], [0, 0]], [[0, 0], [1, 0]])
    assert exact(model).value == pytest.approx(3 / 4, abs=1e-14)
    wrong = sum(second - first for first, second in wrong_sectors(model))
    assert wrong / (2 * np.pi) == pytest.approx(1 / 4, abs=1e-14)


def of_argmedian(model):
    model.task_name = "argmedian"
    return model


@pytest.mark.parametrize("estimator", [wrong_sectors, exact])
@pytest.mark.parametrize(
    "model",
    [DistRNN(2, 4), ScalarRNN(2, 5), of_argmedian(DistRNN(2, 2)), DistTransformer(2, 2, 3)],
    ids=["four inputs", "median", "argmedian", "transformer on inputs it was not made for"],
)
def test_other_models_are_refused(estimator, model):
    with pytest.raises(ValueError, match=f"seq_len {model.seq_len}"):
        estimator(model)


def test_models_with_biases_are_refused():
    with pytest.raises(ValueError, match="bias"):
        exact(DistRNN(2, 2, bias=True))


def test_first_order_on_official_m22(official_2_2):
    estimate = first_order(official_2_2)
    assert 1 - estimate.value == pytest.approx(7.745e-5, abs=5e-9)
    assert estimate.operations < exact(official_2_2).operations


@pytest.mark.parametrize("gap", [1e-3, 1e-4, 1e-5])
def test_first_order_misses_terms_of_second_order_only(nearly_perfect_rnn, gap):
    model = nearly_perfect_rnn(1.1415 * (1 + gap))
    error = 1 - exact(model).value
    assert 1 - first_order(model).value == pytest.approx(error, abs=10 * error**2)


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_first_order_refuses_bundled_models_that_fail(seed):
    with pytest.raises(ValueError, match="a0, a1 > 0"):
        first_order(zoo_2nd_argmax(2, 2, seed=seed))


@pytest.mark.parametrize("w_10", [5, 50, 1e200])
def test_first_order_of_large_gaps_is_an_accuracy_or_refused(nearly_perfect_rnn, w_10):
    with suppress(ValueError):
        assert 0 <= first_order(nearly_perfect_rnn(w_10)).value <= 1


def test_first_order_of_gaps_beyond_float64_is_an_accuracy_or_refused(make_rnn):
    model = make_rnn([1e200, -1e-200], [[-1, 1], [1, -1]], [[0, 0], [-1e-200, 1]])
    with suppress(ValueError):
        assert 0 <= first_order(model).value <= 1


@given(SEED, st.integers(1, 5))
def test_wrong_sectors_are_wrong_and_add_up(gaussian_rnn, seed, d):
    model = gaussian_rnn(seed, d)
    sectors = np.array(wrong_sectors(model)).reshape(-1, 2)
    widths = sectors[:, 1] - sectors[:, 0]
    assert (widths >= 0).all()
    assert widths.sum() / (2 * np.pi) == pytest.approx(1 - exact(model).value, abs=1e-14)
    x = direction(sectors.mean(axis=1)[widths > 1e-9])
    answers = model(torch.tensor(x)).argmax(-1).numpy()
    assert (answers != x.argmin(-1)).all()


def test_wrong_sectors_of_official_m22_lie_at_the_diagonal(official_2_2):
    sectors = np.degrees(wrong_sectors(official_2_2))
    np.testing.assert_allclose(sectors, [[45, 45], [225, 225]], atol=0.02)
    np.testing.assert_allclose(sorted(np.diff(sectors)[:, 0]), [0.00937, 0.01851], atol=2e-5)
