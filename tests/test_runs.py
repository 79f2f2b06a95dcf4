"""Records of the long runs of the promises, and the text that is made from them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT
from .promises import runs

SCRIPTS = ("mutations", "kills", "elsewhere", "exact_tails")


def test_the_text_is_what_the_records_say():
    shown = runs.TEXT.read_text("utf-8")
    assert shown == runs.text(runs.records())


def test_a_record_says_when_where_and_how(tmp_path):
    path = tmp_path / "runs.jsonl"
    found = {"kills": 1200, "failures": 0, "seconds": 0.25}
    runs.add("kills.py", "run", found, arguments=["-n", "1200", "--record"], path=path)
    [record] = runs.records(path)
    assert record["counts"] == found
    assert record["arguments"] == ["-n", "1200"]
    assert record["machine"] == runs.machine()
    assert len(record["date"]) == 10
    command, where, line = runs.text([record]).splitlines()
    assert command == "kills.py -n 1200"
    assert where == f"{record['date']}, {record['commit']}, {record['machine']}"
    assert line == "run: 1,200 kills, 0 failures, seconds 0.25"


def test_the_latest_record_of_each_script_and_case_is_shown():
    def record(script, case, number, arguments=()):
        return {
            **{"script": script, "case": case, "arguments": [*arguments]},
            **{
                "date": "2026-12-01",
                "commit": "abc",
                "machine": "one",
                "counts": {"kills": number},
            },
        }

    every = [record("a", "run", 1), record("b", "", 2), record("a", "fetch", 3)]
    every += [record("a", "run", 4, ["-n", "4"])]
    shown = runs.text(every).split("\n\n")
    heading = "2026-12-01, abc, one\n"
    assert shown == [
        f"a -n 4\n{heading}run: 4 kills",
        f"a\n{heading}fetch: 3 kills",
        f"b\n{heading}2 kills\n",
    ]


def test_a_script_in_another_language_adds_its_record(tmp_path):
    copy = tmp_path / "tests" / "promises" / "runs.py"
    copy.parent.mkdir(parents=True)
    copy.write_text(Path(runs.__file__).read_text("utf-8"), "utf-8")
    given = {"script": "make axe", "case": "", "counts": {"pages": 3, "findings": 0}}
    subprocess.run([sys.executable, copy, "--add", json.dumps(given)], check=True)
    shown = subprocess.run([sys.executable, copy], check=True, capture_output=True, text=True)
    assert shown.stdout.startswith("make axe\n")
    assert shown.stdout.endswith("\n3 pages, 0 findings\n")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_can_record(script):
    command = [sys.executable, ROOT / "tests" / "promises" / f"{script}.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--record" in done.stdout
