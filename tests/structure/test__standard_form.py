import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.structure import canonical_order, reorder_neurons, standard_form, weights_of
from algzoo.zoo import FAMILIES, SEEDS, ScalarRNN, zoo_2nd_argmax, zoo_median

SEED = st.integers(0, 2**32 - 1)
FAMILY = FAMILIES["2nd_argmax"]


def in_other_units(make_rnn, model, scale):
    """The same function, with the activation of neuron i multiplied by ``scale[i]``."""
    w_hi, w_hh, w_oh = weights_of(model)
    return make_rnn(
        w_hi * scale, w_hh * scale[:, None] / scale, w_oh / scale, seq_len=model.seq_len
    )


def assert_equal_weights(a, b, rtol=0.0):
    for matrix, other in zip(weights_of(a), weights_of(b), strict=True):
        np.testing.assert_allclose(matrix, other, rtol=rtol, atol=0)


@pytest.mark.parametrize("hidden_size", FAMILY.hidden_sizes)
@pytest.mark.parametrize("seq_len", FAMILY.seq_lens)
def test_bundled_models_in_standard_form_are_the_same_functions(hidden_size, seq_len):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(10_000, seq_len, generator=generator, dtype=torch.float64)
    for seed in SEEDS:
        model = zoo_2nd_argmax(hidden_size, seq_len, seed=seed).double()
        standard = standard_form(model)
        assert np.isin(standard.weights.w_hi, [-1, 0, 1]).all()
        with torch.no_grad():
            logits = model(x)
            difference = (standard(x) - logits).abs().max()
        assert difference <= 1e-9 * logits.abs().max()


def test_published_weights_of_m22(official_2_2):
    w_hi, w_hh, w_oh = standard_form(official_2_2).weights
    assert w_hi.tolist() == [1, -1]
    np.testing.assert_allclose(w_hh, [[-0.3821, 2.0852], [1.1415, -0.7515]], atol=5e-5)
    np.testing.assert_allclose(w_oh[1] - w_oh[0], [-79.64, 346.69], atol=5e-3)


def test_median_models_have_a_standard_form_too():
    model = zoo_median(4, 3).double()
    x = torch.linspace(-2, 2, 300, dtype=torch.float64).reshape(100, 3)
    torch.testing.assert_close(standard_form(model)(x), model(x), rtol=1e-9, atol=1e-9)
    assert standard_form(model).task_name == "median"


def test_model_itself_stays_as_it_was():
    model = zoo_2nd_argmax(2, 2)
    before = {key: weight.clone() for key, weight in model.state_dict().items()}
    standard_form(model)
    assert all(torch.equal(before[key], weight) for key, weight in model.state_dict().items())


def test_zero_input_weights_are_left_and_reported(make_rnn):
    w_hh = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    standard = standard_form(make_rnn([-4, 0, 2], w_hh, [[1, 1, 1], [0, 1, 2]]))
    assert standard.zero_inputs == (1,)
    assert standard.scale.tolist() == [4, 1, 2]
    assert standard.weights.w_hi.tolist() == [-1, 0, 1]
    assert standard.weights.w_hh.tolist() == [[1, 0.5, 1.5], [16, 5, 12], [14, 4, 9]]
    assert standard.weights.w_oh.tolist() == [[4, 1, 2], [0, 1, 4]]


def test_too_large_a_ratio_of_input_weights_is_refused(make_rnn):
    model = make_rnn([1e-200, 1e200], [[1, 1], [1, 1]], [[1, 1], [1, 1]])
    with pytest.raises(ValueError, match=r"overflows float64.*1e-200 to 1e\+200"):
        standard_form(model)


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_common_unit_of_the_neurons_does_not_matter(make_rnn, unit):
    # The ratio of the input weights is 2, and no weight of the standard form is extreme.
    w_hh, w_oh = np.array([[1, 2], [3, 4]]) * unit, np.array([[5, 6], [7, 8]]) / unit
    standard = standard_form(make_rnn(np.array([1, -2]) * unit, w_hh, w_oh))
    expected_w_hh = np.array([[1, 4], [1.5, 4]]) * unit
    np.testing.assert_allclose(standard.weights.w_hh, expected_w_hh, rtol=1e-12)
    np.testing.assert_allclose(standard.weights.w_oh, [[5, 12], [7, 16]], rtol=1e-12)


