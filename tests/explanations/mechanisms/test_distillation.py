"""The comparison with a distillate, against a sample and against exact accuracies."""

import math

import numpy as np
import pytest
import torch

from algzoo.estimates import exact
from algzoo.explanations.mechanisms.distillation import compared, distilled
from algzoo.explanations.second_argmax_h4_n3.lambda_family import lambda_error, lambda_of
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax


def answers(model, x):
    with torch.no_grad():
        return model.double()(torch.as_tensor(x)).argmax(1).numpy()


def test_masses_are_those_of_a_sample():
    model = zoo_2nd_argmax(4, 3)
    distillate = distilled(model)
    found = compared(model, distillate)
    x = np.random.default_rng(0).standard_normal((2**19, 3))
    right, first, second = x.argsort(1)[:, -2], answers(model, x), answers(distillate, x)
    for combination, mass in found.masses.items():
        share = np.mean(
            (right == combination.right)
            & (first == combination.model)
            & (second == combination.distillate)
        )
        assert abs(share - mass) < 5 * math.sqrt(mass / len(x)) + 1e-12
    assert found.differs == pytest.approx(np.mean(first != second), abs=1e-3)
    parts = found.model_alone_right + found.distillate_alone_right + found.differently_wrong
    assert found.differs == pytest.approx(parts, abs=1e-15)


def test_the_difference_of_accuracies_is_exact():
    model = zoo_2nd_argmax(4, 3)
    found = compared(model, distilled(model))
    expected = exact(model).value - (1 - lambda_error(lambda_of(model)))
    assert found.model_alone_right - found.distillate_alone_right == pytest.approx(
        expected, abs=1e-12
    )


def test_two_members_of_the_family_differ_where_the_narrower_wedge_ends():
    wide, narrow = (handcrafted_2nd_argmax(3, lam=lam, dtype=torch.float64) for lam in (3.0, 6.0))
    found = compared(wide, narrow)
    assert found.differs == pytest.approx(lambda_error(3.0) - lambda_error(6.0), abs=1e-12)
    assert found.model_alone_right == pytest.approx(0, abs=1e-12)
    assert compared(wide, wide).differs == 0


def test_a_distillate_without_an_answer_is_refused():
    model = zoo_2nd_argmax(4, 3)
    with pytest.raises(ValueError, match="tie on a region"):
        compared(model, model)  # its dead cell
    with pytest.raises(ValueError, match="three inputs"):
        compared(model, zoo_2nd_argmax(2, 2))
