import numpy as np
import pytest
import torch

from algzoo.estimates import Scope, exact
from algzoo.estimates.rare import METHODS, EventScope, ModelEvent, event_of, half_space, naive
from algzoo.zoo import zoo_2nd_argmax, zoo_argmedian


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
