from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from algzoo.chapters.notebooks import read
from algzoo.chapters.statements import statements
from algzoo.structure import Weights, circuit_differences, circuits, match_neurons, weights_of
from algzoo.structure.matching import _features
from algzoo.zoo import (
    FAMILIES,
    SEEDS,
    DistTransformer,
    example_2nd_argmax,
    load_model,
    zoo_2nd_argmax,
    zoo_longest_cycle,
)

SEED = st.integers(0, 2**32 - 1)
RECURRENT = [f for f in FAMILIES.values() if f.name != "longest_cycle"]
SIZES = [(f.name, d, n) for f in RECURRENT for d, n in f.sizes()]


def disguised(model, rng, noise=0.0):
    """A copy renumbered and in other units, each weight off by relative ``noise``; and how."""
    order = rng.permutation(model.hidden_size)
    unit = np.exp(2 * rng.standard_normal(model.hidden_size))
    weights = weights_of(model)
    w_hi, w_hh, w_oh = (w * (1 + noise * rng.standard_normal(w.shape)) for w in weights)
    w_hi, w_hh, w_oh = w_hi[order] * unit, w_hh[np.ix_(order, order)], w_oh[:, order] / unit
    w_hh = w_hh * unit[:, None] / unit
    copy = type(model)(model.hidden_size, model.seq_len).double()
    copy.load_state_dict(
        {
            "rnn.weight_ih_l0": torch.as_tensor(w_hi[:, None]),
            "rnn.weight_hh_l0": torch.as_tensor(w_hh),
            "linear.weight": torch.as_tensor(w_oh),
        }
    )
    return copy, order, unit


@pytest.mark.parametrize(("family", "hidden_size", "seq_len"), SIZES)
def test_numbering_and_units_of_every_bundled_model_are_found_again(family, hidden_size, seq_len):
    rng = np.random.default_rng(0)
    for seed in SEEDS:
        model = load_model(family, hidden_size, seq_len, seed=seed)
        copy, order, unit = disguised(model, rng)
        match = match_neurons(copy, model)
        assert order[match.order].tolist() == list(range(hidden_size))
        np.testing.assert_allclose(match.unit, unit[match.order], rtol=1e-12)
        assert match.n_opposite_inputs == 0
        for differences in match.relative_differences:
            assert differences.max() < 1e-12


@pytest.mark.parametrize(("family", "hidden_size", "seq_len"), SIZES)
def test_numbering_is_found_under_noise(family, hidden_size, seq_len):
    model = load_model(family, hidden_size, seq_len)
    copy, order, _ = disguised(model, np.random.default_rng(1), noise=0.01)
    match = match_neurons(copy, model)
    assert order[match.order].tolist() == list(range(hidden_size))
    assert 0.002 < match.median_relative_difference < 0.03


@given(SEED, st.integers(1, 6))
def test_numbering_of_random_models_is_found_under_noise(gaussian_rnn, seed, hidden_size):
    model = gaussian_rnn(seed, hidden_size, seq_len=3)
    copy, order, _ = disguised(model, np.random.default_rng(seed), noise=1e-4)
    assert order[match_neurons(copy, model).order].tolist() == list(range(hidden_size))


def mismatch(weights, reference):
    pairs = zip(weights[1:], reference[1:], strict=True)
    return sum(np.sum((ours - theirs) ** 2) / np.sum(theirs**2) for ours, theirs in pairs)


def test_unrelated_models_are_matched_nearly_as_well_as_by_trying_all_permutations(gaussian_rnn):
    excess = []
    for seed in range(40):
        match = match_neurons(gaussian_rnn(seed, 5), gaussian_rnn(seed + 1000, 5))
        (w_hi, w_hh, w_oh), theirs = match.weights, match.reference
        tried = [
            mismatch((w_hi[p], w_hh[np.ix_(p, p)], w_oh[:, p]), theirs)
            for p in map(list, permutations(range(5)))
            if np.sum(w_hi[p] != theirs.w_hi) <= match.n_opposite_inputs
        ]
        excess.append(mismatch(match.weights, theirs) / min(tried) - 1)
    assert np.median(excess) < 1e-12
    assert np.mean(excess) < 0.05


