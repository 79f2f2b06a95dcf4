"""Ledgers applied to other models than the one that they explain."""

import pytest
import torch

from algzoo.explanations.mechanisms.models import judged, part_of
from algzoo.explanations.second_argmax_h2_n2 import lean_ledger
from algzoo.explanations.second_argmax_h4_n3.ledgers import symmetry_ledger
from algzoo.mechanisms import plant_swap
from algzoo.scoring import NoisyCopies
from algzoo.zoo import zoo_2nd_argmax


def test_m22_by_noise_and_by_seed():
    model = zoo_2nd_argmax(2, 2)
    others = {
        "itself": model,
        "renumbered": part_of(model, [1, 0]),
        "noisy": NoisyCopies(model, sd=0.01, n_models=1).model(0),
        "poor": zoo_2nd_argmax(2, 2, seed=0),
    }
    found = {one.name: one for one in judged(lean_ledger, model, others)}
    assert found["itself"].failed == found["renumbered"].failed == ()
    # Noise leaves signs and sizes alone and makes near-equalities worse.
    assert found["noisy"].by_kind == {"equality": 2}
    assert "opposite W_hi" in found["poor"].failed
    assert found["poor"].by_kind["sign"] == 2
    assert sum(found["poor"].by_kind.values()) == len(found["poor"].failed)


def test_m43_by_retraining_and_by_tampering():
    model = zoo_2nd_argmax(4, 3)
    tampered = plant_swap(model, 0.01).model
    others = {"seed 1": zoo_2nd_argmax(4, 3, seed=1), "tampered": tampered}
    others["without added neurons"] = part_of(tampered, range(4))
    seed, whole, part = judged(symmetry_ledger, model, others)
    assert seed.by_kind["sign"] > 0
    assert seed.refusal is None
    assert "got hidden_size 14" in whole.refusal
    assert (part.failed, part.refusal) == ((), None)


def test_a_part_of_all_neurons_computes_the_same():
    model = zoo_2nd_argmax(4, 3)
    x = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(part_of(model, [2, 0, 3, 1])(x), model(x), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=r"from 0 to 3, got \[4\]"):
        part_of(model, [4])
