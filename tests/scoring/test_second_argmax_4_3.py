import math

import numpy as np
import pytest
import torch

from algzoo.scoring import cauchy_models
from algzoo.scoring.second_argmax_4_3 import (
    DecisionArc,
    arc_ledger,
    brute_force_ledger,
    conditional_ledger,
    decision_arcs,
    effective_parameters,
    symmetry_ledger,
    weight_information,
)
from algzoo.structure import outputs, reorder_neurons, weights_of
from algzoo.structure.partition import cones
from algzoo.zoo import handcrafted_2nd_argmax, zoo_2nd_argmax


@pytest.fixture(scope="module")
def m43():
    return zoo_2nd_argmax(4, 3, seed=0)


@pytest.fixture(scope="module")
def arcs(m43):
    return decision_arcs(cones(m43))


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


def test_handcrafted_model_has_the_equalities_exactly():
    ledger = symmetry_ledger(handcrafted_2nd_argmax(3, lam=4.0, dtype=torch.float64))
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


def test_a_model_without_arcs_is_refused(make_rnn):
    constant = make_rnn([1, -1], np.zeros((2, 2)), [[1, 1], [0, 0], [0, 0]], seq_len=3)
    with pytest.raises(ValueError, match="no decision arc longer than"):
        brute_force_ledger(constant)


def test_weight_information_is_that_of_the_page(m43):
    assert effective_parameters(m43) == 23
    bits = [weight_information(m43, sd) for sd in (0.003, 0.01, 0.05)]
    assert bits == pytest.approx([329 * 23 / 32, 273 * 23 / 32, 199 * 23 / 32], abs=0.5)
    with pytest.raises(ValueError, match="sd must be positive"):
        weight_information(m43, 0)


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
