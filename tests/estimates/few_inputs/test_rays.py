import copy
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from algzoo.estimates import exact, ray_fan, sector_fan
from algzoo.structure import outputs, weights_of
from algzoo.zoo import SEEDS, zoo_2nd_argmax

SEED = st.integers(0, 2**32 - 1)


@cache
def noisy_models(n=192, sd=0.05, seed=4):
    """The bundled M4,3 with independent Gaussian noise on all raw weights, and exact accuracies."""
    generator = torch.Generator().manual_seed(seed)
    models = [copy.deepcopy(zoo_2nd_argmax(4, 3)).double() for _ in range(n)]
    for model in models:
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data += sd * noise
    return models, np.array([exact(model).value for model in models])


@pytest.mark.parametrize(
    ("estimator", "operations", "error"),
    [
        (lambda model: ray_fan(model, 4), 610, 0.014),
        (lambda model: sector_fan(model, 1, 2), 2100, 0.0065),
        (lambda model: sector_fan(model, 2, 3), 3300, 0.0028),
        (lambda model: sector_fan(model, 4, 4), 5200, 0.0012),
        (lambda model: sector_fan(model, 8, 8), 10_100, 0.0005),
    ],
    ids=["4 rays", "1/2", "2/3", "4/4", "8/8"],
)
def test_error_at_a_number_of_operations(estimator, operations, error):
    # design/exact-estimates.md, section 2
    models, accuracies = noisy_models()
    estimates = [estimator(model) for model in models]
    errors = np.array([estimate.value for estimate in estimates]) - accuracies
    # Twice the standard error of the root of a mean square, for these draws.
    slack = 1 + 2 * (errors**2).std() / (errors**2).mean() / 2 / np.sqrt(len(models))
    assert np.mean([estimate.operations for estimate in estimates]) <= operations
    assert np.sqrt((errors**2).mean()) <= error * slack


@pytest.mark.parametrize("seed", SEEDS)
def test_many_rays_come_close_to_the_exact_accuracy(seed):
    model = zoo_2nd_argmax(4, 3, seed=seed)
    value = exact(model).value
    assert ray_fan(model, 500).value == pytest.approx(value, abs=1e-3)
    assert sector_fan(model, 40, 40).value == pytest.approx(value, abs=1e-3)


def share_right_by_sampling(model, direction, n, seed):
    """Share of right answers for a direction of (x0, x1), by quantiles of x2 over their length."""
    u = (np.arange(n) + np.random.default_rng(seed).random()) / n
    # x2 / hypot(x0, x1) of three Gaussians is Student's t with 2 degrees over sqrt(2).
    t = stats.t(2).ppf(u) / np.sqrt(2)
    x = np.column_stack([np.full(n, direction[0]), np.full(n, direction[1]), t])
    return (outputs(weights_of(model), x).argmax(-1) == x.argsort(-1)[:, 1]).mean()


@given(SEED, st.integers(1, 6))
def test_rays_are_exact_along_x2(gaussian_rnn, seed, hidden_size):
    model = gaussian_rnn(seed, hidden_size, seq_len=3)
    value = ray_fan(model, 2).value
    rays = np.pi / 4 + np.pi * (np.arange(2) + 0.5)
    sampled = [share_right_by_sampling(model, (np.cos(a), np.sin(a)), 20_000, seed) for a in rays]
    assert value == pytest.approx(np.mean(sampled), abs=1e-3)


def test_many_rays_of_models_with_dead_neurons_and_zero_weights(make_rnn):
    rng = np.random.default_rng(1)
    for _ in range(30):
        d = rng.integers(1, 5)
        shapes = [(d,), (d, d), (3, d)]
        matrices = [rng.standard_normal(s) * (rng.random(s) < 0.6) for s in shapes]
        model = make_rnn(*matrices, seq_len=3)
        value = exact(model).value
        assert ray_fan(model, 300).value == pytest.approx(value, abs=5e-3)
        assert sector_fan(model, 20, 20).value == pytest.approx(value, abs=5e-3)


@pytest.mark.parametrize("alike", [(0, 1), (0, 2), (1, 2)])
def test_rays_along_which_two_logits_grow_alike(make_rnn, alike):
    rng = np.random.default_rng(7)
    [other] = {0, 1, 2} - set(alike)
    for seed in range(12):
        w_hi, w_hh, w_oh = rng.normal(size=4), rng.normal(size=(4, 4)), rng.normal(size=(3, 4))
        # Far down, where neurons of negative input weight are active, ``alike`` win together, and
        # far up likewise: the neurons that x2 does not drive decide between them.
        w_hi[:3], w_oh[np.ix_(alike, [0, 1, 2])], w_oh[other, :3] = [-1, -1, 1], 1, -1
        w_hi[3] = 0
        model = make_rnn(w_hi, w_hh, w_oh, seq_len=3)
        rays = np.pi / 4 + np.pi * (np.arange(2) + 0.5)
        circle = [(np.cos(angle), np.sin(angle)) for angle in rays]
        sampled = [share_right_by_sampling(model, direction, 20_000, seed) for direction in circle]
        assert ray_fan(model, 2).value == pytest.approx(np.mean(sampled), abs=1e-3)


def test_operations_grow_with_the_rays():
    model = zoo_2nd_argmax(4, 3)
    operations = [ray_fan(model, n).operations for n in (2, 4, 8, 100)]
    assert operations == sorted(operations)
    assert operations[0] < 320
    assert operations[-1] > 11_000


def test_fans_without_rays_are_refused():
    model = zoo_2nd_argmax(4, 3)
    for n_rays in (0, 3, -2):
        with pytest.raises(ValueError, match=f"even and at least 2, got {n_rays}"):
            ray_fan(model, n_rays)
    with pytest.raises(ValueError, match="got 0 and 3"):
        sector_fan(model, 0, 3)
