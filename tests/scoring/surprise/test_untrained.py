import math

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, special

from algzoo import zoo_2nd_argmax, zoo_longest_cycle, zoo_median
from algzoo.estimates import exact
from algzoo.scoring import UntrainedLaw, untrained_law
from algzoo.scoring.surprise import untrained
from algzoo.scoring.surprise.residual import residual
from algzoo.zoo import FAMILIES, DistTransformer


def student(t, n):
    constant = special.gamma((n + 1) / 2) / (math.sqrt(n * math.pi) * special.gamma(n / 2))
    return constant * (1 + t**2 / n) ** (-(n + 1) / 2)


@pytest.mark.parametrize("accuracy", [0.05, 0.3, 0.6, 0.9])
def test_the_price_is_the_integral_of_students_density(accuracy):
    law = UntrainedLaw(0.3, 0.5, n_networks=7)

    def density(a):
        distance = math.log(a / (1 - a)) - math.log(0.3 / 0.7)
        return student(distance / 0.5, 7) / (0.5 * a * (1 - a))

    inside, _ = integrate.quad(density, accuracy - 0.01, accuracy + 0.01)
    assert law.bits(accuracy, 0.01) == pytest.approx(-math.log2(inside), rel=1e-6)


def test_the_price_is_exact_far_in_the_tail():
    """Half of the incomplete beta function is the tail of Student's t."""
    n, spread = 256, 0.1
    low = (math.log(0.97 / 0.03) + math.log(4)) / spread
    with mpmath.workdps(30):
        tail = mpmath.betainc(n / 2, 0.5, 0, n / (n + mpmath.mpf(low) ** 2), regularized=True) / 2
        expected = -float(mpmath.log(tail, 2))
    assert expected > 400
    assert UntrainedLaw(0.2, spread).bits(0.98 + 0.005, 0.015) == pytest.approx(expected, rel=1e-9)


def test_with_many_networks_the_law_is_normal():
    law = UntrainedLaw(0.2, 0.5, n_networks=10**9)
    assert law.bits(0.9, 0.02) == pytest.approx(residual(0.9, 0.2, 0.5, 0.02).bits, rel=1e-6)


def test_what_has_no_probability_in_float64_costs_infinitely_much():
    assert UntrainedLaw(0.5, 1e-3).bits(1 - 1e-9, 1e-9) == math.inf
    assert UntrainedLaw(0.5, 1e-3, measures_error=True).bits(0.0, 1e-300) == math.inf


def test_errors_are_priced_on_the_scale_of_their_logarithm():
    law = UntrainedLaw(0.5, 0.3, measures_error=True, n_networks=5)
    low, high = (math.log(error / 0.5) / 0.3 for error in (0.1, 0.3))
    inside, _ = integrate.quad(student, low, high, args=(5,))
    assert law.bits(0.2, 0.1) == pytest.approx(-math.log2(inside))
    # An error of 0 within 0.3 is an error of at most 0.3.
    below, _ = integrate.quad(student, -np.inf, high, args=(5,))
    assert law.bits(0.0, 0.3) == pytest.approx(-math.log2(below))


def logit(p):
    return np.log(p / (1 - p))


@pytest.mark.parametrize(
    ("model", "distance"),
    [
        (zoo_2nd_argmax(2, 2), lambda p: logit(p) - logit(0.5)),
        (zoo_2nd_argmax(4, 3), lambda p: logit(p) - logit(1 / 3)),
        (zoo_longest_cycle(4, 4), lambda p: logit((256 * p + 0.5) / 257) - logit(0.25)),
        (zoo_median(2, 2), lambda error: np.log(error / 0.5)),
    ],
)
def test_the_spread_is_that_of_exact_scores(model, distance):
    """The networks are made as a user would make them, and their scores are exact."""
    found = untrained_law(model)
    scores = []
    for seed in range(256):
        torch.manual_seed(seed)
        network = FAMILIES[model.task_name].build(model.hidden_size, model.seq_len)
        scores.append(exact(network.double()).value)
    expected = float(np.sqrt(np.mean(distance(np.array(scores)) ** 2)))
    assert found.spread == pytest.approx(expected, rel=0.05)
    assert found.n_networks == 256


def test_chance_is_one_of_the_answers_or_the_variance_of_the_right_ones():
    assert untrained_law(zoo_2nd_argmax(4, 3)).chance == 1 / 3
    # The square of the mean of two Gaussian numbers is 1/2 on average, with variance 1/2.
    law = untrained_law(zoo_median(2, 2))
    assert law.measures_error
    assert abs(law.chance - 0.5) < 3 * math.sqrt(0.5 / 2**12)


def test_the_spread_is_no_less_than_the_inputs_resolve(monkeypatch):
    """Networks that all give one answer are all equally right."""

    class Silent:
        name, measures_error = "2nd_argmax", False

        def build(self, hidden_size, seq_len):
            model = FAMILIES["2nd_argmax"].build(hidden_size, seq_len)
            torch.nn.init.zeros_(model.linear.weight)
            return model

    model = zoo_2nd_argmax(4, 3)
    resolved = 1 / math.sqrt(2**12 * (1 / 3) * (2 / 3))
    monkeypatch.setattr(untrained, "FAMILIES", {"2nd_argmax": Silent()})
    assert resolved <= untrained_law(model).spread < 3 * resolved


def test_weights_do_not_matter_and_random_numbers_are_left_alone():
    models = [zoo_2nd_argmax(4, 3, seed=seed) for seed in (0, 1)]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, other = map(untrained_law, models)
    assert one == other
    assert torch.rand(1) == expected


def test_a_network_of_another_architecture_is_refused():
    with pytest.raises(ValueError, match="this model has"):
        untrained_law(DistTransformer(4, 4, n_layers=1))


def test_a_single_answer_has_no_price():
    with pytest.raises(ValueError, match="With seq_len 1 there is one answer"):
        untrained_law(DistTransformer(4, 1, n_layers=2))


@pytest.mark.parametrize("wrong", [(1.1, 0.01), (-0.1, 0.01), (math.nan, 0.01), (0.5, 0.0)])
def test_impossible_scores_are_refused(wrong):
    with pytest.raises(ValueError, match="A score from 0 to 1 and a positive tolerance"):
        UntrainedLaw(0.3, 0.5).bits(*wrong)
