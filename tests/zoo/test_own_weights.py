"""A model from a file of one's own: any size, checked against the size asked for, never run."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from algzoo.estimates import sampling
from algzoo.zoo import (
    FAMILIES,
    load_model,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)
from algzoo.zoo.loading import load_dist_rnn, load_dist_transformer, load_scalar_rnn
from algzoo.zoo.populations import base_named
from algzoo.zoo.streams import model_digest

LOADERS = {
    "2nd_argmax": zoo_2nd_argmax,
    "argmedian": zoo_argmedian,
    "median": zoo_median,
    "longest_cycle": zoo_longest_cycle,
}


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_the_file_gives_the_model_back(tmp_path, family, ending):
    """Also in a size that the zoo does not have."""
    torch.manual_seed(0)
    own = family.build(7, 4)
    path = tmp_path / f"own.{ending}"
    save_file(own.state_dict(), path) if ending == "safetensors" else torch.save(
        own.state_dict(), path
    )
    for source in (path, str(path)):
        model = LOADERS[family.name](7, 4, source=source)
        assert model.task_name == family.name
        assert type(model) is type(own)
        for name, weight in own.state_dict().items():
            assert torch.equal(model.state_dict()[name], weight)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own.pth"
    torch.save(zoo_2nd_argmax(3, 4).state_dict(), path)
    return path


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [
        (
            (4, 3),
            {},
            r"own\.pth does not hold the weights asked for: .*\(4, 3\), not \(3, 4\)",
        ),
        ((3, 4), {"seed": 0}, "seed 0 chooses among models of the zoo: .*own.pth is a single one"),
        ((3, 4), {"n_seqs": 2**20}, "n_seqs 1048576 chooses among models of the zoo"),
        ((0, 4), {}, "hidden_size must be a whole number above 0, got 0"),
        ((3, 4.0), {}, "seq_len must be a whole number above 0, got 4.0"),
        ((True, 4), {}, "hidden_size must be a whole number above 0, got True"),
    ],
)
def test_what_does_not_fit_is_refused(file, size, options, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        zoo_2nd_argmax(*size, source=file, **options)


def test_weights_of_another_architecture_and_unknown_families_are_refused(file):
    with pytest.raises(ValueError, match="does not hold the weights asked for"):
        zoo_longest_cycle(3, 4, source=file)
    with pytest.raises(ValueError, match="No zoo model with family '3rd_argmax'"):
        load_model("3rd_argmax", 3, 4, source=file)


def test_a_missing_file_is_named_by_its_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"No weight file at {tmp_path}/mine.pth"):
        zoo_2nd_argmax(2, 2, source="mine.pth")


class Explosive:
    def __reduce__(self):
        return (pytest.fail, ("code from a weight file was run",))


@pytest.mark.parametrize("write", [pickle.dump, torch.save])
def test_no_code_in_a_file_is_run(tmp_path, write):
    path = tmp_path / "explosive.pth"
    with path.open("wb") as file:
        write({"rnn.weight_ih_l0": Explosive()}, file)
    with pytest.raises(ValueError, match=r"explosive\.pth is not a readable \.pth weight file"):
        zoo_2nd_argmax(2, 2, source=path)


def test_a_source_that_is_none_is_told_of_files():
    with pytest.raises(ValueError, match=r"or name a file of weights that ends in \.safetensors"):
        zoo_2nd_argmax(2, 2, source="mine.txt")


ENDINGS = ["safetensors", "SAFETENSORS", "pth", "PTH", "pt", "Pt"]


def saved(state, path):
    save_file(state, path) if path.suffix.lower() == ".safetensors" else torch.save(state, path)
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_that_says_what_a_file_is(tmp_path, ending):
    own = zoo_2nd_argmax(3, 4)
    path = saved(own.state_dict(), tmp_path / f"own.{ending}")
    for load in (load_dist_rnn, lambda path: zoo_2nd_argmax(3, 4, source=path)):
        for source in (path, str(path)):
            assert model_digest(load(source)) == model_digest(own)


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
@pytest.mark.parametrize(
    ("number_types", "expected"),
    [
        ((torch.float64,) * 3, torch.float64),
        ((torch.float32,) * 3, torch.float32),
        ((torch.float16,) * 3, torch.float32),
        ((torch.bfloat16,) * 3, torch.float32),
        ((torch.float32, torch.float64, torch.float32), torch.float64),
        ((torch.float16, torch.bfloat16, torch.float16), torch.float32),
    ],
)
def test_no_weight_is_rounded(tmp_path, ending, number_types, expected):
    torch.manual_seed(1)
    shapes = {"rnn.weight_ih_l0": (3, 1), "rnn.weight_hh_l0": (3, 3), "linear.weight": (4, 3)}
    state = {
        key: torch.randn(shape, dtype=torch.float64).to(number_type)
        for (key, shape), number_type in zip(shapes.items(), number_types, strict=True)
    }
    path = saved(state, tmp_path / f"own.{ending}")
    for model in (load_dist_rnn(path), zoo_2nd_argmax(3, 4, source=path)):
        assert {weight.dtype for weight in model.parameters()} == {expected}
        for key, weight in state.items():
            assert torch.equal(model.state_dict()[key].double(), weight.double())
        assert 0 <= sampling(model, 100, 0).value <= 1


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_transformers_and_scalars_are_not_rounded_either(tmp_path, ending):
    torch.manual_seed(2)
    transformer = FAMILIES["longest_cycle"].build(4, 3).double()
    path = saved(transformer.state_dict(), tmp_path / f"transformer.{ending}")
    for model in (load_dist_transformer(path), zoo_longest_cycle(4, 3, source=path)):
        assert model_digest(model) == model_digest(transformer)
    scalar = FAMILIES["median"].build(4, 3).double()
    path = saved(scalar.state_dict(), tmp_path / f"scalar.{ending}")
    for model in (load_scalar_rnn(path, 3), zoo_median(4, 3, source=path)):
        assert model_digest(model) == model_digest(scalar)


@pytest.mark.parametrize("number_type", [torch.int32, torch.complex64, torch.float8_e4m3fn])
def test_other_number_types_are_refused_in_a_line(tmp_path, number_type):
    state = {key: w.to(number_type) for key, w in zoo_2nd_argmax(2, 2).state_dict().items()}
    path = saved(state, tmp_path / "own.pt")
    for load in (load_dist_rnn, lambda path: zoo_2nd_argmax(2, 2, source=path)):
        with pytest.raises(ValueError, match=r"own\.pt: tensor .* is not made of plain") as error:
            load(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module."])
@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_keys_of_wrapped_models_are_named(tmp_path, prefix, ending):
    state = {f"{prefix}{key}": w for key, w in zoo_2nd_argmax(2, 2).state_dict().items()}
    path = saved(state, tmp_path / f"own.{ending}")
    with pytest.raises(ValueError, match=f"'{prefix}linear.weight' has no place in the model"):
        zoo_2nd_argmax(2, 2, source=path)
    with pytest.raises(ValueError, match=r"no matrix 'linear\.weight'"):
        load_dist_rnn(path)


def test_checkpoint_dictionaries_are_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": zoo_2nd_argmax(2, 2).state_dict(), "step": 3}, path)
    for load in (load_dist_rnn, lambda path: zoo_2nd_argmax(2, 2, source=path)):
        with pytest.raises(ValueError, match=r"other than named tensors|more than named tensors"):
            load(path)


@pytest.mark.parametrize("name", ["own:x.pt", "a b'c\".PTH", "own.pth.pt", "Übung=3.pt", "-o.pth"])
def test_any_name_that_the_file_system_allows(tmp_path, name):
    own = zoo_2nd_argmax(2, 2)
    path = saved(own.state_dict(), tmp_path / name)
    assert model_digest(zoo_2nd_argmax(2, 2, source=path)) == model_digest(own)
    assert model_digest(load_dist_rnn(path)) == model_digest(own)
    assert model_digest(base_named(f"2nd_argmax_2_2:{path}")) == model_digest(own)
