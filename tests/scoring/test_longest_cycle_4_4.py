"""What believing a transformer costs, recomputed by hand."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from algzoo.estimates import exhaustive_accuracy
from algzoo.scoring.longest_cycle_4_4 import (
    base_rate_ledger,
    brute_force_ledger,
    layer_ledger,
    noise_tolerance,
    weight_information,
)
from algzoo.structure.attention_form import spectra
from algzoo.zoo import DistTransformer, task_longest_cycle, zoo_longest_cycle
from algzoo.zoo.handcrafted_longest_cycle import handcrafted_longest_cycle


def functions(n):
    return torch.cartesian_prod(*[torch.arange(n)] * n)


def test_brute_force_costs_two_bits_a_function():
    perfect = [s for s in range(5) if exhaustive_accuracy(zoo_longest_cycle(4, 4, seed=s)) == 1]
    assert perfect
    for seed in perfect:
        ledger = brute_force_ledger(zoo_longest_cycle(4, 4, seed=seed))
        assert all(entry.holds for entry in ledger.entries)
        assert ledger.total_bits == pytest.approx(512)
    assert brute_force_ledger(handcrafted_longest_cycle()).total_bits == pytest.approx(
        27 * math.log2(3)
    )


def test_base_rates_cost_the_entropy_of_the_answers():
    counts = Counter(task_longest_cycle(functions(4)).tolist())
    assert counts == {0: 125, 1: 93, 2: 32, 3: 6}
    expected = sum(k * math.log2(256 / k) for k in counts.values())
    found = base_rate_ledger(zoo_longest_cycle(4, 4)).total_bits
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_a_class_fails_where_one_of_its_members_is_wrong(seed):
    model = zoo_longest_cycle(4, 4, seed=seed).double()
    x = functions(4)
    with torch.no_grad():
        wrong = (model(x).argmax(-1) != task_longest_cycle(x)).sum().item()
    failed = [e for e in brute_force_ledger(model).entries if not e.holds]
    assert (wrong > 0) == bool(failed)
    assert len(failed) <= wrong
    assert all(entry.value < 0 and entry.bits < 1 for entry in failed)


def test_least_margins_are_those_of_the_logits():
    model = zoo_longest_cycle(4, 4).double()
    x = functions(4)
    with torch.no_grad():
        logits = model(x).numpy()
    right = task_longest_cycle(x).numpy()
    own = logits[np.arange(256), right]
    logits[np.arange(256), right] = -np.inf
    least = min(entry.value for entry in brute_force_ledger(model).entries)
    assert least == pytest.approx((own - logits.max(axis=1)).min(), rel=1e-6)


def test_the_second_layer_is_priced_as_it_is_found():
    model = zoo_longest_cycle(4, 4)
    (entry,) = layer_ledger(model).entries
    sizes = spectra(model)[1, "OV"]
    assert entry.bits == pytest.approx(-math.log2(sizes[1] / sizes[0]))
    assert layer_ledger(model).search_bits == 2


def test_noise_of_the_tolerated_size_costs_the_loss():
    model = zoo_longest_cycle(2, 3)
    sd = noise_tolerance(model, 0.05, n_models=8)
    assert 0 < sd < 1
    assert weight_information(model, sd) > weight_information(model, 2 * sd)
    assert weight_information(model, 1e6) == 0
    sizes = np.concatenate([p.detach().abs().numpy().ravel() for p in model.parameters()])
    assert (sizes > 1e-9).all()
    expected = np.log2(sizes / 1e-9).sum() * (50 - 24 - 1) / 50
    assert weight_information(model, 1e-9) == pytest.approx(expected)


def test_what_is_refused():
    with pytest.raises(ValueError, match="two layers"):
        brute_force_ledger(DistTransformer(4, 4, n_layers=1))
    with pytest.raises(ValueError, match="as many tokens"):
        brute_force_ledger(DistTransformer(4, 4, input_range=5, n_layers=2))
    with pytest.raises(ValueError, match="sd must be positive"):
        weight_information(zoo_longest_cycle(2, 3), 0)
    with pytest.raises(ValueError, match="loss must be positive"):
        noise_tolerance(zoo_longest_cycle(2, 3), 0)
