import math
from itertools import pairwise, permutations, product

import numpy as np
import pytest
import torch

from algzoo.explanations.second_argmax_h4_n3.ledgers import (
    DecisionArc,
    arc_ledger,
    brute_force_ledger,
    conditional_ledger,
    decision_arcs,
    lambda_gap,
    pair_gap,
    readout_gap,
    reduced_form_gap,
    symmetry_ledger,
    translation_gap,
)
from algzoo.explanations.second_argmax_h4_n3.symmetry import Symmetry
from algzoo.scoring import cauchy_models
from algzoo.scoring.surprise.bounds import effective_parameters, weight_information
from algzoo.structure import Weights, outputs, reorder_neurons, weights_of
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax


@pytest.fixture(scope="module")
def m43():
    return zoo_2nd_argmax(4, 3, seed=0)


@pytest.fixture(scope="module")
def arcs(m43):
    return decision_arcs(m43)


def test_arc_counts_16_bits(m43):
    ledger = arc_ledger(m43)
    assert ledger.total_bits == pytest.approx(16)
    assert ledger.bits_by_kind() == pytest.approx({"sign": 12, "order": 4})
    assert all(entry.holds for entry in ledger.entries)


def test_conditional_prices_are_those_of_the_joint_prior(m43):
    ledger = conditional_ledger(m43)
    # Sums of two Cauchy weights, two above 1 and two below, given that they are positive.
    above = 1 - 2 / math.pi * math.atan(0.5)
    expected = 12 - 2 * math.log2(above) - 2 * math.log2(1 - above)
    assert ledger.total_bits == pytest.approx(expected)
    draws = cauchy_models(np.random.default_rng(0), 40_000, 4, 3)
    assert all(audit.passed for audit in ledger.audit(draws))
    failed = [audit.id for audit in arc_ledger(m43).audit(draws) if not audit.passed]
    assert failed == [entry.check.id for entry in ledger.entries if entry.check.kind == "order"]


def test_numbering_of_the_neurons_is_free(m43):
    shuffled = reorder_neurons(m43, [2, 0, 3, 1])
    for ledger_of in (arc_ledger, conditional_ledger, symmetry_ledger):
        assert ledger_of(shuffled).total_bits == pytest.approx(ledger_of(m43).total_bits)
    assert brute_force_ledger(shuffled).total_bits == pytest.approx(
        brute_force_ledger(m43).total_bits
    )


def test_every_numbering_of_the_neurons_has_the_same_entries(m43):
    expected = {entry.check.id: entry.value for entry in symmetry_ledger(m43).entries}
    for order in permutations(range(4)):
        ledger = symmetry_ledger(reorder_neurons(m43, list(order)))
        assert {e.check.id: e.value for e in ledger.entries} == pytest.approx(expected)
        assert ledger.weights.w_hi.tolist() == [1, 1, -1, -1]


def test_symmetry_route_at_a_stated_tolerance(m43):
    ledger = symmetry_ledger(m43)
    assert all(entry.holds for entry in ledger.entries)
    # 14 equalities at 5 bits, 16 signs, one pairing of three.
    s1 = [entry for entry in ledger.entries if entry.check.id.startswith(("sign", "size"))]
    assert sum(entry.bits for entry in s1) == pytest.approx(16 + 14 * 5)
    assert ledger.search_bits == pytest.approx(math.log2(3))
    bits = {entry.check.id: entry.bits for entry in ledger.entries}
    assert [bits[f"row {i} of F"] for i in (0, 1)] == pytest.approx([6.6, 6.6], abs=0.1)
    assert bits["lambda"] == pytest.approx(3.3, abs=0.05)
    assert bits["readout, first"] == pytest.approx(11, abs=0.2)
    assert bits["readout, second, y0"] + bits["readout, second, y1"] == pytest.approx(9, abs=0.1)
    assert ledger.total_bits == pytest.approx(137, abs=1)


def log_gap(one, other):
    return abs(math.log(one / other)) if one / other > 0 else math.inf


