"""Records of the long runs that test the promises, and the text that shows the latest of them.

    .venv/bin/python tests/promises/runs.py > tests/promises/abuse.txt

Each script of this folder appends a record to ``runs.jsonl`` if it is called with ``--record``, and
so does ``tests/estimates/test_exactness.py``. A record is a line of JSON: the script and what it
was applied to (``case``), its arguments, the date, the commit, the machine, and what was counted or
measured. The text has the latest record of each script and case; nothing in it is typed by hand.
Scripts in JavaScript add their records by ``runs.py --add RECORD``.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RUNS = HERE / "runs.jsonl"
TEXT = HERE / "abuse.txt"

Record = dict[str, Any]


def add(
    script: str,
    case: str,
    counts: Mapping[str, float],
    *,
    arguments: Sequence[str] = (),
    path: Path = RUNS,
) -> None:
    """Append the record of a run that has ended, with the date, the commit and this machine.

    Parameters
    ----------
    script
        Path of what was run, relative to the repository, or the command.
    case
        What it was applied to; a later record of the same script and case replaces this one in the
        text. Empty if there is only one.
    counts
        What was found: whole numbers are counts, others are measured.
    arguments
        How the script was called, without ``--record``.
    path
        Where to append.
    """
    record = {
        "script": script,
        "case": case,
        "arguments": [argument for argument in arguments if argument != "--record"],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "counts": dict(counts),
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def commit() -> str:
    """The commit that was run, with a plus sign if files of it were changed."""

    def said(*command: str) -> str:
        return subprocess.run(
            ["git", *command], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()

    own = f":(exclude){RUNS.relative_to(ROOT)}"
    try:
        changed = said("status", "--porcelain", "--untracked-files=no", "--", ".", own)
        return said("rev-parse", "--short=10", "HEAD") + "+" * bool(changed)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def machine() -> str:
    """The processors and the version of Python."""
    count = os.cpu_count()
    of_python = f"Python {platform.python_version()}"
    return f"{count} processors, {platform.machine()}, {platform.system()}, {of_python}"


def records(path: Path = RUNS) -> list[Record]:
    """All records, the oldest first."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def latest(every: Iterable[Record]) -> list[Record]:
    """The last record of each script and case; scripts and cases as they were first met."""
    found: dict[str, dict[str, Record]] = {}
    for record in every:
        found.setdefault(record["script"], {})[record["case"]] = record
    return [record for of_script in found.values() for record in of_script.values()]


def text(every: Iterable[Record]) -> str:
    """The text of ``abuse.txt``: for each run its command, when and where, and what was found."""

    def run(record: Record) -> tuple[str, str]:
        where = (record["date"], record["commit"], record["machine"])
        return " ".join([record["script"], *record["arguments"]]), ", ".join(where)

    parts = []
    for (command, where), of_run in itertools.groupby(latest(every), run):
        parts.append("\n".join([command, where, *map(_line, of_run)]) + "\n")
    return "\n".join(parts)


def _line(record: Record) -> str:
    counted = ", ".join(_in_words(name, number) for name, number in record["counts"].items())
    return f"{record['case']}: {counted}" if record["case"] else counted


def _in_words(name: str, number: float) -> str:
    return f"{number:,} {name}" if isinstance(number, int) else f"{name} {number:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--add", metavar="RECORD", help="JSON with script, case and counts")
    asked = parser.parse_args()
    if asked.add:
        add(**json.loads(asked.add))
    else:
        sys.stdout.write(text(records()))


if __name__ == "__main__":
    main()
