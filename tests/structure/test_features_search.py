"""The search for features, its numbers recounted by hand on the inputs that it names."""

import math
from itertools import combinations

import numpy as np
import pytest

from algzoo.structure import weights_of
from algzoo.structure.features.check import checked, r_squared
from algzoo.structure.features.formula import Formula, input_at, maximum
from algzoo.structure.features.search import Thresholds, find_features
from algzoo.zoo import zoo_2nd_argmax

QUICK = Thresholds(n_inputs=500)

# A prefix maximum in two neurons, how far it lies above the newest input, a delayed input, and two
# dense neurons, one of which is about a tenth of what the third neuron hears.
W_HI = [0, 1, -1, 1, 0, 0.7, -1.3]
W_HH = [
    [1.02, 1, 0, 0, 0, 0, 0],
    [-1, -1, 0, 0, 0, 0.02, 0],
    [1, 1.05, 0, 0, 0, 0.12, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 2.2, 0, 0, 0.04],
    [0.3, -0.8, 0.5, 0.2, 0.1, -0.4, 0.3],
    [-0.6, 0.4, 0.4, -0.3, 0.7, 0.5, 0.2],
]


@pytest.fixture(scope="module")
def planted(make_rnn):
    return make_rnn(W_HI, W_HH, np.ones((6, 7)), seq_len=6)


def two_samples(thresholds, seq_len):
    """The inputs on which sizes are measured and those on which formulas are checked."""
    rng = np.random.default_rng(thresholds.seed)
    shape = (thresholds.n_inputs, seq_len)
    return rng.standard_normal(shape), rng.standard_normal(shape)


def activations(model, x):
    """Shape (seq_len, n_inputs, hidden_size)."""
    w_hi, w_hh, _ = weights_of(model)
    found = [np.zeros((len(x), len(w_hi)))]
    for t in range(x.shape[1]):
        found.append(np.maximum(found[-1] @ w_hh.T + np.outer(x[:, t], w_hi), 0))
    return np.array(found[1:])


def outside_share(model, x, neuron, inside):
    w_hi, w_hh, _ = weights_of(model)
    h = activations(model, x)
    parts = [abs(w_hh[neuron, j]) * math.sqrt((h[:-1, :, j] ** 2).mean()) for j in range(len(w_hi))]
    from_input = abs(w_hi[neuron]) * math.sqrt((x**2).mean())
    outside = [part for j, part in enumerate(parts) if j not in inside]
    return math.hypot(*outside) / math.hypot(*parts, from_input)


def share_of_group(model, x, group, explained):
    return max(outside_share(model, x, i, {*group, *explained}) for i in group)


def test_thresholds_are_those_that_are_said_to_be_usual():
    assert Thresholds() == Thresholds(
        max_outside_share=1 / 4,
        negligible=1 / 10,
        max_new_neurons=3,
        min_r2=0.85,
        n_inputs=16_384,
        seed=0,
    )


def test_features_are_measured_on_the_inputs_of_the_seed(planted):
    for seed in (0, 1):
        thresholds = Thresholds(n_inputs=500, seed=seed)
        search = find_features(planted, thresholds)
        assert search.subcircuits == ((3,), (4,), (0, 1), (2,))
        measured, tried = two_samples(thresholds, 6)
        h = activations(planted, tried)
        before = set()
        for group in search.subcircuits:
            for i in group:
                feature = search.features[i]
                share = outside_share(planted, measured, i, before | set(group))
                assert feature.outside_share == pytest.approx(share)
                assert feature.neuron == i
                # From the actual activations before each step, by the rounded weights.
                for t in range(6):
                    drive = feature.from_input * tried[:, t]
                    for source, weight in feature.from_neurons.items() if t else ():
                        unit = search.features[source].unit
                        drive = drive + weight * h[t - 1, :, source] / unit
                    actual = h[t, :, i] / feature.unit
                    error = ((actual - np.maximum(drive, 0)) ** 2).sum()
                    deviation = ((actual - actual.mean()) ** 2).sum()
                    if deviation:
                        assert feature.rule_r2[t] == pytest.approx(1 - error / deviation)
                    else:
                        assert feature.rule_r2[t] == 1
                check = checked(h[:, :, i], feature.unit, feature.formulas, tried)
                np.testing.assert_allclose(feature.check.r2, check.r2, rtol=1e-12)
                assert feature.check.worst_error == pytest.approx(check.worst_error)
            before |= set(group)
        assert {i: f.from_input for i, f in search.features.items()} == {
            3: 1,
            4: 0,
            0: 0,
            1: 1,
            2: -1,
        }
        assert search.features[4].from_neurons == {3: 1}
        assert search.features[4].unit == 2.2
        assert search.features[2].from_neurons == {0: 1, 1: 1}