def test_what_is_known_of_a_neuron_does_not_depend_on_the_numbering_of_the_others(gaussian_rnn):
    weights = weights_of(gaussian_rnn(0, 5, seq_len=3))
    order = np.array([3, 0, 4, 2, 1])
    w_hi, w_hh, w_oh = weights
    renumbered = Weights(w_hi[order], w_hh[np.ix_(order, order)], w_oh[:, order])
    known = _features(weights)
    np.testing.assert_array_equal(_features(renumbered), known[order])
    for i, row in enumerate(known):  # what it gives out, holds of itself, receives and passes on
        expected = [*w_oh[:, i], w_hh[i, i], *sorted(w_hh[i]), *sorted(w_hh[:, i])]
        np.testing.assert_array_equal(row, expected)


def test_two_neurons_by_hand(make_rnn):
    model = make_rnn([-2, 4], [[1, 2], [3, 4]], [[5, 6], [7, 8]])
    # Neurons exchanged, standard form; then W_hh from 0 to 1 changed from 4 to 5.
    reference = make_rnn([1, -1], [[4, 1.5], [5, 1]], [[24, 10], [32, 14]])
    match = match_neurons(model, reference)
    assert match.order.tolist() == [1, 0]
    assert match.unit.tolist() == [4, 2]
    assert match.weights.w_hh.tolist() == [[4, 1.5], [4, 1]]
    assert match.relative_differences.w_hh.tolist() == [[0, 0], [0.2, 0]]
    assert match.largest_w_hh_difference == 0.2
    assert match.median_relative_difference == 0


def test_exact_duplicates_are_interchangeable(make_rnn):
    w_hi, w_hh, w_oh = [1, 1, -1], [[1, 1, 2], [1, 1, 2], [3, 3, 4]], [[5, 5, 6], [7, 7, 8]]
    model = make_rnn(w_hi, w_hh, w_oh)
    match = match_neurons(model, model)
    assert sorted(match.order[:2]) == [0, 1]
    assert match.order[2] == 2
    assert all((differences == 0).all() for differences in match.relative_differences)


def test_neuron_that_sends_nothing_differs_by_nothing_or_infinitely(make_rnn):
    silent = make_rnn([1, -1], [[1, 0], [2, 0]], [[3, 0], [4, 0]])
    heard = make_rnn([1, -1], [[1, 0], [2, 0]], [[3, 0.1], [4, 0]])
    assert match_neurons(silent, silent).relative_differences.w_oh.max() == 0
    match = match_neurons(heard, silent)
    assert match.relative_differences.w_oh.tolist() == [[0, np.inf], [0, 0]]
    assert match.median_relative_difference == 0


def test_no_recurrence_in_either_model(make_rnn):
    model = make_rnn([1, -1], np.zeros((2, 2)), [[3, 1], [4, 2]])
    assert match_neurons(model, model).largest_w_hh_difference == 0


def test_opposite_input_signs_are_counted(make_rnn):
    both = make_rnn([1, 2], [[1, 2], [3, 4]], [[5, 6], [7, 8]])
    one = make_rnn([1, -2], [[1, 2], [3, 4]], [[5, 6], [7, 8]])
    match = match_neurons(one, both)
    assert match.n_opposite_inputs == 1
    assert sorted(match.relative_differences.w_hi) == [0, 2]


def test_neurons_without_input_are_refused(make_rnn):
    model = make_rnn([1, 0], [[1, 2], [3, 4]], [[5, 6], [7, 8]])
    other = make_rnn([1, 1], [[1, 2], [3, 4]], [[5, 6], [7, 8]])
    with pytest.raises(ValueError, match="model's neurons 1 have input weight zero"):
        match_neurons(model, other)
    with pytest.raises(ValueError, match="reference's neurons 1 have input weight zero"):
        match_neurons(other, model)


def test_models_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"one size.*\(3, 2\) and \(2, 2\)"):
        match_neurons(zoo_2nd_argmax(3, 2), zoo_2nd_argmax(2, 2))


def test_retrained_m22_has_the_official_neurons(official_2_2):
    match = match_neurons(zoo_2nd_argmax(2, 2, seed=2), official_2_2)
    assert match.n_opposite_inputs == 0
    assert match.median_relative_difference < 0.02
    assert match.largest_w_hh_difference < 0.025
    for seed in (0, 1, 3, 4):
        other = match_neurons(zoo_2nd_argmax(2, 2, seed=seed), official_2_2)
        assert other.median_relative_difference > 0.1


def test_arcs_example_model_is_none_of_the_zoos(official):
    for seed in SEEDS:
        match = match_neurons(zoo_2nd_argmax(16, 10, seed=seed), example_2nd_argmax())
        assert match.median_relative_difference > 1


