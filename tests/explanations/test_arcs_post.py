"""Activation patterns, counted once more in other ways."""

import numpy as np
import pytest
import torch

from algzoo.explanations.arcs_post import patterns_met
from algzoo.structure import cones
from algzoo.zoo import DistRNN, zoo_2nd_argmax, zoo_longest_cycle


def patterns_by_torch(model, x):
    """The set of patterns, one input after the other."""
    found = []
    for one in x:
        state, pattern = torch.zeros(model.hidden_size, dtype=torch.float64), []
        for number in torch.as_tensor(one):
            state = torch.relu(
                model.rnn.weight_hh_l0 @ state + model.rnn.weight_ih_l0[:, 0] * number
            )
            pattern += (state > 0).tolist()
        found.append(tuple(pattern))
    return found


@pytest.mark.parametrize(("d", "n"), [(4, 3), (16, 10)])
def test_patterns_are_those_of_single_inputs(d, n):
    model = zoo_2nd_argmax(d, n).double()
    x = np.random.default_rng(3).standard_normal((400, n))
    with torch.no_grad():
        one_by_one = patterns_by_torch(model, x)
    few, many = patterns_met(model, [100, 400], seed=3)
    assert few.n_patterns == len(set(one_by_one[:100]))
    assert many.n_patterns == len(set(one_by_one))
    assert many.n_once == sum(one_by_one.count(p) == 1 for p in set(one_by_one))


@pytest.mark.parametrize("seed", range(5))
def test_two_inputs_have_as_many_patterns_as_cones(seed):
    model = zoo_2nd_argmax(2, 2, seed=seed)
    [met] = patterns_met(model, [20_000])
    assert met.n_patterns == len(cones(model))


def test_unseen_probability_is_that_of_new_inputs():
    model = zoo_2nd_argmax(16, 6).double()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4000, 6))
    with torch.no_grad():
        one_by_one = patterns_by_torch(model, x)
    seen = set(one_by_one[:2000])
    share = np.mean([pattern not in seen for pattern in one_by_one[2000:]])
    [met] = patterns_met(model, [2000])
    assert met.unseen == pytest.approx(share, abs=4 * (0.25 / 2000) ** 0.5)


def test_a_network_without_weights_has_one_pattern():
    model = DistRNN(3, 4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    [met] = patterns_met(model, [50])
    assert (met.n_patterns, met.n_once, met.unseen) == (1, 0, 0)


def test_what_is_refused():
    with pytest.raises(TypeError, match="recurrent"):
        patterns_met(zoo_longest_cycle(2, 3), [10])
    for n_inputs in ([], [0], [10, -1]):
        with pytest.raises(ValueError, match="at least 1"):
            patterns_met(zoo_2nd_argmax(2, 2), n_inputs)
