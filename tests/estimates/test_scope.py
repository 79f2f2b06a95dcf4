"""Scopes: which models they take, how they say so, and their one way of refusing."""

import pytest

from algzoo.estimates import Scope
from algzoo.estimates.scope import ANY
from algzoo.zoo import (
    DistRNN,
    DistTransformer,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)

FOUR = Scope("2nd_argmax", inputs=4)
ODD = Scope("argmedian", at_least=3, odd=True)
CASES = [
    (Scope("2nd_argmax"), "2nd-argmax models", zoo_2nd_argmax(2, 2), zoo_argmedian(4, 3)),
    (FOUR, "2nd-argmax models of four inputs", zoo_2nd_argmax(2, 4), zoo_2nd_argmax(4, 3)),
    (
        Scope("median", inputs=(2, 3)),
        "median models of two or three inputs",
        zoo_median(4, 3),
        zoo_median(2, 5),
    ),
    (
        Scope("2nd_argmax", inputs=3, neurons=4),
        "2nd-argmax models of three inputs and four neurons",
        zoo_2nd_argmax(4, 3),
        zoo_2nd_argmax(5, 3),
    ),
    (
        Scope("2nd_argmax", at_least=5),
        "2nd-argmax models of at least five inputs",
        zoo_2nd_argmax(4, 5),
        zoo_2nd_argmax(4, 4),
    ),
    (
        ODD,
        "argmedian models of an odd number of inputs, at least three",
        zoo_argmedian(4, 5),
        zoo_2nd_argmax(4, 5),
    ),
    (
        Scope("longest_cycle", layers=2),
        "longest-cycle models of two layers, one head and no biases",
        zoo_longest_cycle(2, 3),
        DistTransformer(4, 3, n_layers=1),
    ),
    (
        FOUR | ODD | Scope("argmedian", inputs=4),
        "2nd-argmax and argmedian models of four inputs; argmedian models of an odd number of "
        "inputs, at least three",
        zoo_argmedian(4, 7),
        zoo_2nd_argmax(2, 3),
    ),
]


@pytest.mark.parametrize(("scope", "words", "inside", "outside"), CASES)
def test_takes_says_and_refuses(scope, words, inside, outside):
    assert str(scope) == words
    scope.check(inside, "it")
    assert scope.takes(inside)
    assert not scope.takes(outside)
    kind = f"{type(outside).__name__} of {outside.task_name} with seq_len {outside.seq_len}"
    with pytest.raises(ValueError, match=f"^it is for {words}, not for {kind}"):
        scope.check(outside, "it")
    for example in scope.examples():
        assert scope.takes(example)
    assert scope.takes(scope.example())


def test_the_refusal_says_what_decided():
    with pytest.raises(ValueError, match=r"seq_len 3 and hidden_size 5$"):
        Scope("2nd_argmax", inputs=3, neurons=4).check(zoo_2nd_argmax(5, 3), "it")
    layers = Scope("longest_cycle", layers=2)
    with pytest.raises(ValueError, match=r"seq_len 3, 1 layers, 1 heads, bias False$"):
        layers.check(DistTransformer(4, 3, n_layers=1), "it")
    with pytest.raises(ValueError, match="seq_len 3 and input_range 5"):
        Scope("longest_cycle").check(DistTransformer(4, 3, n_layers=2, input_range=5), "it")


def test_an_even_number_of_inputs_is_refused():
    even = DistRNN(4, 4)
    even.task_name = "argmedian"
    with pytest.raises(ValueError, match="an odd number of inputs, at least three, not for"):
        ODD.check(even, "it")


def test_what_only_looks_at_outputs_takes_a_module_as_it_is():
    class Reversing(DistRNN):
        def forward(self, x, init_state=None):
            return super().forward(x.flip(-1), init_state)

    ANY.check(Reversing(4, 5), "it")
    with pytest.raises(ValueError, match="This Reversing does something else than its weights"):
        Scope("2nd_argmax").check(Reversing(4, 5), "it")
    with pytest.raises(TypeError, match="A model of this package is needed, got NoneType"):
        ANY.check(None, "it")


def test_of_one_size():
    one_size = ANY.one_size(zoo_2nd_argmax(4, 3))
    assert one_size.takes(zoo_2nd_argmax(4, 3, seed=1))
    assert not one_size.takes(zoo_2nd_argmax(4, 4))
    assert not one_size.takes(zoo_2nd_argmax(5, 3))
    assert one_size.as_it_is