@given(SEED, st.integers(1, 6))
def test_standard_form_is_idempotent(gaussian_rnn, seed, hidden_size):
    once = standard_form(gaussian_rnn(seed, hidden_size))
    twice = standard_form(once)
    assert_equal_weights(once, twice)
    assert (twice.scale == 1).all()


@given(SEED, st.integers(2, 6))
def test_standard_form_and_order_do_not_depend_on_units_and_numbering(
    make_rnn, gaussian_rnn, seed, hidden_size
):
    rng = np.random.default_rng(seed)
    model = gaussian_rnn(seed, hidden_size)
    rescaled = in_other_units(make_rnn, model, np.exp(3 * rng.standard_normal(hidden_size)))
    renumbered = reorder_neurons(rescaled, rng.permutation(hidden_size))
    a, b = standard_form(model), standard_form(renumbered)
    a = reorder_neurons(a, canonical_order(a))
    b = reorder_neurons(b, canonical_order(b))
    assert_equal_weights(a, b, rtol=1e-12)


@given(SEED)
def test_order_of_neurons_with_the_same_readout_does_not_depend_on_numbering(make_rnn, seed):
    rng = np.random.default_rng(seed)
    model = make_rnn(np.ones(5), rng.standard_normal((5, 5)), np.ones((2, 5)))
    renumbered = reorder_neurons(model, rng.permutation(5))
    a = reorder_neurons(model, canonical_order(model))
    b = reorder_neurons(renumbered, canonical_order(renumbered))
    assert_equal_weights(a, b)


def test_canonical_order_by_input_sign_then_readout_norm_in_standard_form(make_rnn):
    w_hi = [0, -1, 2, 1, 0, -3]
    readout = [1, 9, 4, 6, 2, 4]  # in standard form: 1, 9, 8, 6, 2, 12
    model = make_rnn(w_hi, np.zeros((6, 6)), [readout, np.zeros(6)])
    assert canonical_order(model).tolist() == [2, 3, 5, 1, 4, 0]


def test_exact_duplicates_keep_their_order(make_rnn):
    model = make_rnn([1, 1, 1], np.ones((3, 3)), np.ones((2, 3)))
    assert canonical_order(model).tolist() == [0, 1, 2]


def test_reorder_puts_neuron_order_i_at_place_i(make_rnn):
    model = make_rnn([1, 2, 3], [[11, 12, 13], [21, 22, 23], [31, 32, 33]], [[4, 5, 6], [7, 8, 9]])
    w_hi, w_hh, w_oh = weights_of(reorder_neurons(model, [2, 0, 1]))
    assert w_hi.tolist() == [3, 1, 2]
    assert w_hh.tolist() == [[33, 31, 32], [13, 11, 12], [23, 21, 22]]
    assert w_oh.tolist() == [[6, 4, 5], [9, 7, 8]]
    assert weights_of(model).w_hi.tolist() == [1, 2, 3]


@given(SEED)
def test_reordered_model_is_the_same_function(seed):
    torch.manual_seed(seed)
    model = ScalarRNN(5, 4).double()
    x = torch.randn(20, 4, dtype=torch.float64)
    reordered = reorder_neurons(model, np.random.default_rng(seed).permutation(5))
    assert type(reordered) is ScalarRNN
    torch.testing.assert_close(reordered(x), model(x))


def test_reordered_standard_form_knows_its_scale_and_zero_inputs(make_rnn):
    model = make_rnn([0, -4, 2], np.ones((3, 3)), np.ones((2, 3)))
    reordered = reorder_neurons(standard_form(model), [1, 2, 0])
    assert reordered.scale.tolist() == [4, 2, 1]
    assert reordered.zero_inputs == (2,)


@pytest.mark.parametrize(
    "order", [[0, 0], [0], [0, 1, 2], [1, 2], [-1, 0], [], [[0, 1]], [True, False]], ids=str
)
def test_orders_that_are_no_permutation_are_refused(make_rnn, order):
    model = make_rnn([1, 2], [[1, 2], [3, 4]], [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="order must hold each"):
        reorder_neurons(model, order)
