"""One's own weight file where a model is named: in the challenge and for a chapter's parameter."""

import json

import nbformat
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from algzoo.chapters.commands.chapters import _parameter
from algzoo.chapters.commands.main import main
from algzoo.chapters.notebooks import read, write
from algzoo.zoo import zoo_2nd_argmax
from algzoo.zoo.populations import NoisyCopies, base_named
from algzoo.zoo.streams import model_digest


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A model, and its file in the working directory."""
    model = zoo_2nd_argmax(2, 2, seed=1)
    torch.save(model.state_dict(), tmp_path / "own.pth")
    monkeypatch.chdir(tmp_path)
    return model


def test_a_file_is_named_after_its_family_and_size(own):
    named = base_named("2nd_argmax_2_2:own.pth")
    assert model_digest(named) == model_digest(own)
    assert model_digest(NoisyCopies(named, 0, 1).model(0)) == model_digest(own)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("own.pth", ValueError, "family_hidden_seq:FILE is one of your own"),
        ("2nd_argmax:own.pth", ValueError, "No model is called '2nd_argmax:own.pth'"),
        ("2nd_argmax_2_2_1048576_1:own.pth", ValueError, "No model is called"),
        ("2nd_argmax_2_2:", ValueError, "No zoo model with source ''"),
        ("2nd_argmax_3_2:own.pth", ValueError, r"has shape \(2, 2\), not \(2, 3\)"),
        ("2nd_argmax_2_2:other.pth", FileNotFoundError, r"No weight file at /.*/other\.pth"),
    ],
)
def test_what_is_not_there_or_does_not_fit(own, name, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        base_named(name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's start-up
def test_a_chapter_finds_the_file_from_the_readers_folder(own, small_clone, tmp_path, monkeypatch):
    """A chapter runs in its own folder, the command where the reader is."""
    path = small_clone / "analyses" / "small.ipynb"
    notebook = read(path)
    notebook.cells[1].source = "source = 'bundled'\nscale = 1"
    code = "from algzoo import zoo_2nd_argmax\nfrom algzoo.zoo.streams import model_digest\n"
    code += "digest = model_digest(zoo_2nd_argmax(2, 2, source=source))\nrecord(digest=digest)"
    notebook.cells.append(nbformat.v4.new_code_cell(code, id="own"))
    write(notebook, path)
    folder = small_clone / "mine"
    folder.mkdir()
    torch.save(own.state_dict(), folder / "own.pth")
    monkeypatch.chdir(folder)
    arguments = ["run", "small", "-p", "source", "own.pth", "-o", "own.ipynb"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert f"digest = {model_digest(own)}" in (folder / "own.ipynb").read_text("utf-8")


# Colons too, which separate a model's name from a file, and what JSON is made of.
NAMES = (
    "a:b.pth",
    "2nd_argmax_2_2:a.pth",
    "[1].pth",
    "{seed}.pth",
    "ü ?*'\"\\\n%s.safetensors",
    "-x.pth",
    "#:.pth",
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", [".", "sub:folder, 100% [ü] {x}"])
def test_a_path_holds_any_character(tmp_path, monkeypatch, name, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    path = tmp_path / folder / name
    path.touch()
    monkeypatch.chdir(tmp_path)
    given = f"{folder}/{name}" if folder != "." else name
    assert _parameter(given) == str(path)
    assert _parameter(str(path)) == str(path)
    assert _parameter(f"2nd_argmax_4_3:{given}") == f"2nd_argmax_4_3:{path}"


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_named_by_a_file_with_any_character(own, tmp_path, name):
    if name.endswith(".safetensors"):
        save_file(own.state_dict(), tmp_path / name)
    else:
        torch.save(own.state_dict(), tmp_path / name)
    named = base_named(f"2nd_argmax_2_2:{name}")
    assert model_digest(named) == model_digest(own)


def test_what_is_no_file_is_json_or_text():
    values = [3, 1.5, None, True, [1, 2], "bundled"]
    assert [_parameter(json.dumps(value)) for value in values] == values
    assert _parameter("bundled") == "bundled"
    assert _parameter("2nd_argmax_4_3") == "2nd_argmax_4_3"