def test_groups_are_counted_and_the_next_one_is_named(planted):
    search = find_features(planted, QUICK)
    # Each single one of 7; of 6; of 5, and their pairs; of 3; all groups of the 2 that are left.
    assert search.n_groups == 7 + 6 + (5 + 10) + 3 + (2 + 1)
    x, _ = two_samples(QUICK, 6)
    shares = {g: share_of_group(planted, x, g, search.features) for g in [(5,), (6,), (5, 6)]}
    isolated = [g for g, share in shares.items() if share <= 0.25]
    assert [r.neurons for r in search.rejected] == isolated == [(5, 6)]
    assert search.next_group == min([(5,), (6,)], key=shares.__getitem__)
    assert search.next_outside_share == pytest.approx(shares[search.next_group])


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_group_nearest_to_isolation_is_the_nearest_of_all(most):
    model = zoo_2nd_argmax(8, 5, seed=1)
    thresholds = Thresholds(n_inputs=300, max_outside_share=0.1, max_new_neurons=most)
    search = find_features(model, thresholds)
    x, _ = two_samples(thresholds, 5)
    groups = [g for size in range(1, most + 1) for g in combinations(range(8), size)]
    shares = {g: share_of_group(model, x, g, ()) for g in groups}
    assert search.n_groups == len(groups)
    assert search.subcircuits == ()
    assert search.next_group == min(groups, key=shares.__getitem__)
    assert search.next_outside_share == pytest.approx(min(shares.values()))


def test_of_equally_isolated_groups_the_smaller_is_named(make_rnn):
    # Neuron 0 hears neuron 2, with or without neuron 1, which hears neuron 0 alone.
    model = make_rnn([1, 0, 0.5], [[0, 0, 0.8], [1, 0, 0], [-1, 5, 0]], np.ones((4, 3)), seq_len=4)
    search = find_features(model, Thresholds(n_inputs=300, max_new_neurons=2))
    x, _ = two_samples(Thresholds(n_inputs=300), 4)
    share = share_of_group(model, x, (0,), ())
    assert share_of_group(model, x, (0, 1), ()) == share
    assert (search.subcircuits, search.next_group) == ((), (0,))
    assert search.next_outside_share == pytest.approx(share)


def with_one_different(thresholds, **changed):
    return Thresholds(**{**vars(thresholds), **changed})


def test_a_share_as_large_as_the_threshold_is_small_enough(planted):
    feature = find_features(planted, QUICK).features[2]
    assert 0.05 < feature.outside_share < 0.25
    at = with_one_different(QUICK, max_outside_share=feature.outside_share)
    below = with_one_different(QUICK, max_outside_share=np.nextafter(feature.outside_share, 0))
    assert 2 in find_features(planted, at).features
    search = find_features(planted, below)
    assert 2 not in search.features
    assert search.subcircuits == ((3,), (4,), (0, 1))


def test_an_r2_as_large_as_the_threshold_is_good_enough(planted):
    feature = find_features(planted, QUICK).features[2]
    r2 = float(feature.check.r2[-1])
    assert r2 == min(f.check.r2[-1] for f in find_features(planted, QUICK).features.values())
    assert 2 in find_features(planted, with_one_different(QUICK, min_r2=r2)).features
    search = find_features(planted, with_one_different(QUICK, min_r2=np.nextafter(r2, 2)))
    assert 2 not in search.features
    reasons = {r.neurons: r.reason for r in search.rejected}
    assert reasons[(2,)] == f"{feature.text}: R^2 {r2:.2f}"


def test_groups_of_one_size_come_one_by_one_but_single_neurons_together(make_rnn):
    # Two prefix maxima, each in two neurons that hear a dense one a little, the first pair more
    # so, and two neurons that hear the input alone.
    w_hh = np.zeros((7, 7))
    for i, leak in ((0, 0.015), (2, 0.005)):
        w_hh[i : i + 2, i : i + 2] = [[1, 1], [-1, -1]]
        w_hh[i, 6] = leak
    w_hh[6] = [0.3, -0.8, 0.5, -0.9, 0.7, -0.4, 0.3]
    model = make_rnn([0, 1, 0, 1, 1, -2, 1], w_hh, np.ones((5, 7)), seq_len=5)
    search = find_features(model, Thresholds(n_inputs=500, max_new_neurons=2))
    assert search.subcircuits == ((4, 5), (2, 3), (0, 1))
    assert list(search.features) == [4, 5, 2, 3, 0, 1]


