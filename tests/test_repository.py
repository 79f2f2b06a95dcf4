"""What surrounds the book: workflows, launch links, citation, and what a contributor is told."""

import fnmatch
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from algzoo.chapters.address import first_cells, published_at
from algzoo.chapters.commands.main import main
from algzoo.chapters.notebooks import read

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "analyses").glob("*.ipynb"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
EXPRESSION = r"\$\{\{.*?\}\}"


def loaded(path):
    # As text alone: YAML 1.1 takes the key `on` for a truth value.
    return yaml.load(path.read_text("utf-8"), yaml.BaseLoader)


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request):
    return loaded(request.param)


def test_the_workflows_are_those_for_tests_pages_and_newest_versions():
    assert [path.stem for path in WORKFLOWS] == ["pages", "tests", "weekly"]


def test_a_workflow_has_what_github_reads_and_nothing_else(workflow):
    top = {"name", "on", "permissions", "concurrency", "env", "defaults", "jobs"}
    assert {"name", "on", "permissions", "jobs"} <= workflow.keys() <= top
    events = {"push", "pull_request", "schedule", "workflow_dispatch"}
    assert workflow["on"].keys() <= events
    of_job = {"runs-on", "timeout-minutes", "steps", "needs", "if", "strategy"}
    of_job |= {"permissions", "environment"}
    of_step = {"name", "id", "uses", "with", "run", "env", "if", "continue-on-error"}
    for job in workflow["jobs"].values():
        assert {"runs-on", "timeout-minutes", "steps"} <= job.keys() <= of_job
        needs = job.get("needs", [])
        assert {needs} if isinstance(needs, str) else {*needs} <= workflow["jobs"].keys()
    for step in steps(workflow):
        assert step.keys() <= of_step
        assert ("uses" in step) != ("run" in step)


def test_a_workflow_may_do_no_more_than_it_does(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    granted = {name: job.get("permissions") for name, job in workflow["jobs"].items()}
    assert {name: given for name, given in granted.items() if given} == {
        "pages": {"deploy": {"pages": "write", "id-token": "write"}},
        "tests": {},
        "weekly": {"report": {"issues": "write"}},
    }[workflow["name"]]


def test_actions_are_pinned_and_leave_no_token_behind(workflow):
    for step in steps(workflow):
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@(v\d+|[0-9a-f]{40})", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


def test_scripts_are_shell_and_take_what_others_write_from_the_environment(workflow):
    for step in steps(workflow):
        if "run" in step:
            assert re.search(EXPRESSION, step["run"]) is None
            checked = subprocess.run(
                ["bash", "-n"], input=step["run"], text=True, capture_output=True, check=False
            )
            assert checked.stderr == ""


def test_workflows_run_what_the_readme_says():
    commands = re.findall(r"^(make \w+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    runs = {path.stem: [s["run"] for s in steps(loaded(path)) if "run" in s] for path in WORKFLOWS}
    assert "make test" in runs["tests"]
    assert "make book" in runs["pages"]
    assert {"make test", "make book"} <= set(commands)


@pytest.mark.parametrize("job", ["newest", "lowest"])
def test_other_versions_than_the_pins_are_installed_and_tested(job):
    weekly = loaded(ROOT / ".github" / "workflows" / "weekly.yml")["jobs"]
    install, test, *_ = (step["run"] for step in weekly[job]["steps"] if "run" in step)
    assert "make test" in test or ".venv/bin/pytest" in test
    assert "constraints.txt" not in install
    assert ".venv/.installed" in install  # or make would install the pins


def test_every_python_since_the_oldest_is_tried():
    weekly = loaded(ROOT / ".github" / "workflows" / "weekly.yml")["jobs"]
    pythons = weekly["newest"]["strategy"]["matrix"]["python"]
    assert f">={pythons[0]}" == PROJECT["requires-python"]
    assert pythons == [f"3.{11 + i}" for i in range(len(pythons))]
    assert {*weekly["report"]["needs"]} == weekly.keys() - {"report"}


def test_the_lowest_versions_are_those_of_the_project():
    printed = subprocess.run(
        [sys.executable, ROOT / "tests" / "promises" / "lowest.py"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    declared = [*PROJECT["dependencies"]]
    for extra in PROJECT["optional-dependencies"].values():
        declared += extra
    assert {line.replace("==", ">=") for line in printed} == {r.partition(",")[0] for r in declared}


def test_binder_installs_the_pinned_set():
    lines = (ROOT / ".binder" / "requirements.txt").read_text("utf-8").splitlines()
    [constraints] = [line.removeprefix("-c ") for line in lines if line.startswith("-c ")]
    assert (ROOT / ".binder" / constraints).resolve() == ROOT / "constraints.txt"
    assert "-e ." in lines
    runtime = (ROOT / ".binder" / "runtime.txt").read_text("utf-8").strip()
    assert runtime.replace("python-", ">=") == PROJECT["requires-python"]


def test_launch_buttons_are_there_where_the_book_has_an_address():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    address = config["repository"]["url"]  # without this setting, Jupyter Book's own repository
    assert address == published_at(ROOT)
    buttons = config["launch_buttons"]
    assert buttons.pop("notebook_interface") == "jupyterlab"
    assert buttons == {
        "binderhub_url": "https://mybinder.org" if address else "",
        "colab_url": "https://colab.research.google.com" if address else "",
    }


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_begins_with_what_colab_needs_and_its_parameters(chapter):
    cells = read(chapter).cells
    expected = first_cells(published_at(ROOT))
    assert [(c.id, c.source, c.metadata) for c in cells[1:3]] == [
        (c.id, c.source, c.metadata) for c in expected
    ]
    assert cells[2].outputs == []
    code = [cell for cell in cells[3:] if cell.cell_type == "code"]
    assert code[0].metadata["tags"] == ["parameters"]
    for line in code[0].source.splitlines():
        assert re.fullmatch(r"\w+ = .+  # .+", line), f"not explained: {line}"


def test_the_citation_is_complete_and_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= reference.keys()


def test_contributors_are_told_what_is_there():
    called = re.findall(r"^ *\.venv/bin/(.+)", CONTRIBUTING, re.MULTILINE)
    calls = [shlex.split(call, comments=True) for call in called]
    for program, *arguments in calls:
        if program == "algzoo":
            command, *rest = arguments
            found = main.get_command(click.Context(main), command)
            found.make_context(command, rest)
    assert {"algzoo", "jupyter", "nbdiff", "pytest"} <= {program for program, *_ in calls}
    for extras in re.findall(r"\.\[([\w,]+)\]", CONTRIBUTING):
        assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()
    prose = re.sub(r"```.*?```", "", CONTRIBUTING, flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#]+)\)", prose):
        assert (ROOT / link).exists(), link


def test_data_files_are_part_of_the_package():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    patterns = tools["setuptools"]["package-data"]["algzoo"]
    for path in (ROOT / "algzoo").rglob("data/**/*"):
        if path.is_file() and "__pycache__" not in path.parts:
            name = path.relative_to(ROOT / "algzoo").as_posix()
            assert any(fnmatch.fnmatch(name, pattern) for pattern in patterns), name
