"""How isolated neurons are: a network wired by hand, and the search for features."""

import numpy as np
import pytest
import torch

from algzoo import DistRNN, zoo_2nd_argmax
from algzoo.explanations.second_argmax_h16_n10.isolation import least_outside_shares
from algzoo.structure import Thresholds, find_features, outputs, weights_of


def wired(w_hi, w_hh):
    model = DistRNN(len(w_hi), 4).double()
    with torch.no_grad():
        model.rnn.weight_ih_l0.copy_(torch.tensor(w_hi, dtype=torch.float64)[:, None])
        model.rnn.weight_hh_l0.copy_(torch.tensor(w_hh, dtype=torch.float64))
    return model


def test_shares_are_those_of_a_network_wired_by_hand():
    """Neurons 0 and 1 exchange what they hold, 2 hears the input alone, 3 hears 0 and 2 alike."""
    model = wired(
        [1.0, 1.0, 1.0, 0.0],
        [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]],
    )
    alone = least_outside_shares(model, Thresholds(max_new_neurons=1, n_inputs=2**10))
    x = np.random.default_rng(0).standard_normal((2**10, 4))
    state, squares = np.zeros((2**10, 4)), np.zeros(4)
    for t in range(4):
        squares += (state**2).sum(0)  # of what is passed on, whichever step comes next
        drive = state @ weights_of(model).w_hh.T + np.outer(x[:, t], weights_of(model).w_hi)
        state = np.maximum(drive, 0)
    squares /= 2**10 * 3
    heard = squares[1] / (squares[1] + (x**2).mean())
    assert alone[0] == pytest.approx(np.sqrt(heard))
    assert alone[2] == 0
    assert alone[3] == 1  # it has no input
    pairs = least_outside_shares(model, Thresholds(max_new_neurons=2, n_inputs=2**10))
    assert pairs[[0, 1, 2]].tolist() == [0, 0, 0]
    without_0, without_2 = np.sqrt(squares[[0, 2]] / (squares[0] + squares[2]))
    assert without_2 < np.sqrt(heard) < without_0  # with neuron 0, that one hears 1 from outside
    assert pairs[3] == pytest.approx(np.sqrt(heard))
    triples = least_outside_shares(model, Thresholds(n_inputs=2**10))
    assert triples[3] == pytest.approx(without_2)


def test_the_least_share_is_that_of_the_search():
    for seed in (1, 2):
        model = zoo_2nd_argmax(16, 10, seed=seed)
        search = find_features(model)
        shares = least_outside_shares(model)
        assert shares.min() == pytest.approx(search.next_outside_share, rel=1e-12)
        assert np.flatnonzero(shares == shares.min()).tolist() == list(search.next_group)


def test_shares_do_not_depend_on_the_units_of_the_neurons():
    model = zoo_2nd_argmax(4, 3)
    scale = torch.tensor([2.0, 0.5, 8.0, 1.0])
    rescaled = zoo_2nd_argmax(4, 3)
    with torch.no_grad():
        rescaled.rnn.weight_ih_l0.mul_(scale[:, None])
        rescaled.rnn.weight_hh_l0.mul_(scale[:, None] / scale)
        rescaled.linear.weight.div_(scale)
    x = np.random.default_rng(1).standard_normal((8, 3))
    np.testing.assert_allclose(outputs(weights_of(rescaled), x), outputs(weights_of(model), x))
    np.testing.assert_allclose(least_outside_shares(rescaled), least_outside_shares(model))
