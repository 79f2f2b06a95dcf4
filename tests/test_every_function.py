"""Every public function that takes a model: an answer that is a number, or a refusal of one line.

Functions are found by their signatures, so that a new one is asked too. What is refused are models
of other architectures, tasks, sizes and number types, damaged ones, and what is no model.
"""

import importlib
import inspect
import pkgutil
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrize

from algzoo import estimates, explanations, mechanisms, scoring, structure, zoo
from algzoo.estimates import sampling
from algzoo.estimates.many_inputs.margins import levels_tree
from algzoo.scoring.surprise import untrained
from algzoo.structure import find_features
from algzoo.zoo import DistRNN, DistTransformer, OneLayerRNN, ScalarRNN, ScalarTransformer


def levels_of(model):
    """Inputs of the model's length, where it has one of two or more."""
    n = getattr(model, "seq_len", None)
    return levels_tree(n if isinstance(n, int) and n > 1 else 3, (1.0, 0.5), (0.0, 0.2))


# Parameters that have no default, by name; the second is for those that depend on the model.
VALUES = {
    "abnormal": lambda facts: facts.answer != 0,
    "accuracies": [0.5, 0.6, 0.7],
    "anchors": "one",
    "angle": 0.3,
    "bits": 100.0,
    "circuit": "QK",
    "clustering": 1.0,
    "condition": lambda facts: facts.answer >= 0,
    "description": "a task",
    "directions": 1,
    "estimator": partial(sampling, n_samples=10, seed=0),
    "fires": lambda facts: facts.answer == 0,
    "gap": 0.1,
    "largest": 0,
    "layer": 0,
    "loss": 0.1,
    "margin": 1.0,
    "margins": np.array([-1.0, 0.5]),
    "mass": 1e-4,
    "masses": (1e-4,),
    "mean": 0.5,
    "n_inputs": 10,
    "n_nodes": 8,
    "n_rays": 4,
    "n_samples": 40,
    "name": "task",
    "narrow": 1,
    "neurons": [0],
    "nodes": 2,
    "normal": lambda facts: facts.answer == 0,
    "operations": 500,
    "order": [3, 2, 1, 0],
    "others_only": False,
    "per_class": 1,
    "points": 4,
    "probability": 0.01,
    "rank": 1,
    "repeats": 2,
    "rounds": 1,
    "rows": 4,
    "rule": lambda model, scramble: sampling(model, 10, scramble),
    "sample_sizes": [10],
    "sampler": sampling,
    "scramble": 0,
    "scrambles": (0, 1),
    "sd": 0.1,
    "second": 1,
    "seed": 0,
    "share": 0.1,
    "statements": [],
    "threshold": 0.0,
    "thresholds": [0.0, 1.0],
    "truths": [(0.5, 0.0)] * 3,
    "variance": 0.1,
    "wide": 2,
}
DEPENDENT = {
    "models": lambda model: [model] * 3,
    "model": lambda model: model,
    "reference": lambda model: model,
    "generator": lambda model: np.random.default_rng(0),
    "search": find_features,
    "x": lambda model: np.ones(len(levels_of(model)[0].inputs) - 2),
    "tree": lambda model: levels_of(model)[0],
    "answers": lambda model: levels_of(model)[1],
    "distillate": lambda model: model,
    "rng": lambda model: np.random.default_rng(0),
}
SMALLER = {
    "tolerance": 0.1,
    "n_inputs": 64,
    "n_models": 2,
    "n_noises": 2,
    "n_trusted": 64,
    "n_test": 32,
}  # in place of a default
LEFT_OUT = {
    # They take any module, and belong to what checks models.
    *("is_plain", "n_outputs", "check_weights", "check_task_has_answers", "load_into"),
    *("check_logits_not_too_small", "samplers_for"),
    # They look at sizes and tasks, for functions that have checked the model.
    *("clustering_for", "folded_classes_stream", "least_for", "rank_of_answer"),
    *("operations", "run_of_network"),
    # They serve functions that have checked the model.
    "decisions",
    *("compiled_forward", "ranks_of_target"),
    # Measures: what they make takes the model.
    *("least_margin", "second_value"),
    # It looks at the inputs alone.
    "inputs",
    # They look at the accuracies alone.
    *("fitted_constant", "fitted_prior_shrunk"),
    # They take seconds on a model that they are for; the latter asks estimators that are here.
    *("boundary_oracle", "throughput", "weight_bits", "efficiency", "scores", "noise_tolerance"),
}


