"""The conditional-mean skeleton and its three constants."""

import numpy as np
import pytest

from algzoo.estimates import ensemble_sampling
from algzoo.estimates.many_inputs.margins import margins
from algzoo.estimates.many_inputs.skeleton import (
    CalibratedSkeleton,
    _tree,
    fitted_skeleton,
    skeleton,
)
from algzoo.structure import outputs, weights_of
from algzoo.zoo import zoo_2nd_argmax
from algzoo.zoo.populations import NoisyCopies, ZooModel

_SEED_2 = ZooModel("2nd_argmax", 16, 10, None, 2)


def test_share_of_classes_right_by_simulated_means() -> None:
    model = NoisyCopies(_SEED_2, 0.02, 1).model(0)
    x = np.sort(np.random.default_rng(0).standard_normal((10**5, 10)), axis=1)
    largest, second, rest = x[:, -1].mean(), x[:, -2].mean(), x[:, :-2].mean()
    right = 0
    for i in range(10):
        for j in range(10):
            if i != j:
                mean = np.full(10, rest)
                mean[i], mean[j] = largest, second
                right += int(outputs(weights_of(model), mean[None])[0].argmax() == j)
    assert 0 < right < 90
    # The simulated means are off by up to .003, which may move a class or two.
    assert skeleton(model).value == pytest.approx(right / 90, abs=2 / 90)


def test_the_trained_network_gets_all_classes_right() -> None:
    estimate = skeleton(zoo_2nd_argmax(16, 10))
    assert estimate.value == 1.0
    assert estimate.operations == 108_544 + 90


def test_fitted_constants_reproduce_a_population() -> None:
    population = NoisyCopies(_SEED_2, 0.005, 120, stream="tuning")
    models = [population.model(i) for i in range(120)]
    truth = np.array([e.value for e in ensemble_sampling(models, 2**14, 0)])
    fitted = fitted_skeleton(models[:60], truth[:60])
    error = np.array([fitted(model).value for model in models[60:]]) - truth[60:]
    constant = truth[60:] - truth[:60].mean()
    assert (error**2).mean() < 0.6 * (constant**2).mean()
    for size in ((16, 5), (32, 10)):
        with pytest.raises(
            ValueError, match="skeleton is for 2nd-argmax models of ten inputs and 16 neurons"
        ):
            fitted(zoo_2nd_argmax(*size))


def test_the_width_is_the_best_of_a_grid() -> None:
    """Made of labels that a calibrated skeleton gives: it comes back, to a step of the grid."""
    population = NoisyCopies(_SEED_2, 0.02, 40, stream="tuning")
    models = [population.model(i) for i in range(40)]
    known = CalibratedSkeleton(2.0, 0.1, 0.8)
    fitted = fitted_skeleton(models, [known(model).value for model in models]).rule
    assert abs(np.log2(fitted.width / 2.0)) <= 1 / 16
    assert (fitted.offset, fitted.slope) == pytest.approx((0.1, 0.8), abs=0.03)
    typical = [np.abs(margins(weights_of(model), *_tree(10))).mean() for model in models]
    steps = 8 * np.log2(fitted.width / np.mean(typical))
    assert steps == pytest.approx(round(steps), abs=1e-9)


def test_labels_that_do_not_depend_on_margins_have_a_fit_all_the_same() -> None:
    model = zoo_2nd_argmax(16, 10)
    fitted = fitted_skeleton([model, model, model], [0.9, 0.8, 0.7])
    assert fitted(model).value == pytest.approx(0.8)
    assert fitted.rule.slope == 0