def test_what_the_chapter_says_of_arcs_weights_is_so(official, official_2_2):
    chapter = read(Path(__file__).parents[2] / "analyses" / "the_zoo.ipynb")
    stated = {statement.name: statement.value for statement in statements(chapter)}
    match = match_neurons(zoo_2nd_argmax(2, 2, seed=2), official_2_2)
    assert stated["official_median"] == pytest.approx(match.median_relative_difference, rel=1e-5)
    assert stated["official_w_hh"] == pytest.approx(match.largest_w_hh_difference, rel=1e-5)
    arcs = zoo_longest_cycle(2, 3, seed=0, source="official")
    differences = circuit_differences(zoo_longest_cycle(2, 3, seed=0, n_seqs=2**29), arcs)
    assert stated["official_circuits"] == pytest.approx(np.median(differences), abs=0.005)


def in_another_basis(model, rng):
    """The same function in other bases of residual stream, queries and keys, and values."""
    d = model.hidden_size
    state = {key: weight.double().numpy() for key, weight in model.state_dict().items()}
    basis = rng.standard_normal((d, d))
    shift = rng.standard_normal(d)
    state["embed.weight"] = (state["embed.weight"] + shift) @ basis.T
    state["pos_embed.weight"] = (state["pos_embed.weight"] - shift) @ basis.T
    state["unembed.weight"] = state["unembed.weight"] @ np.linalg.inv(basis)
    for layer in range(model.n_layers):
        inside, outside = f"attns.{layer}.in_proj_weight", f"attns.{layer}.out_proj.weight"
        query, key, value = np.split(state[inside] @ np.linalg.inv(basis), 3)
        keys, values = rng.standard_normal((2, d, d))
        state[inside] = np.concatenate([np.linalg.inv(keys).T @ query, keys @ key, values @ value])
        state[outside] = basis @ state[outside] @ np.linalg.inv(values)
    other = DistTransformer(d, model.seq_len, n_layers=model.n_layers).double()
    other.load_state_dict({key: torch.as_tensor(weight) for key, weight in state.items()})
    return other


@pytest.mark.parametrize(("hidden_size", "seq_len"), FAMILIES["longest_cycle"].sizes())
def test_circuits_do_not_depend_on_the_basis(hidden_size, seq_len):
    model = zoo_longest_cycle(hidden_size, seq_len).double()
    other = in_another_basis(model, np.random.default_rng(0))
    x = torch.randint(seq_len, (50, seq_len), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(other(x), model(x), rtol=1e-6, atol=1e-6)
    assert circuit_differences(other, model).max() < 1e-6


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_circuits_determine_the_outputs_of_uniform_attention(n_layers):
    # With all scores equal, every layer adds the mean of its paths: the logits are linear in them.
    torch.manual_seed(n_layers)
    model = DistTransformer(3, 4, n_layers=n_layers).double()
    for attention in model.attns:
        with torch.no_grad():
            attention.in_proj_weight[:3] = 0
    x = torch.randint(4, (20, 4))
    paths = circuits(model)[-(2**n_layers) :]
    direct, others = paths[0], sum(paths[1:])
    inputs = 4 * np.arange(4) + x.numpy()
    expected = direct[:, inputs[:, -1]].T + others[:, inputs].mean(-1).T
    logits = model(x).detach().numpy()
    np.testing.assert_allclose(logits - logits.mean(1, keepdims=True), expected, atol=1e-12)


def test_scores_of_the_first_layer_are_those_of_torch():
    torch.manual_seed(0)
    model = DistTransformer(3, 4, n_layers=1).double()
    x = torch.randint(4, (1, 4))
    embedded = model.embed(x) + model.pos_embed(torch.arange(4))
    _, attention = model.attns[0](embedded, embedded, embedded)
    inputs = 4 * np.arange(4) + x.numpy()[0]
    scores = torch.as_tensor(circuits(model)[0][np.ix_(inputs, inputs)])
    torch.testing.assert_close(scores.softmax(-1), attention[0])


def test_circuits_of_other_models_are_refused():
    with pytest.raises(TypeError, match="transformer is needed, got DistRNN"):
        circuits(zoo_2nd_argmax(2, 2))
    with pytest.raises(ValueError, match="n_heads 2 and bias False"):
        circuits(DistTransformer(4, 3, n_heads=2))
    with pytest.raises(ValueError, match=r"\(2, 3, 3, 3\) and \(2, 4, 4, 4\)"):
        circuit_differences(zoo_longest_cycle(2, 3), zoo_longest_cycle(2, 4))
