"""Fitted formulas against every regression done one by one."""

from itertools import combinations

import numpy as np
import pytest

from algzoo.structure import weights_of
from algzoo.structure.features.fitted import _candidates, fitted_formulas
from algzoo.structure.features.wiring import states


def said_terms(n):
    """Terms that the docstring names, written out."""
    maxima = [set(range(n))]
    for i in range(n):
        maxima += [{i}, set(range(n)) - {i}, set(range(i, n)), set(range(i + 1))]
    maxima += [positions - {n - 1} for positions in maxima]
    return {frozenset(positions) for positions in maxima if positions} | set(range(n))


def values_of(terms, x):
    return np.array(
        [
            x[:, t] if isinstance(t, int) else [max(0, *(row[i] for i in t)) for row in x]
            for t in terms
        ]
    ).reshape(len(terms), len(x))


def fit(terms, x, activation):
    """Coefficients with a constant at the end, and the sum of squared errors."""
    design = np.c_[values_of(terms, x).T, np.ones(len(x))]
    coefficients = np.linalg.lstsq(design, activation, rcond=None)[0]
    return coefficients, ((activation - design @ coefficients) ** 2).sum()


@pytest.mark.parametrize("seq_len", range(1, 8))
def test_candidates_are_the_terms_that_are_said_to_be(seq_len):
    candidates = _candidates(seq_len)
    assert set(candidates) == said_terms(seq_len)
    assert len(candidates) == len(set(candidates))


@pytest.mark.parametrize(("seed", "seq_len"), [(0, 4), (1, 5), (2, 2)])
def test_terms_and_r2_are_those_of_every_regression_tried(gaussian_rnn, seed, seq_len):
    model, n_inputs = gaussian_rnn(seed, 3, seq_len=seq_len), 60
    x = np.random.default_rng(seed).standard_normal((2 * n_inputs, seq_len))
    activations = states(weights_of(model), x)[-1]
    first, second = x[:n_inputs], x[n_inputs:]
    for neuron, found in enumerate(fitted_formulas(model, 4, n_inputs=n_inputs, seed=seed)):
        to_fit, held_out = activations[:n_inputs, neuron], activations[n_inputs:, neuron]

        def error(terms, to_fit=to_fit):
            return fit(terms, first, to_fit)[1]

        candidates = said_terms(seq_len)
        pair = min(combinations(candidates, 2), key=error)
        terms = sorted(pair, key=lambda term: error([term]))
        for _ in range(2):
            terms.append(min(candidates - set(terms), key=lambda term: error([*terms, term])))
        assert found.neuron == neuron
        assert list(found.terms) == terms
        np.testing.assert_allclose(found.coefficients, fit(terms, first, to_fit)[0], rtol=1e-6)
        said = found.coefficients[:-1] @ values_of(terms, second) + found.coefficients[-1]
        np.testing.assert_allclose(found(second), said)
        deviation = ((held_out - held_out.mean()) ** 2).sum()
        for k in range(1, 5):
            coefficients, _ = fit(terms[:k], first, to_fit)
            of_k = coefficients[:-1] @ values_of(terms[:k], second) + coefficients[-1]
            expected = 1 - ((held_out - of_k) ** 2).sum() / deviation
            assert found.r2[k - 1] == pytest.approx(expected)
        assert len(found.r2) == 4


def test_one_term_is_the_one_that_fits_best(gaussian_rnn):
    model = gaussian_rnn(5, 3, seq_len=4)
    x = np.random.default_rng(3).standard_normal((160, 4))[:80]
    activations = states(weights_of(model), x)[-1]
    for neuron, found in enumerate(fitted_formulas(model, 1, n_inputs=80, seed=3)):
        target = activations[:, neuron]
        best = min(said_terms(4), key=lambda term, target=target: fit([term], x, target)[1])
        assert found.terms == (best,)
        assert found.r2.shape == (1,)


def test_text_of_a_planted_formula(make_rnn):
    # The second neuron holds 2 max(0, x[t-1]), the third the same less half the newest input
    # where that is not positive at all: 2 max(0, x[t-1]) + 0.5 (max(0, x[t]) - x[t]).
    model = make_rnn([1, 0, -0.5], [[0, 0, 0], [2, 0, 0], [0, 0, 0]], np.ones((3, 3)), seq_len=3)
    newest, before, negative = fitted_formulas(model, 2, n_inputs=300)
    assert newest.terms[0] == frozenset({2})
    assert before.terms[0] == frozenset({1})
    assert newest.text.startswith("+1 max(0, x[t]) ")
    assert before.text.startswith("+2 max(0, x[t-1]) ")
    assert set(negative.terms) == {2, frozenset({2})}
    assert set(negative.text.replace(") ", ")|").replace("] ", "]|").split("|")) == {
        "-0.5 x[t]",
        "+0.5 max(0, x[t])",
    }


@pytest.mark.parametrize("silent_half", [0, 1])
def test_a_neuron_that_is_silent_in_one_half_has_no_term(make_rnn, silent_half):
    model = make_rnn([1], [[0]], np.ones((1, 1)), seq_len=1)

    def fires(seed):
        x = np.random.default_rng(seed).standard_normal((8, 1))
        return [(x[:4] > 0).any(), (x[4:] > 0).any()]

    seed = next(s for s in range(1000) if fires(s)[1 - silent_half] and not fires(s)[silent_half])
    (found,) = fitted_formulas(model, 3, n_inputs=4, seed=seed)
    assert (found.terms, found.text) == ((), "0")
    np.testing.assert_array_equal(found.coefficients, [0])
    np.testing.assert_array_equal(found.r2, [1, 1, 1])
    np.testing.assert_array_equal(found(np.ones((2, 1))), [0, 0])


def test_two_terms_on_16384_inputs_are_fitted_where_nothing_else_is_said(gaussian_rnn):
    model = gaussian_rnn(7, 2, seq_len=3)
    said = fitted_formulas(model, 2, n_inputs=16_384, seed=0)
    for default, found in zip(fitted_formulas(model), said, strict=True):
        assert default.terms == found.terms
        np.testing.assert_array_equal(default.coefficients, found.coefficients)
        np.testing.assert_array_equal(default.r2, found.r2)
