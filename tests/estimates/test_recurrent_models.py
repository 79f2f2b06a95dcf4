"""Which models the estimators of 2nd argmax refuse, and what they say."""

from functools import partial

import numpy as np
import pytest

from algzoo.estimates import (
    class_cubature,
    gaussian_propagation,
    gaussian_propagation_by_class,
    line_cubature,
    linear_between_ties,
    skeleton,
)
from algzoo.estimates.class_margins import levels_tree, margins_of_models
from algzoo.estimates.offset_formula import offset_formula
from algzoo.estimates.order_anchors import ANCHORS, OrderAnchors
from algzoo.estimates.recurrent_models import fitted_weights
from algzoo.estimates.response_surface import response_surface
from algzoo.structure import standard_form, weights_of
from algzoo.zoo import (
    DistRNN,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)

CUBATURE = "class cubature is for 2nd-argmax models with seq_len of at least 3"
OF_AT_LEAST = "for recurrent 2nd-argmax models of at least"
OF_ANCHORS = OrderAnchors(ANCHORS["one"], (0.0, 0.0, 0.7))

ESTIMATORS = [
    (skeleton, 2, f"the skeleton is {OF_AT_LEAST} two inputs"),
    (OF_ANCHORS, 2, f"order anchors are {OF_AT_LEAST} two inputs"),
    (partial(class_cubature, rows=8, scramble=0), 3, CUBATURE),
    (gaussian_propagation, 3, f"Gaussian propagation is {OF_AT_LEAST} three inputs"),
    (gaussian_propagation_by_class, 3, f"Gaussian propagation is {OF_AT_LEAST} three inputs"),
    (offset_formula, 4, f"the offset formula is {OF_AT_LEAST} four inputs"),
    (response_surface, 4, f"response surfaces are {OF_AT_LEAST} four inputs"),
    (partial(line_cubature, rows=8, scramble=0), 4, f"line cubature is {OF_AT_LEAST} four inputs"),
]


OTHERS = {
    "median": zoo_median(2, 3),
    "argmedian": zoo_argmedian(4, 5),
    "longest cycle": zoo_longest_cycle(2, 3),
}


class Subclass(DistRNN):
    """It computes what its weights say, by another name."""


class Reversing(DistRNN):
    """It computes something else than its weights say."""

    def forward(self, x, init_state=None):
        return super().forward(x.flip(-1), init_state)


@pytest.mark.parametrize(("estimator", "least", "message"), ESTIMATORS)
def test_other_tasks_and_lengths_are_refused(estimator, least, message):
    shorter = DistRNN(2, least - 1)
    for model in (shorter, *OTHERS.values()):
        kind = f"{type(model).__name__} of {model.task_name} with seq_len {model.seq_len}"
        with pytest.raises(ValueError, match=f"^{message}, not for {kind}$"):
            estimator(model)


@pytest.mark.parametrize(("estimator", "least", "message"), ESTIMATORS)
def test_the_shortest_are_taken(estimator, least, message):
    assert 0 <= estimator(zoo_2nd_argmax(2, least)).value <= 1


@pytest.mark.parametrize(("estimator", "least", "message"), ESTIMATORS)
def test_the_same_function_in_another_class_is_taken(estimator, least, message):
    model = zoo_2nd_argmax(4, 4)
    same = Subclass(4, 4)
    same.load_state_dict(model.state_dict())
    assert estimator(same) == estimator(model)
    standard = estimator(standard_form(model))
    # Its units differ, and the standard form is rounded once.
    assert standard.value == pytest.approx(estimator(model).value, abs=1e-9)
    assert standard.operations == estimator(model).operations


@pytest.mark.parametrize(("estimator", "least", "message"), ESTIMATORS)
def test_another_function_with_the_same_weights_is_refused(estimator, least, message):
    with pytest.raises(ValueError, match="This Reversing does something else than its weights say"):
        estimator(Reversing(4, 5))


@pytest.mark.parametrize("name", OTHERS)
def test_margins_and_lines_between_ties_of_other_models(name):
    model = OTHERS[name]
    with pytest.raises(ValueError, match=f"margins of classes are {OF_AT_LEAST} two inputs"):
        margins_of_models([model], *levels_tree(model.seq_len, (1.0, 0.5), (0.0, 0.2)))
    with pytest.raises(ValueError, match=f"lines between ties are {OF_AT_LEAST} two inputs"):
        linear_between_ties(model, 2, 1, 0)


@pytest.mark.parametrize(("estimator", "least", "message"), ESTIMATORS)
def test_what_is_no_model_of_a_family_is_refused_as_that(estimator, least, message):
    with pytest.raises(TypeError, match="A model of this package is needed, got NoneType"):
        estimator(None)
    wrong = DistRNN(2, 5)
    wrong.seq_len = 4
    with pytest.raises(ValueError, match=r"output weights of shape \(4, 2\)"):
        estimator(wrong)
    with pytest.raises(ValueError, match="bias must be False"):
        estimator(DistRNN(2, 4, bias=True))


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5)])
def test_constants_are_for_the_size_that_they_were_fitted_on(size):
    model = zoo_2nd_argmax(4, 3)
    for fits in (None, (4, 3)):
        found = fitted_weights(model, "maps", fits, "fit")
        assert all(map(np.array_equal, found, weights_of(model)))
    message = (
        f"these maps were fitted on models with hidden_size {size[0]} and seq_len {size[1]}, this "
        "one has hidden_size 4 and seq_len 3: fit makes them for other sizes"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        fitted_weights(model, "maps", size, "fit")
    with pytest.raises(ValueError, match=f"^maps are {OF_AT_LEAST} two inputs, not for DistRNN"):
        fitted_weights(OTHERS["argmedian"], "maps", size, "fit")
