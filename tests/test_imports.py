"""Names are there at once, and what takes long to import is imported when it is used."""

import json
import subprocess
import sys

import pytest

from algzoo.chapters.commands.main import main

SLOW = {"torch", "numba", "scipy", "matplotlib", "papermill", "sympy", "sklearn"}
LIST = "import json, sys; print('\\n' + json.dumps([*sys.modules]))"


def imported(source):
    """Which of the slow packages a program imports."""
    command = [sys.executable, "-c", f"{source}\n{LIST}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return SLOW & set(json.loads(result.stdout.splitlines()[-1]))


def command(*arguments):
    return (
        "from algzoo.chapters.commands.main import main\n"
        f"main({[*arguments]}, standalone_mode=False)"
    )


@pytest.mark.parametrize(
    "source",
    [
        "import algzoo; dir(algzoo)",
        command("--help"),
        command("--version"),
        command("challenge", "--help"),
        command("study", "--help"),
    ],
)
def test_nothing_slow_is_imported(source):
    assert imported(source) == set()


@pytest.mark.parametrize(
    "source",
    [
        "from algzoo import zoo_2nd_argmax",
        command("models", "--json"),
        command("check", "--help"),
        command("train", "--help"),
    ],
)
def test_models_need_pytorch_and_nothing_else_that_is_slow(source):
    assert imported(source) <= {"torch", "sympy"}  # PyTorch itself may import SymPy


def test_scikit_learn_is_imported_by_what_uses_it():
    assert "sklearn" not in imported("import algzoo.mechanisms, algzoo.explanations.mechanisms")


def test_every_command_of_the_list_is_there_under_its_name():
    for name in main.list_commands(None):
        assert main.get_command(None, name).name == name


@pytest.mark.parametrize("module", ["algzoo", "algzoo.chapters.cli"])
def test_modules_that_are_the_command_line(module):
    result = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: algzoo [OPTIONS] COMMAND [ARGS]...")
    for name in main.list_commands(None):
        assert f"\n  {name} " in result.stdout


def test_without_pytorch_a_command_says_so_in_a_line():
    without = "import sys; sys.modules['torch'] = None\n"
    source = f"{without}from algzoo.chapters.commands.main import main; main(['models'])"
    result = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr == "Error: `algzoo models` needs torch, which is not installed here\n"
    assert imported(without + command("--help")) == {"torch"}


NAMES = """
import algzoo

before = dir(algzoo)
assert set(algzoo.__all__) < set(before)
assert algzoo.architectures.DistRNN is algzoo.DistRNN
assert algzoo.zoo.zoo_median is algzoo.zoo_median
for name in ("architectures", "handcrafted", "loading", "tasks", "training", "zoo"):
    assert name in before
    assert getattr(algzoo, name).__name__ == f"algzoo.{name}"
for name in algzoo.__all__:
    assert getattr(algzoo, name) is getattr(algzoo, name)
    assert callable(getattr(algzoo, name)), name
found = {}
exec("from algzoo import *", found)
assert set(algzoo.__all__) <= set(found)
assert not hasattr(algzoo, "zoo_3rd_argmax")
try:
    from algzoo import zoo_3rd_argmax
except ImportError as error:
    assert "cannot import name 'zoo_3rd_argmax' from 'algzoo'" in str(error)
"""


def test_arcs_names_are_there_without_being_imported_by_name():
    """In a process of its own, where nothing else has imported them."""
    subprocess.run([sys.executable, "-c", NAMES], check=True)
