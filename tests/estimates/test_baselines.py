import pytest

from algzoo.estimates.baselines import SAMPLERS, samplers_for
from algzoo.zoo import zoo_2nd_argmax, zoo_argmedian, zoo_median

OF_ANY_SIZE = ["iid", "antithetic", "Sobol", "stratified", "stratified Sobol", "tree", "last input"]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (zoo_2nd_argmax(2, 2), OF_ANY_SIZE),
        (zoo_2nd_argmax(4, 3), [*OF_ANY_SIZE, "last input by walk"]),
        (zoo_2nd_argmax(4, 4), list(SAMPLERS)),
        (
            zoo_argmedian(4, 5),
            [
                *("iid", "antithetic", "Sobol", "stratified Sobol"),
                *("last input by walk", "folded classes by sampling"),
            ],
        ),
        (zoo_median(2, 2), ["iid"]),
    ],
)
def test_samplers_for(model, names):
    assert list(samplers_for(model)) == names


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("n_samples", [1, 2, 3, 120])
def test_same_seed_same_estimate(name, n_samples):
    model = zoo_2nd_argmax(4, 4)
    estimate = SAMPLERS[name](model, n_samples, 5)
    assert estimate == SAMPLERS[name](model, n_samples, 5)
    assert 0 <= estimate.value <= 1
    assert estimate.runs_network == "random inputs"
