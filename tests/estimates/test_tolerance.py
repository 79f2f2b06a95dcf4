import math

import numpy as np
import pytest
import torch

from algzoo.estimates import accuracy, exact, sampling
from algzoo.estimates import tolerance as module
from algzoo.zoo import (
    DistTransformer,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)


@pytest.mark.parametrize(
    "model", [zoo_2nd_argmax(2, 2), zoo_2nd_argmax(4, 3), zoo_median(2, 2), zoo_longest_cycle(4, 4)]
)
def test_it_is_exact_where_there_is_an_exact_method(model):
    found = accuracy(model)
    assert (found.value, found.std, found.method) == (exact(model).value, 0, "exact")
    assert found.operations == exact(model).operations


@pytest.mark.parametrize(
    ("model", "tolerance"),
    [
        (zoo_2nd_argmax(2, 4), 2e-4),
        (zoo_2nd_argmax(16, 10), 3e-4),
        (zoo_2nd_argmax(32, 5), 1e-4),
        (zoo_argmedian(16, 5), 3e-4),
        (zoo_argmedian(4, 11), 3e-3),
        (zoo_median(4, 5), 3e-4),
    ],
)
def test_it_is_within_what_was_asked_for(model, tolerance):
    shares = []
    found = accuracy(model, tolerance, progress=shares.append)
    assert 0 < found.std <= tolerance
    truth = sampling(model, 2**21, 99)
    assert abs(found.value - truth.value) < 4 * math.hypot(found.std, truth.std)
    assert found.operations > 0
    assert found.seconds > 0
    assert shares[-1] == 1
    assert all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize("number", range(3))
def test_every_method_states_its_error_rightly(number):
    model = zoo_2nd_argmax(4, 4)
    truth = sampling(model, 2**23, 99).value
    errors, stated = [], []
    for seed in range(25):
        method = module._methods(model, 1e-3, seed)[number]
        value, std, _, operations = method.run(1.5e-3, lambda share: None)
        errors.append(value - truth)
        stated.append(std)
        assert operations > 0
    ratio = np.sqrt(np.mean(np.square(errors))) / np.sqrt(np.mean(np.square(stated)))
    assert 0.5 < ratio < 1.5


def test_the_fastest_is_chosen(monkeypatch):
    class Slow:
        seconds = 2.0

        def seconds_for(self, tolerance):
            return self.seconds

        def run(self, tolerance, progress):
            return 0.5, tolerance, type(self).__name__, 1

    class Fast(Slow):
        seconds = 1.0

    monkeypatch.setattr(module, "_methods", lambda *_: [Slow(), Fast(), Slow()])
    assert accuracy(zoo_2nd_argmax(16, 10)).method == "Fast"


def test_one_seed_and_one_method_give_one_number(monkeypatch):
    methods = module._methods
    for number in range(3):
        monkeypatch.setattr(
            module, "_methods", lambda *arguments, i=number: [methods(*arguments)[i]]
        )
        one, again, other = (accuracy(zoo_2nd_argmax(4, 5), 1e-3, seed=seed) for seed in (1, 1, 2))
        assert (one.value, one.std, one.operations) == (again.value, again.std, again.operations)
        assert one.value != other.value


def test_many_functions_are_enumerated_only_where_samples_are_no_fewer(monkeypatch):
    model = zoo_longest_cycle(4, 4)
    monkeypatch.setattr(module, "_MOST_FUNCTIONS", 255)  # there are 256
    assert accuracy(model, 0.05).method == "random inputs"
    assert accuracy(model, 0.03).method == "exact"


def test_a_modified_model_is_sampled_as_it_is():
    model = zoo_2nd_argmax(2, 2)
    assert accuracy(model).method == "exact"
    with model.register_forward_hook(lambda module, inputs, output: 0 * output):
        found = accuracy(model, 0.01)
    assert found.method == "random inputs"
    assert abs(found.value - 0.5) < 4 * found.std


def test_nonsense_is_refused():
    for tolerance in (0, -1, math.nan):
        with pytest.raises(ValueError, match="tolerance must be positive"):
            accuracy(zoo_2nd_argmax(2, 2), tolerance)
    with pytest.raises(ValueError, match="seed must be at least 0"):
        accuracy(zoo_2nd_argmax(2, 2), seed=-1)


@pytest.mark.parametrize("n", [9, 12])
def test_functions_that_are_too_many_are_not_enumerated(n):
    """As arrays, those of 9 points would take 28 GB and those of 12 points 71 TB."""
    torch.manual_seed(0)
    model = DistTransformer(2, n, n_layers=2)
    with pytest.raises(ValueError, match=rf"There are {n}\^{n} functions, .* are enumerated"):
        exact(model)
    found = accuracy(model, 0.05)
    assert found.method != "exact"
    assert 0 < found.std <= 0.05


def test_side_by_side_every_method_gets_there():
    found = module.side_by_side(zoo_2nd_argmax(4, 5), 1e-3)
    assert [one.method for one in found] == ["random inputs", "leaves of pairs", "folded classes"]
    truth = sampling(zoo_2nd_argmax(4, 5), 2**21, 99)
    for one in found:
        assert 0 < one.std <= 1e-3
        assert abs(one.value - truth.value) < 4 * math.hypot(one.std, truth.std)
        assert one.seconds > 0
    with pytest.raises(ValueError, match="tolerance must be positive, got 0"):
        module.side_by_side(zoo_2nd_argmax(4, 5), 0)
