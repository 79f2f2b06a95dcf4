from fractions import Fraction

import pytest
import torch
from safetensors.torch import load_file

from algzoo.estimates import exact, exhaustive_accuracy, sampling
from algzoo.zoo import DistTransformer, zoo_2nd_argmax, zoo_longest_cycle


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
    assert (estimate.tier, estimate.std) == ("A", 0.0)
    assert estimate.value == float(exhaustive_accuracy(model))
    assert estimate.operations == 5**5 * sampled.operations // 2**15


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="DistRNN with seq_len 2"):
        exhaustive_accuracy(zoo_2nd_argmax(2, 2))
    with pytest.raises(ValueError, match="DistTransformer with seq_len 3"):
        exhaustive_accuracy(DistTransformer(2, 3, input_range=4))
