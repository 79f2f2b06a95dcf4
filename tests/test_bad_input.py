"""Models, weight files and notebooks that are not what they should be: right answers or refusals.

A refusal is a ``ValueError``, a ``TypeError`` or an error of the package's own with a message of
one line.
"""

import io
import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from algzoo.chapters.commands.main import main
from algzoo.chapters.notebooks import ChapterError, read
from algzoo.estimates import Estimate, catalog, exact, exhaustive_accuracy, sampling
from algzoo.explanations.second_argmax_h4_n3.symmetry import find_symmetry
from algzoo.structure import (
    canonical_order,
    circuits,
    cones,
    decision_cones,
    find_features,
    fitted_formulas,
    match_neurons,
    standard_form,
)
from algzoo.zoo import DistRNN, DistTransformer, OneLayerRNN, ScalarRNN, ScalarTransformer
from algzoo.zoo.loading import load_dist_rnn, load_state_dict, zoo_2nd_argmax
from algzoo.zoo.official import read_weights

REFUSALS = (ValueError, TypeError)

ESTIMATORS = {entry.name: entry.estimator for entry in catalog() if entry.estimator}
OTHERS = {
    f.__name__: f
    for f in (
        canonical_order,
        circuits,
        cones,
        decision_cones,
        exhaustive_accuracy,
        find_features,
        find_symmetry,
        standard_form,
    )
} | {
    "sampling": lambda model: sampling(model, 100, 0),
    "fitted_formulas": lambda model: fitted_formulas(model, n_inputs=256),
    "match_neurons": lambda model: match_neurons(model, model),
}
SLOW = {  # the boundary oracle is asked about a few models only; the others have cheaper kin
    "boundary oracle",
    "order classes, 16 points each",
    "order classes, 64 points each",
    "lines, 128 points",
    "lines between ties, 3 nodes",
    "lines between ties, 4 nodes",
    "8 to 8 rays a sector",
    "argmedian order classes, 16 points each",
}


def fresh(kind, hidden_size, seq_len, seed=0, **options):
    """A model with standard Gaussian weights."""
    model = kind(hidden_size, seq_len, **options)
    generator = torch.Generator().manual_seed(seed)
    return changed(model, lambda p, _: p.copy_(torch.randn(p.shape, generator=generator)))


def changed(model, change):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            change(parameter, name)
    return model


def with_last_weight(number, which):
    def change(model):
        parameter = list(model.parameters())[which]
        with torch.no_grad():
            parameter.view(-1)[-1] = number
        return model

    return change


def times(factor):
    return lambda model: changed(model, lambda p, _: p.mul_(factor))


def filled(number):
    return lambda model: changed(model, lambda p, _: p.fill_(number))


def mixed_scales(model):
    generator = torch.Generator().manual_seed(1)

    def change(parameter, _):
        large = torch.rand(parameter.shape, generator=generator) < 0.5
        parameter.mul_(torch.where(large, 1e30, 1e-30))

    return changed(model, change)


def dead_recurrence(model):
    return changed(model, lambda p, name: p.copy_(-p.abs()) if "weight_hh" in name else p)


def without(part):
    return lambda model: changed(model, lambda p, name: p.zero_() if part in name else p)


CHANGES = {
    "none": lambda model: model,
    "nan": with_last_weight(np.nan, 0),
    "infinity": with_last_weight(np.inf, 1),
    "minus infinity": with_last_weight(-np.inf, -1),
    "1e30": times(1e30),
    "1e-30": times(1e-30),
    "1e300": lambda model: times(1e300)(model.double()),
    "1e-300": lambda model: times(1e-300)(model.double()),
    "mixed scales": mixed_scales,
    "zeros": filled(0),
    "all alike": filled(1),
    "all alike and negative": filled(-1),
    "dead recurrence": dead_recurrence,
    "no input": without("ih"),
    "no readout": without("linear"),
    "signs": lambda model: changed(model, lambda p, _: p.sign_()),
    "float64": lambda model: model.double(),
    "bfloat16": lambda model: model.bfloat16(),
    "eval": lambda model: model.eval(),
    "no gradient": lambda model: model.requires_grad_(False),
    "meta": lambda model: model.to("meta"),
}

