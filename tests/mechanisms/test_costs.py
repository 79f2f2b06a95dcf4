"""Operations of detectors, against a counter that the detectors themselves run on."""

import numpy as np
import pytest

from algzoo.estimates import sampling
from algzoo.estimates.counting.counter import OperationCounter
from algzoo.mechanisms import detectors, ledger_detector
from algzoo.mechanisms.costs import operations, run_of_network
from algzoo.mechanisms.detectors import detector, local_outlier_factor, mahalanobis
from algzoo.zoo import zoo_2nd_argmax

M43 = zoo_2nd_argmax(4, 3)


def named(name, sees):
    return next(one for one in detectors() if (one.name, one.sees) == (name, sees))


@pytest.mark.parametrize(("sees", "d"), [("inputs", 3), ("last state", 4)])
def test_the_distance_of_mahalanobis_is_counted(sees, d):
    trusted = np.random.default_rng(0).standard_normal((100, d))
    counter = OperationCounter()
    mahalanobis(trusted)(counter.lift(trusted[:1]))
    assert operations(named("Mahalanobis", sees), M43) == counter.total == d * d + 2 * d


def test_every_detector_has_a_price():
    prices = {(one.name, one.sees): operations(one, M43) for one in detectors()}
    assert min(prices.values()) > 0
    assert prices["rare pattern", "patterns"] == 12
    assert operations(ledger_detector([], M43), M43) == 12  # 3 steps of 4 neurons
    # A subtraction and a multiply-add for each coordinate of each trusted input.
    lof = detector("local outlier factor", "inputs", local_outlier_factor)
    assert operations(lof, M43) == 2048 * 2 * 3 + 40


def test_the_run_is_that_of_sampling():
    assert run_of_network(named("Mahalanobis", "inputs"), M43) == 0
    expected = sampling(M43, 1000, seed=0).operations / 1000
    assert run_of_network(named("quantum entropy", "last state"), M43) == expected
