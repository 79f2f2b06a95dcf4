"""Estimates by classes of functions, against enumeration."""

import copy
import itertools

import numpy as np
import pytest
import torch
from scipy.stats import norm

from algzoo.estimates import exact
from algzoo.estimates.functions.by_class import (
    _renamed,
    average_over_renamings,
    class_margins,
    class_representatives,
    folded_exhaustive,
    pointed_representatives,
    symmetrised,
)
from algzoo.structure.attention.folded import Folded, fold
from algzoo.structure.attention.functional_graphs import (
    conjugacy_classes,
    graph_of,
    pointed_classes,
)
from algzoo.zoo import task_longest_cycle, zoo_longest_cycle
from algzoo.zoo.handcrafted.longest_cycle import handcrafted_longest_cycle

ALL = (folded_exhaustive, class_representatives, class_margins, symmetrised)


def noisy(model, sd, seed):
    generator = torch.Generator().manual_seed(seed)
    changed = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter += sd * torch.randn(parameter.shape, generator=generator)
    return changed


@pytest.mark.parametrize("size", [(2, 3), (4, 4), (3, 5)])
@pytest.mark.parametrize("seed", range(4))
def test_folded_exhaustive_is_exact_and_cheaper(size, seed):
    for sd in (0, 0.1):
        model = noisy(zoo_longest_cycle(*size, seed=seed).double(), sd, seed)
        truth, found = exact(model), folded_exhaustive(model)
        assert found.value == truth.value
        assert found.operations < truth.operations
        assert found.std == 0


def test_scores_too_far_apart_are_refused():
    model = zoo_longest_cycle(3, 5, seed=4).double()
    assert np.ptp(fold(model).first_scores, axis=1).max() > 1300
    with pytest.raises(ValueError, match="too far for exponentials"):
        folded_exhaustive(model)


def test_representatives_cost_one_forward_pass_each():
    model = zoo_longest_cycle(4, 4)
    per_function = exact(model).operations / 256
    assert class_representatives(model).operations == 19 * per_function
    assert pointed_representatives(model).operations == 52 * per_function


def test_averaged_over_scrambles_representatives_are_unbiased():
    model = zoo_longest_cycle(4, 4, seed=2)
    truth = exact(model).value
    for one in (class_representatives, pointed_representatives):
        found = [one(model, scramble=s).value for s in range(49)]
        assert abs(np.mean(found) - truth) < 4 * np.std(found) / np.sqrt(len(found))
        assert np.std(found) > 0


def test_a_model_right_everywhere_is_right_on_representatives():
    model = handcrafted_longest_cycle()
    assert class_representatives(model).value == 1
    assert pointed_representatives(model).value == 1


def test_class_margins_is_a_probability_and_right_where_margins_are_wide():
    assert class_margins(handcrafted_longest_cycle()).value > 0.9
    for seed in range(5):
        estimate = class_margins(zoo_longest_cycle(4, 4, seed=seed))
        assert 0 <= estimate.value <= 1


def by_hand(model):
    """The estimate from all margins of one member of each pointed class, by its definition."""
    n, members = model.seq_len, pointed_classes(model.seq_len)
    functions = _renamed(members, 0, pointed=True)
    with torch.no_grad():
        logits = copy.deepcopy(model).double()(functions).numpy()
    right, groups = 0.0, {}
    for member, row, function in zip(members, logits, functions.tolist(), strict=True):
        answer = task_longest_cycle(torch.tensor([function])).item()
        margin = row[answer] - max(np.delete(row, answer))
        groups.setdefault(graph_of(function), []).append((member.size, margin))
    for group in groups.values():
        sizes, margins = np.array(group).T
        if len(group) == 1:
            # All members of the class are renamings of this one that leave the last point alone.
            right += sizes.sum() if margins[0] > 0 else 0
            continue
        mean = sizes @ margins / sizes.sum()
        variance = sizes @ (margins - mean) ** 2 / sizes.sum() * len(group) / (len(group) - 1)
        right += sizes.sum() * norm.cdf(mean / np.sqrt(variance))
    return right / n**n, sum(len(group) for group in groups.values() if len(group) > 1)


@pytest.mark.parametrize("seed", range(5))
def test_class_margins_are_those_of_the_definition(seed):
    """A single member has no spread: where rounding made one, its class counted half."""
    model = zoo_longest_cycle(4, 4, seed=seed)
    value, n_spread = by_hand(model)
    found = class_margins(model)
    assert found.value == pytest.approx(value, rel=1e-12)
    passes = pointed_representatives(model).operations
    # Of 52 members three are classes by themselves: the identity, two swaps, and the cycle of four.
    assert n_spread == 49
    assert found.operations == passes + 52 * 3 + 49 * 3 + 16 * 20


def test_a_class_of_one_member_is_right_or_wrong():
    """With all margins alike, as of a model blind to its input, a third is not a half."""
    model = zoo_longest_cycle(4, 4)
    for answer in range(4):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
            model.embed.weight += 1
            model.unembed.weight[answer] += 1
        right = sum(c.size for c in conjugacy_classes(4) if c.longest_cycle == answer + 1)
        assert class_margins(model).value == right / 4**4


def test_the_average_is_that_over_all_renamings():
    folded = fold(zoo_longest_cycle(4, 4))
    n = 4
    renamings = [(*p, n - 1) for p in itertools.permutations(range(n - 1))]
    orders = [[n * p[i] + p[t] for i in range(n) for t in range(n)] for p in renamings]
    found = average_over_renamings(folded)
    first = np.mean([folded.first_scores[np.ix_(o, o)] for o in orders], axis=0)
    second = np.mean([folded.second_scores[:, :, o][:, :, :, o] for o in orders], axis=0)
    logits = np.mean([folded.logits[:, o] for o in orders], axis=0)
    assert np.allclose(found.first_scores, first)
    assert np.allclose(found.second_scores, second)
    assert np.allclose(found.logits, logits)


def test_a_symmetric_model_is_estimated_exactly():
    """The handcrafted model, and what the average of a trained one does on all functions."""
    assert symmetrised(handcrafted_longest_cycle()).value == 1
    functions = np.array(list(itertools.product(range(4), repeat=4)))
    for seed in (0, 4):
        model = zoo_longest_cycle(4, 4, seed=seed)
        folded = average_over_renamings(fold(model))
        answers = folded.evaluate(functions).logits.argmax(-1)
        truth = (answers == task_longest_cycle(torch.tensor(functions)).numpy()).mean()
        assert symmetrised(model).value == pytest.approx(truth)


def test_a_model_blind_to_names_answers_all_functions_alike():
    """If the last position is renamed too, nothing but averages of constants is left."""
    folded = fold(zoo_longest_cycle(4, 4))
    n = 4
    orders = [
        [n * p[i] + p[t] for i in range(n) for t in range(n)]
        for p in itertools.permutations(range(n))
    ]
    blind = Folded(
        n,
        n,
        np.mean([folded.first_scores[np.ix_(o, o)] for o in orders], axis=0),
        np.mean([folded.second_scores[:, :, o][:, :, :, o] for o in orders], axis=0),
        np.mean([folded.logits[:, o] for o in orders], axis=0),
    )
    functions = np.array(list(itertools.product(range(n), repeat=n)))
    logits = blind.evaluate(functions).logits
    # A cell's logits tell whether f(j) = j; that is linear in position and token, so constant.
    assert np.abs(logits - logits[0]).max() < 1e-9 * np.abs(logits).max()
