"""``algzoo train`` as its reader meets it."""

import re

import pytest
from click.testing import CliRunner

from algzoo.chapters.commands.main import main


def algzoo(*arguments):
    return CliRunner().invoke(main, arguments)


def test_train_writes_checkpoints_of_the_model_asked_for(tmp_path):
    folder = tmp_path / "trained"
    sizes = ["2nd_argmax", "2", "2", "--seed", "3", "--n-train", "4096", "--n-val", "1024"]
    result = algzoo("train", *sizes, "--folder", str(folder))
    assert result.exit_code == 0
    names = {f"2nd_argmax_2_2_{n}_3.pth" for n in (0, 1024, 2048, 4096)}
    assert {path.name for path in folder.iterdir()} == names


def test_train_of_an_unknown_task_is_one_line():
    result = algzoo("train", "3rd_argmax", "2", "2")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No task with name '3rd_argmax', please choose one of")


def test_train_all_writes_the_files_of_the_families_asked_for(tmp_path):
    folder = tmp_path / "trained"
    small = ["--family", "median", "--n-train", "1024", "--device", "cpu"]
    result = algzoo("train", "--all", *small, "--folder", str(folder))
    assert result.exit_code == 0
    assert not result.stdout
    assert "median, length 10" in result.stderr
    names = {f"median_{d}_{n}.safetensors" for d in (2, 4, 8, 16, 32) for n in (2, 3, 5, 10)}
    assert {path.name for path in folder.glob("*.safetensors")} == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give a TASK, HIDDEN_SIZE and SEQ_LEN, or --all"),
        (["median", "2"], "Give a TASK, HIDDEN_SIZE and SEQ_LEN, or --all"),
        (["median", "2", "2", "--family", "median"], "'--family' .* needs --all"),
        (["--family", "median"], "'--family' .* needs --all"),
        (["--all", "median", "2", "2"], r"'\[TASK\]' is for one model: leave it out with --all"),
        (["--all", "--seed", "0"], "'--seed' is for one model: leave it out with --all"),
        (["--all", "--n-val", "8"], "'--n-val' is for one model: leave it out with --all"),
    ],
)
def test_train_says_which_arguments_do_not_go_together(arguments, message):
    result = algzoo("train", *arguments)
    assert result.exit_code == 2
    assert re.search(message, result.stderr)


def test_train_of_an_unknown_family_is_one_line():
    result = algzoo("train", "--all", "--family", "modus")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No family with name 'modus', please choose one of")