def functions():
    for package in (zoo, structure, estimates, scoring, mechanisms, explanations):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if info.ispkg or "sandbox" in info.name or ".training." in info.name:
                continue
            module = importlib.import_module(info.name)
            for name, function in vars(module).items():
                own = inspect.isfunction(function) and function.__module__ == info.name
                if own and not name.startswith("_") and name not in LEFT_OUT:
                    parameters = inspect.signature(function).parameters
                    if {"model", "models"} & parameters.keys():
                        yield f"{info.name.removeprefix('algzoo.')}.{name}", function


FUNCTIONS = dict(functions())


def ask(function, model):
    given = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in DEPENDENT:
            given[name] = DEPENDENT[name](model)
        elif parameter.default is parameter.empty:
            given[name] = VALUES[name]
        elif name in SMALLER:
            given[name] = SMALLER[name]
    return function(**given)


def fresh(kind, hidden_size, seq_len, **options):
    model = kind(hidden_size, seq_len, **options)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


def changed(model, **attributes):
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def filled(model, number):
    """All weights alike; in float64 where float32 has no such number."""
    fits = number != number or number in (0, np.inf) or 1e-38 < number < 1e38
    model = model if fits else model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(number)
    return model


def without(model, name):
    delattr(model, name)
    return model


def parametrised(model):
    """With weights that torch.nn.utils computes from others, which are twice as large."""
    parametrize.register_parametrization(
        model.linear if hasattr(model, "linear") else model.unembed, "weight", Halved()
    )
    return model


class Halved(torch.nn.Module):
    def forward(self, weight):
        return weight / 2


def hooked(model):
    model.register_forward_hook(lambda *_: None)
    return model


rnn = partial(fresh, DistRNN)
two_layers = partial(fresh, DistTransformer, n_layers=2)