def test_a_ring_of_three_is_one_group(make_rnn):
    # Each neuron hears the one before it as clearly as the input, so that no two are isolated.
    w_hh = np.array([[0, 0, -1], [-1, 0, 0], [0, -1, 0]]) * 5
    model = make_rnn([1, 1, -1], w_hh, np.ones((3, 3)), seq_len=3)
    enough = Thresholds(n_inputs=500, min_r2=-np.inf)
    found = find_features(model, enough)
    reached = found.subcircuits + tuple(r.neurons for r in found.rejected)
    assert reached == ((0, 1, 2),)
    fewer = find_features(model, with_one_different(enough, max_new_neurons=2))
    assert fewer.subcircuits == fewer.rejected == ()


@pytest.mark.parametrize("n", [1, 2, 4])
def test_checks_by_hand(n):
    rng = np.random.default_rng(n)
    # Distinct whole numbers, often with a zero among them.
    x = np.array([rng.permutation(np.arange(-4, 3))[:n] for _ in range(300)], float)
    formulas = [maximum(range(t + 1)) - 2 * input_at(t) for t in range(n)]
    exact = np.array([[max(0, *row[: t + 1]) - 2 * row[t] for row in x] for t in range(n)])
    actual = 1.5 * exact + rng.standard_normal(exact.shape) * (1 + (x.T > 0)) + 0.3
    found = checked(3 * actual, 3, formulas, x)
    for t in range(n):
        f, h = exact[t], actual[t]
        factor = sum(f * h) / sum(f * f)
        about_mean, about_zero = sum((h - h.mean()) ** 2), sum(h**2)
        assert found.fitted_unit[t] == pytest.approx(factor)
        assert found.r2[t] == pytest.approx(1 - sum((h - factor * f) ** 2) / about_mean)
        assert found.r2_as_derived[t] == pytest.approx(1 - sum((h - f) ** 2) / about_mean)
        assert found.r2_about_zero[t] == pytest.approx(1 - sum((h - factor * f) ** 2) / about_zero)
        design = np.c_[[max(0, *row[: t + 1]) for row in x], x[:, t], np.ones(300)]
        left = np.linalg.lstsq(design, h, rcond=None)[1]
        assert found.r2_of_terms[t] == pytest.approx(1 - float(left[0]) / about_mean)
    error = actual[-1] - found.fitted_unit[-1] * exact[-1]
    worst = max(range(300), key=lambda k: abs(error[k]))
    assert found.worst_error == pytest.approx(error[worst])
    np.testing.assert_array_equal(found.worst_input, x[worst])
    assert found.typical == pytest.approx(math.sqrt(np.mean(actual[-1] ** 2)))
    assert_conditions_are_counted(found.conditions, error**2, x)


def assert_conditions_are_counted(conditions, squares, x):
    n = x.shape[1]
    holds = {
        "no input is positive": [max(row) <= 0 for row in x],
        "the newest input is positive": [row[-1] > 0 for row in x],
        "the newest input is negative": [row[-1] < 0 for row in x],
    }
    for age in range(n):
        name = f"x[t-{age}]" if age else "x[t]"
        place = n - 1 - age
        holds[f"the largest input is {name}"] = [row[place] == max(row) for row in x]
        if n > 1:
            holds[f"the second-largest input is {name}"] = [
                row[place] == sorted(row)[-2] for row in x
            ]
    assert {c.text for c in conditions} == set(holds)
    for c in conditions:
        there = np.array(holds[c.text])
        assert c.probability == pytest.approx(there.mean())
        assert c.error_share == pytest.approx(squares[there].sum() / squares.sum())
        expected = squares[there].mean() / squares.mean() if there.any() else 0.0
        assert c.concentration == pytest.approx(expected)
    assert [c.concentration for c in conditions] == sorted(
        (c.concentration for c in conditions), reverse=True
    )


def test_a_formula_without_error_has_conditions_without_share():
    x = np.array([[1.0, 2.0], [3.0, -1.0], [2.0, 5.0]])
    found = checked(x.T.clip(0), 1, [maximum([0]), maximum([1])], x)
    assert {c.error_share for c in found.conditions} == {0.0}
    assert {c.concentration for c in found.conditions} == {0.0}
    assert next(c.probability for c in found.conditions if "no input" in c.text) == 0


def test_a_formula_that_is_zero_is_left_in_its_unit():
    x = np.random.default_rng(0).standard_normal((50, 2))
    h = np.abs(x.T)
    found = checked(h, 1, [Formula(), Formula()], x)
    np.testing.assert_array_equal(found.fitted_unit, [1, 1])
    np.testing.assert_allclose(found.r2_of_terms, 0, atol=1e-12)
    np.testing.assert_allclose(found.r2_about_zero, 0, atol=1e-12)
    expected = [1 - sum(row**2) / sum((row - row.mean()) ** 2) for row in h]
    np.testing.assert_allclose(found.r2, expected)
    np.testing.assert_allclose(r_squared(h, np.zeros_like(h)), expected)
