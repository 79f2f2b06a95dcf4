import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algzoo.structure import Weights
from algzoo.structure.features.formula import (
    Formula,
    NotInGrammar,
    describe,
    describe_term,
    input_at,
    maximum,
    relu,
    unrolled,
)
from algzoo.structure.features.wiring import states

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
        # Inputs of age 4 and 5 count as left out, though only the last steps have them.
        (
            lambda t: maximum(set(range(t + 1)) - {t - 2, t - 5}),
            "max(0, x[0..t] without x[t-5], x[t-2])",
        ),
        (
            lambda t: maximum(set(range(t + 1)) - {t - 2, t - 4}),
            "max(0, x[0..t] without x[t-4], x[t-2])",
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


def inputs_named(text, t):
    """Positions that a list like ``x[0..t-1], x[t]`` names after step t."""
    found = set()
    for first, last in re.findall(r"x\[([^\].]+)(?:\.\.([^\]]+))?\]", text):
        ends = [int(eval(end, {"t": t})) for end in (first, last or first)]
        found |= set(range(ends[0], ends[1] + 1))
    return {position for position in found if position >= 0}


def read_aloud(text, t, row):
    """Value of a description after step t, by its words alone."""
    if text == "0":
        return 0
    total = 0
    terms = re.findall(r"(^|[+-] )(\d+ )?(max\(0, [^)]*\)|x\[[^\]]*\])", text)
    assert "".join("".join(parts) for parts in terms).replace(" ", "") == text.replace(" ", "")
    for sign, count, term in terms:
        inside, _, without = term.removeprefix("max(0, ").removesuffix(")").partition(" without ")
        values = [row[i] for i in inputs_named(inside, t) - inputs_named(without, t)]
        value = max([0, *values]) if term.startswith("max") else sum(values)
        total += (-1 if "-" in sign else 1) * int(count or 1) * value
    return total


AGES = st.sets(st.integers(0, N - 1), max_size=4)
KINDS = st.sampled_from(["input", "among", "without"])


@settings(max_examples=60)
@given(st.lists(st.tuples(KINDS, AGES, st.sampled_from([-2, -1, 1, 2])), min_size=1, max_size=3))
def test_descriptions_say_the_formula_at_every_step(rules):
    def at_step(t):
        total = Formula()
        for kind, ages, coefficient in rules:
            positions = {t - age for age in ages if age <= t}
            if kind == "without":
                positions = set(range(t + 1)) - positions
            if kind == "input":
                age = min(ages, default=0)
                total = total + coefficient * (input_at(t - age) if age <= t else Formula())
            else:
                total = total + coefficient * maximum(positions)
        return total

    steps = [at_step(t) for t in range(N)]
    text = describe(steps)
    for t, formula in enumerate(steps):
        x = whole_inputs(t, n_inputs=40)
        said = [read_aloud(text, t, row) for row in x]
        # What two terms have in common after every step may be said another way after the last.
        if t == N - 1 or len(rules) == 1:
            np.testing.assert_array_equal(said, formula(x))


@given(TERMS, st.integers(0, 2))
def test_descriptions_of_terms_say_the_term(term, later):
    last = N - 1 + later
    x = whole_inputs(3, n_inputs=40, seq_len=last + 1)
    said = [read_aloud(describe_term(term, last), last, row) for row in x]
    np.testing.assert_array_equal(said, Formula({term: 1})(x))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (frozenset({0, 1, 2}), "max(0, x[0..t-3])"),
        (frozenset({3, 4, 5}), "max(0, x[t-2..t])"),
        (frozenset({5}), "max(0, x[t])"),
        (frozenset({0}), "max(0, x[t-5])"),
        (frozenset({0, 5}), "max(0, x[t-5], x[t])"),
        # Three of six: half as well said by what is left out.
        (frozenset({0, 2, 4}), "max(0, x[0..t-1] without x[t-4], x[t-2])"),
        (frozenset({1, 2, 4, 5}), "max(0, x[0..t] without x[t-5], x[t-2])"),
        (frozenset({1, 2, 3, 4}), "max(0, x[t-4..t-1])"),
    ],
)
def test_terms_are_described_by_what_is_in_them_or_by_what_is_not(term, text):
    assert describe_term(term, last=5) == text


