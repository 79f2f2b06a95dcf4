"""The handcrafted longest-cycle model: right everywhere, and for the reasons that it states."""

import itertools

import numpy as np
import pytest
import torch

from algzoo.estimates import exhaustive_accuracy
from algzoo.structure.attention.folded import fold
from algzoo.structure.attention.functional_graphs import graph_of
from algzoo.zoo import DistTransformer
from algzoo.zoo.handcrafted.longest_cycle import handcrafted_longest_cycle

FUNCTIONS = list(itertools.product(range(3), repeat=3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_all_27_functions_are_right(dtype):
    model = handcrafted_longest_cycle(dtype=dtype)
    assert isinstance(model, DistTransformer)
    assert exhaustive_accuracy(model) == 1
    assert model.dtype == dtype


def test_margins_are_wide():
    logits = handcrafted_longest_cycle()(torch.tensor(FUNCTIONS)).sort(-1).values
    assert (logits[:, -1] - logits[:, -2]).min() > 5


def test_the_mass_on_the_last_position_is_what_the_text_says():
    first = fold(handcrafted_longest_cycle(dtype=torch.float64)).evaluate(FUNCTIONS).first
    mass = first[:, 0, 2] + first[:, 1, 2] + 2 * first[:, 2, 2]
    for function, y in zip(FUNCTIONS, mass, strict=True):
        length = max(map(len, graph_of(function)))
        if length == 1:
            assert min(abs(y - 3), abs(y - 4)) < 0.06
        elif length == 3:
            assert y == pytest.approx(2 + 2 / 3, abs=1e-3)
        else:
            assert y < 2.05


def test_three_positions_tie_in_a_cycle_of_three():
    first = fold(handcrafted_longest_cycle(dtype=torch.float64)).evaluate([[1, 2, 0]]).first
    assert np.allclose(first[0, 2], 1 / 3, atol=1e-6)


def test_it_treats_the_first_two_positions_alike():
    model = handcrafted_longest_cycle(dtype=torch.float64)
    swap = (1, 0, 2)
    x = torch.tensor(FUNCTIONS)
    renamed = torch.tensor([[swap[f[swap[i]]] for i in range(3)] for f in FUNCTIONS])
    assert torch.allclose(model(x), model(renamed))


def test_other_lengths_are_not_written():
    with pytest.raises(ValueError, match="handcrafted longest cycle model with seq_len 4"):
        handcrafted_longest_cycle(4)
