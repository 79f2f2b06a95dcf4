import numpy as np
import pytest
from scipy import linalg

from algzoo.estimates import exact
from algzoo.explanations.second_argmax_h4_n3.symmetry import find_symmetry
from algzoo.structure import outputs, reorder_neurons, standard_form, weights_of
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax, zoo_median


@pytest.fixture(scope="module")
def symmetry():
    return find_symmetry(zoo_2nd_argmax(4, 3, seed=0))


def test_m43_is_antipodal_and_nearly_of_reduced_form(symmetry):
    assert symmetry.pairs == ((0, 3), (1, 2))
    assert symmetry.reduced_residuals == pytest.approx((1.1e-3, 0.102, 1.3e-3), rel=0.05)
    assert max(symmetry.antipodal_residuals) < 2e-3
    odd = symmetry.weights.w_hh - symmetry.symmetrised_weights().w_hh
    assert np.sqrt((odd**2).mean()) == pytest.approx(0.0035, abs=5e-5)


def test_reduced_network_of_m43(symmetry):
    w_hi, w_hh, w_oh = symmetry.reduced
    np.testing.assert_allclose(w_hi, [3.984, 4.742], atol=5e-4)
    np.testing.assert_allclose(w_hh, [[1.624, -2.416], [2.171, -2.622]], atol=5e-4)
    readout = [[-1.72, 1.56], [-18.92, 16.01], [11.43, -15.74]]
    np.testing.assert_allclose(w_oh, readout, atol=5e-3)
    readings = symmetry.last_state / symmetry.last_state[:, 2:]
    np.testing.assert_allclose(readings, [[0.2621, -1.2521, 1], [-0.1911, -0.7981, 1]], atol=5e-5)


def test_what_is_left_of_m43_has_rank_one(symmetry):
    np.testing.assert_allclose(symmetry.k, [[-0.277, 0.221], [-0.228, 0.181]], atol=6e-4)
    np.testing.assert_allclose(symmetry.k_singular_values, [0.458, 0.0005], atol=4e-4)


def test_gaps_of_m43_in_standard_form():
    gaps = find_symmetry(standard_form(zoo_2nd_argmax(4, 3, seed=0))).antipodal_gaps
    assert not gaps.w_hi.any()
    # Every gap of W_hh and W_oh stands there twice, once for each weight of the pair.
    bits = [-np.log2(gap).sum() / 2 for gap in gaps[1:]]
    assert bits == pytest.approx([90.8, 50.0], abs=0.05)
    assert (gaps.w_hh.min(), gaps.w_hh.max()) == pytest.approx((3e-5, 1.7e-3), rel=0.1)


@pytest.mark.parametrize(("k_rank", "accuracy"), [(0, 0.983962), (1, 0.985427), (None, 0.984686)])
def test_accuracy_of_symmetrised_models(symmetry, k_rank, accuracy):
    assert exact(symmetry.symmetrised(k_rank)).value == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.parametrize(("seed", "residual"), [(1, 0.937), (2, 0.695), (3, 0.809), (4, 0.800)])
def test_no_other_seed_has_the_symmetry(seed, residual):
    symmetry = find_symmetry(zoo_2nd_argmax(4, 3, seed=seed))
    assert symmetry.reduced_residuals.w_hh == pytest.approx(residual, abs=5e-4)
    assert min(symmetry.antipodal_residuals) > 0.3


def test_symmetrised_models_answer_x_and_minus_x_alike(gaussian_rnn):
    for n_neurons in (2, 4, 6):
        symmetry = find_symmetry(gaussian_rnn(n_neurons, n_neurons, seq_len=3))
        weights = symmetry.symmetrised_weights()
        x = np.random.default_rng(0).standard_normal((50, 3))
        np.testing.assert_allclose(outputs(weights, -x), outputs(weights, x), rtol=1e-12)


def test_reduced_form_is_the_linear_network_that_it_says(gaussian_rnn):
    symmetry = find_symmetry(gaussian_rnn(1, 4, seq_len=3))
    x = np.random.default_rng(0).standard_normal((50, 3))
    expected = np.abs(x @ symmetry.last_state.T) @ symmetry.reduced.w_oh.T
    np.testing.assert_allclose(outputs(symmetry.symmetrised_weights(0), x), expected, rtol=1e-9)


def test_parts_are_the_orthogonal_ones(gaussian_rnn):
    symmetry = find_symmetry(gaussian_rnn(2, 4, seq_len=3))
    w = symmetry.weights.w_hh
    kept = [symmetry.symmetrised_weights(rank).w_hh for rank in (0, 1, 2)]
    for part in kept:
        assert np.sum(part * (w - part)) == pytest.approx(0, abs=1e-12)
    norms = [linalg.norm(w - part) for part in kept]
    sizes = [np.sqrt(norms[i] ** 2 - norms[i + 1] ** 2) for i in (0, 1)]
    # U and V have orthogonal rows of norm sqrt(2).
    np.testing.assert_allclose(sizes, 2 * symmetry.k_singular_values, rtol=1e-10)


def test_pairs_follow_the_neurons(symmetry):
    order = [2, 0, 3, 1]
    shuffled = find_symmetry(reorder_neurons(zoo_2nd_argmax(4, 3, seed=0), order))
    assert {tuple(order[i] for i in pair) for pair in shuffled.pairs} == set(symmetry.pairs)
    assert shuffled.reduced_residuals == pytest.approx(symmetry.reduced_residuals)


