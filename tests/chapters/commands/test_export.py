"""``algzoo export`` as its reader meets it: the file, the card, and what it never overwrites."""

import re
import runpy
import sys

import pytest
import torch
from click.testing import CliRunner

from algzoo.chapters.commands.main import main
from algzoo.estimates import exact
from algzoo.zoo import example_2nd_argmax, zoo_2nd_argmax, zoo_median
from algzoo.zoo.exporting import as_safetensors


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def algzoo(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def export(*arguments):
    result = algzoo(*arguments)
    assert result.exit_code == 0, result.output
    return result


def run(card, folder):
    """Run what the card says about loading, as a script beside the file; returns its names."""
    [code] = re.findall(r"```python\n(.*?)```", card.read_text("utf-8"), flags=re.DOTALL)
    script = folder / "as_the_card_says.py"
    script.write_text(code)
    sys.modules.pop("algzoo_hooked", None)
    return runpy.run_path(str(script))


@pytest.mark.parametrize("options", [[], ["--float64"]], ids=str)
def test_what_the_card_says_gives_the_models_outputs(here, monkeypatch, options):
    monkeypatch.syspath_prepend(here)
    name = "2nd_argmax_4_3_1073741824_0"
    for form, ending in {
        "safetensors": ".safetensors",
        "onnx": ".onnx",
        "transformer-lens": ".transformer-lens.safetensors",
    }.items():
        export("2nd_argmax_4_3", "--to", form, *options)
        found = run(here / f"{name}{ending}.md", here)
        model = zoo_2nd_argmax(4, 3)
        model = model.double() if options else model
        if form == "safetensors":
            for key, weight in model.state_dict().items():
                assert torch.equal(found["model"].state_dict()[key], weight)
            continue
        x = torch.as_tensor(found["inputs"])
        assert x.dtype == model.dtype
        outputs = torch.as_tensor(found["logits" if form == "onnx" else "outputs"])
        torch.testing.assert_close(outputs, model(x), rtol=1e-4, atol=1e-4)


def test_a_name_with_quotes_in_another_folder(here, monkeypatch):
    pytest.importorskip("onnxruntime")
    folder = here / "folder"
    for name, inputs in (("median_2_3", "inputs"), ("longest_cycle_2_3", "tokens")):
        export(name, "--to", "onnx", "--output", folder / f'a "{name}".onnx')
        monkeypatch.chdir(folder)
        found = run(folder / f'a "{name}".onnx.md', folder)
        assert found[inputs].shape == (5, 3)
        assert len(found["median" if inputs == "inputs" else "logits"]) == 5


def test_the_card_says_what_the_model_is(here):
    export("2nd_argmax_4_3_1073741824_1", "--to", "safetensors", "--output", "mine.safetensors")
    card = (here / "mine.safetensors.md").read_text("utf-8")
    assert card.startswith("# 2nd_argmax_4_3_1073741824_1\n")
    value = exact(zoo_2nd_argmax(4, 3, seed=1)).value
    for line in (
        "| architecture | ReLU RNN without biases, 4 neurons, 3 steps |",
        "| weights | 32, float32 |",
        f"| accuracy | {value:.6f} (exact) |",
        "| licence | MIT |",
    ):
        assert f"\n{line}\n" in card
    assert "1,073,741,824 of its 1,073,741,824 training sequences, seed 1" in card
    assert "`algzoo accuracy 2nd_argmax_4_3_1073741824_1 --tolerance 0.0001`" in card
    assert "@misc{algzoobook2026," in card
    assert "@online{algzoo2026," in card


def test_a_mean_squared_error_has_a_standard_error_of_its_own_size(here):
    export("median_8_5", "--to", "safetensors", "--output", "mine.safetensors")
    card = (here / "mine.safetensors.md").read_text("utf-8")
    value, std = re.search(
        r"mean squared error \| (\S+) \(standard error (\S+), by random inputs\)", card
    ).groups()
    assert float(std) <= 0.01 * float(value)
    model = zoo_median(8, 5)
    x = torch.randn(2**18, 5, generator=torch.Generator().manual_seed(5))
    squares = (model(x)[:, 0].detach() - x.median(-1).values) ** 2
    spread = float(squares.std() / 2**9) + float(std)
    assert float(value) == pytest.approx(float(squares.mean()), abs=4 * spread)


def test_no_file_is_lost(here):
    export("2nd_argmax_2_2", "--to", "safetensors", "--output", "a.safetensors")
    before = (here / "a.safetensors").read_bytes()
    again = ("2nd_argmax_2_3", "--to", "safetensors", "--output", "a.safetensors")
    result = algzoo(*again)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: a.safetensors exists: give another name with --output, or overwrite it with "
        "--force\n"
    )
    (here / "b.safetensors.md").write_text("my notes")
    result = algzoo("2nd_argmax_2_3", "--to", "safetensors", "--output", "b.safetensors")
    assert "b.safetensors.md exists" in result.stderr
    assert not (here / "b.safetensors").exists()
    assert (here / "a.safetensors").read_bytes() == before
    export(*again, "--force")
    assert (here / "a.safetensors").read_bytes() == as_safetensors(zoo_2nd_argmax(2, 3))
    assert not [path for path in here.iterdir() if path.name.startswith(".")]