def gaps_by_hand(weights):
    """What the symmetry ledger measures, by the id of the check, from the formulas of its page."""
    partner = {0: 3, 1: 2, 2: 1, 3: 0}
    w_hi, w_hh, w_oh = weights
    found = {}
    for i in range(2):
        found[f"sign of W_hi[{i}]"] = w_hi[i] * w_hi[partner[i]]
    pairs = {
        f"W_hh[{i}, {j}]": (w_hh[i, j], w_hh[partner[i], partner[j]])
        for i, j in product(range(2), range(4))
    }
    pairs |= {
        f"W_oh[{k}, {j}]": (w_oh[k, j], w_oh[k, partner[j]]) for k, j in product(range(3), range(2))
    }
    for name, (one, other) in pairs.items():
        found[f"sign of {name}"] = one * other
        found[f"size of {name}"] = log_gap(abs(one), abs(other))
    symmetry = Symmetry(weights, ((0, 3), (1, 2)))
    drive, step, readout = symmetry.reduced
    for i, j in product(range(2), repeat=2):
        found[f"K[{i}, {j}]"] = abs(symmetry.k[i, j] / step[i, j])
    y = np.zeros((2, 3))  # what the three inputs do to y: the reduced network, run
    for x in np.eye(3):
        y = step @ y + np.outer(drive, x)
    for i in range(2):
        found[f"row {i} of F"] = abs(y[i].sum() / y[i, 2])
    one, other = y[0, 2] / y[0, 0], -y[1, 2] / y[1, 0] - 1
    found["lambda"] = log_gap(one, other) if min(one, other) > 0 else math.inf
    first, second = ((readout[k] - readout[0]) * abs(y[:, 2]) for k in (1, 2))
    found["readout, first"] = log_gap(-first[0], first[1])
    r = math.sqrt(one * other) / (math.sqrt(one * other) + 1) if min(one, other) > 0 else math.nan
    # (r, -1 / r) in units in which the first difference is (-1, 1).
    found["readout, second, y0"] = log_gap(second[0] / first[1], r)
    found["readout, second, y1"] = log_gap(second[1] / first[0], 1 / r)
    return {name: math.inf if math.isnan(value) else value for name, value in found.items()}


def test_symmetry_entries_are_those_of_the_formulas(m43):
    ledger = symmetry_ledger(m43)
    values = {entry.check.id: entry.value for entry in ledger.entries}
    assert values == pytest.approx(gaps_by_hand(ledger.weights), rel=1e-9)
    rng = np.random.default_rng(0)
    n_infinite = 0
    for size in (0.1, 1, 10):  # the last has signs as they come
        shaken = Weights(*(w + size * rng.standard_normal(w.shape) for w in ledger.weights))
        values = {entry.check.id: entry.value for entry in ledger.on(shaken).entries}
        assert values == pytest.approx(gaps_by_hand(shaken), rel=1e-9)
        n_infinite += math.inf in values.values()
    assert 0 < n_infinite < 3


def test_symmetry_measures_of_many_models_are_those_of_each():
    draws = cauchy_models(np.random.default_rng(3), 6, 4, 3)
    measures = [reduced_form_gap(1, 0), translation_gap(1), lambda_gap(), pair_gap("w_oh", (2, 1))]
    for measure in [*measures, readout_gap("first"), readout_gap("second, y1")]:
        each = [float(measure(Weights(*(w[i] for w in draws)))) for i in range(6)]
        assert measure(draws) == pytest.approx(each)


def test_arcs_inequalities_are_claimed_of_the_weights_that_they_name(m43):
    """In units in which c[0] = c[1] = 1, the ratios compare the weight below the line with 1."""
    ledger = arc_ledger(m43)
    ratios = {
        entry.check.id: (entry.check.relation, entry.check.threshold, entry.check.given)
        for entry in ledger.entries
        if entry.check.kind == "order"
    }
    assert ratios == {
        "c[0] / a[3] < 1": (">", 1.0, ("a[3] > 0",)),
        "c[0] / b[3] < 1": (">", 1.0, ("b[3] > 0",)),
        "c[1] / a[2] > 1": ("<", 1.0, ("a[2] > 0",)),
        "c[1] / b[2] > 1": ("<", 1.0, ("b[2] > 0",)),
    }
    for name, (_, _, (positive,)) in ratios.items():
        assert ledger.entry(name).value == ledger.entry(positive).value


def test_symmetry_at_the_gaps_found_costs_more(m43):
    ledger = symmetry_ledger(m43, None)
    sizes = [e.bits for e in ledger.entries if e.check.id.startswith("size")]
    assert sum(sizes) == pytest.approx(90.8 + 50.0, abs=0.1)
    assert ledger.total_bits > symmetry_ledger(m43).total_bits + 60


def test_signs_are_priced_right_and_once(m43):
    draws = cauchy_models(np.random.default_rng(0), 40_000, 4, 3)
    assert all(audit.passed for audit in symmetry_ledger(m43).audit(draws))


def test_other_models_fail_the_statements_about_m43(m43, gaussian_rnn):
    ledger = symmetry_ledger(m43)
    for seed in range(5):
        other = ledger.on(weights_of(gaussian_rnn(seed, 4, seq_len=3)))
        holding = [e for e in other.entries if e.check.kind == "equality" and e.holds]
        assert len(holding) < 5
        assert other.explanation_bits < 60


