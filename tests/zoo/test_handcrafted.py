import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.estimates import sampling
from algzoo.zoo import handcrafted_2nd_argmax

NUMBERS = st.floats(-1e6, 1e6, width=32)


@given(NUMBERS, NUMBERS)
def test_logits_differ_by_exactly_twice_the_difference(x0, x1):
    x = torch.tensor([[x0, x1]])
    logits = handcrafted_2nd_argmax(2)(x)
    assert logits[0, 1] - logits[0, 0] == 2 * (x[0, 0] - x[0, 1])


@given(st.lists(st.integers(-1000, 1000), min_size=3, max_size=3))
def test_of_three_reads_absolute_values_of_two_differences(sequence):
    x0, x1, x2 = sequence
    y0, y1 = 100 * (x2 - x1) + x0 - x1, 100 * (x2 - x1) + x2 - x0
    expected = [
        abs(y0) + abs(y1),
        101 * abs(y1) - 100 * abs(y0),
        101 * abs(y0) - 100 * abs(y1),
    ]
    logits = handcrafted_2nd_argmax(3).double()(torch.tensor([sequence], dtype=torch.float64))
    # Rounding the weights, up to 51, to float32 moves y by 0.063 times the largest input at most:
    # two sums of two products, one after the other, of states up to 101 times that input.
    tolerance = 2 * 101 * 0.063 * max(map(abs, sequence))
    torch.testing.assert_close(
        logits[0], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=tolerance
    )


@given(st.lists(st.integers(-1000, 1000), min_size=10, max_size=10))
def test_of_ten_weighs_each_input_against_the_largest_of_the_others(sequence):
    expected = [
        max(0, sequence[i]) + 2 * max(0, *sequence[:i], *sequence[i + 1 :]) for i in range(10)
    ]
    logits = handcrafted_2nd_argmax(10)(torch.tensor([sequence], dtype=torch.float32))
    assert logits[0].tolist() == expected


@pytest.mark.parametrize(
    ("seq_len", "hidden_size", "accuracy"), [(2, 2, 1.0), (3, 4, 0.9999), (10, 22, 0.99)]
)
def test_accuracy_is_as_arc_published(seq_len, hidden_size, accuracy):
    model = handcrafted_2nd_argmax(seq_len)
    assert (model.hidden_size, model.seq_len) == (hidden_size, seq_len)
    sampled = sampling(model, 2**18, seed=0)
    # ARC gives four, three and two digits.
    assert abs(sampled.value - accuracy) < 5 * sampled.std + (1 - accuracy) / 20


@pytest.mark.parametrize("seq_len", [1, 4, True, 3.0])
def test_other_lengths_are_named_with_the_choices(seq_len):
    message = (
        f"No handcrafted 2nd argmax model with seq_len {seq_len}, please choose one of: 2, 3, 10"
    )
    with pytest.raises(ValueError, match=message):
        handcrafted_2nd_argmax(seq_len)
