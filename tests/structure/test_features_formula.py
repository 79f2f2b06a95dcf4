import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algzoo.structure import Weights
from algzoo.structure.features_circuit import states
from algzoo.structure.features_formula import (
    Formula,
    NotInGrammar,
    describe,
    describe_term,
    input_at,
    maximum,
    relu,
    unrolled,
)

N = 6
TERMS = st.integers(0, N - 1) | st.frozensets(st.integers(0, N - 1), min_size=1)
FORMULAS = st.dictionaries(TERMS, st.integers(-3, 3), max_size=4).map(Formula)


def whole_inputs(seed, n_inputs=200, seq_len=N):
    return np.random.default_rng(seed).integers(-9, 10, (n_inputs, seq_len)).astype(float)


def sparse_network(seed, hidden_size):
    rng = np.random.default_rng(seed)
    w_hh = rng.choice([-1, 0, 1], (hidden_size, hidden_size), p=[0.15, 0.7, 0.15])
    return rng.integers(-1, 2, hidden_size), w_hh


def by_hand(coefficients, sequence):
    total = 0
    for term, coefficient in coefficients.items():
        if isinstance(term, int):
            total += coefficient * sequence[term]
        else:
            total += coefficient * max(0, *(sequence[i] for i in term))
    return total


@given(FORMULAS, FORMULAS, st.integers(-3, 3))
def test_formulas_add_as_their_values_do(a, b, factor):
    x = whole_inputs(0)
    np.testing.assert_array_equal((a + factor * b)(x), a(x) + factor * b(x))
    np.testing.assert_array_equal(a(x), [by_hand(a.coefficients, row) for row in x])
    assert a - a == Formula()
    assert not a - a


@given(FORMULAS)
def test_relu_of_a_formula_is_the_relu_of_its_values(formula):
    x = whole_inputs(1)
    try:
        result = relu(formula)
    except NotInGrammar:
        return
    np.testing.assert_array_equal(result(x), np.maximum(formula(x), 0))


@given(st.frozensets(st.integers(0, N - 1)), TERMS, st.integers(1, 3), st.booleans())
def test_relu_of_a_difference_of_two_terms_is_always_found(positions, term, factor, swap):
    difference = factor * (maximum(positions) - Formula({term: 1}))
    difference = -1 * difference if swap else difference
    x = whole_inputs(2)
    np.testing.assert_array_equal(relu(difference)(x), np.maximum(difference(x), 0))


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        (input_at(0) - input_at(1), "difference of two inputs"),
        (maximum([0]) - 2 * input_at(1), "unlike coefficients"),
        (maximum([0]) + maximum([1]) - maximum([2]), "more than two terms"),
    ],
)
def test_what_the_identity_does_not_reach_is_refused(formula, reason):
    with pytest.raises(NotInGrammar, match=reason):
        relu(formula)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_unrolled_network_is_the_network(seed, hidden_size):
    w_hi, w_hh = sparse_network(seed, hidden_size)
    try:
        steps = unrolled(w_hi, w_hh, N)
    except NotInGrammar:
        return
    x = whole_inputs(seed)
    exact = states(Weights(w_hi.astype(float), w_hh.astype(float), np.zeros((1, hidden_size))), x)
    for formulas, state in zip(steps, exact, strict=True):
        np.testing.assert_array_equal(np.array([f(x) for f in formulas]).T, state)


def test_many_sparse_networks_are_not_refused():
    # Else the property above would hold for want of examples.
    found = 0
    for seed in range(200):
        try:
            unrolled(*sparse_network(seed, 3), N)
            found += 1
        except NotInGrammar:
            pass
    assert found > 60


def test_prefix_maximum_by_arcs_induction():
    # The first neuron adds up what the second says the maximum has risen by.
    steps = unrolled(np.array([0, 1]), np.array([[1, 1], [-1, -1]]), N)
    for t, (before, rise) in enumerate(steps):
        assert before == maximum(range(t))
        assert rise == maximum(range(t + 1)) - maximum(range(t))


@pytest.mark.parametrize(
    ("at_step", "text"),
    [
        (lambda t: maximum(range(t + 1)), "max(0, x[0..t])"),
        (lambda t: maximum(range(t)), "max(0, x[0..t-1])"),
        (lambda t: maximum(range(t - 1)), "max(0, x[0..t-2])"),
        (lambda t: maximum([t]), "max(0, x[t])"),
        (lambda t: maximum({t, t - 2} - {-1, -2}), "max(0, x[t-2], x[t])"),
        (lambda t: maximum(range(max(t - 2, 0), t + 1)), "max(0, x[t-2..t])"),
        (
            lambda t: maximum(set(range(t + 1)) - {t - 2}) - input_at(t),
            "max(0, x[0..t] without x[t-2]) - x[t]",
        ),
        (
            lambda t: maximum(set(range(t)) - {t - 3}),
            "max(0, x[0..t-1] without x[t-3])",
        ),
        (
            lambda t: 2 * maximum(range(t + 1)) - 2 * maximum(range(t)),
            "2 max(0, x[0..t]) - 2 max(0, x[0..t-1])",
        ),
        (lambda t: input_at(t - 1) if t else Formula(), "x[t-1]"),
        (lambda t: Formula(), "0"),
        (lambda t: maximum({0} & set(range(t + 1))), "max(0, x[0])"),
        (lambda t: maximum({0}) if t == N - 1 else maximum({t}), "max(0, x[0])"),
    ],
)
def test_description_holds_at_every_step_or_says_positions(at_step, text):
    assert describe([at_step(t) for t in range(N)]) == text


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (3, "x[t-2]"),
        (frozenset(range(6)), "max(0, x[0..t])"),
        (frozenset(range(5)), "max(0, x[0..t-1])"),
        (frozenset({2, 3, 4}), "max(0, x[t-3..t-1])"),
        (frozenset({0, 1, 2, 4, 5}), "max(0, x[0..t] without x[t-2])"),
        (frozenset({1, 3}), "max(0, x[t-4], x[t-2])"),
    ],
)
def test_description_of_a_term_at_the_last_step(term, text):
    assert describe_term(term, last=5) == text


@given(FORMULAS)
def test_formulas_are_equal_where_their_terms_are(formula):
    same = Formula(dict(reversed(formula.coefficients.items())))
    assert formula == same
    assert hash(formula) == hash(same)
    assert formula + maximum([]) == formula
    assert (formula == formula + input_at(0)) is False