MODELS = {
    "2nd argmax of two": lambda: fresh(DistRNN, 4, 2),
    "2nd argmax of three": lambda: fresh(DistRNN, 4, 3),
    "2nd argmax of four": lambda: fresh(DistRNN, 3, 4),
    "2nd argmax of ten": lambda: fresh(DistRNN, 3, 10),
    "argmedian of three": lambda: with_task(fresh(DistRNN, 4, 3), "argmedian"),
    "median of two": lambda: fresh(ScalarRNN, 2, 2),
    "median of three": lambda: fresh(ScalarRNN, 2, 3),
    "longest cycle": lambda: fresh(DistTransformer, 2, 3, n_layers=2),
}


def with_task(model, task_name):
    model.task_name = task_name
    return model


def other_readout(model):
    model.linear = torch.nn.Linear(model.hidden_size, 7, bias=False)
    return model


def other_length(model):
    model.seq_len = 2
    return model


def two_number_types(model):
    model.rnn.double()
    return model


class Subclass(DistRNN):
    pass


STRANGERS = {
    "nothing": lambda: None,
    "a text": lambda: "2nd_argmax_2_2",
    "a module": lambda: torch.nn.Linear(2, 2),
    "a subclass": lambda: fresh(Subclass, 4, 3),
    "biases": lambda: fresh(DistRNN, 4, 3, bias=True),
    "biases of a median": lambda: fresh(ScalarRNN, 2, 3, bias=True),
    "biases of a transformer": lambda: fresh(DistTransformer, 2, 3, n_layers=2, bias=True),
    "no family": lambda: OneLayerRNN(4, 3),
    "a task that is none": lambda: with_task(fresh(DistRNN, 4, 3), "nonsense"),
    "a task of scalars": lambda: with_task(fresh(DistRNN, 4, 3), "median"),
    "a scalar": lambda: with_task(fresh(ScalarRNN, 4, 3), "2nd_argmax"),
    "another readout": lambda: other_readout(fresh(DistRNN, 4, 3)),
    "another length": lambda: other_length(fresh(DistRNN, 4, 3)),
    "one input": lambda: fresh(DistRNN, 4, 1),
    "two number types": lambda: two_number_types(fresh(DistRNN, 4, 3)),
    "a scalar transformer": lambda: fresh(ScalarTransformer, 2, 3),
    "a transformer of one layer": lambda: fresh(DistTransformer, 2, 3),
    "two heads": lambda: fresh(DistTransformer, 4, 3, n_layers=2, n_heads=2),
    "values beyond the positions": lambda: fresh(DistTransformer, 2, 3, input_range=4, n_layers=2),
    "standard form": lambda: standard_form(fresh(DistRNN, 4, 3)),
}


def _assert_one_line(message):
    assert message
    assert "\n" not in message


def asked(function, model):
    """What the function says of a model, or ``None`` where it refuses it as it should."""
    try:
        return function(model)
    except REFUSALS as error:
        _assert_one_line(str(error))
        return None


def check_all(model):
    """Ask every function about a model; the accuracies that they give, by name."""
    accuracies = {}
    for name, estimator in ESTIMATORS.items():
        if name in SLOW:
            continue
        estimate = asked(estimator, model)
        if estimate is None:
            continue
        assert isinstance(estimate, Estimate)
        assert np.isfinite(estimate.value), name
        assert estimate.value >= 0, name
        assert estimate.value <= 1 or model.task_name == "median", name
        assert estimate.std is None or np.isfinite(estimate.std), name
        accuracies[name] = estimate.value
    for function in OTHERS.values():
        asked(function, model)
    return accuracies


