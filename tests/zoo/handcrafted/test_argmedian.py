from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.estimates import sampling
from algzoo.estimates.few_inputs.three import argmedian_of_three
from algzoo.structure import weights_of
from algzoo.zoo.handcrafted.argmedian import least_distance_argmedian, ranking_argmedian
from algzoo.zoo.handcrafted.lengths import top_two_2nd_argmax
from algzoo.zoo.tasks import task_argmedian


def exact_logits(model, x):
    """Logits in rational arithmetic."""
    w_hi, w_hh, w_oh = (np.vectorize(Fraction)(w) for w in weights_of(model))
    state = np.full(len(w_hi), Fraction(0))
    for number in x:
        state = np.maximum(w_hh @ state + w_hi * number, Fraction(0))
    return w_oh @ state


@given(st.lists(st.fractions(-9, 9, max_denominator=20), min_size=2, max_size=6, unique=True))
def test_least_distance_is_right_in_real_numbers(x):
    logits = exact_logits(least_distance_argmedian(len(x)), x)
    right = sorted(range(len(x)), key=x.__getitem__)[len(x) // 2]
    assert logits[right] > max(np.delete(logits, right))


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=7, unique=True))
def test_least_distance_logits_are_the_sums_of_distances(x):
    model = least_distance_argmedian(len(x), dtype=torch.float64)
    logits = model(torch.tensor([x], dtype=torch.float64))[0].detach().numpy()
    sums = np.abs(np.subtract.outer(x, x)).sum(axis=1)
    # Whole weights and whole inputs: no rounding. A number added to all is immaterial.
    found = logits + sums - (np.array(x) if len(x) % 2 == 0 else 0)
    assert np.ptp(found) == 0


@pytest.mark.parametrize("seq_len", [2, 3, 5, 7, 11])
def test_sizes(seq_len):
    least = least_distance_argmedian(seq_len)
    assert least.hidden_size == (seq_len - 1) * (seq_len + 2) // 2
    assert least.task_name == "argmedian"
    assert ranking_argmedian(seq_len).hidden_size == 4 * (seq_len - seq_len // 2) + 4
    assert all((w == np.rint(w)).all() for w in weights_of(least))


@pytest.mark.parametrize("seq_len", [3, 5, 11])
def test_least_distance_is_right_on_gaussian_inputs(seq_len):
    assert sampling(least_distance_argmedian(seq_len, dtype=torch.float64), 2**14, 0).value == 1


def test_three_inputs_exactly():
    assert argmedian_of_three(least_distance_argmedian(3)).value == 1
    errors = [1 - argmedian_of_three(ranking_argmedian(3, gate=2.0**k)).value for k in (7, 9, 11)]
    ratios = np.array(errors[:-1]) / errors[1:]
    # As one over the gate.
    assert ((ratios > 3.5) & (ratios < 4.5)).all()


def test_ranking_of_three_inputs_is_the_list_of_two():
    ours, theirs = ranking_argmedian(3), top_two_2nd_argmax(3)
    x = torch.randn(2**12, 3, generator=torch.Generator().manual_seed(0))
    same = (ours(x).argmax(-1) == theirs(x).argmax(-1)).double().mean()
    assert same > 0.998
    for one, other in zip(weights_of(ours), weights_of(theirs), strict=True):
        assert sorted(map(abs, one.ravel())) == sorted(map(abs, other.ravel()))


@pytest.mark.parametrize("seq_len", [4, 5, 11])
def test_ranking_is_right_but_on_ramps(seq_len):
    model = ranking_argmedian(seq_len, gate=1e7, dtype=torch.float64)
    x = torch.randn(2**13, seq_len, generator=torch.Generator().manual_seed(1)).double()
    right = model(x).argmax(-1) == task_argmedian(x)
    assert right.double().mean() > 1 - 5e-4


@pytest.mark.parametrize("build", [least_distance_argmedian, ranking_argmedian])
def test_too_short(build):
    with pytest.raises(ValueError, match="seq_len must be 2"):
        build(1)


def test_ranking_gate_must_be_positive():
    with pytest.raises(ValueError, match=r"gate.*got 0"):
        ranking_argmedian(5, gate=0)