@pytest.mark.parametrize("lam", [0.4, 4.0])
def test_handcrafted_model_has_the_equalities_exactly(lam):
    ledger = symmetry_ledger(handcrafted_2nd_argmax(3, lam=lam, dtype=torch.float64))
    assert all(entry.holds for entry in ledger.entries)
    for entry in ledger.entries:
        if entry.check.kind == "equality":
            assert entry.value < 1e-12


def test_models_without_pairs_of_opposite_inputs_are_refused(gaussian_rnn):
    with pytest.raises(ValueError, match="do not have opposite signs"):
        symmetry_ledger(zoo_2nd_argmax(4, 3, seed=3))
    with pytest.raises(ValueError, match="got hidden_size 6 and seq_len 3"):
        symmetry_ledger(gaussian_rnn(0, 6, seq_len=3))


def test_decision_arcs_are_those_of_the_prototype(m43, arcs):
    lengths = np.array([length for _, length in arcs])
    long = lengths > 0.2
    assert (len(arcs), long.sum()) == (52, 18)
    assert (lengths[long].sum(), lengths.sum()) == pytest.approx((22.4, 23.9), abs=0.05)
    angles = np.array([arc.angle(weights_of(m43)) for arc, _ in arcs])
    assert np.median(angles[long]) == pytest.approx(0.012, abs=5e-4)


@pytest.mark.parametrize(("seed", "n_arcs"), list(enumerate([52, 75, 25, 46, 63])))
def test_which_arcs_there_are_does_not_depend_on_rounding(seed, n_arcs):
    """The shortest is 1.6e-5 long; what rounding made of arcs of length 0 was below 1e-14."""
    lengths = [length for _, length in decision_arcs(zoo_2nd_argmax(4, 3, seed=seed))]
    assert len(lengths) == n_arcs
    assert min(lengths) > 1.5e-5


def test_total_length_of_arcs_is_that_of_random_great_circles(m43, arcs):
    """Cauchy and Crofton: of a curve's crossings with great circles the mean is length / pi."""
    weights = weights_of(m43)
    rng = np.random.default_rng(0)
    frames = np.linalg.qr(rng.standard_normal((200, 3, 3)))[0][:, :2]
    angle = 2 * np.pi * (np.arange(4000) + 0.5) / 4000
    x = np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ frames
    logits = outputs(weights, x.reshape(-1, 3)).reshape(200, 4000, 3)
    answer = np.where((logits == 0).all(-1), -1, logits.argmax(-1))
    following = np.roll(answer, -1, axis=1)
    # Where a neuronless region begins nothing is decided: the logits all vanish there.
    crossings = ((answer != following) & (answer >= 0) & (following >= 0)).sum(1)
    spread = crossings.std() / math.sqrt(len(crossings))
    length = sum(length for _, length in arcs)
    assert abs(crossings.mean() - length / math.pi) < 4 * spread


def test_arcs_are_in_order_of_length_and_those_as_long_as_the_shortest_are_left_out(m43, arcs):
    lengths = [length for _, length in arcs]
    assert all(longer >= shorter for longer, shorter in pairwise(lengths))
    assert len(brute_force_ledger(m43, lengths[18]).entries) == 18
    assert len(brute_force_ledger(m43, 0.999 * lengths[18]).entries) == 19
    at_least = brute_force_ledger(m43)
    assert [e.check.measure for e in at_least.entries] == [a for a, length in arcs if length > 0.2]


def test_brute_force_costs_more_than_the_symmetry(m43):
    totals = [brute_force_ledger(m43, shortest) for shortest in (0.2, 0.1, 0)]
    assert [len(ledger.entries) for ledger in totals] == [18, 22, 52]
    assert [ledger.total_bits for ledger in totals] == pytest.approx([235.8, 265.4, 422], abs=0.1)
    assert totals[0].total_bits > symmetry_ledger(m43).total_bits


def test_share_of_planes_as_near_is_that_of_samples():
    """A model whose plane is known: logits (x0, c . x, 0) where all neurons are on."""
    arc = DecisionArc(((True,) * 4,) * 3, (0, 1))
    rng = np.random.default_rng(0)
    normals = rng.standard_normal((20_000, 3))
    planes = np.array([[1, -1, 0], [1, 0, -1], [0, 1, -1]]) / math.sqrt(2)
    cosines = np.abs(normals @ planes.T).max(1) / np.linalg.norm(normals, axis=1)
    draws = cauchy_models(rng, 50, 4, 3)
    for angle, share in zip(arc.angle(draws), arc(draws), strict=True):
        if angle < math.pi / 6:
            expected = np.mean(cosines > math.cos(angle))
            spread = math.sqrt(expected * (1 - expected) / len(normals)) + 1e-4
            assert abs(share - expected) < 4 * spread


