"""What the README shows runs and is true."""

import re
from pathlib import Path

import click

from algzoo.chapters.commands.main import main
from algzoo.estimates import exact
from algzoo.zoo import FAMILIES, zoo_2nd_argmax

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_runs_and_shows_what_it_returns():
    [example] = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    estimate = exact(zoo_2nd_argmax(2, 2))
    shown = re.search(r"Estimate\(value=([\d.]+)\.\.\., (operations=.*)\)\n", example)
    assert repr(estimate.value).startswith(shown[1])
    assert repr(estimate).endswith(f"{shown[2]})")


def test_the_commands_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
    for command in re.findall(r"\.venv/bin/algzoo (\w+)", README):
        assert command in main.list_commands(None)


def test_the_options_exist():
    options = {
        "check": {"--all", "--jobs"},
        "run": {"-p", "-o", "--jobs"},
        "challenge": {"--model", "--sd", "--estimator", "--plot", "--seeds", "--json"},
    }
    for name, expected in options.items():
        command = main.get_command(click.Context(main), name)
        assert expected <= {option for parameter in command.params for option in parameter.opts}
        assert all(f"`{option}" in README or f" {option} " in README for option in expected)


def test_the_build_of_pytorch_without_gpus_is_the_one_that_is_tested():
    [address] = re.findall(r"PIP_EXTRA_INDEX_URL=(\S+) make book", README)
    for name in ("tests", "pages"):
        workflow = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
        assert f"PIP_EXTRA_INDEX_URL: {address} " in workflow


def test_the_files_it_links_are_there():
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_the_number_of_models_is_right():
    n_sizes = sum(len(family.sizes()) for family in FAMILIES.values())
    assert f"the {n_sizes} bundled sizes ({5 * n_sizes} models" in README