@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_is_no_model_of_a_family_is_refused_or_answered(stranger):
    check_all(STRANGERS[stranger]())


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", MODELS)
def test_odd_weights_are_refused_or_answered(kind, change):
    if kind == "longest cycle" and change in ("no input", "no readout"):
        return  # the parts of recurrent models
    model = CHANGES[change](MODELS[kind]())
    accuracies = check_all(model)
    if any(word in change for word in ("nan", "infinity", "meta")):
        assert not set(accuracies) - {"chance"}
    if "exact" in accuracies and not any(p.isnan().any() for p in model.parameters()):
        sampled = asked(lambda model: sampling(model, 4096, 0), model)
        if sampled is not None:
            # Six standard errors; half a percent for numbers of 8 bits.
            slack = 6 * sampled.std + 0.1 * (model.dtype == torch.bfloat16)
            scale = 1 if model.task_name != "median" else 1 + accuracies["exact"]
            assert abs(sampled.value - accuracies["exact"]) <= slack * scale


@pytest.mark.parametrize("change", ["none", "zeros", "all alike", "1e30", "nan"])
def test_boundary_oracle_of_odd_weights(change):
    oracle = ESTIMATORS["boundary oracle"]
    estimate = asked(oracle, CHANGES[change](fresh(DistRNN, 3, 4)))
    assert (estimate is None) == (change != "none")


@pytest.mark.parametrize("log_scale", [-290, -150, -40, 40, 150, 290])
def test_exact_accuracy_does_not_depend_on_the_units_of_the_activations(log_scale):
    model = fresh(DistRNN, 4, 3).double()
    before = exact(model).value
    with torch.no_grad():
        model.rnn.weight_ih_l0.mul_(10.0**log_scale)
    assert exact(model).value == pytest.approx(before, abs=1e-14)


@pytest.mark.parametrize("scale", [1e-200, 1e-9, 1e9, 1e200])
def test_exact_accuracy_where_the_memory_is_very_large_or_small(scale):
    model = fresh(DistRNN, 3, 3, seed=2).double()
    with torch.no_grad():
        model.rnn.weight_hh_l0.mul_(scale)
    assert 0 <= exact(model).value <= 1
    sampled = sampling(model, 2**14, 0) if 1e-20 < scale < 1e20 else None
    if sampled is not None:
        assert abs(exact(model).value - sampled.value) < 5 * sampled.std


# Weight files


def weights(seed=0):
    return {k: v.clone() for k, v in fresh(DistRNN, 2, 2, seed).state_dict().items()}


def content(kind):
    if kind == "safetensors":
        from safetensors.torch import save

        return save(weights())
    buffer = io.BytesIO()
    torch.save(weights(), buffer, _use_new_zipfile_serialization=kind == "pth")
    return buffer.getvalue()


READERS = {
    "read_weights": read_weights,
    "load_state_dict": load_state_dict,
    "load_dist_rnn": load_dist_rnn,
    "zoo_2nd_argmax": lambda path: zoo_2nd_argmax(2, 2, source=path),
}


def _assert_says(error, path):
    """The message is one line that names the file."""
    assert str(path) in str(error)
    assert "\n" not in str(error)


def assert_read_or_refused(path):
    for reader in READERS.values():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = reader(path)
        except (ValueError, OSError) as error:
            _assert_says(error, path)
        else:
            state = found if isinstance(found, dict) else found.state_dict()
            assert all(torch.isfinite(weight).all() for weight in state.values())


