"""A model from a file of one's own: any size, checked against the size asked for, never run."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from algzoo.zoo import (
    FAMILIES,
    load_model,
    zoo_2nd_argmax,
    zoo_argmedian,
    zoo_longest_cycle,
    zoo_median,
)

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
        ((3, 4), {"seed": 0}, "seed 0 chooses among models of the zoo: .*own.pth is just one"),
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
