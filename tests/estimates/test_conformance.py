"""What holds for every estimator of the catalogue, whoever wrote it.

A new one is tried here as soon as it is declared. Its values, its costs and how it fails are tested
beside it and in ``test_catalog.py``.
"""

import inspect
import math
from functools import reduce
from importlib import import_module

import numpy as np
import pytest
from torch.utils._python_dispatch import TorchDispatchMode

from algzoo.estimates import (
    Estimate,
    Scope,
    Tally,
    catalog,
    estimator,
    fitted_estimator,
    sampler,
    sampling,
)
from algzoo.estimates.estimate import Fitted
from algzoo.zoo import (
    FAMILIES,
    DistRNN,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)
from algzoo.zoo.populations import NoisyCopies

ENTRIES = catalog()
OTHERS = [
    *(zoo_2nd_argmax(2, 2), zoo_2nd_argmax(5, 3), zoo_2nd_argmax(4, 4), zoo_2nd_argmax(8, 5)),
    *(zoo_argmedian(4, 3), zoo_argmedian(4, 7), zoo_median(4, 3), zoo_median(2, 5)),
    zoo_longest_cycle(2, 3),
]
# Every way in which the package runs a network without PyTorch: where it is defined, and its name.
FORWARD_PASSES = [
    ("algzoo.structure.weights", "outputs"),
    ("algzoo.estimates.many_inputs.prefix_tree", "PrefixTree.logits"),
    ("algzoo.estimates.samplers.kernel", "run"),
    ("algzoo.estimates.many_inputs.shared_beginnings", "Prefixes.drives"),
    ("algzoo.estimates.samplers.tree", "tree_outputs"),
]


def run(*args, **kwargs):
    raise AssertionError("the network was run")


