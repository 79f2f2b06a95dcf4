import numpy as np
import pytest
import torch

from algzoo.estimates import Estimate, exact, ray_fan
from algzoo.zoo import zoo_2nd_argmax


def test_an_estimate_that_counts_none_has_no_transcendental_functions():
    assert Estimate(0.5, 100, "random inputs").transcendental == 0


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((float("nan"), 1, "never"), "value of an Estimate is a finite number, not nan"),
        ((1j, 1, "never"), "value of an Estimate is a finite number, not 1j"),
        ((torch.zeros(2), 1, "never"), r"a finite number, not tensor\(\[0., 0.\]\)"),
        ((0.5, 1.5, "never"), r"operations of an Estimate are a whole number, not 1\.5"),
        ((0.5, True, "never"), "operations of an Estimate are a whole number, not True"),
        ((0.5, -1, "never"), "operations of an Estimate are a whole number, not -1"),
        ((0.5, 1, "A"), "is 'never', 'chosen inputs' or 'random inputs', not 'A'"),
        (("much" * 40, 1, "never"), r"not 'much.*\.\.\."),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        Estimate(*arguments)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 160


def test_numbers_of_numpy_are_taken():
    assert Estimate(np.float32(0.5), np.int64(7), "random inputs").value == 0.5
