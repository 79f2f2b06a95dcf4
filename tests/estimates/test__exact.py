import pytest
from torch import nn

from algzoo.estimates import angular, exact
from algzoo.structure import standard_form
from algzoo.zoo import zoo_2nd_argmax, zoo_argmedian, zoo_median


@pytest.mark.parametrize("hidden_size", [2, 8, 32])
def test_two_inputs_are_done_by_angles(hidden_size):
    model = zoo_2nd_argmax(hidden_size, 2)
    assert exact(model) == angular(model)


@pytest.mark.parametrize(
    ("load", "size", "operations"),
    [
        (zoo_2nd_argmax, (4, 3), 5_884),
        (zoo_2nd_argmax, (16, 3), 39_195),
        (zoo_2nd_argmax, (8, 2), 423),
        (zoo_median, (8, 3), 51_421),
    ],
)
def test_operations_do_not_depend_on_the_interpreter(load, size, operations):
    """As Python 3.11, 3.12 and 3.13 count them; ``sorted`` of 3.13 compares more often."""
    assert exact(load(*size)).operations == operations


def test_argmedian_of_three_is_2nd_argmax_of_three():
    # The bundled models of the two tasks are the same, weight for weight.
    assert exact(zoo_argmedian(4, 3, seed=1)) == exact(zoo_2nd_argmax(4, 3, seed=1))


def test_models_in_standard_form_have_the_same_accuracy():
    model = zoo_2nd_argmax(4, 2)
    assert exact(standard_form(model)).value == pytest.approx(exact(model).value, abs=1e-12)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (zoo_2nd_argmax(2, 4), "DistRNN of 2nd_argmax with seq_len 4"),
        (zoo_argmedian(4, 5), "DistRNN of argmedian with seq_len 5"),
        (zoo_median(2, 5), "ScalarRNN of median with seq_len 5"),
    ],
)
def test_models_without_an_exact_method_are_refused_by_name(model, name):
    with pytest.raises(ValueError, match=name):
        exact(model)


def test_what_is_no_model_is_refused_by_its_type():
    with pytest.raises(TypeError, match="A model of this package is needed, got Linear"):
        exact(nn.Linear(2, 2))
