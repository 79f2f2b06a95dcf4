import numpy as np
import pytest

from algzoo.estimates import Estimate
from algzoo.scoring.compute.scrambles import (
    ErrorsByScramble,
    exponent,
    scramble_score,
    truths_by_rule,
)
from algzoo.zoo import zoo_2nd_argmax

TRUE = np.linspace(0.6, 0.9, 12)


def noisy_rule(points, scale, bias=0.0, power=0.5, shared=True):
    """Errors of a known size that all models share in a scramble."""

    def rule(model, scramble):
        rng = np.random.default_rng([scramble, points, 0 if shared else int(model)])
        error = bias + scale * rng.standard_normal() / points**power
        return Estimate(TRUE[int(model)] + error, 72 * points, "chosen inputs")

    return rule


@pytest.fixture(autouse=True)
def numbers_for_models(monkeypatch):
    """Numbers of models stand for models of 72 operations a sample."""
    model = zoo_2nd_argmax(4, 3)
    real = Estimate(0.5, 72, "random inputs")
    monkeypatch.setattr("algzoo.scoring.compute.scrambles.sampling", lambda *_: real)
    assert model.seq_len == 3


def test_the_ratio_is_that_of_the_errors_made():
    scale = 0.2
    truths = [(float(a), 0.0) for a in TRUE]
    score = scramble_score(noisy_rule(100, scale), range(12), truths, range(400))
    expected = scale**2 / np.mean(TRUE * (1 - TRUE))
    assert score.ratio == pytest.approx(expected, rel=0.2)
    assert score.low < expected < score.high
    assert score.samples == 100
    assert len(score.by_scramble) == 400
    assert np.mean(score.by_scramble) == pytest.approx(score.ratio)
    assert abs(score.bias) < 4 * score.bias_std


def test_intervals_are_wide_where_all_models_share_an_error():
    truths = [(float(a), 0.0) for a in TRUE]
    shared = scramble_score(noisy_rule(100, 0.2), range(12), truths, range(16))
    own = scramble_score(noisy_rule(100, 0.2, shared=False), range(12), truths, range(16))
    assert shared.high / shared.low > 1.5 * own.high / own.low


def test_the_variance_of_truths_is_subtracted():
    truths = [(float(a), 0.02) for a in TRUE]
    perfect = scramble_score(noisy_rule(100, 0.0), range(12), truths, range(4))
    expected = -(0.02**2) * 100 / np.mean(TRUE * (1 - TRUE))
    assert perfect.ratio == pytest.approx(expected)


def test_a_bias_is_seen():
    truths = [(float(a), 0.0) for a in TRUE]
    score = scramble_score(noisy_rule(100, 0.1, bias=0.05), range(12), truths, range(50))
    assert score.bias == pytest.approx(0.05, abs=4 * score.bias_std)


@pytest.mark.parametrize("power", [0.5, 0.7])
def test_an_exponent_has_an_interval_by_scramble(power):
    truths = [(float(a), 0.0) for a in TRUE]

    def errors(points):
        rule = noisy_rule(points, 0.2, power=power)
        values = np.array([[rule(m, s).value for m in range(12)] for s in range(300)])
        return ErrorsByScramble(values, np.full((300, 12), points), truths)

    value, low, high = exponent([errors(points) for points in (16, 256, 4096)])
    assert low < -2 * power < high
    assert low < value < high
    assert high - low < 0.15


def test_budgets_where_the_truths_are_no_better_are_left_out_of_an_exponent():
    rng = np.random.default_rng(0)
    perfect = [(float(a), 0.01) for a in TRUE]
    there = [
        ErrorsByScramble(TRUE + size * rng.standard_normal((50, 12)), np.array(cost), perfect)
        for size, cost in ((0.1, 100.0), (0.05, 400.0), (0.0, 1600.0))
    ]
    assert exponent(there)[0] == pytest.approx(-1, abs=0.1)
    with pytest.raises(ValueError, match="two budgets"):
        exponent(there[1:])


def test_truths_are_means_with_their_standard_errors():
    truths = truths_by_rule(noisy_rule(100, 0.2), range(3), range(100))
    for (value, std), true in zip(truths, TRUE, strict=False):
        assert std == pytest.approx(0.002, rel=0.3)
        assert abs(value - true) < 4 * std


def test_one_scramble_or_one_model_is_not_enough():
    rule, truths = noisy_rule(1, 0.2), [(0.5, 0.0)] * 3
    for call, what in (
        (lambda: truths_by_rule(rule, range(3), [0]), "scramble"),
        (lambda: scramble_score(rule, range(3), truths, [0]), "scramble"),
        (lambda: scramble_score(rule, range(1), truths[:1], [0, 1]), "model"),
    ):
        with pytest.raises(ValueError, match=what):
            call()


def test_of_a_single_model_scrambles_are_resampled():
    rng = np.random.default_rng(0)
    values = 0.8 + 0.02 * rng.standard_normal((400, 1))
    score = ErrorsByScramble(values, np.array(100.0), [(0.8, 0.0)]).score()
    assert score.ratio == pytest.approx(0.02**2 * 100 / (0.8 * 0.2), rel=0.2)
    # Of a sum of 400 squares of normal variables the relative deviation is (2 / 400)^(1/2).
    assert score.high - score.low == pytest.approx(2 * 1.96 * score.ratio * 0.005**0.5, rel=0.15)
