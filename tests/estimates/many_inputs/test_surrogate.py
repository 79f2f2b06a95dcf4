"""The surrogate with advice: what labelled copies of the same base are worth."""

import numpy as np
import pytest

from algzoo.estimates import ensemble_sampling
from algzoo.estimates.many_inputs.surrogate import fitted_margin_surrogate
from algzoo.zoo import zoo_2nd_argmax
from algzoo.zoo.populations import NoisyCopies, ZooModel


def _labelled(sd: float, n: int, stream: str) -> tuple[list, np.ndarray]:
    base = ZooModel("2nd_argmax", 16, 10, None, 2)
    population = NoisyCopies(base, sd, n, stream=stream)
    models = [population.model(i) for i in range(n)]
    return models, np.array([e.value for e in ensemble_sampling(models, 2**14, 0)])


@pytest.mark.parametrize("n_inputs", [10, 90])
def test_it_beats_sampling_on_copies_it_has_not_seen(n_inputs: int) -> None:
    models, truth = _labelled(0.01, 400, "tuning")
    surrogate = fitted_margin_surrogate(models, truth, n_inputs=n_inputs)
    scored, accuracy = _labelled(0.01, 64, "scoring")
    estimates = [surrogate(model) for model in scored]
    error = np.array([e.value for e in estimates]) - accuracy
    k = estimates[0].operations / 2880
    assert (error**2).mean() / (accuracy * (1 - accuracy) / k).mean() < 0.4  # measured .15 to .3
    assert len(surrogate.rule.coefficients) == 2 * n_inputs
    assert estimates[0].operations == n_inputs * 2880 + 2 * n_inputs * (2 + 10)
    for size in ((16, 5), (32, 10)):
        with pytest.raises(
            ValueError, match=r"inputs is for 2nd-argmax models of ten inputs and 16 neurons"
        ):
            surrogate(zoo_2nd_argmax(*size))


def test_too_few_labels_are_refused() -> None:
    models, truth = _labelled(0.01, 2, "tuning")
    with pytest.raises(ValueError, match="three models or more, got 2"):
        fitted_margin_surrogate(models, truth, n_inputs=10)
