"""A package that is no part of this one: by an entry point its estimators are in the catalogue."""

import json
import os
import subprocess
import sys

import pytest

ESTIMATORS = """
from algzoo.estimates import Scope, Tally, estimator, sampler

FACTS = dict(source="nobody", cost="nothing", fails_when="always")


@estimator("half and {more}", scope=Scope("2nd_argmax", inputs=3), budgets=[{"more": 0.25}],
           runs_network="never", exact="approximate", constants="none", **FACTS)
def half_and_more(model, more):
    \"\"\"Half and more.\"\"\"
    return Tally(0.5 + more, 2)


@sampler("none", scope=Scope("median"), **FACTS)
def none(model, n_samples, seed):
    \"\"\"No input at all.\"\"\"
    return Tally(0.0, n_samples)


LIST = [none]
"""


def install(folder, name, entry_points, module=ESTIMATORS):
    """What ``pip install`` leaves of a distribution: a module and its metadata."""
    (folder / f"{name}.py").write_text(module)
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "".join(f"{key} = {value}\n" for key, value in entry_points.items())
    (metadata / "entry_points.txt").write_text(f"[algzoo.estimators]\n{lines}")


@pytest.fixture
def algzoo(tmp_path):
    """The command line with that folder on the path of modules."""

    def call(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "80"}
        command = [sys.executable, "-m", "algzoo", *arguments]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return call


def test_it_is_in_the_catalogue_and_takes_part_in_the_challenge(tmp_path, algzoo):
    install(tmp_path, "theirs", {"all": "theirs"})
    rows = json.loads(algzoo("estimators", "--json").stdout)
    theirs = {row["name"]: row for row in rows if row["origin"] == "theirs"}
    assert set(theirs) == {"half and 0.25", "none, 1024 inputs"}
    assert theirs["half and 0.25"]["scope"] == "2nd-argmax models of three inputs"
    assert theirs["half and 0.25"]["summary"] == "Half and more."
    assert theirs["none, 1024 inputs"]["runs_network"] == "random inputs"
    assert "exact" in [row["name"] for row in rows if row["origin"] == "algzoo"]
    table = algzoo("estimators").stdout
    assert "half and 0.25" in table
    assert max(map(len, table.splitlines())) <= 80
    assert "half and" not in algzoo("estimators", "--page").stdout
    population = ["--model", "2nd_argmax_4_3", "--sd", "0.01", "--models", "4"]
    found = algzoo("challenge", *population, "--estimator", "half and 0.25", "--json")
    assert found.returncode == 0, found.stderr
    [row] = json.loads(found.stdout)["rows"]
    assert (row["name"], row["runs_network"], row["operations"]) == ("half and 0.25", "never", 2)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("theirs:half_and_more", {"half and 0.25"}),
        ("theirs:LIST", {"none, 1024 inputs"}),
    ],
)
def test_an_entry_point_may_name_a_function_or_a_list(tmp_path, algzoo, value, names):
    install(tmp_path, "theirs", {"some": value})
    rows = json.loads(algzoo("estimators", "--json").stdout)
    assert {row["name"] for row in rows if row["origin"] == "theirs"} == names


def test_what_cannot_be_loaded_is_left_out_and_said(tmp_path, algzoo):
    wrong = ESTIMATORS.replace('"approximate"', '"nearly"')
    install(tmp_path, "wrong", {"all": "wrong"}, wrong)
    install(tmp_path, "absent", {"all": "not_there"})
    install(tmp_path, "empty", {"all": "empty"}, "x = 1")
    install(tmp_path, "leaving", {"all": "leaving"}, "import sys\n\nsys.exit('bye')")
    install(tmp_path, "unwritten", {"all": "unwritten"}, "def f(:\n")
    result = algzoo("estimators", "--json")
    assert result.returncode == 0
    assert {row["origin"] for row in json.loads(result.stdout)} == {"algzoo"}
    empty, leaving, absent, unwritten, wrong = sorted(result.stderr.splitlines())
    start = "entry point all = "
    assert empty.startswith(f"{start}empty of empty in group algzoo.estimators is left out: ")
    assert "holds no function declared with @estimator" in empty
    assert absent.startswith(f"{start}not_there of absent")
    assert "ModuleNotFoundError: No module named 'not_there'" in absent
    assert "of leaving in group algzoo.estimators is left out: SystemExit: bye" in leaving
    assert "of unwritten in group algzoo.estimators is left out: SyntaxError: " in unwritten
    assert "ValueError: exact is one of exact, converges, approximate, not 'nearly'" in wrong
    population = ["--model", "2nd_argmax_4_3", "--sd", "0.01"]
    asked = algzoo("challenge", *population, "--estimator", "half and 0.25")
    assert asked.returncode == 2
    assert "No module named 'not_there'" in " ".join(asked.stderr.split())


def test_two_of_one_name_are_an_error_that_names_both(tmp_path, algzoo):
    install(tmp_path, "first", {"all": "first"})
    install(tmp_path, "second", {"all": "second"})
    result = algzoo("estimators")
    assert result.returncode == 1
    said = " ".join(result.stderr.split())
    assert "two estimators are called 'half and 0.25', one of first and one of second" in said
    assert "Traceback" not in result.stderr
