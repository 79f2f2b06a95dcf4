import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from algzoo.estimates import exact, sampling
from algzoo.structure import decision_cones, outputs, reorder_neurons, standard_form, weights_of
from algzoo.zoo import SEEDS, DistRNN, zoo_2nd_argmax

SEED = st.integers(0, 2**32 - 1)


@st.composite
def small_integer_matrices(draw):
    """W_hi, W_hh and W_oh with many ties, parallel planes, duplicates and zeros."""
    d = draw(st.integers(1, 5))
    entry = st.integers(-2, 2).map(float)
    return tuple(draw(arrays(float, shape, elements=entry)) for shape in [(d,), (d, d), (3, d)])


def noisy_models(n, sd=0.05, seed=0):
    """The bundled M4,3 with independent Gaussian noise on all raw weights."""
    generator = torch.Generator().manual_seed(seed)
    models = [copy.deepcopy(zoo_2nd_argmax(4, 3)).double() for _ in range(n)]
    for model in models:
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data += sd * noise
    return models


def accuracy_of_partition(model):
    """The sum over the cones where the model is right."""
    return sum(cone.fraction for cone in decision_cones(model) if cone.is_right)


def test_bundled_m43():
    # design/exact-estimates.md, section 2
    assert exact(zoo_2nd_argmax(4, 3, seed=0)).value == pytest.approx(0.98460971, abs=5e-9)


