import pytest

from algzoo.estimates import Estimate, exact, ray_fan
from algzoo.zoo import zoo_2nd_argmax


def test_an_estimate_that_counts_none_has_no_transcendental_functions():
    assert Estimate(0.5, 100, "D").transcendental == 0


@pytest.mark.parametrize(
    ("estimator", "model"),
    [
        (exact, zoo_2nd_argmax(2, 2)),
        (exact, zoo_2nd_argmax(4, 3)),
        (lambda model: ray_fan(model, 4), zoo_2nd_argmax(4, 3)),
    ],
)
def test_transcendental_functions_are_part_of_the_operations(estimator, model):
    estimate = estimator(model)
    assert 0 < 10 * estimate.transcendental < estimate.operations