def test_two_in_a_row_are_listed_and_three_are_a_range():
    assert describe_term(frozenset({3, 4}), 5) == "max(0, x[t-2], x[t-1])"
    assert describe_term(frozenset({2, 3, 4}), 5) == "max(0, x[t-3..t-1])"
    assert (
        describe_term(frozenset(range(7)) - {1, 2}, 6) == "max(0, x[0..t] without x[t-5], x[t-4])"
    )
    assert (
        describe_term(frozenset(range(8)) - {1, 2, 3}, 7) == "max(0, x[0..t] without x[t-6..t-4])"
    )


def test_terms_are_read_in_order_of_sign_kind_size_and_place():
    parts = [
        (frozenset({0, 1, 2}), 1),
        (frozenset({1, 4}), 2),
        (frozenset({2, 3}), 1),
        (0, 1),
        (3, 3),
        (frozenset({0, 1, 2, 3}), -1),
        (frozenset({5}), -2),
        (1, -1),
    ]
    for order in (parts, parts[::-1]):
        assert list(Formula(dict(order)).coefficients.items()) == parts


@pytest.mark.parametrize(
    ("kept", "taken"),
    [
        ([{0, 1, 2}, {3, 4}], [{0, 1}, {3}]),
        # Of two that would do for {0}, the larger is needed for {0, 2}, which comes first.
        ([{0, 2, 3}, {0, 4, 5}], [{0}, {0, 2}]),
        # Of two that would do for {0}, the larger is needed for {1}.
        ([{0, 2}, {0, 1, 3}], [{0}, {1}]),
        ([{0, 1}, {0, 1}], [{0}, {1}]),
        ([{0}, {1}], [0, 1]),
        ([{0, 1}, {0, 1}, {0, 2}], [{0}, {0}, {0}]),
        ([{0, 1, 2}, {0, 1, 2}, {0, 1}], [{0}, 1, 2]),
    ],
)
def test_sums_that_are_covered_by_larger_maxima_stay_as_they_are(kept, taken):
    def term(one):
        return input_at(one) if isinstance(one, int) else maximum(one)

    formula = Formula()
    for one in kept:
        formula = formula + term(one)
    for one in taken:
        formula = formula - term(one)
    assert relu(formula) == formula
    assert relu(-1 * formula) == Formula()
    with pytest.raises(NotInGrammar):
        relu(formula - maximum(kept[0]) - maximum([5]))


def test_terms_and_their_number():
    formula = maximum([0, 1]) - 2 * input_at(2)
    x = whole_inputs(0, n_inputs=7)
    np.testing.assert_array_equal(formula.terms(x), [np.maximum(x[:, :2].max(1), 0), x[:, 2]])
    assert Formula().terms(x).shape == (0, 7)
    np.testing.assert_array_equal(Formula()(x), np.zeros(7))
    assert formula
    assert not Formula({frozenset(): 3, 1: 0})


@pytest.mark.parametrize("positive", [True, False])
def test_relu_of_one_input_several_times(positive):
    # ReLU(3 x) = 3 max(0, x), ReLU(-3 x) = 3 max(0, x) - 3 x.
    x = input_at(2)
    expected = 3 * maximum([2]) if positive else 3 * maximum([2]) - 3 * x
    assert relu((3 if positive else -3) * x) == expected


def test_unrolling_from_known_neurons_uses_their_last_step():
    # Neuron 0 adds the known one, taken before this step, to the newest input's maximum with it.
    known = [[maximum(range(t + 1)) for t in range(4)], [maximum([t]) for t in range(4)]]
    steps = unrolled(np.array([1, 0]), np.array([[0, 0, -1, 0], [0, 0, 1, -1]]), 4, known)
    for t, (rise, older) in enumerate(steps):
        assert rise == maximum(range(t + 1)) - maximum(range(t))
        assert older == (maximum(range(t)) - maximum([t - 1]) if t else Formula())


def test_where_the_grammar_was_left_is_said():
    known = [[Formula(), input_at(1), input_at(2)]]
    with pytest.raises(NotInGrammar, match=r"difference of two inputs at step 2$") as raised:
        unrolled(np.array([1, 1]), np.array([[0, 0, 0], [0, 0, -1]]), 3, known)
    assert raised.value.neuron == 1
