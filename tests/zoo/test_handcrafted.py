import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.zoo import handcrafted_2nd_argmax

NUMBERS = st.floats(-1e6, 1e6, width=32)


@given(NUMBERS, NUMBERS)
def test_logits_differ_by_exactly_twice_the_difference(x0, x1):
    x = torch.tensor([[x0, x1]])
    logits = handcrafted_2nd_argmax(2)(x)
    assert logits[0, 1] - logits[0, 0] == 2 * (x[0, 0] - x[0, 1])


@pytest.mark.parametrize("seq_len", [1, 3, True])
def test_other_lengths_are_not_written_yet(seq_len):
    with pytest.raises(ValueError, match=f"seq_len {seq_len}, please choose one of: 2"):
        handcrafted_2nd_argmax(seq_len)
