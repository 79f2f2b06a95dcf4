import numpy as np
import pytest

from algzoo.estimates import Estimate
from algzoo.scoring.compute.scrambles import exponent, scramble_score, truths_by_rule
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
def test_the_exponent_is_that_of_the_mean_squared_error(power):
    truths = [(float(a), 0.0) for a in TRUE]
    scores = [
        scramble_score(noisy_rule(points, 0.2, power=power), range(12), truths, range(300))
        for points in (16, 256, 4096)
    ]
    assert exponent(scores) == pytest.approx(-2 * power, abs=0.05)


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
