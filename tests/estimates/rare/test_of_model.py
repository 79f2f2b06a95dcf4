import numpy as np
import pytest
import torch

from algzoo.estimates import Scope, exact
from algzoo.estimates.rare import (
    METHODS,
    EventScope,
    ModelEvent,
    event_of,
    half_space,
    naive,
    names_largest,
    names_smallest,
    squared_error_above,
)
from algzoo.zoo import zoo_2nd_argmax, zoo_argmedian, zoo_longest_cycle, zoo_median


@pytest.mark.parametrize(("d", "n"), [(2, 2), (4, 3), (16, 10)])
@pytest.mark.parametrize("threshold", [0.0, 1.25])
def test_score_and_gradient_are_those_of_torch(d, n, threshold):
    model = zoo_2nd_argmax(d, n).double()
    event = event_of(model, threshold)
    x = torch.randn(500, n, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_(True)
    logits = model(x)
    right = x.detach().argsort(dim=1)[:, -2, None]
    wrong = logits.scatter(1, right, -torch.inf).max(dim=1).values
    score = wrong - logits.gather(1, right)[:, 0] - threshold
    (gradient,) = torch.autograd.grad(score.sum(), x)
    found, by_hand = event.score_and_gradient(x.detach().numpy())
    np.testing.assert_allclose(found, score.detach().numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(by_hand, gradient.numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(event.score(x.detach().numpy()), found)


@pytest.mark.parametrize(("d", "n"), [(2, 2), (4, 3), (8, 5)])
@pytest.mark.parametrize("threshold", [-1.0, 0.0, 0.01])
def test_an_input_is_in_one_region_of_its_group_if_the_event_happens(d, n, threshold):
    event = event_of(zoo_2nd_argmax(d, n), threshold)
    x = np.random.default_rng(0).standard_normal((20_000, n))
    activations, group = event.readout.activations(x), event.readout.group(x)
    found = np.zeros(len(x), int)
    for region in event.readout.regions:
        inside = (activations @ region.matrix.T > region.offsets).all(axis=1)
        found += inside & (group == region.group)
    happens = event.score(x) > 0
    assert happens.any()
    tied = ~activations.any(axis=1)  # all logits are 0
    assert tied.mean() < 0.4
    assert not found[tied].any()
    np.testing.assert_array_equal(found[~tied], happens[~tied])


def test_errors_are_as_frequent_as_the_exact_accuracy_says():
    model = zoo_2nd_argmax(4, 3)
    event = event_of(model, 0.0)
    x = np.random.default_rng(0).standard_normal((2**18, 3))
    is_tied = ~event.readout.activations(x).any(axis=1)
    wrong_by_default = (is_tied & (event.readout.group(x) != 0)).mean()
    assert wrong_by_default > 1e-3  # 0.17%, of 1.5% errors
    found = naive(event, 2**20, 0)
    errors = found.value + wrong_by_default
    assert abs(errors - (1 - exact(model).value)) < 4 * found.std + 4 * (1.7e-3 / 2**18) ** 0.5


def lead(outputs, of):
    """The logit of a position minus the largest other one."""
    return outputs.gather(1, of)[:, 0] - outputs.scatter(1, of, -torch.inf).max(dim=1).values


def median(x):
    n = x.shape[1]
    return x.sort(dim=1).values[:, (n - 1) // 2 : n // 2 + 1].mean(dim=1)


def gap(x):
    largest = x.topk(2, dim=1).values
    return largest[:, 0] - largest[:, 1]


# Each event with its score, by torch; the score is above 0 exactly when the event happens.
EVENTS = {
    "smallest": (
        lambda: zoo_2nd_argmax(4, 3),
        lambda model: names_smallest(model, 0.25),
        lambda outputs, x: lead(outputs, x.argmin(dim=1)[:, None]) - 0.25,
    ),
    "smallest of ten": (
        lambda: zoo_2nd_argmax(16, 10),
        lambda model: names_smallest(model, 0.0),
        lambda outputs, x: lead(outputs, x.argmin(dim=1)[:, None]),
    ),
    "largest": (
        lambda: zoo_2nd_argmax(4, 3),
        lambda model: names_largest(model, 0.0),
        lambda outputs, x: torch.minimum(lead(outputs, x.argmax(dim=1)[:, None]), gap(x)),
    ),
    "largest of ten": (
        lambda: zoo_2nd_argmax(16, 10),
        lambda model: names_largest(model, 0.5),
        lambda outputs, x: torch.minimum(lead(outputs, x.argmax(dim=1)[:, None]), gap(x) - 0.5),
    ),
    "error": (
        lambda: zoo_median(4, 5),
        lambda model: squared_error_above(model, 0.25),
        lambda outputs, x: (outputs[:, 0] - median(x)).abs() - 0.5,
    ),
    "error of ten": (
        lambda: zoo_median(8, 10),
        lambda model: squared_error_above(model, 0.04),
        lambda outputs, x: (outputs[:, 0] - median(x)).abs() - 0.2,
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_scores_and_gradients_of_other_events_are_those_of_torch(name):
    load, event_for, score_of = EVENTS[name]
    model = load()
    event = event_for(model)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2000, event.dimension, dtype=torch.float64, generator=generator)
    x.requires_grad_(True)
    score = score_of(load().double()(x), x)
    (gradient,) = torch.autograd.grad(score.sum(), x)
    found, by_hand = event.score_and_gradient(x.detach().numpy())
    np.testing.assert_allclose(found, score.detach().numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(by_hand, gradient.numpy(), rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(event.score(x.detach().numpy()), found)
    assert event.model is model


@pytest.mark.parametrize("name", EVENTS)
def test_other_events_happen_in_one_region_of_the_group(name):
    load, event_for, _ = EVENTS[name]
    event = event_for(load())
    x = np.random.default_rng(0).standard_normal((200_000, event.dimension))
    activations, group = event.readout.activations(x), event.readout.group(x)
    found = np.zeros(len(x), int)
    for region in event.readout.regions:
        inside = (activations @ region.matrix.T > region.offsets).all(axis=1)
        found += inside & (group == region.group)
    happens = event.score(x) > 0
    assert 10 < happens.sum() < len(x) / 2
    np.testing.assert_array_equal(found, happens)


def test_the_score_of_an_error_is_that_of_its_square():
    model = zoo_median(2, 2)
    assert squared_error_above(model, 0.0).score(np.ones((1, 2)))[0] >= 0
    x = np.random.default_rng(0).standard_normal((10_000, 2))
    with torch.no_grad():
        error = zoo_median(2, 2).double()(torch.as_tensor(x))[:, 0].numpy() - x.mean(axis=1)
    threshold = float(np.median(error**2))
    happens = squared_error_above(model, threshold).score(x) > 0
    assert happens.mean() == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_array_equal(happens, error**2 > threshold)


def test_other_events_of_other_models_are_refused():
    with pytest.raises(ValueError, match="2nd-argmax models of at least three inputs, not for"):
        names_smallest(zoo_2nd_argmax(2, 2), 0.0)
    with pytest.raises(ValueError, match="is for 2nd-argmax models of at least two inputs, not"):
        names_largest(zoo_argmedian(8, 5), 0.0)
    with pytest.raises(ValueError, match="is for median models, not for DistRNN of 2nd_argmax"):
        squared_error_above(zoo_2nd_argmax(4, 3), 0.0)
    with pytest.raises(ValueError, match=r"is for 2nd-argmax models .*, not for DistTransformer"):
        event_of(zoo_longest_cycle(4, 4), 0.0)
    with pytest.raises(ValueError, match="gap, a difference of two inputs, must be at least 0"):
        names_largest(zoo_2nd_argmax(4, 3), -0.1)
    with pytest.raises(ValueError, match="threshold, a squared error, must be at least 0, got -1"):
        squared_error_above(zoo_median(4, 3), -1.0)
    for make, model in (
        (names_smallest, zoo_2nd_argmax(4, 3)),
        (names_largest, zoo_2nd_argmax(4, 3)),
        (squared_error_above, zoo_median(4, 3)),
    ):
        with pytest.raises(ValueError, match="threshold must be a finite number, got inf"):
            make(model, np.inf)


def test_other_models_and_thresholds_are_refused():
    with pytest.raises(ValueError, match="for 2nd-argmax models"):
        event_of(zoo_argmedian(8, 5), 0.0)
    with pytest.raises(ValueError, match="threshold must be a finite number, got nan"):
        event_of(zoo_2nd_argmax(2, 2), np.nan)
    with pytest.raises(TypeError, match="is needed, got"):
        event_of("M2,2", 0.0)


def test_the_event_of_a_model_knows_it():
    model = zoo_2nd_argmax(2, 2)
    event = event_of(model, 0.25)
    assert isinstance(event, ModelEvent)
    assert event.model is model
    assert (event.kind, event.threshold) == ("wrong answer", 0.25)


SCOPE = EventScope(("wrong answer",), Scope("2nd_argmax", inputs=2), zero_only=True)


def test_a_scope_takes_the_events_that_it_says():
    assert SCOPE.takes(event_of(zoo_2nd_argmax(2, 2), 0.0))
    assert not SCOPE.takes(event_of(zoo_2nd_argmax(2, 2), 0.1))
    assert not SCOPE.takes(event_of(zoo_2nd_argmax(4, 3), 0.0))
    assert not SCOPE.takes(half_space([1.0, 0.0], 0.0))
    assert METHODS["naive"].takes(half_space([1.0, 0.0], 0.0))


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        (half_space([1.0, 0.0], 0.0), TypeError, "^A rule needs a model, and this event has none"),
        (
            event_of(zoo_2nd_argmax(4, 3), 0.0),
            ValueError,
            "^A rule is for 2nd-argmax models of two inputs, not for DistRNN",
        ),
        (
            event_of(zoo_2nd_argmax(2, 2), 0.1),
            ValueError,
            "^A rule is for the events 'wrong answer' of 2nd-argmax models of two inputs, with "
            "threshold 0, not for the event 'wrong answer' with threshold 0.1$",
        ),
    ],
)
def test_a_scope_refuses_other_events_in_a_line(event, error, message):
    with pytest.raises(error, match=message):
        SCOPE.check(event, "A rule")