class NoProducts(TorchDispatchMode):
    """PyTorch without products of matrices, so that no module's forward pass works."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return (run if "mm" in func.__name__ else func)(*args, **(kwargs or {}))


class Reversing(DistRNN):
    """It computes something else than its weights say."""

    def forward(self, x, init_state=None):
        return super().forward(x.flip(-1), init_state)


def of(entry, model):
    """The estimator of an entry, fitted on noisy copies where it is nothing without a fit."""
    if entry.estimator is not None:
        return entry.estimator
    copies = [NoisyCopies(model, 0.002, 6, stream="tuning").model(i) for i in range(6)]
    return entry.fit(copies, [sampling(copy, 2**10, 0).value for copy in copies])


EACH = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


@EACH
def test_answers_are_scores_and_the_same_twice(entry):
    for model in entry.scope.examples():
        estimator = of(entry, model)
        found = estimator(model)
        assert found == estimator(model)
        largest = math.inf if FAMILIES[model.task_name].measures_error else 1
        assert 0 <= found.value <= largest
        assert isinstance(found.operations, int)
        assert found.operations > 0
        assert 0 <= found.transcendental <= found.operations / 10
        assert found.runs_network == entry.runs_network


@EACH
def test_it_runs_the_network_where_it_says_so(entry, monkeypatch):
    model = entry.scope.example()
    estimator = of(entry, model)

    for module, name in FORWARD_PASSES:
        *owners, attribute = name.split(".")
        owner = reduce(getattr, owners, import_module(module))
        monkeypatch.setattr(owner, attribute, run)
    with NoProducts():
        if entry.runs_network == "never":
            assert isinstance(estimator(model), Estimate)
        elif entry.name != "folded, all functions":  # which has a forward pass of its own
            with pytest.raises(AssertionError, match="the network was run"):
                estimator(model)


@EACH
def test_other_models_are_refused_in_one_wording(entry):
    estimator = of(entry, entry.scope.example())
    asked = estimator.scope if isinstance(estimator, Fitted) else entry.scope
    refused = [model for model in OTHERS if not asked.takes(model)]
    for model in refused:
        kind = f"{type(model).__name__} of {model.task_name} with seq_len {model.seq_len}"
        with pytest.raises(ValueError, match=f" is for .* models.*, not for {kind}") as error:
            estimator(model)
        assert "\n" not in str(error.value)
        assert str(asked) in str(error.value)
        if entry.fit is not None:
            with pytest.raises(ValueError, match=r" is for .* models"):
                entry.fit([entry.scope.example(), model], [0.5, 0.5])
    if not entry.scope.as_it_is:
        with pytest.raises(ValueError, match="something else than its weights say"):
            estimator(Reversing(4, 3))
    with pytest.raises(TypeError, match="A model of this package is needed, got NoneType"):
        estimator(None)


@EACH
def test_what_it_says_of_itself(entry):
    declared = entry.estimator or entry.fit
    while hasattr(declared, "func") or hasattr(declared, "sampler"):
        declared = getattr(declared, "func", None) or declared.sampler
    lines = inspect.getdoc(declared).splitlines()
    assert entry.summary.endswith(".")
    assert lines[1] == ""
    assert lines[2].startswith(f"For {entry.scope}. Runs the network: {entry.runs_network}; ")
    for fact in (entry.source, entry.cost, entry.fails_when, entry.since, entry.origin):
        assert fact.strip() == fact != ""
        assert not fact.endswith(".")
        assert "\n" not in fact


@EACH
def test_scrambles_differ(entry):
    if entry.scrambles:
        noisy = NoisyCopies(entry.scope.example(), 0.05, 1).model(0)
        function = entry.estimator.func
        budget = {**entry.estimator.keywords}
        values = (function(noisy, **{**budget, "scramble": s}).value for s in range(8))
        first = next(values)
        assert any(value != first for value in values)  # some take seconds: no more than it needs


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.exact == "exact"], ids=lambda entry: entry.name
)
def test_exact_ones_agree_with_sampling(entry):
    for base in entry.scope.examples():
        model = NoisyCopies(base, 0.05, 1).model(0)
        found, sampled = entry.estimator(model), sampling(model, 2**16, 1)
        assert found.std == 0
        assert abs(found.value - sampled.value) < 5 * sampled.std


FACTS = {
    "scope": Scope("2nd_argmax", inputs=3),
    "runs_network": "never",
    "exact": "approximate",
    "constants": "none",
    "source": "nobody",
    "cost": "nothing",
    "fails_when": "always",
}


def test_wrong_declarations_are_refused():
    with pytest.raises(ValueError, match="exact is one of exact, converges, approximate, not 'A'"):
        estimator("half", **{**FACTS, "exact": "A"})(lambda model: Tally(0.5, 1))


def test_a_sampler_is_told_how_many_and_a_seed():
    @sampler("guess", scope=FACTS["scope"])
    def guess(model, n_samples, seed):
        """A guess."""
        return Tally(np.random.default_rng(seed).random(), n_samples)

    found = guess(zoo_2nd_argmax(4, 3), 7, 1)
    assert (found.operations, found.runs_network) == (7, "random inputs")
    assert guess.declaration.exact == "converges"
    with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
        guess(zoo_2nd_argmax(4, 3), 0, 0)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        guess(zoo_2nd_argmax(4, 3), 1, -1)


def test_a_fit_is_for_models_of_one_size():
    @fitted_estimator("mean, {times} times", **FACTS)
    def fit(models, accuracies, *, times):
        """A mean."""
        mean = sum(accuracies) / len(accuracies)
        return lambda model: Tally(mean, times)

    fitted = fit([zoo_2nd_argmax(4, 3), zoo_2nd_argmax(4, 3, seed=1)], [0.25, 0.75], times=3)
    assert fitted(zoo_2nd_argmax(4, 3)) == Estimate(0.5, 3, "never")
    with pytest.raises(ValueError, match=r"^mean, 3 times is for .* three inputs and four neurons"):
        fitted(zoo_2nd_argmax(5, 3))
    with pytest.raises(ValueError, match=r"^this fit of mean, 3 times is for .* seq_len 3 and hid"):
        fit([zoo_2nd_argmax(4, 3), zoo_2nd_argmax(5, 3)], [0.5, 0.5], times=3)
    with pytest.raises(ValueError, match="got 1 models and 0 accuracies"):
        fit([zoo_2nd_argmax(4, 3)], [], times=3)
