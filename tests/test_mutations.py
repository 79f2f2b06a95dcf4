"""The script that changes the package, tried on a package of one small module."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location(
    "mutations", Path(__file__).parent / "promises" / "mutations.py"
)
mutations = importlib.util.module_from_spec(SPEC)
sys.modules["mutations"] = mutations
SPEC.loader.exec_module(mutations)

TOY = '''
"""1 + 1 < 3."""
from typing import TYPE_CHECKING, Literal

__all__ = ["f" + "g"]
TIGHT = 1e-9
if TYPE_CHECKING:
    n = 1 + 1

def f(x: Literal[3], seed: int = 4) -> Literal[5]:
    """Half - half."""
    if not x <= 0 or x == -x:
        raise ValueError("x" + str(x - 1))
    return max(x[0], x[-1]) + x.sum(axis=0)  # a - b
'''
LINES = {
    "TIGHT = 1e-07",
    "def f(x: Literal[3], seed: int = 5) -> Literal[5]:",
    "if not x < 0 or x == -x:",
    "if not x <= 1 or x == -x:",
    "if not x <= 0 and x == -x:",
    "if not x <= 0 or x != -x:",
    "if not x <= 0 or x == x:",
    "return min(x[0], x[-1]) + x.sum(axis=0)  # a - b",
    "return max(x[1], x[-1]) + x.sum(axis=0)  # a - b",
    "return max(x[0], x[-2]) + x.sum(axis=0)  # a - b",
    "return max(x[0], x[1]) + x.sum(axis=0)  # a - b",
    "return max(x[0], x[-1]) - x.sum(axis=0)  # a - b",
    "return max(x[0], x[-1]) + x.sum(axis=1)  # a - b",
}


def test_every_place_that_matters_is_found_once(tmp_path):
    (tmp_path / "toy.py").write_text(TOY)
    found = mutations.mutations(tmp_path, ["toy.py"])
    assert len(found) == len(LINES)
    assert {mutation.lines(TOY.encode())[1] for mutation in found} == LINES
    assert {m.kind for m in found} >= {"axis", "tolerance", "index", "min/max", "and/or", "sign"}
    one_a_line = mutations.chosen(found, seed=0)
    assert len({m.line for m in one_a_line}) == len(one_a_line) == len({m.line for m in found})
    assert one_a_line == mutations.chosen(found, seed=0)
    assert one_a_line != mutations.chosen(found, seed=1)


def test_places_are_in_bytes():
    source = "a = 'ü' if n < 2 else (n  # < ü\n   < 3)\n".encode()
    changed = [m.applied(source).decode() for m in mutations.Places("a.py", source).mutations()]
    assert "a = 'ü' if n <= 2 else (n  # < ü\n   < 3)\n" in changed
    assert "a = 'ü' if n < 2 else (n  # < ü\n   <= 3)\n" in changed


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A package whose sum is tested and whose difference is not."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # which takes seconds
    files = {
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n',
        "algzoo/__init__.py": "from .part import total\n",
        "algzoo/part/__init__.py": "from .sums import total\n",
        "algzoo/part/sums.py": (
            "def total(a, b):\n    return a + b\n\n\ndef difference(a, b):\n    return a - b\n"
        ),
        "algzoo/part/other.py": "from .sums import total\n\nHALF = total(1, 1)\n",
        "tests/part/test_other.py": "from algzoo.part import other\n\n\ndef test():\n    other\n",
        "tests/part/test_sums.py": (
            "from algzoo import total\n\n\ndef test_total():\n    assert total(2, 2) == 4\n"
        ),
    }
    for name, text in files.items():
        path = tmp_path / "ü checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "ü checkout"


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_tested_line_is_caught_and_an_untested_one_survives(checkout):
    before = contents(checkout)
    survey = mutations.survey(checkout, ["algzoo/part/sums.py"], 9, seed=0)
    outcomes = {outcome.after: outcome for outcome in survey}
    assert set(outcomes) == {"return a - b", "return a + b"}
    caught, survived = outcomes["return a - b"], outcomes["return a + b"]
    assert (caught.verdict, caught.test) == ("caught", "tests/part/test_sums.py::test_total")
    assert (survived.verdict, survived.line, survived.kind) == ("survived", 6, "sign")
    assert contents(checkout) == before


def test_known_equivalents_are_not_tried_and_each_has_a_reason(checkout, tmp_path):
    listed = tmp_path / "equivalent.toml"
    text = """
[[mutant]]
file = "algzoo/part/sums.py"
before = "return a + b"
after = "return a - b"
"""
    listed.write_text(text + 'reason = "b is 0"\n')
    (checkout / "algzoo/part/sums.py").write_text("def total(a, b):\n    return a + b\n")
    known = mutations.equivalents(listed)
    assert list(mutations.survey(checkout, ["algzoo/part/sums.py"], 9, 0, known=known)) == []
    listed.write_text(text)
    with pytest.raises(ValueError, match="say why"):
        mutations.equivalents(listed)


def test_a_test_that_fails_anyway_catches_nothing(checkout):
    path = checkout / "tests" / "part" / "test_sums.py"
    path.write_text(path.read_text() + "\n\ndef test_wrong():\n    assert total(1, 1) == 3\n")
    (checkout / "algzoo/part/sums.py").write_text(
        "UNUSED = 1\n\n\ndef total(a, b):\n    return a + b\n"
    )
    survey = mutations.survey(checkout, ["algzoo/part/sums.py"], 9, seed=0)
    with pytest.raises(RuntimeError, match=r"fail without any change: .*::test_wrong"):
        list(survey)


def test_a_test_that_does_not_end_has_noticed(checkout):
    module, tests = checkout / "algzoo/part/sums.py", checkout / "tests/part/test_sums.py"
    module.write_text("def total(a, b):\n    while b > 1:\n        b -= 1\n    return b\n")
    tests.write_text("from algzoo import total\n\n\ndef test_1():\n    assert total(0, 3) == 1\n")
    places = mutations.mutations(checkout, ["algzoo/part/sums.py"])
    endless = next(place for place in places if place.text == b"+=")
    suite = mutations.Suite(checkout, limit=60, test_limit=1)
    outcome = suite.outcome(endless, ["tests/part/test_sums.py"])
    assert (outcome.verdict, outcome.test) == ("caught", "tests/part/test_sums.py::test_1")
    # It counts only where it ends without the change.
    assert suite.broken([outcome.test]) == []
    module.write_text(module.read_text().replace("-=", "+="))
    assert suite.broken([outcome.test]) == [outcome.test]


def test_tests_come_in_the_order_in_which_they_are_likely_to_notice(checkout):
    (checkout / "tests/part/test_a.py").write_text("from algzoo.part import other\n")
    imports = mutations.Imports(checkout)
    assert imports.tests_of("algzoo/part/sums.py") == [
        "tests/part/test_sums.py",
        "tests/part/test_a.py",
        "tests/part/test_other.py",
    ]


def test_listed_equivalents_are_still_in_the_package():
    """A line that was changed since is looked at again."""
    for known in mutations.equivalents(mutations.EQUIVALENT):
        lines = (mutations.ROOT / known.file).read_text("utf-8").splitlines()
        assert known.before in {line.strip() for line in lines}, known
        assert known.before != known.after


def test_the_command_says_what_it_takes():
    command = [sys.executable, mutations.__file__, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--number" in done.stdout
