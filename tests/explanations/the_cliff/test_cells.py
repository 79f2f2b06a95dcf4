"""The cells of the cliff, and how their noise is chosen."""

import numpy as np
import pytest

from algzoo.estimates import sampling
from algzoo.explanations.the_cliff.cells import (
    Cell,
    cells,
    chosen_sd,
    clean_model,
    m1610_cells,
    map_cells,
)
from algzoo.zoo import best_seed, zoo_2nd_argmax


def test_there_is_a_cell_for_each_size_without_an_exact_method():
    names = [cell.name for cell in map_cells()]
    assert len(names) == 5 * 5 + 5 * 3
    assert names[0] == "2nd_argmax_2_4"
    assert "argmedian_32_11" in names
    assert not any(name.endswith(("_2", "_3")) for name in names)
    assert len(cells()) == len(names) + len(m1610_cells())


def test_the_best_seed_of_m1610_is_not_among_the_others():
    best, others, clean = m1610_cells()
    assert best.seeds == (best_seed("2nd_argmax", 16, 10),) == (2,)
    assert others.seeds == (0, 1, 3, 4)
    assert len(best.models(0.005)) == len(others.models(0.005)) == 48
    assert len(clean.models(0.0)) == 5


def test_a_chosen_noise_takes_three_points_off():
    cell = cells()["2nd_argmax_4_5"]
    sd = chosen_sd(cell)
    assert sd == float(f"{sd:.2g}")
    n = 2**16  # a standard error of .002 for a model, .0005 for the mean of 16
    clean = sampling(clean_model(cell), n, 1).value
    noisy = np.mean([sampling(model, n, 1).value for model in cell.models(sd)])
    assert clean - noisy == pytest.approx(0.03, abs=0.01)


def test_noise_that_is_given_is_kept_and_copies_are_noisy():
    cell = Cell("x", "2nd_argmax", 4, 5, (2,), 2, 0.25)
    assert chosen_sd(cell) == 0.25
    one, other = (dict(model.named_parameters()) for model in cell.models(0.25))
    clean = dict(zoo_2nd_argmax(4, 5, seed=2).named_parameters())
    for name, weights in clean.items():
        assert 0.05 < float((one[name] - weights).detach().std()) < 0.6
        assert not (one[name] == other[name]).any()
