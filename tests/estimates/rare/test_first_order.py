"""First order in the gaps against the exact probability."""

import pytest

from algzoo.estimates.rare import event_of, exact, first_order
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax


@pytest.mark.parametrize(("d", "seed"), [(2, 1), (2, 2), (4, 0), (8, 0), (16, 0), (32, 0)])
def test_of_two_inputs(d, seed):
    event = event_of(zoo_2nd_argmax(d, 2, seed=seed), 0.0)
    truth = exact(event).value
    # The formula takes an angle for its tangent, and a quotient of nearly equal numbers for 1.
    assert first_order(event).value == pytest.approx(truth, rel=10 * truth)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("d", "rel"), [(8, 0.02), (16, 0.02), (32, 0.05)])
def test_of_three_inputs_nearly_all_errors_of_good_models_are_slivers(d, rel, seed):
    event = event_of(zoo_2nd_argmax(d, 3, seed=seed), 0.0)
    found = first_order(event)
    assert found.value == pytest.approx(exact(event).value, rel=rel)
    assert found.runs_network == "never"
    assert found.operations > 0


def test_it_depends_neither_on_the_units_of_neurons_nor_on_their_number():
    model = zoo_2nd_argmax(8, 3)
    expected = first_order(event_of(model, 0.0)).value
    model.rnn.weight_ih_l0.data *= 4
    model.linear.weight.data *= 8
    assert first_order(event_of(model, 0.0)).value == pytest.approx(expected, rel=1e-12)


def test_a_model_without_errors_at_ties():
    assert first_order(event_of(handcrafted_2nd_argmax(2), 0.0)).value == 0


def test_a_model_whose_errors_are_no_slivers_is_refused():
    with pytest.raises(ValueError, match=r"does not hold on 30\.4% of the ties of this model"):
        first_order(event_of(zoo_2nd_argmax(4, 3), 0.0))