MODELS = {
    "2nd argmax (1, 2)": lambda: rnn(1, 2),
    "2nd argmax (4, 1)": lambda: rnn(4, 1),
    "2nd argmax (4, 3)": lambda: rnn(4, 3),
    "2nd argmax (2, 5)": lambda: rnn(2, 5),
    "argmedian (4, 1)": lambda: changed(rnn(4, 1), task_name="argmedian"),
    "argmedian (4, 2)": lambda: changed(rnn(4, 2), task_name="argmedian"),
    "argmedian (1, 3)": lambda: changed(rnn(1, 3), task_name="argmedian"),
    "median (1, 1)": lambda: fresh(ScalarRNN, 1, 1),
    "median (2, 2)": lambda: fresh(ScalarRNN, 2, 2),
    "median (4, 4)": lambda: fresh(ScalarRNN, 4, 4),
    "longest cycle (1, 1)": lambda: two_layers(1, 1),
    "longest cycle (1, 2)": lambda: two_layers(1, 2),
    "longest cycle (4, 3)": lambda: two_layers(4, 3),
    "no layer": lambda: fresh(DistTransformer, 4, 3, n_layers=0),
    "three layers": lambda: fresh(DistTransformer, 2, 3, n_layers=3),
    "two heads": lambda: two_layers(4, 3, n_heads=2),
    "more values than points": lambda: two_layers(4, 3, input_range=4),
    "fewer values than points": lambda: two_layers(4, 3, input_range=2),
    "thirteen points": lambda: two_layers(8, 13),
    "a scalar transformer": lambda: fresh(ScalarTransformer, 2, 3),
    "a transformer for 2nd argmax": lambda: changed(two_layers(4, 3), task_name="2nd_argmax"),
    "a recurrent model for cycles": lambda: changed(rnn(4, 3), task_name="longest_cycle"),
    "no family": lambda: fresh(OneLayerRNN, 4, 3),
    "biases": lambda: rnn(4, 3, bias=True),
    "biases of a transformer": lambda: two_layers(4, 3, bias=True),
    "hidden size as a text": lambda: changed(rnn(4, 3), hidden_size="4"),
    "another hidden size": lambda: changed(rnn(4, 3), hidden_size=5),
    "no hidden size": lambda: without(rnn(4, 3), "hidden_size"),
    "no readout": lambda: without(rnn(4, 3), "linear"),
    "length as a text": lambda: changed(rnn(4, 3), seq_len="3"),
    "length as a float": lambda: changed(rnn(4, 3), seq_len=3.0),
    "no length": lambda: changed(fresh(ScalarRNN, 4, 3), seq_len=None),
    "length zero": lambda: changed(fresh(ScalarRNN, 4, 3), seq_len=0),
    "a negative length": lambda: changed(fresh(ScalarRNN, 4, 3), seq_len=-1),
    "a list of tasks": lambda: changed(rnn(4, 3), task_name=["2nd_argmax"]),
    "no number of layers": lambda: changed(two_layers(4, 3), n_layers=None),
    "no heads": lambda: changed(two_layers(4, 3), n_heads=0),
    "half": lambda: rnn(4, 3).half(),
    "half transformer": lambda: two_layers(4, 3).half(),
    "bfloat16": lambda: two_layers(4, 3).bfloat16(),
    "complex": lambda: rnn(4, 3).to(torch.complex64),
    "eight bits": lambda: rnn(4, 3).to(torch.float8_e4m3fn),
    "eight bits of a transformer": lambda: two_layers(4, 3).to(torch.float8_e4m3fn),
    "half median": lambda: fresh(ScalarRNN, 2, 2).half(),
    "bfloat16 of a recurrent model": lambda: rnn(4, 3).bfloat16(),
    "double": lambda: rnn(4, 3).double(),
    "meta": lambda: two_layers(4, 3).to("meta"),
    "meta of a recurrent model": lambda: rnn(4, 3).to("meta"),
    "meta of a median": lambda: fresh(ScalarRNN, 2, 2).to("meta"),
    "parametrised": lambda: parametrised(rnn(4, 3)),
    "parametrised transformer": lambda: parametrised(two_layers(4, 3)),
    "compiled": lambda: torch.compile(rnn(4, 3), backend="eager"),
    "compiled transformer": lambda: torch.compile(two_layers(4, 3), backend="eager"),
    "compiled median": lambda: torch.compile(fresh(ScalarRNN, 2, 2), backend="eager"),
    "hook": lambda: hooked(rnn(4, 3)),
    "hook on a transformer": lambda: hooked(two_layers(4, 3)),
    "nothing": lambda: None,
    "a text": lambda: "2nd_argmax_4_3",
    "a module": lambda: torch.nn.Linear(4, 3),
    "a class": lambda: DistRNN,
}
MODELS |= {
    f"{kind}, {number}": lambda make=make, number=number: filled(make(), number)
    for kind, make in {
        "2nd argmax": lambda: rnn(4, 3),
        "argmedian": lambda: changed(rnn(4, 5), task_name="argmedian"),
        "median": lambda: fresh(ScalarRNN, 2, 2),
        "longest cycle": lambda: two_layers(2, 3),
    }.items()
    for number in (0.0, 1.0, 1e30, 1e300, 1e-300, np.inf, np.nan)
}
NO_MODELS = ("nothing", "a text", "a module", "a class")


def answer_or_refusal(name, model):
    """What a function finds, or the message of its refusal; anything else it does is an error."""
    try:
        return ask(FUNCTIONS[name], model), None
    except (ValueError, TypeError) as refusal:
        return None, str(refusal)
    except Exception as error:
        raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error


@pytest.fixture
def few_networks(monkeypatch):
    monkeypatch.setattr(untrained, "N_NETWORKS", 4)  # 256 take seconds


@pytest.mark.usefixtures("few_networks")
@pytest.mark.parametrize("kind", MODELS)
def test_every_function_answers_or_refuses_in_a_line(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, that complex and small weights are new
        model = MODELS[kind]()
    for name in FUNCTIONS:
        found, refusal = answer_or_refusal(name, model)
        if refusal is None:
            value = getattr(found, "value", found)
            assert not isinstance(value, float) or np.isfinite(value), name
        else:
            assert refusal, name
            assert "\n" not in refusal, name
        if kind in NO_MODELS:
            assert " is needed, got " in refusal, name


def test_the_functions_are_there():
    names = {name.rpartition(".")[2] for name in FUNCTIONS}
    assert len(FUNCTIONS) > 80
    assert {"exact", "sampling", "standard_form", "cones", "fold", "find_features"} < names
    assert {"arc_ledger", "mean_ledger", "truth", "model_digest", "weights_of"} < names
