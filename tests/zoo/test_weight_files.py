import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from algzoo.zoo.weight_files import load_into, read_state_dict


@pytest.fixture
def two_models(tmp_path):
    path = tmp_path / "two.safetensors"
    tensors = {f"model_{i}/weight": torch.full((1, 2), float(i)) for i in (1, 11)}
    save_file(tensors, path)
    return path


def test_prefix_chooses_one_model_of_a_file(two_models):
    state = read_state_dict(two_models, "model_1/")
    assert list(state) == ["weight"]
    assert state["weight"].tolist() == [[1.0, 1.0]]


def test_without_prefix_the_file_is_read_whole(two_models):
    assert set(read_state_dict(two_models)) == {"model_1/weight", "model_11/weight"}


def test_model_not_in_the_file(two_models):
    with pytest.raises(ValueError, match="model_2/") as error:
        read_state_dict(two_models, "model_2/")
    assert str(two_models) in str(error.value)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.safetensors"):
        read_state_dict(tmp_path / "absent.safetensors")


def test_weights_of_one_model_do_not_spoil_another(tmp_path):
    path = tmp_path / "nan.safetensors"
    save_file({"good/weight": torch.ones(1, 2), "bad/weight": torch.full((1, 2), torch.nan)}, path)
    assert read_state_dict(path, "good/")["weight"].tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="'bad/weight' holds a weight that is not finite"):
        read_state_dict(path, "bad/")


def test_load_into_fills_the_model():
    model = nn.Linear(2, 1, bias=False)
    load_into(model, {"weight": torch.tensor([[3.0, 4.0]])}, "somewhere")
    assert model.weight.tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize("state", [{"weight": torch.ones(1, 3)}, {"bias": torch.ones(1)}, {}])
def test_load_into_names_the_source_of_weights_that_do_not_fit(state):
    with pytest.raises(ValueError, match="somewhere does not hold the weights asked for"):
        load_into(nn.Linear(2, 1, bias=False), state, "somewhere")
