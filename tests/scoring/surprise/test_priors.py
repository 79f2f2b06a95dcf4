import numpy as np
import pytest
import torch
from scipy import stats

from algzoo.scoring import cauchy_models, initialised_models
from algzoo.structure import standard_form
from algzoo.zoo import DistRNN


@pytest.mark.parametrize("draw", [cauchy_models, initialised_models])
def test_shapes_and_input_weights(draw):
    weights = draw(np.random.default_rng(0), 1000, 4, 3)
    assert [w.shape for w in weights] == [(1000, 4), (1000, 4, 4), (1000, 3, 4)]
    assert np.isin(weights.w_hi, [-1, 1]).all()
    assert abs(weights.w_hi.mean()) < 4 / np.sqrt(4000)


@pytest.mark.parametrize("draw", [cauchy_models, initialised_models])
def test_draws_come_from_the_generator_given(draw):
    first, second = (draw(np.random.default_rng(5), 10, 2, 2) for _ in range(2))
    for matrix, same in zip(first, second, strict=True):
        np.testing.assert_array_equal(matrix, same)


def test_cauchy_weights_are_independent_standard_cauchy():
    _, w_hh, w_oh = cauchy_models(np.random.default_rng(1), 20_000, 2, 2)
    entries = np.hstack([w_hh.reshape(-1, 4), w_oh.reshape(-1, 4)])
    for entry in entries.T:
        assert stats.kstest(entry, stats.cauchy.cdf).pvalue > 1e-3
    correlations = np.corrcoef(np.arctan(entries.T))
    assert np.abs(correlations - np.eye(8)).max() < 5 / np.sqrt(20_000)


def test_initialised_models_are_those_of_torch_in_standard_form():
    torch.manual_seed(0)
    n, d, o = 2000, 4, 3
    models = [standard_form(DistRNN(d, o)).weights for _ in range(n)]
    w_hi, w_hh, w_oh = (np.stack(matrices) for matrices in zip(*models, strict=True))
    drawn = initialised_models(np.random.default_rng(0), 20_000, d, o)
    for mine, theirs in [
        (drawn.w_hh[:, 0, 0], w_hh[:, 0, 0]),
        (drawn.w_hh[:, 0, 1], w_hh[:, 0, 1]),
        (drawn.w_hh[:, 3, 2], w_hh[:, 3, 2]),
        (drawn.w_oh[:, 2, 1], w_oh[:, 2, 1]),
        # relations between entries: a row and a column share a unit
        (drawn.w_hh[:, 0, 1] * drawn.w_hh[:, 1, 0], w_hh[:, 0, 1] * w_hh[:, 1, 0]),
        (drawn.w_hh[:, 0, 1] / drawn.w_oh[:, 0, 1], w_hh[:, 0, 1] / w_oh[:, 0, 1]),
    ]:
        assert stats.ks_2samp(mine, theirs).pvalue > 1e-3
    assert abs((w_hi > 0).mean() - (drawn.w_hi > 0).mean()) < 4 / np.sqrt(4 * n)