@pytest.mark.parametrize("kind", ["safetensors", "pth", "old pth"])
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_weight_files_are_read_or_refused(tmp_path_factory, kind, data):
    folder = tmp_path_factory.mktemp("damaged")
    good = bytearray(content(kind))
    for _ in range(data.draw(st.integers(0, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    good = good[: data.draw(st.one_of(st.just(len(good)), st.integers(0, len(good))))]
    path = folder / f"weights.{kind.split()[-1]}"
    path.write_bytes(bytes(good))
    assert_read_or_refused(path)
    assert [*folder.iterdir()] == [path]


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.write_text, (self.target, "executed")


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_no_code_of_a_weight_file_is_run(tmp_path, ending):
    marker = tmp_path / "executed"
    buffer = io.BytesIO()
    torch.save({"linear.weight": Bomb(str(marker))}, buffer)
    for bomb in (buffer.getvalue(), pickle.dumps(Bomb(str(marker)))):
        path = tmp_path / f"weights.{ending}"
        path.write_bytes(bomb)
        assert_read_or_refused(path)
        assert not marker.exists()


STATES = {
    "no tensor": {},
    "other names": {"a": torch.ones(2)},
    "other shapes": weights() | {"rnn.weight_hh_l0": torch.ones(3, 2)},
    "a vector": weights() | {"linear.weight": torch.ones(4)},
    "no rows": weights() | {"linear.weight": torch.ones(0, 2)},
    "no columns": weights() | {"linear.weight": torch.ones(2, 0)},
    "nan": weights() | {"linear.weight": torch.full((2, 2), torch.nan)},
    "infinity": weights() | {"rnn.weight_ih_l0": torch.full((2, 1), torch.inf)},
    "whole numbers": {k: v.to(torch.int32) for k, v in weights().items()},
    "complex numbers": {k: v.to(torch.complex64) for k, v in weights().items()},
    "one missing": {k: v for k, v in weights().items() if "hh" not in k},
    "one too many": weights() | {"more": torch.ones(1)},
}


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("state", STATES)
def test_files_of_other_weights_are_refused(tmp_path, state, ending):
    path = tmp_path / f"weights.{ending}"
    torch.save(STATES[state], path) if ending == "pth" else save_file(STATES[state], path)
    for reader in (load_dist_rnn, READERS["zoo_2nd_argmax"]):
        with pytest.raises(REFUSALS) as error:
            reader(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_paths_that_are_no_files(tmp_path, reader, ending):
    path = tmp_path / f"weights.{ending}"
    for make in (lambda: None, path.mkdir, lambda: path.symlink_to(path)):
        make()
        with pytest.raises((OSError, ValueError)) as error:
            READERS[reader](path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)
        if path.is_dir():
            path.rmdir()


@pytest.mark.parametrize("reader", READERS)
def test_header_that_promises_too_much(tmp_path, reader):
    path = tmp_path / "weights.safetensors"
    entry = {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 2**62]}
    header = json.dumps({"linear.weight": entry}).encode()
    for start in (len(header), 2**62):
        path.write_bytes(start.to_bytes(8, "little") + header)
        with pytest.raises(ValueError, match=r"weights\.safetensors"):
            READERS[reader](path)


# Notebooks

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "metadata", "nbformat", "nbformat_minor", "outputs", "source"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def assert_notebook_or_refused(path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(path)
    except ChapterError as error:
        _assert_says(error, path)


@settings(max_examples=100)
@given(JSON)
def test_json_that_is_no_notebook_is_refused(tmp_path_factory, notebook):
    path = tmp_path_factory.mktemp("notebook") / "x.ipynb"
    path.write_text(json.dumps(notebook))
    assert_notebook_or_refused(path)


@settings(max_examples=100)
@given(data=st.data())
def test_altered_notebooks_are_read_or_refused(tmp_path_factory, data):
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "a",
        "metadata": {},
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}],
        "source": "1",
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    place = data.draw(st.sampled_from([notebook, cell, cell["outputs"][0]]))
    key = data.draw(st.sampled_from(sorted(place)))
    if data.draw(st.booleans()):
        del place[key]
    else:
        place[key] = data.draw(JSON)
    path = tmp_path_factory.mktemp("notebook") / "x.ipynb"
    path.write_text(json.dumps(notebook))
    assert_notebook_or_refused(path)


@settings(max_examples=50)
@given(st.binary(max_size=40))
def test_bytes_that_are_no_notebook_are_refused(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("notebook") / "x.ipynb"
    path.write_bytes(noise)
    with pytest.raises(ChapterError, match="is not a readable notebook") as error:
        read(path)
    assert "\n" not in str(error.value)


def test_paths_that_are_no_notebooks(tmp_path):
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "circle.ipynb").symlink_to(tmp_path / "circle.ipynb")
    for name in ("folder", "circle", "missing"):
        with pytest.raises(ChapterError, match=f"{name}.ipynb is not a readable notebook"):
            read(tmp_path / f"{name}.ipynb")


def test_notebook_of_many_nested_lists(tmp_path):
    path = tmp_path / "x.ipynb"
    path.write_text("[" * 100_000)
    assert_notebook_or_refused(path)


# The command line


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "nope"],
        ["check", ""],
        ["check", "--json", "../x"],
        ["new-chapter", "a/b", "--family", "median", "--hidden-size", "2", "--seq-len", "2"],
        ["new-chapter", "new", "--family", "median", "--hidden-size", "-1", "--seq-len", "2"],
        ["publish-at", "ftp://x"],
        ["train", "nope", "2", "2"],
        ["train", "median", "-1", "2"],
        ["train", "median", str(10**12), "2", "--n-train", "1024"],
        ["train", "median", "2", "2", "--n-train", "-5"],
        ["train", "median", "2", "2", "--n-train", "1024", "--device", "nope"],
        ["train", "median", "2", "2", "--n-train", "1024", "--seed", str(10**30)],
        ["train", "--all", "--family", "nope"],
        ["benchmark", "7", "10"],
        ["challenge", "--model", "nope", "--sd", ".1", "--estimator", "exact"],
        ["challenge", "--model", "2nd_argmax_2_2", "--sd", "nan", "--estimator", "exact"],
        ["challenge", "--model", "2nd_argmax_2_2", "--sd", ".1", "--estimator", "nope"],
        ["challenge", "--model", "example_2nd_argmax", "--sd", ".1", "--estimator", "exact"],
        ["challenge", "--model", "2nd_argmax_2_2", "--sd", "1e300", "--estimator", "exact"],
        ["challenge", "--model", "2nd_argmax_2_2", "--sd", "inf", "--estimator", "exact"],
        [
            *("challenge", "--model", "2nd_argmax_2_2", "--sd", ".1", "--estimator", "exact"),
            *("--models", "0"),
        ],
        ["challenge", "--round", "../trial", "--estimator", "exact"],
        ["challenge", "--round", "", "--estimator", "exact"],
        ["challenge", "--round", "2026-12\n", "--estimator", "exact"],
        ["rare", "--round", "../rare-trial", "--estimator", "naive"],
        ["rare", "--round", "", "--estimator", "naive"],
        ["rare", "--model", "2nd_argmax_2_2", "--threshold", "1e300", "--estimator", "naive"],
        ["rare", "--model", "2nd_argmax_2_2", "--threshold", "-inf", "--estimator", "naive"],
        ["accuracy", "a\nb"],
        ["accuracy", "2nd_argmax_2_2:"],
        ["accuracy", "2nd_argmax_16_10", "--tolerance", "1e-300"],
        ["cite", "a\nb"],
        ["cite", ""],
        ["cite", "[/]"],
        ["cite", "2nd_argmax_99_99"],
        ["export", "a\nb", "--to", "onnx"],
        ["export", "", "--to", "safetensors"],
        ["export", "2nd_argmax_2_2:/", "--to", "safetensors"],
        ["export", "2nd_argmax_2_2", "--to", "onnx", "--output", "analyses"],
        ["export", "2nd_argmax_2_2", "--to", "safetensors", "--output", "_toc.yml/x.safetensors"],
        ["leaderboard", "_toc.yml"],
        ["leaderboard", "analyses"],
        ["study", "--check", "100000"],
        ["study", "--base", "example"],
        ["fetch", "../../etc"],
        ["fetch", "median_2_2_1073741824_0"],
    ],
)
def test_mistakes_at_the_command_line_are_told_in_a_line(arguments, tmp_path, monkeypatch):
    (tmp_path / "analyses").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALGZOO_OFFICIAL", raising=False)
    before = sorted(tmp_path.rglob("*"))
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (1, 2)
    assert isinstance(result.exception, SystemExit)
    told = result.stderr.strip().splitlines()
    usage = told[0].startswith("Usage")  # and where help is, before the message
    assert len(told) <= (4 if usage else 2)
    assert "Traceback" not in result.stderr
    assert sorted(tmp_path.rglob("*")) == before
