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


def test_lambda_of_100_is_arcs_model_bit_for_bit():
    arcs = handcrafted_2nd_argmax(3).state_dict()
    ours = handcrafted_2nd_argmax(3, lam=100.0).state_dict()
    assert all(torch.equal(arcs[key], ours[key]) for key in arcs)
    # ARC's numbers, from the formula in integers: W_hh is W_hi's part over 2 * 100 + 1.
    expected = torch.tensor([9999, 10101, 10101, 10200], dtype=torch.float64) / 201
    found = arcs["rnn.weight_hh_l0"][[0, 0, 1, 1], [0, 1, 0, 1]].abs()
    assert torch.equal(found, expected.float())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("seq_len", [2, 3, 10])
def test_weights_are_of_the_number_type_asked_for(seq_len, dtype):
    model = handcrafted_2nd_argmax(seq_len, dtype=dtype)
    assert {p.dtype for p in model.parameters()} == {dtype}
    single = handcrafted_2nd_argmax(seq_len).state_dict()
    assert all(torch.equal(w.float(), single[key]) for key, w in model.state_dict().items())


@given(
    st.floats(0.01, 1e3),
    st.lists(st.floats(-1, 1), min_size=3, max_size=3),
)
def test_every_member_reads_two_differences(lam, sequence):
    x0, x1, x2 = sequence
    y0, y1 = lam * (x2 - x1) + x0 - x1, lam * (x2 - x1) + x2 - x0
    expected = [abs(y0) + abs(y1), (lam + 1) * abs(y1) - lam * abs(y0)]
    expected.append((lam + 1) * abs(y0) - lam * abs(y1))
    model = handcrafted_2nd_argmax(3, lam=lam, dtype=torch.float64)
    logits = model(torch.tensor([sequence], dtype=torch.float64))
    torch.testing.assert_close(
        logits[0],
        torch.tensor(expected, dtype=torch.float64),
        rtol=0,
        atol=1e-14 * (1 + lam) ** 4,  # weights of that size cancel in the readout
    )


@pytest.mark.parametrize("lam", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_lambdas_are_refused(lam):
    with pytest.raises(ValueError, match="lam must be a positive number"):
        handcrafted_2nd_argmax(3, lam=lam)


def test_only_three_inputs_have_a_lambda():
    with pytest.raises(ValueError, match=r"lam=5\.0 for seq_len 2"):
        handcrafted_2nd_argmax(2, lam=5.0)
