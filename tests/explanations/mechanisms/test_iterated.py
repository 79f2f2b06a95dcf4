"""Iterated expectations: exact estimates obey them, and others as their definition says."""

import numpy as np
import pytest

from algzoo.estimates import exact, gaussian_propagation, gaussian_propagation_by_class
from algzoo.explanations.mechanisms.iterated import iterated_expectations
from algzoo.zoo import zoo_2nd_argmax


@pytest.mark.parametrize(("d", "n", "seed"), [(2, 2, 2), (4, 3, 0), (4, 3, 1)])
def test_exact_estimates_are_expectations(d, n, seed):
    model = zoo_2nd_argmax(d, n, seed=seed)
    rows = [row for row in iterated_expectations(model) if row.estimator == "exact"]
    assert [row.fact for row in rows] == ["class", "right answer", "sign of x0"]
    for row in rows:
        assert row.estimate == exact(model).value
        assert abs(row.discrepancy) < 1e-12
        assert row.std == 0


def test_samples_deviate_as_their_shares_do():
    model = zoo_2nd_argmax(4, 3, seed=1)
    runs = [iterated_expectations(model, 2**12, seed) for seed in range(60)]
    for fact in ("class", "right answer", "sign of x0"):
        rows = [row for run in runs for row in run if (row.estimator, row.fact) == ("iid", fact)]
        scaled = np.array([row.discrepancy / row.std for row in rows])
        assert abs(scaled.mean()) < 4 / np.sqrt(len(rows))
        assert 0.7 < scaled.std() < 1.3


def test_the_gaussian_closure_is_no_expectation():
    model = zoo_2nd_argmax(4, 3)
    *_, row = iterated_expectations(model)
    assert row.estimator == "Gaussian closure"
    assert row.estimate == gaussian_propagation(model).value
    assert row.mean == gaussian_propagation_by_class(model).value
    assert row.discrepancy < -0.4


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="3 samples do not have every class"):
        iterated_expectations(zoo_2nd_argmax(4, 3), n_samples=3)