def with_normals(normals):
    """Models whose neurons hold x0, x1 and x2, and whose logits 0 and 1 differ by normal . x."""
    n = len(normals)
    w_oh = np.zeros((n, 3, 4))
    w_oh[:, 0, :3] = normals[:, ::-1]
    w_hh = np.broadcast_to(np.eye(4, k=-1), (n, 4, 4))
    return Weights(np.broadcast_to(np.eye(4)[0], (n, 4)), w_hh, w_oh)


def test_the_angle_to_the_nearest_plane_of_equal_inputs():
    arc = DecisionArc(((True,) * 4,) * 3, (0, 1))
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((400, 2))
    # Square to (1, -1, 0): the sine of the angle to that plane is 1, or by rounding above.
    square = np.column_stack([pairs[:, 0], pairs[:, 0], pairs[:, 1]])
    along = rng.standard_normal((20_000, 1)) * np.ones(3)  # square to all three
    normals = np.concatenate([rng.standard_normal((400, 3)), square, along])
    planes = np.array([[1, -1, 0], [1, 0, -1], [0, 1, -1]]) / math.sqrt(2)
    cosines = np.abs(normals @ planes.T).max(1) / np.linalg.norm(normals, axis=1)
    weights = with_normals(normals)
    assert arc.angle(weights) == pytest.approx(np.arccos(np.minimum(cosines, 1)), abs=1e-7)
    assert arc(weights) == pytest.approx(np.minimum(3 * (1 - cosines), 1), abs=1e-12)
    assert (arc(weights)[-len(along) :] == 1).all()
    assert DecisionArc(arc.pattern, (1, 0)).angle(weights) == pytest.approx(arc.angle(weights))


def test_an_arc_sees_the_neurons_of_its_pattern_alone():
    normal = np.array([[2.0, 3.0, 5.0]])
    silent = ((True,) * 4, (True, False, True, True), (True,) * 4)  # loses x0 on its way
    arc = DecisionArc(silent, (0, 1))
    angle = arc.angle(with_normals(normal))
    assert angle == pytest.approx(
        DecisionArc(((True,) * 4,) * 3, (0, 1)).angle(with_normals(normal * [0, 1, 1]))
    )


def test_a_model_without_arcs_is_refused(make_rnn):
    constant = make_rnn([1, -1], np.zeros((2, 2)), [[1, 1], [0, 0], [0, 0]], seq_len=3)
    with pytest.raises(ValueError, match="no decision arc longer than"):
        brute_force_ledger(constant)


def test_weight_information_is_that_of_the_page(m43):
    assert effective_parameters(m43) == 23
    bits = [weight_information(m43, sd) for sd in (0.003, 0.01, 0.05)]
    orders = math.log2(24)  # of four neurons
    assert bits == pytest.approx([x * 23 / 32 - orders for x in (329, 273, 199)], abs=0.5)
    with pytest.raises(ValueError, match="sd must be positive"):
        weight_information(m43, 0)


@pytest.mark.parametrize("rank", [0, 3, 11, 20, 31])
def test_weights_below_the_noise_have_no_information(m43, rank):
    """With noise just below one weight after the other, so that some weights are about as large."""
    sizes = np.sort(np.abs(np.concatenate([w.ravel() for w in weights_of(m43)])))
    for sd in (sizes[rank] / 1.05, sizes[rank], sizes[rank] * 1.05):
        total = sum(math.log2(size / sd) for size in sizes if size > sd)
        expected = max(total * 23 / 32 - math.log2(24), 0)
        assert weight_information(m43, sd) == pytest.approx(expected, abs=1e-12)


def test_effective_parameters_are_the_rank_of_the_answers(m43):
    """The margins on fixed inputs, scale aside, depend on the weights in as many directions."""
    weights = weights_of(m43)
    flat = np.concatenate([w.ravel() for w in weights])
    x = np.random.default_rng(0).standard_normal((400, 3))

    def margins(vector):
        parts = np.split(vector, np.cumsum([w.size for w in weights])[:-1])
        shaped = type(weights)(*(p.reshape(w.shape) for p, w in zip(parts, weights, strict=True)))
        logits = outputs(shaped, x)
        rest = (logits[:, 1:] - logits[:, :1]).ravel()
        return rest / np.linalg.norm(rest)

    steps = 1e-6 * np.eye(len(flat))
    jacobian = np.array([(margins(flat + s) - margins(flat - s)) / 2e-6 for s in steps])
    sizes = np.linalg.svd(jacobian, compute_uv=False)
    assert np.sum(sizes > 1e-6 * sizes[0]) == effective_parameters(m43)