@pytest.mark.parametrize(
    ("seed", "accuracy"), [(1, 0.89291), (2, 0.75903), (3, 0.90445), (4, 0.94516)]
)
def test_other_seeds_of_m43(seed, accuracy):
    # design/exact-estimates.md, section 7
    assert exact(zoo_2nd_argmax(4, 3, seed=seed)).value == pytest.approx(accuracy, abs=5e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_bundled_m43_against_samples(seed):
    model = zoo_2nd_argmax(4, 3, seed=seed)
    sampled = sampling(model, 2**22, seed)
    assert abs(exact(model).value - sampled.value) < 4 * sampled.std


@pytest.mark.parametrize("hidden_size", [2, 3, 8, 16, 32])
def test_other_sizes_against_samples(hidden_size):
    model = zoo_2nd_argmax(hidden_size, 3)
    sampled = sampling(model, 2**20, hidden_size)
    assert abs(exact(model).value - sampled.value) < 4 * sampled.std


def test_noisy_models_against_samples():
    models = noisy_models(64)
    values = np.array([exact(model).value for model in models])
    x = np.random.default_rng(0).standard_normal((2**15, 3))
    right = x.argsort(-1)[:, 1]
    sampled = [(outputs(weights_of(model), x).argmax(-1) == right).mean() for model in models]
    z = (sampled - values) / np.sqrt(values * (1 - values) / len(x))
    assert np.abs(z).max() < 4.5


def test_operations_on_noisy_models():
    # design/exact-estimates.md, section 2: 18,302 for the prototype on each polygon alone
    operations = np.array([exact(model).operations for model in noisy_models(64)])
    assert operations.mean() < 6000
    assert operations.max() < 18_302


@given(SEED, st.integers(1, 6))
def test_accuracy_is_the_sum_over_the_partition(gaussian_rnn, seed, hidden_size):
    model = gaussian_rnn(seed, hidden_size, seq_len=3)
    assert exact(model).value == pytest.approx(accuracy_of_partition(model), abs=1e-13)


@given(small_integer_matrices())
def test_accuracy_is_the_sum_over_the_partition_with_ties(make_rnn, matrices):
    model = make_rnn(*matrices, seq_len=3)
    assert exact(model).value == pytest.approx(accuracy_of_partition(model), abs=1e-13)


@given(SEED, st.integers(1, 5))
def test_accuracy_does_not_depend_on_units_or_numbering(make_rnn, gaussian_rnn, seed, d):
    rng = np.random.default_rng(seed)
    model = gaussian_rnn(seed, d, seq_len=3)
    w_hi, w_hh, w_oh = weights_of(model)
    c = np.exp(2 * rng.standard_normal(d))
    rescaled = make_rnn(w_hi * c, w_hh * c[:, None] / c, w_oh / c, seq_len=3)
    renumbered = reorder_neurons(model, rng.permutation(d))
    value = exact(model).value
    assert exact(rescaled).value == pytest.approx(value, abs=1e-11)
    assert exact(standard_form(model)).value == pytest.approx(value, abs=1e-11)
    assert exact(renumbered).value == pytest.approx(value, abs=1e-13)


@given(SEED)
def test_mirrored_model_is_as_good_on_the_mirrored_task(make_rnn, gaussian_rnn, seed):
    # Of three inputs, the middle one keeps its place when all change sign.
    model = gaussian_rnn(seed, 4, seq_len=3)
    w_hi, w_hh, w_oh = weights_of(model)
    assert exact(make_rnn(-w_hi, w_hh, w_oh, seq_len=3)).value == pytest.approx(
        exact(model).value, abs=1e-13
    )


def difference_of_inputs(sign=1.0):
    """Two neurons whose logits are the positive parts of x2 - x1 and x1 - x2, times ``sign``."""
    # Neurons 0 and 1 hold the parts of x1 after x1; 2 and 3 take their difference from x2.
    w_hh = [[0, 0, 0, 0], [0, 0, 0, 0], [-1, 1, 0, 0], [1, -1, 0, 0]]
    return [1, -1, 1, -1], w_hh, sign * np.array([[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def test_decisions_on_the_planes_of_the_task(make_rnn):
    # The answer is 1 where x2 > x1 and 2 where x2 < x1: each right in 1 of 3 orders.
    assert exact(make_rnn(*difference_of_inputs(), seq_len=3)).value == pytest.approx(
        1 / 3, abs=1e-15
    )
    # Neither logit is positive, so the answer is always 0.
    assert exact(make_rnn(*difference_of_inputs(-1.0), seq_len=3)).value == pytest.approx(
        1 / 3, abs=1e-15
    )


@pytest.mark.parametrize("answer", [0, 1, 2])
def test_constant_answers_are_right_in_a_third(make_rnn, answer):
    w_oh = np.zeros((3, 2))
    w_oh[answer] = 1
    model = make_rnn([1, -1], [[1, 1], [1, 1]], w_oh, seq_len=3)
    assert exact(model).value == pytest.approx(1 / 3, abs=1e-15)


def handcrafted_family(make_rnn, lam):
    """The network of design/exact-estimates.md, section 4: parts of two linear functions y."""
    u = np.array([[1, 0, 0, -1], [0, 1, -1, 0]])
    off = lam**2 + lam + 1
    w_hh = u.T @ np.array([[lam**2 - 1, -off], [off, -(lam**2 + 2 * lam)]]) @ u / (2 * lam + 1)
    w_oh = np.array([[1, 1], [-lam, lam + 1], [lam + 1, -lam]]) @ np.abs(u)
    return make_rnn(u.T @ [lam, lam + 1], w_hh, w_oh, seq_len=3)


@pytest.mark.parametrize(("lam", "error"), [(3, 2.249e-2), (5, 9.11e-3), (10, 2.500e-3)])
def test_handcrafted_family_of_three_inputs(make_rnn, lam, error):
    assert 1 - exact(handcrafted_family(make_rnn, lam)).value == pytest.approx(error, rel=4e-4)


@pytest.mark.parametrize("lam", [63.5, 511.5, 8191.5])  # so that the weights are not rounded
def test_small_errors_of_the_handcrafted_family_follow_its_formula(make_rnn, lam):
    # Two wedges about x1 = x2, of small angles.
    formula = 3**0.5 / (2 * np.pi) * (1 / (2 * lam * (lam + 1)) + 1 / (2 * lam * (lam + 1) + 1))
    error = 1 - exact(handcrafted_family(make_rnn, lam)).value
    assert error == pytest.approx(formula, rel=2 / lam**2, abs=1e-14)


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_extreme_weights_do_not_overflow(make_rnn, unit):
    model = zoo_2nd_argmax(4, 3)
    w_hi, w_hh, w_oh = weights_of(model)
    extreme = make_rnn(w_hi * unit, w_hh, w_oh / unit, seq_len=3)
    assert exact(extreme).value == pytest.approx(exact(model).value, abs=1e-13)


def test_models_with_biases_are_refused():
    with pytest.raises(ValueError, match="bias"):
        exact(DistRNN(2, 3, bias=True))


def test_exact_values_say_so():
    estimate = exact(zoo_2nd_argmax(4, 3))
    assert estimate.std == 0.0
