import itertools
import math
from fractions import Fraction

import pytest
import torch
from safetensors.torch import load_file

from algzoo.estimates import exact, exhaustive_accuracy, sampling
from algzoo.estimates.functions.by_class import class_margins, folded_exhaustive
from algzoo.explanations import longest_cycle_h4_n4 as longest_cycle_4_4
from algzoo.structure.attention.functional_graphs import (
    conjugacy_classes,
    fewest_cases,
    pointed_classes,
)
from algzoo.zoo import DistTransformer, zoo_2nd_argmax, zoo_longest_cycle
from algzoo.zoo.model_check import MOST_FUNCTIONS, MOST_NUMBERS, check_can_be_enumerated


def test_arcs_smallest_transformer_is_right_on_all_27_functions(shared):
    model = DistTransformer(2, 3, n_layers=2)
    name = "longest_cycle_2_3_1073741824_0.safetensors"
    model.load_state_dict(load_file(shared / "data" / "official" / name))
    assert exhaustive_accuracy(model) == 1


def test_the_accuracy_is_a_fraction_of_all_functions():
    accuracy = exhaustive_accuracy(zoo_longest_cycle(2, 4))
    assert isinstance(accuracy, Fraction)
    assert (accuracy * 4**4).denominator == 1


def test_a_model_that_always_gives_the_same_answer_is_right_that_often():
    model = DistTransformer(1, 3, n_layers=1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.embed.weight += 1
        model.unembed.weight[2] += 1
    # Two of the 27 functions on three points are one cycle of length 3.
    assert exhaustive_accuracy(model) == Fraction(2, 27)


def test_sampling_agrees_and_exact_uses_it():
    model = zoo_longest_cycle(3, 5)
    sampled = sampling(model, 2**15, seed=0)
    estimate = exact(model)
    assert abs(estimate.value - sampled.value) < 4 * sampled.std
    assert estimate.std == 0.0
    assert estimate.value == float(exhaustive_accuracy(model))
    assert estimate.operations == 5**5 * sampled.operations // 2**15


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="is for longest-cycle models, not for DistRNN of 2nd"):
        exhaustive_accuracy(zoo_2nd_argmax(2, 2))
    with pytest.raises(ValueError, match="with seq_len 3 and input_range 4"):
        exhaustive_accuracy(DistTransformer(2, 3, input_range=4))


def test_every_function_is_put_in_once():
    model, seen = zoo_longest_cycle(2, 4), []
    plain = model.forward

    def noting(x):
        seen.extend(map(tuple, x.tolist()))
        return plain(x)

    with pytest.MonkeyPatch.context() as patch:
        # Below the check that the model is plain, which would refuse a replaced forward pass.
        patch.setattr("algzoo.estimates.scope.check_model", lambda model: None)
        model.forward = noting
        exhaustive_accuracy(model)
    assert seen == list(itertools.product(range(4), repeat=4))


def test_one_point_has_one_function():
    assert exhaustive_accuracy(DistTransformer(2, 1)) == 1


def test_the_most_that_is_enumerated():
    assert MOST_FUNCTIONS == 8**8
    check_can_be_enumerated(8, 8)
    check_can_be_enumerated(8, 8, MOST_NUMBERS // 8**8)
    with pytest.raises(ValueError, match=r"All 8\^8 functions at once would be 1\.2 GB"):
        check_can_be_enumerated(8, 8, MOST_NUMBERS // 8**8 + 1)
    for n_values, n_points, power in ((9, 9, 9), (2, 25, 8), (12, 12, 13), (1000, 1000, 3000)):
        told = (
            rf"There are {n_values}\^{n_points} functions, about 10\^{power}, and at most 16777216"
        )
        with pytest.raises(ValueError, match=told):
            check_can_be_enumerated(n_values, n_points)
    assert math.log10(9**9) == pytest.approx(8.59, abs=0.01)


@pytest.mark.parametrize("n", [9, 12, 40, 1000])
def test_a_model_of_too_many_functions_is_refused_before_anything_is_made(n):
    model = DistTransformer(8, n, n_layers=2)
    for function in (exact, exhaustive_accuracy, folded_exhaustive):
        with pytest.raises(ValueError, match=r"are enumerated: sampling\(model, n_samples, seed\)"):
            function(model)
    if n == 9:
        for ledger in (
            longest_cycle_4_4.brute_force_ledger,
            longest_cycle_4_4.base_rate_ledger,
            longest_cycle_4_4.noise_tolerance,
        ):
            with pytest.raises(ValueError, match="at most 16777216 are enumerated"):
                ledger(model)
    assert 0 <= sampling(model, 100, 0).value <= 1


def test_states_that_take_too_much_memory_are_refused():
    with pytest.raises(ValueError, match=r"All 8\^8 functions at once would be 2\.1 GB of numbers"):
        folded_exhaustive(DistTransformer(2, 8, n_layers=2))


def test_classes_are_listed_of_twelve_points_at_most():
    assert len(conjugacy_classes(9)) == 2615  # OEIS A001372
    assert len(conjugacy_classes(10)) == 7318
    for function in (conjugacy_classes, pointed_classes):
        with pytest.raises(ValueError, match=r"on at most 12 points, .*; got n = 13"):
            function(13)
    with pytest.raises(ValueError, match="on at most 12 points"):
        class_margins(DistTransformer(2, 13, n_layers=2))
    with pytest.raises(ValueError, match=r"All 8\^7 functions at once"):
        fewest_cases(7)


def test_rounding_does_not_decide_between_two_logits():
    """Logits 1 and 1 + 2^-30, which are the same number in float32."""
    model = DistTransformer(2, 3, n_layers=1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.embed.weight += 1
        model.unembed.weight[:2, 0] = 1
        model.unembed.weight[1, 1] = 2.0**-30
        logits = model(torch.tensor([[0, 0, 0]]))
    assert logits[0, 0] == logits[0, 1]
    # Of the 27 functions on three points nine have a longest cycle of two, the second answer.
    assert exhaustive_accuracy(model) == Fraction(9, 27)