def test_two_models_share_the_module_that_loads_them(here):
    export("median_2_2", "--to", "transformer-lens")
    export("median_2_3", "--to", "transformer-lens")
    (here / "algzoo_hooked.py").write_text("# mine")
    result = algzoo("median_4_2", "--to", "transformer-lens")
    assert "algzoo_hooked.py exists" in result.stderr
    assert (here / "algzoo_hooked.py").read_text() == "# mine"


def test_a_model_of_your_own(here):
    own = here / "own.safetensors"
    own.write_bytes(as_safetensors(zoo_2nd_argmax(4, 3, seed=2)))
    result = algzoo(f"2nd_argmax_4_3:{own}", "--to", "safetensors", "--output", own, "--force")
    assert result.exit_code == 1
    assert "is the file that the model comes from" in result.stderr
    export("2nd_argmax_4_3:own.safetensors", "--to", "safetensors")
    assert (here / "2nd_argmax_4_3_own.safetensors").read_bytes() == own.read_bytes()
    card = (here / "2nd_argmax_4_3_own.safetensors.md").read_text("utf-8")
    assert "| licence | that of the weights in the original file |" in card
    assert "MIT" not in card


def test_arcs_own_models(here, official):
    export("example_2nd_argmax", "--to", "safetensors")
    export("2nd_argmax_2_2:official", "--to", "onnx")
    found = zoo_2nd_argmax(16, 10, source=here / "example_2nd_argmax.safetensors")
    for key, weight in example_2nd_argmax().state_dict().items():
        assert torch.equal(found.state_dict()[key], weight)
    card = (here / "2nd_argmax_2_2_1073741824_2_official.onnx.md").read_text("utf-8")
    assert "| licence | none is known to us; ask ARC before you pass the weights on |" in card
    assert "| source | the Alignment Research Center (ARC), a model of its AlgZoo |" in card


def test_what_cannot_be_is_said_in_a_line(here, monkeypatch):
    for arguments, code, message in (
        (("2nd_argmax_7_7", "--to", "onnx"), 1, "No zoo model with hidden_size 7"),
        (("3rd_argmax", "--to", "onnx"), 1, "No model is called '3rd_argmax'"),
        (("median_2_2:none.pth", "--to", "onnx"), 1, "No weight file at"),
        (("median_2_2", "--to", "onnx", "--output", "x.safetensors"), 2, "ends in .onnx"),
        (("median_2_2", "--to", "gguf"), 2, "'gguf' is not one of"),
    ):
        result = algzoo(*arguments)
        assert result.exit_code == code
        assert message in result.stderr
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = algzoo("median_2_2", "--to", "onnx")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: An ONNX file needs the package onnx")
    assert len(result.stderr.splitlines()) == 1
    assert [*here.iterdir()] == []
