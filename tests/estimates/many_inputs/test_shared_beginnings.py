import numpy as np
import pytest

from algzoo.estimates import OperationCounter
from algzoo.estimates.many_inputs.shared_beginnings import Prefixes, plain_drives
from algzoo.estimates.samplers.forward import readouts
from algzoo.structure import Weights


def random_prefixes(rng, m, n_paths, n_prefixes, last):
    """Prefixes that leave their paths at steps from 0 to ``last``."""
    start = np.sort(rng.integers(0, last + 1, n_prefixes))
    path = rng.integers(0, n_paths, n_prefixes)
    paths, own = rng.standard_normal((m, n_paths)), rng.standard_normal((m, n_prefixes))
    inputs = np.where(np.arange(m)[:, None] < start, paths[:, path], own)
    begun = (start <= np.arange(m)[:, None]).sum(axis=1)
    return Prefixes(paths, inputs, path, begun)


def random_weights(rng, d, n):
    return Weights(rng.standard_normal(d), rng.standard_normal((d, d)), rng.standard_normal((n, d)))


@pytest.mark.parametrize(
    ("d", "m", "n_paths", "n_prefixes", "last"),
    [(1, 2, 1, 1, 0), (3, 5, 7, 40, 4), (16, 9, 300, 2000, 7), (4, 3, 256, 256, 0)],
)
def test_states_are_those_of_whole_passes(d, m, n_paths, n_prefixes, last):
    rng = np.random.default_rng(d)
    prefixes = random_prefixes(rng, m, n_paths, n_prefixes, last)
    weights = random_weights(rng, d, m + 1)
    whole = readouts(weights._replace(w_oh=weights.w_hh), prefixes.inputs)
    scale = np.abs(whole).max()
    np.testing.assert_allclose(prefixes.drives(weights), whole, atol=1e-13 * scale)
    plain = plain_drives(prefixes, weights.w_hi, weights.w_hh)
    np.testing.assert_allclose(plain, whole, atol=1e-13 * scale)


@pytest.mark.parametrize(("d", "last"), [(1, 0), (3, 4), (16, 2)])
def test_the_price_is_what_the_counter_counts(d, last):
    rng = np.random.default_rng(d)
    prefixes = random_prefixes(rng, 5, 6, 50, last)
    weights = random_weights(rng, d, 6)
    counter = OperationCounter()
    plain_drives(prefixes, counter.array(weights.w_hi), counter.array(weights.w_hh))
    # By ARC's convention a forward pass is charged its multiply-adds, and its ReLUs are not.
    assert prefixes.operations(d) == counter.counts["multiply_add"]


def test_without_sharing_it_is_the_price_of_passes():
    prefixes = random_prefixes(np.random.default_rng(0), 4, 5, 7, 0)
    assert prefixes.operations(16) == 7 * (4 * 16 * 17 + 256)