def test_handcrafted_model_is_of_reduced_form():
    assert max(find_symmetry(handcrafted_2nd_argmax(3)).reduced_residuals) < 1e-7


def pairings(neurons):
    if not neurons:
        return [[]]
    one, *others = neurons
    return [
        [(one, other), *rest]
        for other in others
        for rest in pairings([n for n in others if n != other])
    ]


def size(part, whole):
    return np.sqrt(np.sum(part**2) / np.sum(whole**2))


# Of seeds 22 and 34 another pairing has the least sum of residuals, and of their cubes.
@pytest.mark.parametrize(
    ("seed", "hidden_size"), [(0, 2), (1, 4), (2, 6), (22, 6), (34, 6), (4, 8)]
)
def test_the_pairing_is_the_best_of_all_and_its_numbers_are_those_of_the_parts(
    gaussian_rnn, seed, hidden_size
):
    model = gaussian_rnn(seed, hidden_size, seq_len=3)
    found = find_symmetry(model)
    w_hi, w_hh, w_oh = weights_of(model)

    def exchanged(pairs):
        partner = np.arange(hidden_size)
        for a, b in pairs:
            partner[a], partner[b] = b, a
        return w_hi[partner], w_hh[partner][:, partner], w_oh[:, partner]

    def residuals(pairs):
        hi, hh, oh = exchanged(pairs)
        return [
            size((w_hi + hi) / 2, w_hi),
            size((w_hh - hh) / 2, w_hh),
            size((w_oh - oh) / 2, w_oh),
        ]

    best = min(pairings(list(range(hidden_size))), key=lambda p: sum(r**2 for r in residuals(p)))
    expected = sorted((a, b) if w_hi[a] > w_hi[b] else (b, a) for a, b in best)
    assert list(found.pairs) == expected
    assert found.antipodal_residuals == pytest.approx(residuals(best))
    kept = found.symmetrised_weights(0)
    assert found.reduced_residuals.w_hh == pytest.approx(size(w_hh - kept.w_hh, w_hh))
    hi, hh, oh = exchanged(best)
    for gap, w, other in (
        (found.antipodal_gaps.w_hi, w_hi, -hi),
        (found.antipodal_gaps.w_hh, w_hh, hh),
        (found.antipodal_gaps.w_oh, w_oh, oh),
    ):
        np.testing.assert_allclose(gap, 2 * abs(w - other) / (abs(w) + abs(other)))
    # K and W' entry by entry, from the sums and differences of pairs.
    for i, (a, b) in enumerate(found.pairs):
        assert found.reduced.w_hi[i] == pytest.approx((w_hi[a] - w_hi[b]) / 2)
        np.testing.assert_allclose(found.reduced.w_oh[:, i], (w_oh[:, a] + w_oh[:, b]) / 2)
        for j, (c, d) in enumerate(found.pairs):
            across = w_hh[a, d] + w_hh[b, c]
            straight = w_hh[a, c] + w_hh[b, d]
            assert found.reduced.w_hh[i, j] == pytest.approx((straight - across) / 4)
            assert found.k[i, j] == pytest.approx((straight + across) / 4)
    sizes = linalg.svdvals(found.k)
    np.testing.assert_allclose(found.k_singular_values, sizes)
    for rank in range(len(found.pairs) + 1):
        left = linalg.norm(found.symmetrised_weights().w_hh - found.symmetrised_weights(rank).w_hh)
        assert left == pytest.approx(2 * linalg.norm(sizes[rank:]), abs=1e-12)


def test_weights_that_are_zero_differ_by_nothing(make_rnn):
    w_hh = [[1, 0], [0, 1]]
    found = find_symmetry(make_rnn([1, -1], w_hh, [[0, 0], [2, 2]]))
    assert found.antipodal_residuals == found.reduced_residuals._replace(w_hh=0) == (0, 0, 0)
    assert not any(gap.any() for gap in found.antipodal_gaps)
    # All of W_oh is zero, and so is what is left of it.
    assert find_symmetry(make_rnn([1, -1], w_hh, np.zeros((2, 2)))).antipodal_residuals.w_oh == 0


def test_of_equal_input_weights_the_first_neuron_is_first(make_rnn):
    found = find_symmetry(make_rnn([2, 2], [[1, 3], [4, 1]], [[1, 2], [3, 4]]))
    assert found.pairs == ((0, 1),)
    assert found.reduced.w_hh.item() == (1 - 3 - 4 + 1) / 4


def test_models_without_pairs_are_refused(gaussian_rnn):
    assert len(find_symmetry(gaussian_rnn(0, 12, seq_len=3)).pairs) == 6
    with pytest.raises(ValueError, match="hidden_size 5"):
        find_symmetry(gaussian_rnn(0, 5, seq_len=3))
    with pytest.raises(ValueError, match="at most 12"):
        find_symmetry(gaussian_rnn(0, 14, seq_len=3))
    with pytest.raises(ValueError, match="1 outputs for 3 inputs"):
        find_symmetry(zoo_median(4, 3))


def test_impossible_ranks_are_refused(symmetry):
    for refused in (-1, 3):
        with pytest.raises(ValueError, match=f"between 0 and 2, got {refused}"):
            symmetry.symmetrised(refused)
