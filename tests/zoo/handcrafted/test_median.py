from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.zoo import task_median
from algzoo.zoo.handcrafted.median import forgetful_median, handcrafted_median


def output_in_fractions(model, inputs):
    """Output of a model by exact arithmetic, on inputs that are fractions."""
    w_hi, w_hh, w_oh = (
        [[Fraction(w) for w in row] for row in parameter.tolist()]
        for parameter in model.parameters()
    )
    state = [Fraction(0)] * model.hidden_size
    for x in inputs:
        drives = [
            sum(w * h for w, h in zip(row, state, strict=True)) + w_in * x
            for row, (w_in,) in zip(w_hh, w_hi, strict=True)
        ]
        state = [max(drive, Fraction(0)) for drive in drives]
    return sum(w * h for w, h in zip(w_oh[0], state, strict=True))


@pytest.mark.parametrize(("seq_len", "hidden_size"), [(2, 2), (3, 6)])
def test_the_median_of_gaussian_inputs(seq_len, hidden_size):
    model = handcrafted_median(seq_len, dtype=torch.float64)
    assert model.hidden_size == hidden_size
    x = torch.randn((10_000, seq_len), generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        torch.testing.assert_close(model(x)[:, 0], task_median(x), rtol=0, atol=1e-14)


@given(st.lists(st.fractions(-9, 9), min_size=3, max_size=3))
def test_it_is_exact_for_three_numbers_ties_included(inputs):
    assert output_in_fractions(handcrafted_median(3), inputs) == sorted(inputs)[1]


@given(st.lists(st.fractions(-9, 9), min_size=2, max_size=2))
def test_it_is_exact_for_two_numbers(inputs):
    assert output_in_fractions(handcrafted_median(2), inputs) == sum(inputs) / 2


@pytest.mark.parametrize("seq_len", [1, 4, 5, "3", True])
def test_other_lengths_are_refused(seq_len):
    with pytest.raises(ValueError, match="handcrafted median model"):
        handcrafted_median(seq_len)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_number_types(dtype):
    assert handcrafted_median(3, dtype=dtype).dtype == dtype
    assert forgetful_median(10.0, dtype=dtype).dtype == dtype


def test_the_forgetful_model_forgets_negative_numbers():
    model = forgetful_median(100.0, dtype=torch.float64)
    with torch.no_grad():
        x = torch.tensor([[-1.0, 0.7], [-5.0, 0.7], [-5.0, -0.7], [1.0, 0.5], [1.0, -2.0]])
        output = model(x.double())[:, 0].numpy()
    kept = (1 / 2 - 1 / np.pi) * 0.7
    np.testing.assert_allclose(output, [kept, kept, 0, 0.75, 0], rtol=1e-7)


@pytest.mark.parametrize("gate", [0, -1, float("inf"), float("nan")])
def test_gates_are_positive_numbers(gate):
    with pytest.raises(ValueError, match="gate"):
        forgetful_median(gate)
