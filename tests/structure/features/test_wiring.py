"""The wiring of a network and what is derived from it, against sums written out by hand."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from algzoo.structure import Weights, weights_of
from algzoo.structure.features.formula import Formula, NotInGrammar, input_at, maximum
from algzoo.structure.features.wiring import Wiring, derived, states


@dataclass
class Known:
    unit: float
    formulas: tuple[Formula, ...]


def wiring(w_hi, w_hh, passed_on=None, seq_len=1):
    """Wiring of these weights on inputs of size 1, where the activations have the given sizes."""
    w_hi, w_hh = np.array(w_hi, float), np.array(w_hh, float)
    sizes = np.ones(len(w_hi)) if passed_on is None else np.array(passed_on, float)
    weights = Weights(w_hi, w_hh, np.zeros((1, len(w_hi))))
    return Wiring(weights, np.abs(w_hh) * sizes, np.abs(w_hi), sizes, sizes, seq_len)


def maxima(n_steps):
    return tuple(maximum([t]) for t in range(n_steps))


@pytest.mark.parametrize(("seq_len", "n_inputs"), [(1, 30), (2, 30), (5, 30), (2, 1)])
def test_sizes_are_root_mean_squares(gaussian_rnn, seq_len, n_inputs):
    weights = weights_of(gaussian_rnn(1, 4, seq_len=seq_len))
    x = np.random.default_rng(2).standard_normal((n_inputs, seq_len)) + 0.5
    found = Wiring.measured(weights, x)
    h = states(weights, x)
    for j in range(4):
        before = [h[t, k, j] ** 2 for t in range(seq_len - 1) for k in range(n_inputs)]
        passed_on = math.sqrt(sum(before) / len(before)) if before else 0.0
        assert found.passed_on[j] == pytest.approx(passed_on)
        everywhere = [h[t, k, j] ** 2 for t in range(seq_len) for k in range(n_inputs)]
        assert found.size[j] == pytest.approx(math.sqrt(sum(everywhere) / len(everywhere)))
        for i in range(4):
            assert found.received[i, j] == pytest.approx(abs(weights.w_hh[i, j]) * passed_on)
        input_size = math.sqrt(sum(v**2 for row in x for v in row) / (n_inputs * seq_len))
        assert found.driven[j] == pytest.approx(abs(weights.w_hi[j]) * input_size)
    assert found.seq_len == seq_len


def test_outside_share_is_that_of_the_sum_of_squares():
    rng = np.random.default_rng(0)
    w_hi, w_hh, sizes = rng.standard_normal(5), rng.standard_normal((5, 5)), rng.random(5)
    w_hi[4], w_hh[4] = 0, 0  # nothing reaches the last neuron
    found = wiring(w_hi, w_hh, sizes)
    for inside in ([2], [0, 3], [3, 0, 1], [0, 1, 2, 3, 4]):
        shares = found.outside_share(inside)
        for i, share in zip(inside, shares, strict=True):
            outside = sum((w_hh[i, j] * sizes[j]) ** 2 for j in range(5) if j not in inside)
            everything = w_hi[i] ** 2 + sum((w_hh[i, j] * sizes[j]) ** 2 for j in range(5))
            expected = math.sqrt(outside / everything) if everything else 1.0
            assert share == pytest.approx(expected)
    assert found.outside_share([4]) == [1]


def test_the_unit_is_the_input_weight_unless_it_is_negligible():
    # What neuron 0 receives: 3 from the input and 4 from neuron 1, together 5.
    one = wiring([-3, 0], [[0, 4], [0, 0]])
    known = {1: Known(2.0, maxima(1))}
    (claim,) = derived(one, [0], known, 3 / 5)
    assert (claim.unit, claim.from_input) == (3, -1)
    (claim,) = derived(one, [0], known, np.nextafter(3 / 5, 1))
    assert (claim.unit, claim.from_input) == (4 * 2, 0)
    # Where neuron 1 is no more known than neuron 0, there is no other unit.
    one = wiring([-3, 0], [[0, 4], [0, 1]])
    with pytest.raises(NotInGrammar, match="neuron 0 has no unit"):
        derived(one, [0, 1], {}, np.nextafter(3 / 5, 1))


def test_what_gives_the_unit_must_not_be_negligible():
    # Of the 5 that neuron 0 receives, 4 come from neuron 1, whose unit is known, 3 from itself.
    one = wiring([0, 0], [[3, 4], [0, 0]])
    known = {1: Known(1.0, maxima(1))}
    (claim,) = derived(one, [0], known, 4 / 5)
    assert claim.unit == 4
    with pytest.raises(NotInGrammar, match="neuron 0 has no unit") as raised:
        derived(one, [0], known, np.nextafter(4 / 5, 1))
    assert raised.value.neuron is None


def test_units_are_handed_on_the_best_founded_first():
    # Neuron 2 is known. Neuron 0 hears it faintly, but neuron 1, which hears it well, clearly.
    w_hh = [[0, 0.5, 0.1], [0, 0, -0.25], [0, 0, 0]]
    known = {2: Known(8.0, maxima(3))}
    zero, one = derived(wiring([0, 0, 0], w_hh, seq_len=3), [0, 1], known, 0.1)
    assert (one.unit, zero.unit) == (2, 1)
    assert (one.from_neurons, zero.from_neurons) == ({2: -1}, {1: 1, 2: 1})
    # In the other order of the group, and where the larger contribution is not the larger weight.
    sizes = [1, 0.1, 10]
    one, zero = derived(wiring([0, 0, 0], w_hh, sizes, seq_len=3), [1, 0], known, 0.1)
    assert (one.unit, zero.unit) == (2, 0.8)
    # 0.5 times the unit 2 over the unit 0.8 is 1.25, and loses 0.25 * 0.8 / 2 of a size of 0.1.
    assert zero.from_neurons == {1: 1, 2: 1}
    assert zero.rounded_share == pytest.approx(0.01 / math.hypot(0.05, 1))
    assert one.rounded_share == 0


def test_claims_are_rounded_in_natural_units():
    rng = np.random.default_rng(4)
    w_hi = np.array([2.0, -0.5, 3.0, 0.0])
    # Neurons 0 and 1 are claimed, 2 is known, 3 lies outside and does not matter.
    w_hh = np.array([[0.3, -2.2, 0.9, 50], [-0.2, 0.4, 0.25, -70], [9, 9, 9, 9], [9, 9, 9, 9]])
    sizes = rng.uniform(0.2, 0.6, 4)
    unit = {0: 2.0, 1: 0.5, 2: 1.5}
    claims = derived(wiring(w_hi, w_hh, sizes), [0, 1], {2: Known(1.5, maxima(1))}, 0.1)
    assert [c.neuron for c in claims] == [0, 1]
    assert [c.unit for c in claims] == [2, 0.5]
    assert [c.from_input for c in claims] == [1, -1]
    for claim in claims:
        i = claim.neuron
        whole = {j: round(w_hh[i, j] * unit[j] / unit[i]) for j in unit}
        assert claim.from_neurons == {j: weight for j, weight in whole.items() if weight}
        lost = sum(((w_hh[i, j] - whole[j] * unit[i] / unit[j]) * sizes[j]) ** 2 for j in unit)
        received = w_hi[i] ** 2 + sum((w_hh[i, j] * sizes[j]) ** 2 for j in unit)
        assert claim.rounded_share == pytest.approx(math.sqrt(lost / received))
    assert [c.formulas for c in claims] == [
        (maximum([0]),),
        (maximum([0]) - input_at(0),),
    ]


def test_counts_that_are_too_large_are_refused():
    def of(weight):
        return derived(wiring([1, 1], [[weight, 0], [0, 0]]), [0, 1], {}, 0.0)

    claim, _ = of(-(2.0**31))
    assert claim.from_neurons == {0: -(2**31)}
    with pytest.raises(NotInGrammar, match=r"a weight is 2\.15e\+09 units, too many"):
        of(2.0**31 + 1)


def test_what_leaves_the_grammar_is_said_with_step_and_neuron():
    # Neuron 5 is known to hold x[t-1]; neuron 3 takes it from the newest input.
    w_hh = np.zeros((6, 6))
    w_hh[3, 5] = -1
    known = {5: Known(1.0, tuple(input_at(t) for t in range(4)))}
    one = wiring([0, 0, 1, 1, 0, 0], w_hh, seq_len=4)
    message = "ReLU of the difference of two inputs at step 1 in neuron 3"
    with pytest.raises(NotInGrammar, match=message):
        derived(one, [2, 3], known, 0.1)
    with pytest.raises(NotInGrammar, match=message):
        derived(one, [3], known, 0.1)
