"""What believing a transformer costs, recomputed by hand."""

import copy
import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch

from algzoo.estimates import exhaustive_accuracy
from algzoo.explanations.longest_cycle_h4_n4 import (
    base_rate_ledger,
    brute_force_ledger,
    layer_ledger,
    noise_tolerance,
)
from algzoo.scoring.surprise.bounds import weight_information
from algzoo.structure.attention.standard_form import spectra
from algzoo.zoo import DistTransformer, task_longest_cycle, zoo_longest_cycle
from algzoo.zoo.handcrafted.longest_cycle import handcrafted_longest_cycle


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


def relabelled(function):
    """The same functional graph with its points renamed in every way."""
    n = len(function)
    for names in itertools.permutations(range(n)):
        yield tuple(names[function[names.index(i)]] for i in range(n))


def margins(model):
    """Right logit less the largest other one, by function."""
    x = functions(model.seq_len)
    with torch.no_grad():
        logits = model(x).numpy()
    places = np.arange(len(x)), task_longest_cycle(x).numpy()
    own = logits[places]
    logits[places] = -np.inf
    return dict(zip(map(tuple, x.tolist()), own - logits.max(axis=1), strict=True))


@pytest.mark.parametrize("size", [(4, 4), (2, 3)])
def test_classes_are_of_functions_that_differ_by_names_alone(size):
    model = zoo_longest_cycle(*size, seed=1).double()
    margin = margins(model)
    classes = {frozenset(relabelled(function)) for function in margin}
    expected = sorted((min(margin[f] for f in members), len(members)) for members in classes)
    found = []
    for entry in brute_force_ledger(model).entries:
        name = entry.check.id.removeprefix("class of ")
        (members,) = (m for m in classes if tuple(map(int, name.split())) in m)
        n_answers = size[1]
        assert entry.p == pytest.approx(n_answers ** -len(members))
        right = entry.value > 0
        bits = len(members) * math.log2(n_answers) if right else -math.log2(1 - entry.p)
        assert entry.bits == pytest.approx(bits, abs=1e-12)
        found.append((entry.value, len(members)))
    values, sizes = zip(*sorted(found), strict=True)
    assert values == pytest.approx([value for value, _ in expected], abs=1e-9)
    assert list(sizes) == [n for _, n in expected]


def loss_of_noise(model, sd, n_models, seed):
    """Mean loss of accuracy of copies with noise, by running them."""
    generator = torch.Generator().manual_seed(seed)
    right = np.mean([value > 0 for value in margins(model).values()])
    losses = []
    for _ in range(n_models):
        noisy = copy.deepcopy(model).double()
        with torch.no_grad():
            for weight in noisy.parameters():
                draw = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
                weight.add_(sd * draw)
        losses.append(right - np.mean([value > 0 for value in margins(noisy).values()]))
    return np.mean(losses)


@pytest.mark.parametrize(("lost", "n_models", "seed"), [(1.5, 1, 0), (4.5, 1, 1), (1.35, 8, 0)])
def test_less_noise_costs_less_than_the_loss_and_more_costs_more(lost, n_models, seed):
    """Of one model whole functions are lost, so that a jump is where the loss is reached."""
    model = zoo_longest_cycle(2, 3)
    sd = noise_tolerance(model, lost / 27, n_models=n_models, seed=seed)
    costs = [loss_of_noise(model, sd * factor, n_models, seed) for factor in (0.98, 1.02)]
    assert costs[0] < lost / 27 < costs[1]


def test_losses_are_refused_that_noise_of_the_size_of_the_weights_does_not_cost():
    model = zoo_longest_cycle(2, 3)
    largest = max(weight.abs().max().item() for weight in model.parameters())
    # Noise of a quarter of the size may cost more than noise of the size.
    most = max(loss_of_noise(model, largest * 2.0**-octave, 4, 0) for octave in range(8))
    assert noise_tolerance(model, most - 1e-9, n_models=4) <= largest
    for loss in (most, most + 1e-9):
        with pytest.raises(ValueError, match="size of the weights costs less than"):
            noise_tolerance(model, loss, n_models=4)


@pytest.mark.parametrize("rank", [5, 20, 40])
def test_weights_below_the_noise_have_no_information(rank):
    model = zoo_longest_cycle(2, 3)
    sizes = sorted(abs(w) for p in model.parameters() for w in p.flatten().tolist())
    for sd in (sizes[rank] / 1.05, sizes[rank], sizes[rank] * 1.05):
        expected = sum(math.log2(size / sd) for size in sizes if size > sd) * 25 / 50
        assert weight_information(model, sd) == pytest.approx(expected, abs=1e-12)


def test_the_tolerated_noise_is_a_point_of_a_grid():
    """The share of right answers has steps: where a root finder stops depends on rounding."""
    model = zoo_longest_cycle(4, 4, seed=4)
    largest = max(weight.abs().max().item() for weight in model.parameters())
    steps = 64 * math.log2(noise_tolerance(model, n_models=4) / largest)
    assert steps == pytest.approx(round(steps), abs=1e-9)
